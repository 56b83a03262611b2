// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestationHook} from "../../../contracts/examples/AttestationHook.sol";
import {Attestation, IRefusals, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {AuthorizationEncoding} from "../../../contracts/testing/AuthorizationEncoding.sol";
import {ModularAccount} from "./EntryPointTestBase.sol";
import {ExecutorModule, HookTestBase} from "./HookTestBase.sol";
import {
    Execution,
    IERC7579Execution,
    MODULE_TYPE_EXECUTOR
} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";

/// @dev An account that has installed the hook executes nothing that operators have not allowed.
contract AttestationHookTest is HookTestBase {
    /* USER OPERATIONS */

    function test_AttestedExecutionGoesThrough() public {
        assertEq(handle(account, withAuthorization(payment())), "");
        assertEq(recipient.balance, 1 ether);
    }

    function test_AttestedBatchGoesThrough() public {
        Execution[] memory executions = new Execution[](2);
        executions[0] = Execution(recipient, 1 ether, "");
        executions[1] = Execution(recipient, 2 ether, "");
        bytes memory call = abi.encodeCall(IERC7579Execution.execute, (BATCH, abi.encode(executions)));
        assertRefused(handle(account, call), IRefusals.MalformedAuthorization.selector);
        assertEq(handle(account, withAuthorization(call)), "");
        assertEq(recipient.balance, 3 ether);
    }

    function test_RevertWhen_ExecutionHasNoAuthorization() public {
        assertRefused(handle(account, payment()), IRefusals.MalformedAuthorization.selector);
        bytes memory empty = abi.encodePacked(payment(), uint16(0));
        assertRefused(handle(account, empty), IRefusals.MalformedAuthorization.selector);
        bytes memory tooLong = abi.encodePacked(payment(), type(uint16).max);
        assertRefused(handle(account, tooLong), IRefusals.MalformedAuthorization.selector);
    }

    function test_RevertWhen_Denied() public {
        Attestation memory attestation = executionAttestation(address(ENTRY_POINT), account, 0, payment());
        attestation.decision = 0;
        bytes memory call = AuthorizationEncoding.trailing(payment(), authorize(attestation));
        assertRefused(handle(account, call), IRefusals.PolicyDenied.selector);
    }

    function test_RevertWhen_Expired() public {
        bytes memory call = withAuthorization(payment());
        skip(ATTESTATION_LIFETIME);
        assertRefused(handle(account, call), IRefusals.AttestationExpired.selector);
    }

    function test_RevertWhen_QuorumOfTheAccountsPolicyIsNotReached() public {
        Attestation memory attestation = executionAttestation(address(ENTRY_POINT), account, 0, payment());
        bytes memory call = AuthorizationEncoding.trailing(payment(), authorize(attestation, 3));
        assertRefused(handle(account, call), IRefusals.QuorumNotReached.selector);
    }

    /// @dev The calldata's layout: 4 bytes of selector, the mode, an offset, the length (52), the target, the value,
    /// padding.
    function test_RevertWhen_AnyByteOfTheCallDiffers() public {
        bytes memory trailed = withAuthorization(payment());
        uint8[6] memory changes = [4, 99, 100, 119, 151, 163];
        for (uint256 i = 0; i < changes.length; ++i) {
            bytes memory changed = bytes.concat(trailed);
            changed[changes[i]] ^= 0x01;
            assertRefused(handle(account, changed), IRefusals.WrongTask.selector);
        }
        assertEq(handle(account, trailed), "");
    }

    function test_RevertWhen_AuthorizationIsUsedAgain() public {
        bytes memory call = withAuthorization(payment());
        assertEq(handle(account, call), "");
        assertEq(
            handle(account, call),
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, hook, nonceOf(account, 0))
        );
        assertEq(recipient.balance, 1 ether);
    }

    /* OTHER ACCOUNTS */

    function test_RevertWhen_AnotherAccountUsesTheAuthorization() public {
        ModularAccount another = deployAccount();
        assertEq(handle(another, installationOfHook(assentPolicy())), "");
        bytes memory call = withAuthorization(payment());
        assertRefused(handle(another, call), AttestationHook.NonceOfAnotherAccount.selector);

        // Its own nonce does not help it: the attested call is the other account's.
        Attestation memory attestation = executionAttestation(address(ENTRY_POINT), account, 0, payment());
        attestation.nonce = nonceOf(another, 0);
        attestation.taskId =
            taskManager.taskIdOf(address(hook), attestation.policyId, attestation.intent, attestation.nonce);
        bytes memory withNonce = AuthorizationEncoding.trailing(payment(), authorize(attestation));
        assertRefused(handle(another, withNonce), IRefusals.WrongTask.selector);
        assertEq(handle(account, call), "");
    }

    /// @dev The hook's caller is an account, and spends only what is attested to it.
    function test_RevertWhen_AnybodyAsksTheHookInTheAccountsName() public {
        bytes memory call = withAuthorization(payment());
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        hook.preCheck(address(ENTRY_POINT), 0, call);
        hook.onInstall(abi.encode(assentPolicy()));
        vm.expectRevert(
            abi.encodeWithSelector(AttestationHook.NonceOfAnotherAccount.selector, address(this), nonceOf(account, 0))
        );
        hook.preCheck(address(ENTRY_POINT), 0, call);
        assertEq(handle(account, call), "");
    }

    function test_EachAccountHasItsOwnPolicy() public {
        Policy memory stricter = assentPolicy();
        stricter.policyId = keccak256("stricter policy");
        ModularAccount another = deployAccount();
        assertEq(handle(another, installationOfHook(stricter)), "");
        // An attestation under `assentPolicy`.
        Attestation memory attestation = executionAttestation(address(ENTRY_POINT), another, 0, payment());
        attestation.policyId = assentPolicy().policyId;
        attestation.taskId =
            taskManager.taskIdOf(address(hook), attestation.policyId, attestation.intent, attestation.nonce);
        bytes memory call = AuthorizationEncoding.trailing(payment(), authorize(attestation));
        assertRefused(handle(another, call), IRefusals.WrongTask.selector);
        assertEq(handle(another, withAuthorizationOf(another, payment())), "");
        assertEq(handle(account, withAuthorization(payment())), "");
    }

    /* MODULES */

    function test_ExecutorActsWithAnAuthorization() public {
        bytes memory call = paymentByExecutor();
        bytes memory authorization = authorize(executionAttestation(address(executor), account, 0, call));
        executor.forward(address(account), AuthorizationEncoding.trailing(call, authorization));
        assertEq(recipient.balance, 1 ether);
    }

    function test_RevertWhen_ExecutorHasNoAuthorization() public {
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        executor.forward(address(account), paymentByExecutor());
    }

    function test_RevertWhen_AnotherCallerOrValueThanAttested() public {
        bytes memory call = paymentByExecutor();
        bytes memory authorization = authorize(executionAttestation(address(executor), account, 0, call));
        bytes memory trailed = AuthorizationEncoding.trailing(call, authorization);
        vm.expectPartialRevert(IRefusals.WrongTask.selector);
        anotherExecutor.forward(address(account), trailed);
        vm.expectPartialRevert(IRefusals.WrongTask.selector);
        executor.forward{value: 1}(address(account), trailed);
        executor.forward(address(account), trailed);
    }

    function test_RevertWhen_ModuleIsInstalledWithoutAuthorization() public {
        address module = address(new ExecutorModule());
        bytes memory installation = installationOf(MODULE_TYPE_EXECUTOR, module, "");
        assertRefused(handle(account, installation), IRefusals.MalformedAuthorization.selector);
        assertEq(handle(account, withAuthorization(installation)), "");
        assertTrue(account.isModuleInstalled(MODULE_TYPE_EXECUTOR, module, ""));
    }

    /// @dev A call of the account to itself is hooked once more, and takes a separate authorization, `from` the
    /// account.
    function test_RevertWhen_AccountCallsItselfWithOneAuthorization() public {
        bytes memory installation = installationOf(MODULE_TYPE_EXECUTOR, address(new ExecutorModule()), "");
        bytes memory call = withAuthorization(executionOf(address(account), 0, installation));
        assertRefused(handle(account, call), IRefusals.MalformedAuthorization.selector);

        bytes memory authorization = authorize(executionAttestation(address(account), account, 0, installation));
        bytes memory inner = AuthorizationEncoding.trailing(installation, authorization);
        assertEq(handle(account, withAuthorization(executionOf(address(account), 0, inner))), "");
    }

    function test_RevertWhen_StrangerCallsAFallbackHandler() public {
        (bool success, bytes memory reason) = address(account).call(hex"12345678");
        assertFalse(success);
        assertEq(bytes4(reason), IRefusals.MalformedAuthorization.selector);
    }
}
