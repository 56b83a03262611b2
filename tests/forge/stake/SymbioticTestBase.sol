// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAdmission} from "../../../contracts/interfaces/IAdmission.sol";
import {KeeperSettings} from "../../../contracts/interfaces/IEpochKeeper.sol";
import {MemberTerms} from "../../../contracts/interfaces/IMemberStake.sol";
import {ISymbioticFactory} from "../../../contracts/interfaces/ISymbiotic.sol";
import {CollateralWeight, SymbioticSettings} from "../../../contracts/interfaces/ISymbioticStake.sol";
import {EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {EpochKeeper} from "../../../contracts/stake/EpochKeeper.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {SymbioticStake} from "../../../contracts/stake/SymbioticStake.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {StakeToken} from "./EigenLayerTestBase.sol";
import {
    ConfiguratorInit,
    DelegatorBaseInit,
    IDelegatorCore,
    IFactoryCore,
    IMiddlewareServiceCore,
    INetworkRegistryCore,
    IOperatorRegistryCore,
    IOptInServiceCore,
    ISlasherCore,
    IVaultConfiguratorCore,
    IVaultCore,
    OperatorInit,
    OperatorNetworkInit,
    SharedInit,
    VaultInit
} from "./ISymbioticCore.sol";

/// @title SymbioticTestBase
/// @notice Symbiotic's core contracts, Assent on their stake, and operators with vaults.
/// @dev `cargo xtask test --only Symbiotic` fetches their bytecode. Without it the tests are skipped, but not in CI.
abstract contract SymbioticTestBase is AssentTestBase {
    string private constant ARTIFACTS = "cache/symbiotic/";
    uint64 internal constant NETWORK_RESTAKE = 0;
    uint64 internal constant FULL_RESTAKE = 1;
    uint64 internal constant OPERATOR_SPECIFIC = 2;
    uint64 internal constant OPERATOR_NETWORK_SPECIFIC = 3;
    uint64 internal constant INSTANT = 0;
    uint64 internal constant VETO = 1;

    uint96 internal constant MIN_WEIGHT = 100e18;
    uint96 internal constant MAX_WEIGHT = 10_000e18;
    uint256 internal constant STAKE = 500e18;
    /// @dev Epochs of seven days, six more in which their operators can be slashed, and the second before.
    uint48 internal constant CHALLENGE_WINDOW = 6 days;
    uint48 internal constant VAULT_DURATION = EPOCH_LIFETIME + CHALLENGE_WINDOW + 1;

    address internal network = makeAddr("network");
    address internal burner = makeAddr("burner");
    StakeToken internal collateral;
    ISymbioticFactory internal vaultFactory;
    IVaultConfiguratorCore internal configurator;
    IOperatorRegistryCore internal operators;
    IOptInServiceCore internal vaultOptIns;
    IOptInServiceCore internal networkOptIns;
    IMiddlewareServiceCore internal middlewares;
    SymbioticStake internal stake;
    EpochKeeper internal keeper;

    /// @dev A registry whose weights are the stake of vaults, and whose owner is a keeper. Commits no epoch.
    function deployStake() internal {
        vm.warp(1_800_000_000);
        ownerStakeSource = new OwnerStakeSource(owner);
        registry = deployRegistry();
        taskManager = deployTaskManager();
        vm.prank(owner);
        registry.addValidator(taskManager);
        deploySymbiotic();
        stake = new SymbioticStake(settings(), weighed());
        vm.startPrank(owner);
        registry.setStakeSource(stake);
        keeper = new EpochKeeper(
            owner,
            KeeperSettings({
                operatorRegistry: registry,
                notice: 3 days,
                interval: 6 hours,
                haltQuorum: 5000,
                minOperators: 1,
                guardian: address(0)
            })
        );
        registry.transferOwnership(address(keeper));
        vm.stopPrank();
        keeper.acceptRegistry();
    }

    function settings() internal virtual returns (SymbioticSettings memory) {
        return SymbioticSettings({
            vaultFactory: vaultFactory,
            network: network,
            burner: burner,
            vaultDuration: VAULT_DURATION,
            members: memberTerms()
        });
    }

    /// @dev Any share, and no list of those who may join.
    function memberTerms() internal virtual returns (MemberTerms memory) {
        return MemberTerms({
            operatorRegistry: registry,
            admission: IAdmission(address(0)),
            minWeight: MIN_WEIGHT,
            maxWeight: MAX_WEIGHT,
            maxMembers: 100,
            maxShare: 10_000,
            challengeWindow: CHALLENGE_WINDOW
        });
    }

    /// @dev A unit weighs one.
    function weighed() internal view returns (CollateralWeight[] memory list) {
        list = new CollateralWeight[](1);
        list[0] = CollateralWeight(address(collateral), 1e18);
    }

    /* OPERATORS */

    /// @dev Operators `first` to `first + count - 1` join with stake and keys.
    function addMembers(uint256 first, uint256 count) internal {
        for (uint256 i = first; i < first + count; ++i) {
            registerKey(i);
            enroll(i);
            address vault = createVault(vaultInit(), i);
            stakeIn(vault, i, STAKE);
        }
        skip(1);
        for (uint256 i = first; i < first + count; ++i) {
            join(i);
        }
    }

    /// @dev The vault of an operator, by the number of those it created. Members join with their first.
    mapping(uint256 index => address) internal vaultOfOperator;

    function enroll(uint256 index) internal {
        vm.startPrank(operatorAddress(index));
        operators.registerOperator();
        networkOptIns.optIn(network);
        vm.stopPrank();
    }

    function join(uint256 index) internal {
        vm.prank(operatorAddress(index));
        stake.joinSet(OPERATOR_SET, vaultOfOperator[index]);
    }

    function leaveSet(uint256 index) internal {
        vm.prank(operatorAddress(index));
        stake.leaveSet(OPERATOR_SET);
    }

    /// @dev The operator's staker deposits into the vault.
    function stakeIn(address vault, uint256 index, uint256 amount) internal {
        address staker = stakerOf(index);
        collateral.mint(staker, amount);
        vm.startPrank(staker);
        collateral.approve(vault, amount);
        IVaultCore(vault).deposit(staker, amount);
        vm.stopPrank();
    }

    function withdraw(uint256 index, uint256 amount) internal {
        vm.prank(stakerOf(index));
        IVaultCore(vaultOfOperator[index]).withdraw(stakerOf(index), amount);
    }

    function stakerOf(uint256 index) internal pure returns (address) {
        return address(uint160(0x2000000 + index));
    }

    function weightOf(uint256 index) internal view returns (uint96) {
        return stake.weightsOf(OPERATOR_SET, operatorAddresses(index, 1))[0];
    }

    function slasherOf(uint256 index) internal view returns (ISlasherCore) {
        return ISlasherCore(IVaultCore(vaultOfOperator[index]).slasher());
    }

    /// @dev What is in the operator's vault, withdrawals that can be slashed included.
    function stakedOf(uint256 index) internal view returns (uint256) {
        return IVaultCore(vaultOfOperator[index]).totalStake();
    }

    /* VAULTS */

    function vaultInit() internal view returns (VaultInit memory) {
        return VaultInit({
            collateral: address(collateral),
            burner: burner,
            epochDuration: VAULT_DURATION,
            depositWhitelist: false,
            isDepositLimit: false,
            depositLimit: 0,
            defaultAdminRoleHolder: address(this),
            depositWhitelistSetRoleHolder: address(0),
            depositorWhitelistRoleHolder: address(0),
            isDepositLimitSetRoleHolder: address(0),
            depositLimitSetRoleHolder: address(0)
        });
    }

    /// @dev For one operator and the network, which sets no limit.
    function createVault(VaultInit memory init, uint256 index) internal returns (address vault) {
        bytes memory delegator = abi.encode(OperatorNetworkInit(noHook(), network, operatorAddress(index)));
        vault = createVault(init, OPERATOR_NETWORK_SPECIFIC, delegator, true, INSTANT);
        vaultOfOperator[index] = vault;
        optIntoVault(vault, index);
        setLimit(vault, OPERATOR_SET);
    }

    function createVault(
        VaultInit memory init,
        uint64 delegatorType,
        bytes memory delegator,
        bool withSlasher,
        uint64 slasherType
    ) internal returns (address vault) {
        bytes memory slasher = slasherType == VETO ? abi.encode(false, uint48(1 days), 3) : abi.encode(false);
        (vault,,) = configurator.create(
            ConfiguratorInit({
                version: 1,
                owner: address(this),
                vaultParams: abi.encode(init),
                delegatorIndex: delegatorType,
                delegatorParams: delegator,
                withSlasher: withSlasher,
                slasherIndex: slasherType,
                slasherParams: slasher
            })
        );
    }

    function noHook() internal view returns (DelegatorBaseInit memory) {
        return DelegatorBaseInit(address(this), address(0), address(0));
    }

    /// @dev The parameters of delegators that several operators share, or networks.
    function sharedDelegator() internal view returns (bytes memory) {
        return abi.encode(SharedInit(noHook(), _this(), _this()));
    }

    function operatorsDelegator(uint256 index) internal view returns (bytes memory) {
        return abi.encode(OperatorInit(noHook(), _this(), operatorAddress(index)));
    }

    function optIntoVault(address vault, uint256 index) internal {
        vm.prank(operatorAddress(index));
        vaultOptIns.optIn(vault);
    }

    function setLimit(address vault, OperatorSetId operatorSet) internal {
        setLimit(vault, operatorSet, type(uint256).max);
    }

    function setLimit(address vault, OperatorSetId operatorSet, uint256 limit) internal {
        IDelegatorCore delegator = IDelegatorCore(IVaultCore(vault).delegator());
        vm.prank(network);
        delegator.setMaxNetworkLimit(OperatorSetId.unwrap(operatorSet), limit);
    }

    /* DEPLOYMENT */

    function deploySymbiotic() internal {
        _requireArtifacts();
        collateral = new StakeToken();
        address vaults = _deploy("VaultFactory", abi.encode(this));
        address delegators = _deploy("DelegatorFactory", abi.encode(this));
        address slashers = _deploy("SlasherFactory", abi.encode(this));
        address networks = _deploy("NetworkRegistry", "");
        address registered = _deploy("OperatorRegistry", "");
        address service = _deploy("NetworkMiddlewareService", abi.encode(networks));
        address ofVaults = _deploy("OptInService", abi.encode(registered, vaults, "OperatorVaultOptInService"));
        address ofNetworks = _deploy("OptInService", abi.encode(registered, networks, "OperatorNetworkOptInService"));
        IFactoryCore(vaults).whitelist(_deploy("Vault", abi.encode(delegators, slashers, vaults)));
        bytes memory common = abi.encode(networks, vaults, ofVaults, ofNetworks, delegators);
        _whitelist(delegators, "NetworkRestakeDelegator", common);
        _whitelist(delegators, "FullRestakeDelegator", common);
        _whitelist(delegators, "OperatorSpecificDelegator", bytes.concat(abi.encode(registered), common));
        _whitelist(delegators, "OperatorNetworkSpecificDelegator", bytes.concat(abi.encode(registered), common));
        _whitelist(slashers, "Slasher", abi.encode(vaults, service, slashers));
        _whitelist(slashers, "VetoSlasher", abi.encode(vaults, service, networks, slashers));
        vaultFactory = ISymbioticFactory(vaults);
        configurator = IVaultConfiguratorCore(_deploy("VaultConfigurator", abi.encode(vaults, delegators, slashers)));
        operators = IOperatorRegistryCore(registered);
        vaultOptIns = IOptInServiceCore(ofVaults);
        networkOptIns = IOptInServiceCore(ofNetworks);
        middlewares = IMiddlewareServiceCore(service);
        vm.prank(network);
        INetworkRegistryCore(networks).registerNetwork();
    }

    /// @dev As the network.
    function appoint(address middleware) internal {
        vm.prank(network);
        middlewares.setMiddleware(middleware);
    }

    /// @dev An implementation's last argument is its type: the number of those before it.
    function _whitelist(address factory, string memory name, bytes memory arguments) private {
        arguments = bytes.concat(arguments, abi.encode(IFactoryCore(factory).totalTypes()));
        IFactoryCore(factory).whitelist(_deploy(name, arguments));
    }

    function _deploy(string memory name, bytes memory arguments) private returns (address) {
        return deployCode(string.concat(ARTIFACTS, name, ".json"), arguments);
    }

    function _requireArtifacts() private {
        if (vm.exists(string.concat(ARTIFACTS, "installed.txt"))) return;
        string memory fetchIt = "Symbiotic's bytecode is missing: cargo xtask test --only Symbiotic";
        require(bytes(vm.envOr("CI", string(""))).length == 0, fetchIt);
        vm.skip(true, fetchIt);
    }

    function _this() private view returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = address(this);
    }
}
