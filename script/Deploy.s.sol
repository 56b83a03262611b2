// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IAttestationValidator} from "../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../contracts/interfaces/IOperatorRegistry.sol";
import {IPolicyRegistry} from "../contracts/interfaces/IPolicyRegistry.sol";
import {ITaskManager} from "../contracts/interfaces/ITaskManager.sol";
import {MAX_EPOCH_LIFETIME} from "../contracts/interfaces/Protocol.sol";
import {OwnerStakeSource} from "../contracts/stake/OwnerStakeSource.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Script} from "forge-std/Script.sol";
import {VmSafe} from "forge-std/Vm.sol";
import {console} from "forge-std/console.sol";

/// @title Deploy
/// @notice Deploys OwnerStakeSource, OperatorRegistry, TaskManager and PolicyRegistry.
/// @dev ASSENT_OWNER=0x… forge script script/Deploy.s.sol --rpc-url … --account … --broadcast
///
/// ASSENT_OWNER should be a multisig: it owns the registry, which gives notice of changes itself and must be able to
/// revoke at once. With ASSENT_TIMELOCK_DELAY (seconds), a TimelockController that only the owner can propose to owns
/// the OwnerStakeSource. Also read, in seconds: ASSENT_EPOCH_LIFETIME, ASSENT_ACTIVATION_DELAY and ASSENT_GRACE_PERIOD.
///
/// PolicyRegistry has no owner and no settings. No contract reads it: it tells people where policies are.
///
/// The addresses depend only on the bytecode and these settings: they are the same on every chain, for every deployer.
/// Contracts that are deployed already are kept, so that an interrupted run can be repeated.
contract Deploy is Script {
    /// @notice Thrown when ASSENT_OWNER is not set.
    error OwnerMissing(string help);
    /// @notice Thrown when ASSENT_OWNER is the zero address.
    error OwnerIsZero(string help);
    /// @notice Thrown when the capital letters of ASSENT_OWNER do not match its checksum: a digit may be mistyped.
    error WrongChecksum(string owner, string spelled);
    /// @notice Thrown when ASSENT_EPOCH_LIFETIME is longer than the registry allows, in seconds.
    error EpochLifetimeTooLong(uint256 epochLifetime, uint256 longest);
    /// @notice Thrown when activation delay and grace period do not end before an epoch does, in seconds.
    error DelaysTooLong(uint256 activationDelay, uint256 gracePeriod, uint256 epochLifetime);
    /// @notice Thrown when the chain has no deterministic deployment proxy.
    error DeploymentProxyMissing(address proxy, string help);
    /// @notice Thrown when the chain has no BLS12-381 precompiles.
    error PrecompilesMissing(uint256 chainId, string help);
    /// @notice Thrown when the deterministic deployment proxy could not deploy a contract.
    error NotDeployed(string name, bytes answer);

    /// @dev What is read from the environment.
    struct Settings {
        address owner;
        /// @dev The owner of the OwnerStakeSource: `owner`, or a timelock of its.
        address weightsOwner;
        uint256 epochLifetime;
        uint256 activationDelay;
        uint256 gracePeriod;
    }

    /// @dev The same in assent-contracts, src/deployment.rs.
    bytes32 private constant SALT = 0;
    uint256 private constant DEFAULT_EPOCH_LIFETIME = 7 days;
    uint256 private constant DEFAULT_ACTIVATION_DELAY = 1 days;
    uint256 private constant DEFAULT_GRACE_PERIOD = 1 days;
    string private constant DIRECTORY = "deployments";

    /// @notice Deploys what is missing and, when broadcasting, writes deployments/<chain id>.json.
    function run()
        external
        returns (
            OwnerStakeSource ownerStakeSource,
            IOperatorRegistry registry,
            ITaskManager taskManager,
            IPolicyRegistry policyRegistry
        )
    {
        Settings memory settings = _settings();
        _requireDeploymentProxy();
        _requirePrecompiles();

        vm.startBroadcast();
        settings.weightsOwner = _timelockOr(settings.owner);
        ownerStakeSource = _ownerStakeSource(settings.weightsOwner);
        registry =
            IOperatorRegistry(_deployArtifact("OperatorRegistry", _registryArguments(settings, ownerStakeSource)));
        taskManager = ITaskManager(_deployArtifact("TaskManager", abi.encode(registry)));
        policyRegistry = IPolicyRegistry(_deployArtifact("PolicyRegistry", ""));
        _addValidator(settings.owner, registry, taskManager);
        vm.stopBroadcast();

        _record(settings, ownerStakeSource, registry, taskManager, policyRegistry);
    }

    /* CONTRACTS */

    /// @dev Anyone can execute what the owner proposed and the delay has passed for; no one administers the timelock.
    function _timelockOr(address owner) private returns (address) {
        if (!vm.envExists("ASSENT_TIMELOCK_DELAY")) return owner;
        uint256 delay = vm.envUint("ASSENT_TIMELOCK_DELAY");
        address[] memory proposers = new address[](1);
        address[] memory executors = new address[](1);
        proposers[0] = owner;
        bytes memory arguments = abi.encode(delay, proposers, executors, address(0));
        address deployed =
            _present("TimelockController", abi.encodePacked(type(TimelockController).creationCode, arguments));
        return deployed == address(0)
            ? address(new TimelockController{salt: SALT}(delay, proposers, executors, address(0)))
            : deployed;
    }

    function _ownerStakeSource(address owner) private returns (OwnerStakeSource) {
        address deployed =
            _present("OwnerStakeSource", abi.encodePacked(type(OwnerStakeSource).creationCode, abi.encode(owner)));
        return deployed == address(0) ? new OwnerStakeSource{salt: SALT}(owner) : OwnerStakeSource(deployed);
    }

    function _registryArguments(Settings memory settings, OwnerStakeSource stakeSource)
        private
        pure
        returns (bytes memory)
    {
        return abi.encode(
            settings.owner, stakeSource, settings.epochLifetime, settings.activationDelay, settings.gracePeriod
        );
    }

    /// @dev Deploys a contract from its artifact. Importing its source would compile everything here with its settings
    /// (foundry.toml), and the other contracts' addresses would differ from those that assent-contracts computes.
    function _deployArtifact(string memory name, bytes memory arguments) private returns (address deployed) {
        bytes memory initCode = abi.encodePacked(vm.getCode(string.concat(name, ".sol:", name)), arguments);
        deployed = _present(name, initCode);
        if (deployed == address(0)) {
            (bool success, bytes memory answer) = CREATE2_FACTORY.call(abi.encodePacked(SALT, initCode));
            if (!success) revert NotDeployed(name, answer);
            deployed = vm.computeCreate2Address(SALT, keccak256(initCode));
        }
    }

    /// @dev The registry publishes epochs to the TaskManager once its owner has added it.
    function _addValidator(address owner, IOperatorRegistry registry, ITaskManager taskManager) private {
        IAttestationValidator[] memory validators = registry.validators();
        for (uint256 i = 0; i < validators.length; ++i) {
            if (address(validators[i]) == address(taskManager)) return;
        }
        if (msg.sender == owner) {
            registry.addValidator(taskManager);
        } else {
            console.log("Next, %s must call addValidator(%s)", owner, address(taskManager));
            console.log("of the OperatorRegistry %s: until then every attestation is refused.", address(registry));
            console.log("Do it before the first epoch is committed: afterwards it needs notice. The calldata:");
            console.logBytes(abi.encodeCall(IOperatorRegistry.addValidator, (taskManager)));
        }
    }

    /// @dev Returns the contract with this init code if it is deployed already, otherwise zero. Prints which.
    function _present(string memory name, bytes memory initCode) private view returns (address) {
        address predicted = vm.computeCreate2Address(SALT, keccak256(initCode));
        bool deployed = predicted.code.length != 0;
        console.log("%s %s %s", name, predicted, deployed ? "(was deployed already)" : "(new)");
        return deployed ? predicted : address(0);
    }

    /* PRECONDITIONS */

    function _settings() private view returns (Settings memory settings) {
        string memory help = "set ASSENT_OWNER to the address that commits and revokes epochs, a multisig";
        if (!vm.envExists("ASSENT_OWNER")) revert OwnerMissing(help);
        settings.owner = _addressOf(vm.envString("ASSENT_OWNER"));
        if (settings.owner == address(0)) revert OwnerIsZero(help);
        uint256 lifetime = vm.envOr("ASSENT_EPOCH_LIFETIME", DEFAULT_EPOCH_LIFETIME);
        uint256 delay = vm.envOr("ASSENT_ACTIVATION_DELAY", DEFAULT_ACTIVATION_DELAY);
        uint256 grace = vm.envOr("ASSENT_GRACE_PERIOD", DEFAULT_GRACE_PERIOD);
        if (lifetime > MAX_EPOCH_LIFETIME) revert EpochLifetimeTooLong(lifetime, MAX_EPOCH_LIFETIME);
        if (delay >= lifetime || grace >= lifetime - delay) revert DelaysTooLong(delay, grace, lifetime);
        (settings.epochLifetime, settings.activationDelay, settings.gracePeriod) = (lifetime, delay, grace);
    }

    /// @dev forge does not compare capital letters with the checksum (EIP-55). Lower case carries none.
    function _addressOf(string memory text) private pure returns (address parsed) {
        parsed = vm.parseAddress(text);
        string memory spelled = vm.toString(parsed);
        bool matches = keccak256(bytes(text)) == keccak256(bytes(spelled));
        bool isLowerCase = keccak256(bytes(text)) == keccak256(bytes(vm.toLowercase(spelled)));
        if (!matches && !isLowerCase) revert WrongChecksum(text, spelled);
    }

    function _requireDeploymentProxy() private view {
        if (CREATE2_FACTORY.code.length == 0) {
            revert DeploymentProxyMissing(
                CREATE2_FACTORY, "deploy it first: github.com/Arachnid/deterministic-deployment-proxy"
            );
        }
    }

    /// @dev forge runs this script in its own EVM, which has the precompiles even if the chain does not. So the chain
    /// itself computes infinity plus infinity (EIP-2537, G1ADD).
    function _requirePrecompiles() private {
        try vm.activeFork() {}
        catch {
            return; // There is no chain but forge's own.
        }
        string memory input = vm.toString(new bytes(256));
        string memory call =
            string.concat('[{"to":"0x000000000000000000000000000000000000000b","data":"', input, '"},"latest"]');
        bytes memory sum = vm.rpc("eth_call", call);
        if (sum.length != 128) {
            revert PrecompilesMissing(block.chainid, "Assent needs the BLS12-381 precompiles of EIP-2537 (Prague)");
        }
    }

    /* RECORD */

    function _record(
        Settings memory settings,
        OwnerStakeSource ownerStakeSource,
        IOperatorRegistry registry,
        ITaskManager taskManager,
        IPolicyRegistry policyRegistry
    ) private {
        if (!vm.isContext(VmSafe.ForgeContext.ScriptBroadcast) && !vm.isContext(VmSafe.ForgeContext.ScriptResume)) {
            console.log("A dry run: nothing is sent or written without --broadcast.");
            return;
        }
        string memory key = "deployment";
        vm.serializeUint(key, "chainId", block.chainid);
        vm.serializeAddress(key, "owner", settings.owner);
        vm.serializeAddress(key, "weightsOwner", settings.weightsOwner);
        vm.serializeUint(key, "epochLifetime", settings.epochLifetime);
        vm.serializeUint(key, "activationDelay", settings.activationDelay);
        vm.serializeUint(key, "gracePeriod", settings.gracePeriod);
        vm.serializeAddress(key, "ownerStakeSource", address(ownerStakeSource));
        vm.serializeAddress(key, "operatorRegistry", address(registry));
        vm.serializeAddress(key, "taskManager", address(taskManager));
        string memory json = vm.serializeAddress(key, "policyRegistry", address(policyRegistry));

        vm.createDir(DIRECTORY, true);
        string memory path = string.concat(DIRECTORY, "/", vm.toString(block.chainid), ".json");
        vm.writeJson(json, path);
        console.log("Written to %s", path);
    }
}
