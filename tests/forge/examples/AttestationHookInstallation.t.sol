// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestationHook} from "../../../contracts/examples/AttestationHook.sol";
import {DelayedExit} from "../../../contracts/examples/DelayedExit.sol";
import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {IRefusals, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {ModularAccount} from "./EntryPointTestBase.sol";
import {HookTestBase} from "./HookTestBase.sol";
import {
    IERC7579Execution,
    IERC7579ModuleConfig,
    MODULE_TYPE_HOOK
} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";

/// @dev How the hook comes, what it can be told, and how an account gets rid of it.
contract AttestationHookInstallationTest is HookTestBase {
    /* THE HOOK ITSELF */

    function test_RevertWhen_HookIsUninstalledWithoutAuthorization() public {
        bytes memory removal =
            abi.encodeCall(IERC7579ModuleConfig.uninstallModule, (MODULE_TYPE_HOOK, address(hook), ""));
        assertRefused(handle(account, removal), IRefusals.MalformedAuthorization.selector);
        bytes memory delegatecall =
            abi.encodeCall(IERC7579Execution.execute, (DELEGATECALL, abi.encodePacked(address(hook), removal)));
        assertRefused(handle(account, delegatecall), IRefusals.MalformedAuthorization.selector);
        assertEq(account.hook(), address(hook));
    }

    function test_OperatorsLetTheHookBeUninstalledAndInstalledAgain() public {
        bytes memory removal =
            abi.encodeCall(IERC7579ModuleConfig.uninstallModule, (MODULE_TYPE_HOOK, address(hook), ""));
        assertEq(handle(account, withAuthorization(removal)), "");
        assertEq(account.hook(), address(0));
        assertEq(policyOf(account).policyId, 0);
        assertEq(handle(account, installationOfHook(assentPolicy())), "");
        assertRefused(handle(account, payment()), IRefusals.MalformedAuthorization.selector);
    }

    function test_AccountChangesItsPolicyByAnAttestedCall() public {
        Policy memory policy = assentPolicy();
        policy.policyId = keccak256("another policy");
        bytes memory change = executionOf(address(hook), 0, abi.encodeCall(hook.setPolicy, (policy)));
        assertRefused(handle(account, change), IRefusals.MalformedAuthorization.selector);
        bytes memory attested = withAuthorization(change);
        vm.expectEmit(address(hook));
        emit AttestationHook.PolicyChanged(
            address(account), policy.policyId, policy.operatorSet, policy.quorum, policy.maxLifetime
        );
        assertEq(handle(account, attested), "");
        assertEq(policyOf(account).policyId, policy.policyId);
    }

    function test_RevertWhen_PolicyIsSetWithoutInstallation() public {
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        hook.setPolicy(assentPolicy());
    }

    function test_RevertWhen_InstalledTwice() public {
        hook.onInstall(abi.encode(assentPolicy()));
        vm.expectRevert(abi.encodeWithSelector(AttestationHook.AlreadyInstalled.selector, address(this)));
        hook.onInstall(abi.encode(assentPolicy()));
    }

    /// @dev Under such a policy the account could never do anything again.
    function test_RevertWhen_PolicyCouldNeverBeMet() public {
        Policy[6] memory policies =
            [assentPolicy(), assentPolicy(), assentPolicy(), assentPolicy(), assentPolicy(), assentPolicy()];
        policies[0].policyId = 0;
        policies[1].quorum = 5000;
        policies[2].quorum = 10_001;
        policies[3].maxLifetime = 0;
        policies[4].maxLifetime = 30 days + 1;
        policies[5].operatorSet = OperatorSetId.wrap(2 ** 26);
        for (uint256 i = 0; i < policies.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IPolicyClient.AssentInvalidPolicy.selector,
                    policies[i].policyId,
                    policies[i].operatorSet,
                    policies[i].quorum,
                    policies[i].maxLifetime
                )
            );
            hook.onInstall(abi.encode(policies[i]));
        }
    }

    function test_RevertWhen_TaskManagerIsNoContract() public {
        ITaskManager withoutCode = ITaskManager(recipient);
        vm.expectRevert(abi.encodeWithSelector(IPolicyClient.AssentInvalidTaskManager.selector, withoutCode));
        new AttestationHook(withoutCode);
    }

    function test_IsAHookAndNoOtherModule() public view {
        for (uint256 moduleTypeId = 0; moduleTypeId < 10; ++moduleTypeId) {
            assertEq(hook.isModuleType(moduleTypeId), moduleTypeId == MODULE_TYPE_HOOK);
        }
    }

    /// @dev Its key would send plain transactions, which the hook does not see.
    function test_RevertWhen_AccountHasEip7702Code() public {
        address delegated = makeAddr("delegated");
        vm.etch(delegated, abi.encodePacked(hex"ef0100", address(account)));
        bytes memory policy = abi.encode(assentPolicy());
        vm.prank(delegated);
        vm.expectRevert(abi.encodeWithSelector(AttestationHook.DelegatedAccount.selector, delegated));
        hook.onInstall(policy);
        // Other code that begins alike is a contract's, which no key controls.
        vm.etch(delegated, hex"5f0100");
        vm.prank(delegated);
        hook.onInstall(policy);
    }

    /* REVOCATION */

    /// @dev Operators that do not answer, or are at fault, cannot keep an account from revoking.
    function test_AccountVoidsAllThatWasIssuedBeforeWithoutAnAuthorization() public {
        bytes memory issued = withAuthorization(payment());
        uint48 floor = uint48(block.timestamp + 1);
        bytes memory call = executionOf(address(hook), 0, abi.encodeCall(hook.voidAttestations, (floor)));
        vm.expectEmit(address(hook));
        emit AttestationHook.AttestationsVoided(address(account), floor);
        assertEq(handle(account, call), "");
        skip(1);
        assertRefused(handle(account, issued), IRefusals.AttestationVoided.selector);
        assertEq(handle(account, withAuthorization(payment())), "");
    }

    function test_AccountBurnsItsNoncesWithoutAnAuthorization() public {
        bytes memory issued = withAuthorization(payment());
        uint256 nonce = nonceOf(account, 0);
        bytes memory call = executionOf(address(hook), 0, abi.encodeCall(hook.burnNonces, (nonce >> 8, 1)));
        assertEq(handle(account, call), "");
        assertRefused(handle(account, issued), IRefusals.AttestationAlreadySpent.selector);
    }

    function test_RevertWhen_AccountBurnsAnothersNonces() public {
        uint256 nonce = nonceOf(account, 0);
        vm.expectRevert(abi.encodeWithSelector(AttestationHook.NonceOfAnotherAccount.selector, address(this), nonce));
        hook.burnNonces(nonce >> 8, 1);
        assertEq(handle(account, withAuthorization(payment())), "");
    }

    function test_FloorOfAnAccountOnlyRisesAndOutlivesTheHooksRemoval() public {
        uint48 floor = uint48(block.timestamp);
        uint256 latest = block.timestamp + 30 days;
        hook.onInstall(abi.encode(assentPolicy()));
        hook.voidAttestations(floor);
        uint48[3] memory invalid = [floor, floor - 1, uint48(latest + 1)];
        for (uint256 i = 0; i < invalid.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IPolicyClient.AssentInvalidFloor.selector, invalid[i], floor, latest)
            );
            hook.voidAttestations(invalid[i]);
        }
        hook.onUninstall("");
        hook.onInstall(abi.encode(assentPolicy()));
        hook.setPolicy(assentPolicy());
        (,,,, uint48 kept) = hook.policies(address(this));
        assertEq(kept, floor);
        hook.voidAttestations(uint48(latest));
    }

    /// @dev Only these calls, by one plain call of the account itself.
    function test_RevertWhen_SomethingElsePassesForARevocation() public {
        bytes memory voiding = abi.encodeCall(hook.voidAttestations, (uint48(block.timestamp)));
        bytes memory burning = abi.encodeCall(hook.burnNonces, (nonceOf(account, 0) >> 8, 1));
        bytes[8] memory others = [
            executionOf(address(hook), 1, voiding),
            executionOf(recipient, 0, voiding),
            executionOf(address(hook), 0, bytes.concat(voiding, hex"00")),
            executionOf(address(hook), 0, bytes.concat(burning, bytes32(0))),
            executionOf(address(hook), 0, abi.encodePacked(hook.voidAttestations.selector)),
            abi.encodePacked(executionOf(address(hook), 0, burning), hex"00"),
            abi.encodeCall(
                IERC7579Execution.execute, (DELEGATECALL, abi.encodePacked(address(hook), uint256(0), voiding))
            ),
            abi.encodeCall(IERC7579Execution.execute, (TRY, abi.encodePacked(address(hook), uint256(0), burning)))
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            assertRefused(handle(account, others[i]), IRefusals.MalformedAuthorization.selector);
        }
        bytes memory execution = abi.encodePacked(address(hook), uint256(0), voiding);
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        executor.forward(address(account), abi.encodeCall(IERC7579Execution.executeFromExecutor, (0, execution)));
    }

    /* THE WAY OUT */

    function test_AccountIsFreeAfterAnAnnouncedExit() public {
        uint256 time = block.timestamp + hook.EXIT_DELAY();
        assertEq(handle(account, exitAnnouncement()), "");
        assertEq(hook.exitTimes(address(account)), time);
        vm.warp(time - 1);
        assertRefused(handle(account, payment()), IRefusals.MalformedAuthorization.selector);
        vm.warp(time);
        assertEq(handle(account, payment()), "");
        assertEq(recipient.balance, 1 ether);
    }

    function test_OperatorsLetTheAccountCancelItsExit() public {
        assertEq(handle(account, exitAnnouncement()), "");
        bytes memory cancellation = executionOf(address(hook), 0, abi.encodeCall(hook.cancelExit, ()));
        assertRefused(handle(account, cancellation), IRefusals.MalformedAuthorization.selector);
        bytes memory attested = withAuthorization(cancellation);
        vm.expectEmit(address(hook));
        emit DelayedExit.ExitCancelled(address(account));
        assertEq(handle(account, attested), "");
        skip(hook.EXIT_DELAY());
        assertRefused(handle(account, payment()), IRefusals.MalformedAuthorization.selector);
    }

    function test_RevertWhen_SomethingElsePassesForAnAnnouncement() public {
        bytes memory announcement = abi.encodeCall(hook.announceExit, ());
        bytes memory execution = abi.encodePacked(address(hook), uint256(0), announcement);
        bytes[5] memory others = [
            abi.encodeCall(IERC7579Execution.execute, (TRY, execution)),
            abi.encodeCall(IERC7579Execution.execute, (DELEGATECALL, abi.encodePacked(address(hook), announcement))),
            executionOf(address(hook), 1, announcement),
            executionOf(recipient, 0, announcement),
            abi.encodePacked(exitAnnouncement(), hex"00")
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            assertRefused(handle(account, others[i]), IRefusals.MalformedAuthorization.selector);
        }
        vm.expectRevert(IRefusals.MalformedAuthorization.selector);
        executor.forward(address(account), abi.encodeCall(IERC7579Execution.executeFromExecutor, (0, execution)));
    }

    /// @dev Else the hook would protect nothing.
    function test_InstallationEndsAnEarlierExit() public {
        ModularAccount another = deployAccount();
        assertEq(handle(another, exitAnnouncement()), "");
        skip(hook.EXIT_DELAY());
        assertEq(handle(another, installationOfHook(assentPolicy())), "");
        assertRefused(handle(another, payment()), IRefusals.MalformedAuthorization.selector);
    }

    /// @dev The account told the hook that it was uninstalled, which it was not.
    function test_AccountWithoutAPolicyCanDoNothingButLeave() public {
        bytes memory call = executionOf(address(hook), 0, abi.encodeCall(hook.onUninstall, ("")));
        assertEq(handle(account, withAuthorization(call)), "");
        assertRefused(handle(account, payment()), IRefusals.PolicyNotSet.selector);
        assertEq(handle(account, exitAnnouncement()), "");
        skip(hook.EXIT_DELAY());
        assertEq(handle(account, payment()), "");
    }
}
