// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {DeregisterParams, EigenLayerSet, SlashingParams} from "../../../contracts/interfaces/IEigenLayer.sol";
import {OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {
    AllocateParams,
    CreateSetParams,
    IAllocationManagerCore,
    IDelegationManagerCore,
    IPermissionControllerCore,
    IProxyAdminCore,
    IStrategyManagerCore,
    RegisterParams,
    SignatureWithExpiry
} from "./IEigenLayerCore.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title EigenLayerTestBase
/// @notice EigenLayer's core contracts, with the delays of mainnet, and operators with stake in them.
/// @dev `cargo xtask test --only EigenLayer` fetches their bytecode. Without it the tests are skipped, but not in CI.
abstract contract EigenLayerTestBase is AssentTestBase {
    string private constant ARTIFACTS = "cache/eigenlayer/";
    string private constant VERSION = "1.4.0";
    uint32 internal constant DEALLOCATION_DELAY = 100_800;
    uint32 internal constant ALLOCATION_CONFIGURATION_DELAY = 126_000;
    uint48 internal constant BLOCK_TIME = 12;
    /// @dev All that an operator has.
    uint64 internal constant FULL_MAGNITUDE = 1e18;
    uint256 internal constant PAUSED_OPERATOR_SLASHING = 1;

    address internal avs = makeAddr("avs");
    address internal slasher = makeAddr("slasher");
    address private governance = makeAddr("EigenLayer's governance");

    IAllocationManagerCore internal allocationManager;
    IDelegationManagerCore internal delegationManager;
    IStrategyManagerCore internal strategyManager;
    IPermissionControllerCore internal permissionController;
    /// @dev In ascending order.
    address[] internal strategies;
    mapping(address strategy => StakeToken) internal tokenOf;

    /// @dev Deploys the core with strategies of as many tokens.
    function deployEigenLayer(uint256 strategyCount) internal {
        _requireArtifacts();
        vm.roll(20_000_000);
        address proxyAdmin = _deploy("ProxyAdmin", "");
        address empty = _deploy("EmptyContract", "");
        bytes memory arguments = abi.encode(empty, proxyAdmin, bytes(""));
        address delegation = _deploy("TransparentUpgradeableProxy", arguments);
        address strategyManager_ = _deploy("TransparentUpgradeableProxy", arguments);
        address allocation = _deploy("TransparentUpgradeableProxy", arguments);
        address permission = _deploy("TransparentUpgradeableProxy", arguments);
        address pods = _deploy("TransparentUpgradeableProxy", arguments);
        address[] memory pausers = new address[](1);
        pausers[0] = governance;
        address pauser = _deploy("PauserRegistry", abi.encode(pausers, governance));

        bytes memory initialization = abi.encodeWithSignature("initialize(address,uint256)", governance, 0);
        arguments = abi.encode(strategyManager_, pods, allocation, pauser, permission, DEALLOCATION_DELAY, VERSION);
        _upgrade(proxyAdmin, delegation, _deploy("DelegationManager", arguments), initialization);
        arguments =
            abi.encode(delegation, pauser, permission, DEALLOCATION_DELAY, ALLOCATION_CONFIGURATION_DELAY, VERSION);
        _upgrade(proxyAdmin, allocation, _deploy("AllocationManager", arguments), initialization);
        arguments = abi.encode(address(0), empty, delegation, pauser, VERSION);
        _upgrade(proxyAdmin, pods, _deploy("EigenPodManager", arguments), initialization);
        IProxyAdminCore(proxyAdmin).upgrade(permission, _deploy("PermissionController", abi.encode(VERSION)));
        initialization = abi.encodeWithSignature("initialize(address,address,uint256)", governance, governance, 0);
        arguments = abi.encode(delegation, pauser, VERSION);
        _upgrade(proxyAdmin, strategyManager_, _deploy("StrategyManager", arguments), initialization);

        allocationManager = IAllocationManagerCore(allocation);
        delegationManager = IDelegationManagerCore(delegation);
        strategyManager = IStrategyManagerCore(strategyManager_);
        permissionController = IPermissionControllerCore(permission);
        address strategy = _deploy("StrategyBase", abi.encode(strategyManager_, pauser, VERSION));
        for (uint256 i = 0; i < strategyCount; ++i) {
            _addStrategy(proxyAdmin, strategy);
        }
        vm.prank(governance);
        strategyManager.addStrategiesToDepositWhitelist(strategies);
    }

    /// @dev Makes an account the AVS: `slasher` may slash its sets' members, and the registrar may eject them.
    function createAvs(address registrar) internal {
        vm.startPrank(avs);
        allocationManager.updateAVSMetadataURI(avs, "https://assent.example/avs.json");
        allocationManager.setAVSRegistrar(avs, registrar);
        vm.stopPrank();
        appoint(slasher, allocationManager.slashOperator.selector);
        appoint(registrar, allocationManager.deregisterFromOperatorSets.selector);
    }

    /// @dev Creates an operator set of the AVS, which can slash all strategies.
    function createOperatorSet(OperatorSetId operatorSet) internal {
        CreateSetParams[] memory sets = new CreateSetParams[](1);
        sets[0] = CreateSetParams(OperatorSetId.unwrap(operatorSet), strategies);
        vm.prank(avs);
        allocationManager.createOperatorSets(avs, sets);
    }

    /* OPERATORS */

    /// @dev Operators `first` to `first + count - 1` become operators of EigenLayer. Each has a staker that delegates
    /// this amount of each strategy's token, and allocates all of it to the set.
    function stakeAndAllocate(OperatorSetId operatorSet, uint256 first, uint256 count, uint256 amount) internal {
        stakeAndAllocate(operatorSet, first, count, amount, FULL_MAGNITUDE);
    }

    function stakeAndAllocate(OperatorSetId operatorSet, uint256 first, uint256 count, uint256 amount, uint64 magnitude)
        internal
    {
        for (uint256 i = first; i < first + count; ++i) {
            vm.prank(operatorAddress(i));
            delegationManager.registerAsOperator(address(0), 0, "");
        }
        // Even an operator's first allocation delay takes that long to apply.
        advance(ALLOCATION_CONFIGURATION_DELAY + 1);
        for (uint256 i = first; i < first + count; ++i) {
            delegate(i, amount);
            allocate(operatorSet, i, magnitude);
        }
    }

    /// @dev The operator's staker deposits the amount of each strategy's token, and delegates to the operator.
    function delegate(uint256 index, uint256 amount) internal {
        address staker = stakerOf(index);
        vm.startPrank(staker);
        for (uint256 i = 0; i < strategies.length; ++i) {
            StakeToken token = tokenOf[strategies[i]];
            token.mint(staker, amount);
            token.approve(address(strategyManager), amount);
            strategyManager.depositIntoStrategy(strategies[i], address(token), amount);
        }
        delegationManager.delegateTo(operatorAddress(index), SignatureWithExpiry("", 0), 0);
        vm.stopPrank();
    }

    function undelegate(uint256 index) internal {
        vm.prank(stakerOf(index));
        delegationManager.undelegate(stakerOf(index));
    }

    /// @dev Sets which share of each strategy is allocated to the set. `FULL_MAGNITUDE` is all.
    function allocate(OperatorSetId operatorSet, uint256 index, uint64 magnitude) internal {
        AllocateParams[] memory params = new AllocateParams[](1);
        params[0] = AllocateParams(setOf(operatorSet), strategies, new uint64[](strategies.length));
        for (uint256 i = 0; i < strategies.length; ++i) {
            params[0].newMagnitudes[i] = magnitude;
        }
        vm.prank(operatorAddress(index));
        allocationManager.modifyAllocations(operatorAddress(index), params);
    }

    function join(OperatorSetId operatorSet, uint256 index) internal {
        vm.prank(operatorAddress(index));
        allocationManager.registerForOperatorSets(operatorAddress(index), joining(operatorSet));
    }

    function joining(OperatorSetId operatorSet) internal view returns (RegisterParams memory) {
        return RegisterParams(avs, only(operatorSet), "");
    }

    function leaveSet(OperatorSetId operatorSet, uint256 index) internal {
        vm.prank(operatorAddress(index));
        allocationManager.deregisterFromOperatorSets(leaving(operatorSet, index));
    }

    function leaving(OperatorSetId operatorSet, uint256 index) internal view returns (DeregisterParams memory) {
        return DeregisterParams(operatorAddress(index), avs, only(operatorSet));
    }

    /// @dev Slashes a share of what the operator has allocated to the set, in all strategies.
    function slash(OperatorSetId operatorSet, uint256 index, uint256 wad) internal {
        SlashingParams memory params = slashing(operatorSet, index, wad);
        vm.prank(slasher);
        allocationManager.slashOperator(avs, params);
    }

    function slashing(OperatorSetId operatorSet, uint256 index, uint256 wad)
        internal
        view
        returns (SlashingParams memory)
    {
        uint256[] memory wads = new uint256[](strategies.length);
        for (uint256 i = 0; i < wads.length; ++i) {
            wads[i] = wad;
        }
        return
            SlashingParams(
                operatorAddress(index), OperatorSetId.unwrap(operatorSet), strategies, wads, "a test's reason"
            );
    }

    function pauseSlashing() internal {
        vm.prank(governance);
        allocationManager.pause(1 << PAUSED_OPERATOR_SLASHING);
    }

    function unpauseSlashing() internal {
        vm.prank(governance);
        allocationManager.unpause(0);
    }

    /// @dev As the AVS.
    function appoint(address appointee, bytes4 selector) internal {
        vm.prank(avs);
        permissionController.setAppointee(avs, appointee, address(allocationManager), selector);
    }

    /* VIEWS */

    /// @dev As many blocks later, none of which was missed.
    function advance(uint256 blocks) internal {
        vm.roll(block.number + blocks);
        vm.warp(block.timestamp + blocks * BLOCK_TIME);
    }

    function stakerOf(uint256 index) internal pure returns (address) {
        return address(uint160(0x2000000 + index));
    }

    function setOf(OperatorSetId operatorSet) internal view returns (EigenLayerSet memory) {
        return EigenLayerSet(avs, OperatorSetId.unwrap(operatorSet));
    }

    function only(OperatorSetId operatorSet) internal pure returns (uint32[] memory ids) {
        ids = new uint32[](1);
        ids[0] = OperatorSetId.unwrap(operatorSet);
    }

    /// @dev What EigenLayer says of the first strategy's shares: it counts operators that have left.
    function minimumSlashableStake(OperatorSetId operatorSet, uint256 index, uint256 futureBlock)
        internal
        view
        returns (uint256)
    {
        return allocationManager.getMinimumSlashableStake(
            setOf(operatorSet), operatorAddresses(index, 1), strategies, uint32(futureBlock)
        )[0][0];
    }

    /// @dev All shares that were slashed, of the first strategy.
    function slashedShares() internal view returns (uint256) {
        return strategyManager.getBurnableShares(strategies[0]);
    }

    /* DEPLOYMENT */

    function _requireArtifacts() private {
        if (vm.exists(string.concat(ARTIFACTS, "installed.txt"))) return;
        string memory fetchIt = "EigenLayer's bytecode is missing: cargo xtask test --only EigenLayer";
        require(bytes(vm.envOr("CI", string(""))).length == 0, fetchIt);
        vm.skip(true, fetchIt);
    }

    function _deploy(string memory name, bytes memory arguments) private returns (address) {
        return deployCode(string.concat(ARTIFACTS, name, ".json"), arguments);
    }

    function _upgrade(address proxyAdmin, address proxy, address implementation, bytes memory initialization) private {
        IProxyAdminCore(proxyAdmin).upgradeAndCall(proxy, implementation, initialization);
    }

    function _addStrategy(address proxyAdmin, address implementation) private {
        StakeToken token = new StakeToken();
        bytes memory initialization = abi.encodeWithSignature("initialize(address)", token);
        address strategy =
            _deploy("TransparentUpgradeableProxy", abi.encode(implementation, proxyAdmin, initialization));
        tokenOf[strategy] = token;
        strategies.push(strategy);
        for (uint256 i = strategies.length - 1; i > 0 && strategies[i - 1] > strategies[i]; --i) {
            (strategies[i - 1], strategies[i]) = (strategies[i], strategies[i - 1]);
        }
    }
}

contract StakeToken is ERC20("Stake", "STK") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
