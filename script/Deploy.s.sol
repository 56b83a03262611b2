// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {OperatorRegistry} from "../contracts/OperatorRegistry.sol";
import {IAttestationValidator} from "../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../contracts/interfaces/IOperatorRegistry.sol";
import {IStakeSource} from "../contracts/interfaces/IStakeSource.sol";
import {ITaskManager} from "../contracts/interfaces/ITaskManager.sol";
import {OwnerStakeSource} from "../contracts/stake/OwnerStakeSource.sol";
import {Script} from "forge-std/Script.sol";
import {VmSafe} from "forge-std/Vm.sol";
import {console} from "forge-std/console.sol";

/// @title Deploy
/// @notice Deploys OwnerStakeSource, OperatorRegistry and TaskManager.
/// @dev ASSENT_OWNER=0x… [ASSENT_GRACE_PERIOD=86400] forge script script/Deploy.s.sol --rpc-url … --account … \
///     --broadcast
///
/// The addresses depend only on the bytecode, the owner and the grace period: they are the same on every chain, for
/// every deployer. Contracts that are deployed already are kept, so that an interrupted run can be repeated.
contract Deploy is Script {
    /// @notice Thrown when ASSENT_OWNER is not set.
    error OwnerMissing(string help);
    /// @notice Thrown when ASSENT_OWNER is the zero address.
    error OwnerIsZero(string help);
    /// @notice Thrown when ASSENT_GRACE_PERIOD is longer than the registry allows, in seconds.
    error GracePeriodTooLong(uint256 gracePeriod, uint256 longest);
    /// @notice Thrown when the chain has no deterministic deployment proxy.
    error DeploymentProxyMissing(address proxy, string help);
    /// @notice Thrown when the chain has no BLS12-381 precompiles.
    error PrecompilesMissing(uint256 chainId, string help);

    /// @notice Thrown when the deterministic deployment proxy could not deploy the TaskManager.
    error TaskManagerNotDeployed(bytes answer);

    /// @dev The same in assent-contracts, src/deployment.rs.
    bytes32 private constant SALT = 0;
    uint256 private constant MAX_GRACE_PERIOD = 30 days;
    uint256 private constant DEFAULT_GRACE_PERIOD = 1 days;
    string private constant DIRECTORY = "deployments";

    /// @notice Reads ASSENT_OWNER and ASSENT_GRACE_PERIOD (seconds; one day if unset), deploys what is missing, and,
    /// when broadcasting, writes deployments/<chain id>.json.
    function run()
        external
        returns (OwnerStakeSource ownerStakeSource, OperatorRegistry registry, ITaskManager taskManager)
    {
        (address owner, uint48 gracePeriod) = _settings();
        _requireDeploymentProxy();
        _requirePrecompiles();

        vm.startBroadcast();
        ownerStakeSource = _ownerStakeSource(owner);
        registry = _operatorRegistry(owner, ownerStakeSource, gracePeriod);
        taskManager = _taskManager(registry);
        _addValidator(owner, registry, taskManager);
        vm.stopBroadcast();

        _record(owner, gracePeriod, address(ownerStakeSource), address(registry), address(taskManager));
    }

    /* CONTRACTS */

    function _ownerStakeSource(address owner) private returns (OwnerStakeSource) {
        address deployed =
            _present("OwnerStakeSource", abi.encodePacked(type(OwnerStakeSource).creationCode, abi.encode(owner)));
        return deployed == address(0) ? new OwnerStakeSource{salt: SALT}(owner) : OwnerStakeSource(deployed);
    }

    function _operatorRegistry(address owner, IStakeSource stakeSource, uint48 gracePeriod)
        private
        returns (OperatorRegistry)
    {
        bytes memory arguments = abi.encode(owner, stakeSource, gracePeriod);
        address deployed =
            _present("OperatorRegistry", abi.encodePacked(type(OperatorRegistry).creationCode, arguments));
        return deployed == address(0)
            ? new OperatorRegistry{salt: SALT}(owner, stakeSource, gracePeriod)
            : OperatorRegistry(deployed);
    }

    /// @dev Deploys it from its artifact. Importing its source would compile everything here with its settings
    /// (foundry.toml), and the other contracts' addresses would differ from those that assent-contracts computes.
    function _taskManager(IOperatorRegistry registry) private returns (ITaskManager) {
        bytes memory initCode = abi.encodePacked(vm.getCode("TaskManager.sol:TaskManager"), abi.encode(registry));
        address deployed = _present("TaskManager", initCode);
        if (deployed == address(0)) {
            (bool success, bytes memory answer) = CREATE2_FACTORY.call(abi.encodePacked(SALT, initCode));
            if (!success) revert TaskManagerNotDeployed(answer);
            deployed = vm.computeCreate2Address(SALT, keccak256(initCode));
        }
        return ITaskManager(deployed);
    }

    /// @dev The registry publishes epochs to the TaskManager once its owner has added it.
    function _addValidator(address owner, OperatorRegistry registry, ITaskManager taskManager) private {
        IAttestationValidator[] memory validators = registry.validators();
        for (uint256 i = 0; i < validators.length; ++i) {
            if (address(validators[i]) == address(taskManager)) return;
        }
        if (msg.sender == owner) {
            registry.addValidator(taskManager);
        } else {
            console.log("Next, %s must call addValidator(%s)", owner, address(taskManager));
            console.log("of the OperatorRegistry %s: until then every attestation is refused.", address(registry));
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

    function _settings() private view returns (address owner, uint48 gracePeriod) {
        string memory help = "set ASSENT_OWNER to the address that sets weights and commits epochs";
        if (!vm.envExists("ASSENT_OWNER")) revert OwnerMissing(help);
        owner = vm.envAddress("ASSENT_OWNER");
        if (owner == address(0)) revert OwnerIsZero(help);
        uint256 seconds_ = vm.envOr("ASSENT_GRACE_PERIOD", DEFAULT_GRACE_PERIOD);
        if (seconds_ > MAX_GRACE_PERIOD) revert GracePeriodTooLong(seconds_, MAX_GRACE_PERIOD);
        // Safe: not above 30 days.
        // forge-lint: disable-next-line(unsafe-typecast)
        gracePeriod = uint48(seconds_);
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

    function _record(address owner, uint48 gracePeriod, address ownerStakeSource, address registry, address taskManager)
        private
    {
        if (!vm.isContext(VmSafe.ForgeContext.ScriptBroadcast) && !vm.isContext(VmSafe.ForgeContext.ScriptResume)) {
            console.log("A dry run: nothing is sent or written without --broadcast.");
            return;
        }
        string memory key = "deployment";
        vm.serializeUint(key, "chainId", block.chainid);
        vm.serializeAddress(key, "owner", owner);
        vm.serializeUint(key, "gracePeriod", gracePeriod);
        vm.serializeAddress(key, "ownerStakeSource", ownerStakeSource);
        vm.serializeAddress(key, "operatorRegistry", registry);
        string memory json = vm.serializeAddress(key, "taskManager", taskManager);

        vm.createDir(DIRECTORY, true);
        string memory path = string.concat(DIRECTORY, "/", vm.toString(block.chainid), ".json");
        vm.writeJson(json, path);
        console.log("Written to %s", path);
    }
}
