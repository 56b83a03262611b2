// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {DelayedExit} from "../../../contracts/examples/DelayedExit.sol";
import {SafeAttestationGuard} from "../../../contracts/examples/SafeAttestationGuard.sol";
import {IRefusals, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {AuthorizationEncoding} from "../../../contracts/testing/AuthorizationEncoding.sol";
import {SafeTestBase, SafeTransaction} from "./SafeTestBase.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IFallbackManager} from "@safe-global/safe-smart-account/contracts/interfaces/IFallbackManager.sol";
import {IGuardManager} from "@safe-global/safe-smart-account/contracts/interfaces/IGuardManager.sol";
import {IModuleManager} from "@safe-global/safe-smart-account/contracts/interfaces/IModuleManager.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";

/// @dev Nothing leaves the Safe but what its owners signed and operators allowed, both.
contract SafeAttestationGuardTest is SafeTestBase {
    address private recipient = makeAddr("recipient");
    address private module = makeAddr("module");
    ISafe private safe;
    SafeAttestationGuard private guard;

    /// @dev A Safe that exists already takes on the guard, by transactions as ever.
    function setUp() public {
        deployAssent();
        safe = deploySafe();
        vm.deal(address(safe), 10 ether);
        guard = new SafeAttestationGuard(safe, taskManager, assentPolicy());
        assertEq(execute(safe, _ofItself(abi.encodeCall(IModuleManager.enableModule, (module)))), "");
        assertEq(execute(safe, _ofItself(abi.encodeCall(IModuleManager.setModuleGuard, (address(guard))))), "");
        assertEq(execute(safe, _ofItself(abi.encodeCall(IGuardManager.setGuard, (address(guard))))), "");
    }

    /* TRANSACTIONS */

    function test_AttestedTransactionGoesThrough() public {
        assertEq(execute(safe, _payment(), _attested(_payment())), "");
        assertEq(recipient.balance, 1 ether);
    }

    function test_RevertWhen_TransactionHasNoAuthorization() public {
        _assertRefused(execute(safe, _payment()), IRefusals.MalformedAuthorization.selector);
    }

    function test_RevertWhen_AuthorizationIsCutShort() public {
        bytes memory signatures = signaturesOf(safe, _payment());
        bytes memory tooLong = abi.encodePacked(signatures, uint16(signatures.length + 1));
        _assertRefused(executeWith(safe, _payment(), tooLong), IRefusals.MalformedAuthorization.selector);
        bytes memory nothing = abi.encodePacked(signatures, uint16(0));
        _assertRefused(executeWith(safe, _payment(), nothing), IRefusals.MalformedAuthorization.selector);
    }

    function test_RevertWhen_Denied() public {
        bytes memory authorization = deny(intentOf(safe, _payment()), address(guard));
        _assertRefused(execute(safe, _payment(), authorization), IRefusals.PolicyDenied.selector);
    }

    function test_RevertWhen_Expired() public {
        bytes memory authorization = expired(intentOf(safe, _payment()), address(guard));
        _assertRefused(execute(safe, _payment(), authorization), IRefusals.AttestationExpired.selector);
    }

    function test_RevertWhen_OwnersSignOtherThanWhatIsAttested() public {
        SafeTransaction memory attested = _payment();
        bytes memory authorization = _attested(attested);
        SafeTransaction[] memory others = new SafeTransaction[](9);
        for (uint256 i = 0; i < others.length; ++i) {
            others[i] = _payment();
        }
        others[0].to = executor;
        others[1].value += 1;
        others[2].data = hex"00";
        others[3].operation = Enum.Operation.DelegateCall;
        others[4].safeTxGas = 1;
        others[5].baseGas = 1;
        others[6].gasPrice = 1;
        others[7].gasToken = recipient;
        others[8].refundReceiver = payable(recipient);
        for (uint256 i = 0; i < others.length; ++i) {
            _assertRefused(execute(safe, others[i], authorization), IRefusals.WrongTask.selector);
        }
        assertEq(execute(safe, attested, authorization), "");
    }

    function test_RevertWhen_AnotherExecutes() public {
        bytes memory authorization = _attested(_payment());
        executor = makeAddr("another");
        _assertRefused(execute(safe, _payment(), authorization), IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_AuthorizationIsUsedAgain() public {
        bytes memory authorization = _attested(_payment());
        bytes memory signatures = AuthorizationEncoding.trailing(signaturesOf(safe, _payment()), authorization);
        assertEq(executeWith(safe, _payment(), signatures), "");
        // The Safe's own nonce first, and, signed anew, the attestation's.
        assertEq(executeWith(safe, _payment(), signatures), _safeError("GS026"));
        bytes memory spent = abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, guard, 0);
        assertEq(execute(safe, _payment(), authorization), spent);
        assertEq(recipient.balance, 1 ether);
    }

    function test_RevertWhen_OwnersHaveNotSigned() public {
        bytes memory authorization = _attested(_payment());
        for (uint256 signers = 0; signers < THRESHOLD; ++signers) {
            bytes memory signatures = signaturesOf(safe, _payment(), signers);
            bytes memory refusal =
                executeWith(safe, _payment(), AuthorizationEncoding.trailing(signatures, authorization));
            // The authorization's bytes pass for a signature as little as any others.
            assertEq(refusal, _safeError("GS021"));
        }
        assertEq(recipient.balance, 0);
    }

    function test_FailedTransactionLeavesTheAuthorizationUnspent() public {
        SafeTransaction memory transaction = transactionOf(recipient, 11 ether, "");
        bytes memory authorization = _attested(transaction);
        _refuseWithoutReason(transaction, authorization);
        vm.deal(address(safe), 11 ether);
        assertEq(execute(safe, transaction, authorization), "");
        assertEq(recipient.balance, 11 ether);
    }

    /* DELEGATECALLS AND MODULES */

    function test_AttestedBatchGoesThrough() public {
        SafeTransaction memory batch = _batchOfTwoPayments();
        assertEq(execute(safe, batch, _attested(batch)), "");
        assertEq(recipient.balance, 3 ether);
    }

    function test_RevertWhen_DelegatecallIsNotAttested() public {
        _assertRefused(execute(safe, _batchOfTwoPayments()), IRefusals.MalformedAuthorization.selector);
    }

    function test_RevertWhen_ModuleActsForTheSafe() public {
        Enum.Operation[2] memory operations = [Enum.Operation.Call, Enum.Operation.DelegateCall];
        for (uint256 i = 0; i < operations.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(SafeAttestationGuard.ModuleRefused.selector, module));
            vm.prank(module);
            safe.execTransactionFromModule(recipient, 1 ether, "", operations[i]);
            vm.expectRevert(abi.encodeWithSelector(SafeAttestationGuard.ModuleRefused.selector, module));
            vm.prank(module);
            safe.execTransactionFromModuleReturnData(recipient, 1 ether, "", operations[i]);
        }
    }

    /// @dev Documented: a guard sees only transactions. With a fallback handler, what owners sign is the Safe's word
    /// (ERC-1271) for any verifier of it, such as a token with permits. Without one, the Safe says nothing.
    function test_MessagesThatOwnersSignAreNotGuarded() public {
        bytes32 message = keccak256("a permit");
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (message, _signaturesOfMessage(message)));
        (, bytes memory answer) = address(safe).staticcall(question);
        assertEq(answer, "");

        address handler = deployArtifact("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler.json");
        SafeTransaction memory change = _ofItself(abi.encodeCall(IFallbackManager.setFallbackHandler, (handler)));
        _assertRefused(execute(safe, change), IRefusals.MalformedAuthorization.selector);
        assertEq(execute(safe, change, _attested(change)), "");
        (, answer) = address(safe).staticcall(question);
        assertEq(answer, abi.encode(IERC1271.isValidSignature.selector));
    }

    /* THE GUARD ITSELF */

    function test_RevertWhen_GuardIsRemovedWithoutAuthorization() public {
        bytes memory refusal = execute(safe, _ofItself(abi.encodeCall(IGuardManager.setGuard, (address(0)))));
        _assertRefused(refusal, IRefusals.MalformedAuthorization.selector);
        refusal = execute(safe, _ofItself(abi.encodeCall(IModuleManager.setModuleGuard, (address(0)))));
        _assertRefused(refusal, IRefusals.MalformedAuthorization.selector);
    }

    function test_OperatorsLetTheGuardBeRemoved() public {
        SafeTransaction memory removal = _ofItself(abi.encodeCall(IGuardManager.setGuard, (address(0))));
        assertEq(execute(safe, removal, _attested(removal)), "");
        assertEq(execute(safe, _payment()), "");
    }

    function test_RevertWhen_AnotherThanTheSafeSpendsItsAuthorizations() public {
        SafeTransaction memory payment = _payment();
        bytes memory signatures = AuthorizationEncoding.trailing("", _attested(payment));
        vm.expectRevert(abi.encodeWithSelector(SafeAttestationGuard.NotSafe.selector, address(this)));
        guard.checkTransaction(
            payment.to,
            payment.value,
            payment.data,
            payment.operation,
            0,
            0,
            0,
            address(0),
            payable(address(0)),
            signatures,
            executor
        );
    }

    function test_SafeChangesItsPolicyByAnAttestedTransaction() public {
        Policy memory policy = assentPolicy();
        policy.quorum = 10_000;
        SafeTransaction memory change =
            transactionOf(address(guard), 0, abi.encodeCall(guard.setAssentPolicy, (policy)));
        _assertRefused(execute(safe, change), IRefusals.MalformedAuthorization.selector);
        assertEq(execute(safe, change, _attested(change)), "");
        assertEq(guard.assentPolicy().quorum, 10_000);
    }

    function test_RevertWhen_AnotherThanTheSafeChangesThePolicy() public {
        address[3] memory others = [owners[0], executor, address(this)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(SafeAttestationGuard.NotSafe.selector, others[i]));
            vm.prank(others[i]);
            guard.setAssentPolicy(assentPolicy());
        }
    }

    /// @dev It would refuse all of that Safe's transactions, its own removal among them.
    function test_RevertWhen_AnotherSafeInstallsTheGuard() public {
        ISafe another = deploySafe();
        SafeTransaction memory installation =
            transactionOf(address(another), 0, abi.encodeCall(IGuardManager.setGuard, (address(guard))));
        assertEq(execute(another, installation), _safeError("GS300"));
        installation.data = abi.encodeCall(IModuleManager.setModuleGuard, (address(guard)));
        assertEq(execute(another, installation), _safeError("GS301"));
    }

    function test_SupportsErc165() public {
        assertTrue(guard.supportsInterface(0x01ffc9a7));
        assertFalse(guard.supportsInterface(0xffffffff));
        vm.prank(address(safe));
        assertFalse(guard.supportsInterface(0xffffffff));
    }

    /* REVOCATION */

    /// @dev Operators that do not answer, or are at fault, cannot keep the owners from revoking.
    function test_OwnersRevokeWithoutAnAuthorization() public {
        bytes memory issued = _attested(_payment());
        bytes memory voiding = abi.encodeCall(guard.voidAssentAttestations, (uint48(block.timestamp + 1)));
        uint256 snapshot = vm.snapshotState();
        assertEq(execute(safe, transactionOf(address(guard), 0, voiding)), "");
        skip(1);
        _assertRefused(execute(safe, _payment(), issued), IRefusals.AttestationVoided.selector);
        assertEq(execute(safe, _payment(), _attested(_payment())), "");

        vm.revertToState(snapshot);
        bytes memory burning = abi.encodeCall(guard.burnAssentNonces, (0, 1));
        assertEq(execute(safe, transactionOf(address(guard), 0, burning)), "");
        _assertRefused(execute(safe, _payment(), issued), IRefusals.AttestationAlreadySpent.selector);
    }

    function test_RevertWhen_SomethingElsePassesForARevocation() public {
        bytes memory voiding = abi.encodeCall(guard.voidAssentAttestations, (uint48(block.timestamp + 1)));
        bytes memory burning = abi.encodeCall(guard.burnAssentNonces, (0, 1));
        SafeTransaction[] memory others = new SafeTransaction[](7);
        for (uint256 i = 0; i < others.length; ++i) {
            others[i] = transactionOf(address(guard), 0, i % 2 == 0 ? voiding : burning);
        }
        others[0].to = recipient;
        others[1].operation = Enum.Operation.DelegateCall;
        others[2].gasPrice = 1;
        others[3].data = bytes.concat(burning, hex"00");
        others[4].data = bytes.concat(voiding, bytes32(0));
        others[5].data = abi.encodePacked(guard.burnAssentNonces.selector);
        others[6].data = abi.encodePacked(guard.announceExit.selector, hex"00");
        for (uint256 i = 0; i < others.length; ++i) {
            _assertRefused(execute(safe, others[i]), IRefusals.MalformedAuthorization.selector);
        }
        vm.expectRevert(abi.encodeWithSelector(SafeAttestationGuard.NotSafe.selector, address(this)));
        guard.voidAssentAttestations(uint48(block.timestamp + 1));
        vm.expectRevert(abi.encodeWithSelector(SafeAttestationGuard.NotSafe.selector, address(this)));
        guard.burnAssentNonces(0, 1);
    }

    /* THE WAY OUT */

    function test_SafeIsFreeAfterAnAnnouncedExit() public {
        uint256 time = block.timestamp + 7 days;
        vm.expectEmit(address(guard));
        emit DelayedExit.ExitAnnounced(address(safe), time);
        assertEq(execute(safe, _announcement()), "");

        vm.warp(time - 1);
        _assertRefused(execute(safe, _payment()), IRefusals.MalformedAuthorization.selector);
        vm.expectRevert(abi.encodeWithSelector(SafeAttestationGuard.ModuleRefused.selector, module));
        vm.prank(module);
        safe.execTransactionFromModule(recipient, 1 ether, "", Enum.Operation.Call);

        vm.warp(time);
        assertEq(execute(safe, _payment()), "");
        skip(1);
        vm.prank(module);
        assertTrue(safe.execTransactionFromModule(recipient, 1 ether, "", Enum.Operation.Call));
        assertEq(recipient.balance, 2 ether);
        assertEq(execute(safe, _ofItself(abi.encodeCall(IGuardManager.setGuard, (address(0))))), "");
    }

    /// @dev While there are operators, a stolen set of owners' keys does not suffice: they let the Safe cancel, or move
    /// away.
    function test_OperatorsLetTheSafeCancelItsExit() public {
        assertEq(execute(safe, _announcement()), "");
        SafeTransaction memory cancellation = transactionOf(address(guard), 0, abi.encodeCall(guard.cancelExit, ()));
        _assertRefused(execute(safe, cancellation), IRefusals.MalformedAuthorization.selector);
        assertEq(execute(safe, cancellation, _attested(cancellation)), "");
        skip(guard.EXIT_DELAY());
        _assertRefused(execute(safe, _payment()), IRefusals.MalformedAuthorization.selector);
    }

    function test_RevertWhen_SomethingElsePassesForAnAnnouncement() public {
        SafeTransaction[] memory others = new SafeTransaction[](5);
        for (uint256 i = 0; i < others.length; ++i) {
            others[i] = _announcement();
        }
        others[0].operation = Enum.Operation.DelegateCall;
        others[1].gasPrice = 1;
        others[2].to = address(safe);
        others[3].data = abi.encodeCall(guard.cancelExit, ());
        others[4].data = abi.encodePacked(others[4].data, hex"00");
        for (uint256 i = 0; i < others.length; ++i) {
            _assertRefused(execute(safe, others[i]), IRefusals.MalformedAuthorization.selector);
        }
    }

    function test_AnnouncementOfAnotherDoesNotFreeTheSafe() public {
        vm.prank(executor);
        guard.announceExit();
        skip(guard.EXIT_DELAY());
        _assertRefused(execute(safe, _payment()), IRefusals.MalformedAuthorization.selector);
    }

    /// @dev It would protect nothing.
    function test_RevertWhen_GuardIsInstalledAgainAfterAnExit() public {
        assertEq(execute(safe, _announcement()), "");
        skip(guard.EXIT_DELAY());
        // The first epoch has expired by then.
        commitEpoch();
        SafeTransaction memory installation = _ofItself(abi.encodeCall(IGuardManager.setGuard, (address(guard))));
        assertEq(execute(safe, installation), _safeError("GS300"));
        assertEq(execute(safe, transactionOf(address(guard), 0, abi.encodeCall(guard.cancelExit, ()))), "");
        assertEq(execute(safe, installation, _attested(installation)), "");
        _assertRefused(execute(safe, _payment()), IRefusals.MalformedAuthorization.selector);
    }

    /* SHARED */

    function _attested(SafeTransaction memory transaction) private returns (bytes memory authorization) {
        return attest(intentOf(safe, transaction), address(guard));
    }

    /// @dev As EIP-712 structured data under the Safe's own domain.
    function _signaturesOfMessage(bytes32 message) private view returns (bytes memory) {
        bytes32 structHash =
            keccak256(abi.encode(keccak256("SafeMessage(bytes message)"), keccak256(abi.encode(message))));
        return signaturesOf(MessageHashUtils.toTypedDataHash(safe.domainSeparator(), structHash), THRESHOLD);
    }

    function _payment() private view returns (SafeTransaction memory) {
        return transactionOf(recipient, 1 ether, "");
    }

    function _announcement() private view returns (SafeTransaction memory) {
        return transactionOf(address(guard), 0, abi.encodeCall(guard.announceExit, ()));
    }

    function _ofItself(bytes memory data) private view returns (SafeTransaction memory) {
        return transactionOf(address(safe), 0, data);
    }

    /// @dev As a Safe's user interface makes them: a delegatecall of the contract that makes calls one after another.
    function _batchOfTwoPayments() private returns (SafeTransaction memory batch) {
        address multiSend = deployArtifact("libraries/MultiSendCallOnly.sol/MultiSendCallOnly.json");
        bytes memory calls = abi.encodePacked(
            abi.encodePacked(uint8(0), recipient, uint256(1 ether), uint256(0)),
            abi.encodePacked(uint8(0), recipient, uint256(2 ether), uint256(0))
        );
        batch = transactionOf(multiSend, 0, abi.encodeWithSignature("multiSend(bytes)", calls));
        batch.operation = Enum.Operation.DelegateCall;
    }

    /// @dev A Safe passes on what the failed call returned, and a transfer of too much returns nothing.
    function _refuseWithoutReason(SafeTransaction memory transaction, bytes memory authorization) private {
        uint256 nonce = safe.nonce();
        assertEq(execute(safe, transaction, authorization), "");
        assertEq(safe.nonce(), nonce);
    }

    function _safeError(string memory code) private pure returns (bytes memory) {
        return abi.encodeWithSignature("Error(string)", code);
    }

    function _assertRefused(bytes memory refusal, bytes4 selector) private view {
        assertEq(bytes4(refusal), selector);
        assertEq(recipient.balance, 0);
    }
}
