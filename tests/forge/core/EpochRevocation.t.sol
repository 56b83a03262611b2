// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {EpochApproval, IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, EpochId, IRefusals} from "../../../contracts/interfaces/Protocol.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";
import {Vm} from "forge-std/Vm.sol";

/// @dev Revocation is instant, and reaches every epoch that it means.
contract EpochRevocationTest is EpochTestBase {
    /* BY OPERATOR SET */

    /// @dev The latest, the one before in its grace period, and the pending one.
    function test_RevokingASetRevokesAllItsEpochsAtOnce() public {
        commitApproved(0, OPERATORS, OPERATORS);
        EpochId pending = commit(0, OPERATORS);
        assertInForce(FIRST_EPOCH, OPERATORS);
        assertInForce(SECOND_EPOCH, OPERATORS);

        vm.prank(owner);
        registry.revokeOperatorSet(OPERATOR_SET);
        assertRevoked(FIRST_EPOCH, OPERATORS);
        assertRevoked(SECOND_EPOCH, OPERATORS);
        skip(1 days);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochNotPending.selector, pending));
        registry.activateEpoch(pending);
        assertUnknown(pending, OPERATORS);
        assertEq(registry.liveEpochs(OPERATOR_SET).length, 0);
    }

    function test_RevokingASetAnnouncesOnlyEpochsThatWereLive() public {
        commitApproved(0, OPERATORS, OPERATORS);
        revoke(FIRST_EPOCH);
        vm.recordLogs();
        vm.prank(owner);
        registry.revokeOperatorSet(OPERATOR_SET);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 revoked = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], IOperatorRegistry.StagedOperatorsDiscarded.selector, "none were staged");
            if (logs[i].topics[0] != IOperatorRegistry.EpochRevoked.selector) continue;
            assertEq(logs[i].topics[1], bytes32(uint256(EpochId.unwrap(SECOND_EPOCH))));
            ++revoked;
        }
        assertEq(revoked, 1);
    }

    /// @dev Beyond its grace period, what was recorded under an epoch could still be used.
    function test_RevokingASetRevokesRootsRecordedUnderASupersededEpoch() public {
        Attestation memory attestation = attest(protectedCall());
        attestation.issuedAt = uint48(block.timestamp) + GRACE_PERIOD;
        attestation.expiration = attestation.issuedAt + 1 hours;
        attestation.taskId = taskManager.taskIdOf(address(counter), POLICY_ID, attestation.intent, attestation.nonce);
        bytes32 root = taskManager.digestOf(attestation);
        taskManager.recordRoot(FIRST_EPOCH, SignedRoot(root, sign(root, 0, OPERATORS), ""));
        commitApproved(0, OPERATORS, OPERATORS);
        skip(GRACE_PERIOD);
        bytes memory authorization = encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0));
        uint256 snapshot = vm.snapshotState();
        assertPasses(attestation.intent, authorization);
        vm.revertToState(snapshot);

        assertEq(registry.liveEpochs(OPERATOR_SET).length, 2);
        vm.prank(owner);
        registry.revokeOperatorSet(OPERATOR_SET);
        bytes memory expected = abi.encodeWithSelector(IRefusals.EpochRevoked.selector, FIRST_EPOCH);
        assertRefused(attestation.intent, authorization, expected);
    }

    function test_RevokingASetTouchesNoOther() public {
        vm.prank(owner);
        registry.revokeOperatorSet(OTHER_SET);
        assertInForce(FIRST_EPOCH, OPERATORS);
    }

    function test_RevokingASetDiscardsItsStagedOperators() public {
        for (uint256 i = OPERATORS; i < 100; ++i) {
            registerOperator(i, WEIGHT);
        }
        vm.startPrank(owner);
        registry.stageOperators(OPERATOR_SET, operatorAddresses(0, 100));
        registry.revokeOperatorSet(OPERATOR_SET);
        assertEq(registry.stagedTables(OPERATOR_SET).length, 0);
    }

    /* BY EPOCHS */

    function test_RevocationIsAnnouncedAndImmediate() public {
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.EpochRevoked(FIRST_EPOCH);
        revoke(FIRST_EPOCH);
        assertRevoked(FIRST_EPOCH, OPERATORS);
        assertEq(validUntilOf(FIRST_EPOCH), 0);
    }

    function test_SeveralEpochsAreRevokedTogether() public {
        EpochId[] memory epochs = new EpochId[](3);
        (epochs[0], epochs[1], epochs[2]) = (FIRST_EPOCH, SECOND_EPOCH, EpochId.wrap(3));
        commitApproved(0, OPERATORS, OPERATORS);
        commit(0, OPERATORS);
        vm.prank(owner);
        registry.revokeEpochs(epochs);
        assertRevoked(FIRST_EPOCH, OPERATORS);
        assertRevoked(SECOND_EPOCH, OPERATORS);
        (EpochId pending,) = registry.pendingEpoch(OPERATOR_SET);
        assertEq(pending, EpochId.wrap(0));
    }

    function test_RevertWhen_RevokingAnEpochThatDoesNotExist() public {
        EpochId[3] memory unknown = [EpochId.wrap(0), EpochId.wrap(2), EpochId.wrap(type(uint32).max)];
        for (uint256 i = 0; i < unknown.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, unknown[i]));
            vm.prank(owner);
            registry.revokeEpochs(only(unknown[i]));
        }
    }

    function test_RevokedPendingEpochMakesRoomForAnother() public {
        EpochId pending = commit(0, 3);
        revoke(pending);
        EpochId next = commit(0, OPERATORS);
        skip(1 days);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochNotPending.selector, pending));
        registry.activateEpoch(pending);
        registry.activateEpoch(next);
        assertInForce(next, OPERATORS);
    }

    function test_RevokedEpochStaysRevokedWhenSuperseded() public {
        EpochId epoch = commit(0, OPERATORS);
        revoke(FIRST_EPOCH);
        skip(1 days);
        registry.activateEpoch(epoch);
        assertEq(validUntilOf(FIRST_EPOCH), 0);
        assertRevoked(FIRST_EPOCH, OPERATORS);
    }

    function test_SupersededEpochCanStillBeRevoked() public {
        commitApproved(0, OPERATORS, OPERATORS);
        revoke(FIRST_EPOCH);
        assertRevoked(FIRST_EPOCH, OPERATORS);
    }

    /* WHAT FOLLOWS */

    function test_EpochAfterARevocationWaitsForItsDelay() public {
        vm.prank(owner);
        registry.revokeOperatorSet(OPERATOR_SET);
        EpochId epoch = commit(0, OPERATORS);
        vm.expectPartialRevert(IOperatorRegistry.ActivationTooEarly.selector);
        registry.activateEpoch(epoch);
        skip(1 days);
        registry.activateEpoch(epoch);
        assertInForce(epoch, OPERATORS);
    }

    function test_EpochApprovedBeforeARevocationStaysInForce() public {
        EpochId next = commitApproved(0, OPERATORS, OPERATORS);
        revoke(FIRST_EPOCH);
        assertRevoked(FIRST_EPOCH, OPERATORS);
        assertInForce(next, OPERATORS);
    }

    /* HOW MANY */

    function test_RevertWhen_ASetWouldHaveTooManyLiveEpochs() public {
        _fill();
        EpochId epoch = commit(0, 1);
        EpochId[] memory live = registry.liveEpochs(OPERATOR_SET);
        assertEq(live.length, 32);
        _assertTooMany(epoch);
        // One that is revoked makes room.
        revoke(live[0]);
        registry.approveEpoch(epoch, approve(epoch, 0, 1));
        assertEq(registry.liveEpochs(OPERATOR_SET).length, 32);

        // So does time.
        epoch = commit(0, 1);
        _assertTooMany(epoch);
        skip(EPOCH_LIFETIME - 1);
        _assertTooMany(epoch);
        revoke(epoch);
        skip(1);
        epoch = commit(0, 1);
        skip(1 days);
        registry.activateEpoch(epoch);
        assertEq(registry.liveEpochs(OPERATOR_SET).length, 1);
    }

    /// @dev With as many validators and live epochs as there can be.
    function test_RevokingTheMostEpochsAtTheMostValidatorsFitsATransaction() public {
        bytes memory creation = abi.encodePacked(vm.getCode("TaskManager.sol:TaskManager"), abi.encode(registry));
        for (uint256 i = 1; i < registry.MAX_VALIDATORS(); ++i) {
            ITaskManager validator;
            assembly {
                validator := create(0, add(creation, 0x20), mload(creation))
            }
            bytes memory change = abi.encodeCall(registry.addValidator, (validator));
            vm.prank(owner);
            registry.proposeChange(change);
            skip(1 days);
            vm.prank(owner);
            registry.addValidator(validator);
            rewind(1 days);
        }
        _fill();
        vm.cool(address(registry));
        vm.prank(owner);
        uint256 before = gasleft();
        registry.revokeOperatorSet(OPERATOR_SET);
        assertLt(before - gasleft(), 16_000_000);
        assertEq(registry.liveEpochs(OPERATOR_SET).length, 0);
    }

    /* KEYS */

    function test_DisabledKeyIsAnnouncedAndSkippedByLaterEpochs() public {
        bytes memory key = registry.publicKeyOf(operatorAddress(1));
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.KeyDisabled(operatorAddress(1), key);
        vm.prank(operatorAddress(1));
        registry.disableKey();
        assertEq(registry.publicKeyOf(operatorAddress(1)), "");
        assertEq(registry.keyDisabledAt(operatorAddress(1)), block.timestamp);
        assertInForce(FIRST_EPOCH, OPERATORS);

        vm.expectEmit(address(registry));
        emit IOperatorRegistry.OperatorSkipped(OPERATOR_SET, operatorAddress(1));
        EpochId epoch = commit(0, 3);
        skip(1 days);
        registry.activateEpoch(epoch);
        assertEq(registry.setHashOf(epoch), _setHashWithout(1, 3));
    }

    function test_OperatorThatDisabledItsKeyReturnsWithAnother() public {
        vm.startPrank(operatorAddress(1));
        registry.disableKey();
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.KeyAlreadyDisabled.selector, operatorAddress(1)));
        registry.disableKey();
        vm.stopPrank();
        (bytes memory key, bytes memory proof) = newKey(50, 1);
        vm.prank(operatorAddress(1));
        registry.rotateKey(key, proof);
        assertEq(registry.publicKeyOf(operatorAddress(1)), key);
        assertEq(registry.keyDisabledAt(operatorAddress(1)), 0);
    }

    function test_RevertWhen_StrangerDisablesAKey() public {
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.OperatorNotRegistered.selector, stranger));
        vm.prank(stranger);
        registry.disableKey();
    }

    /// @dev The pending epoch holds the key as well: it is revoked, and another committed ahead of time.
    function test_DisabledKeyAllowsAnEarlyCommit() public {
        EpochId pending = commit(0, 3);
        vm.prank(operatorAddress(1));
        registry.disableKey();
        revoke(pending);
        EpochId epoch = commit(0, 3);
        registry.approveEpoch(epoch, approve(epoch, 0, OPERATORS));
        assertEq(registry.setHashOf(epoch), _setHashWithout(1, 3));
    }

    /* PRIVATE */

    /// @dev As many live epochs as there can be, of one operator from the second on.
    function _fill() private {
        commitApproved(0, 1, OPERATORS);
        for (uint256 i = 2; i < registry.MAX_LIVE_EPOCHS(); ++i) {
            commitApproved(0, 1, 1);
        }
    }

    function _assertTooMany(EpochId epoch) private {
        EpochApproval memory approval = approve(epoch, 0, 1);
        uint256 snapshot = vm.snapshotState();
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.TooManyEpochs.selector, 32));
        registry.approveEpoch(epoch, approval);
        vm.revertToState(snapshot);
    }

    function _setHashWithout(uint256 absent, uint256 count) private view returns (bytes32) {
        bytes memory entries;
        for (uint256 i = 0; i < count; ++i) {
            if (i == absent) continue;
            bytes memory key = registry.publicKeyOf(operatorAddress(i));
            entries = bytes.concat(entries, abi.encodePacked(key, WEIGHT, operatorAddress(i)));
        }
        return keccak256(bytes.concat(keccak256(entries)));
    }
}
