// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestationHook} from "../../../contracts/examples/AttestationHook.sol";
import {Attestation, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {AuthorizationEncoding} from "../../../contracts/testing/AuthorizationEncoding.sol";
import {EntryPointTestBase, ModularAccount} from "./EntryPointTestBase.sol";
import {
    IERC7579Execution,
    IERC7579Module,
    IERC7579ModuleConfig,
    MODULE_TYPE_EXECUTOR,
    MODULE_TYPE_HOOK
} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @dev A module that has the account do whatever it is told.
contract ExecutorModule is IERC7579Module {
    function forward(address account, bytes calldata data) external payable {
        Address.functionCallWithValue(account, data, msg.value);
    }

    function onInstall(bytes calldata) external {}

    function onUninstall(bytes calldata) external {}

    function isModuleType(uint256 moduleTypeId) external pure returns (bool) {
        return moduleTypeId == MODULE_TYPE_EXECUTOR;
    }
}

/// @dev An account of OpenZeppelin's code, with two executors, has installed the hook.
abstract contract HookTestBase is EntryPointTestBase {
    /// @dev Modes: one call that may fail; several calls; a delegatecall.
    bytes32 internal constant TRY = bytes32(uint256(1) << 240);
    bytes32 internal constant BATCH = bytes32(uint256(1) << 248);
    bytes32 internal constant DELEGATECALL = bytes32(uint256(0xff) << 248);

    address internal recipient = makeAddr("recipient");
    AttestationHook internal hook;
    ModularAccount internal account;
    ExecutorModule internal executor = new ExecutorModule();
    ExecutorModule internal anotherExecutor = new ExecutorModule();

    function setUp() public {
        deployAssent();
        deployEntryPoint();
        hook = new AttestationHook(taskManager);
        account = deployAccount();
        assertEq(handle(account, installationOf(MODULE_TYPE_EXECUTOR, address(executor), "")), "");
        assertEq(handle(account, installationOf(MODULE_TYPE_EXECUTOR, address(anotherExecutor), "")), "");
        assertEq(handle(account, installationOfHook(assentPolicy())), "");
    }

    /// @dev With an authorization behind it, as the entry point will call the account.
    function withAuthorization(bytes memory call) internal returns (bytes memory) {
        return withAuthorizationOf(account, call);
    }

    function withAuthorizationOf(ModularAccount to, bytes memory call) internal returns (bytes memory) {
        return AuthorizationEncoding.trailing(call, authorize(executionAttestation(address(ENTRY_POINT), to, 0, call)));
    }

    /// @dev The client is the hook, the policy the account's.
    function executionAttestation(address from, ModularAccount to, uint256 value, bytes memory data)
        internal
        returns (Attestation memory)
    {
        Intent memory intent = intentOf(from, address(to), value, data);
        return attestationOf(intent, address(hook), policyOf(to), nonceOf(to, nextNonce[address(to)]++));
    }

    function nonceOf(ModularAccount to, uint256 number) internal pure returns (uint256) {
        return uint256(uint160(address(to))) << 96 | number;
    }

    function policyOf(ModularAccount owner) internal view returns (Policy memory policy) {
        (policy.policyId, policy.operatorSet, policy.quorum, policy.maxLifetime,) = hook.policies(address(owner));
    }

    function payment() internal view returns (bytes memory) {
        return executionOf(recipient, 1 ether, "");
    }

    function paymentByExecutor() internal view returns (bytes memory) {
        bytes memory execution = abi.encodePacked(recipient, uint256(1 ether));
        return abi.encodeCall(IERC7579Execution.executeFromExecutor, (0, execution));
    }

    function exitAnnouncement() internal view returns (bytes memory) {
        return executionOf(address(hook), 0, abi.encodeCall(hook.announceExit, ()));
    }

    function installationOf(uint256 moduleTypeId, address module, bytes memory data)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IERC7579ModuleConfig.installModule, (moduleTypeId, module, data));
    }

    function installationOfHook(Policy memory policy) internal view returns (bytes memory) {
        return installationOf(MODULE_TYPE_HOOK, address(hook), abi.encode(policy));
    }

    function assertRefused(bytes memory refusal, bytes4 selector) internal view {
        assertEq(bytes4(refusal), selector);
        assertEq(recipient.balance, 0);
    }
}
