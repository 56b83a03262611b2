// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochApproval, IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {Attestation, EpochId, IRefusals, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {BLS12381} from "../../../contracts/libraries/BLS12381.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";
import {Vm} from "forge-std/Vm.sol";

/// @dev When a committed epoch comes into force: after the delay, or with the current quorum's approval.
contract EpochActivationTest is EpochTestBase {
    /* DELAY */

    function test_FirstEpochOfASetCountsAtOnce() public {
        assertInForce(FIRST_EPOCH, OPERATORS);
        _setWeightsInOtherSet();
        assertEq(commit(OTHER_SET, 0, 3), SECOND_EPOCH);
        assertEq(registry.latestEpoch(OTHER_SET), SECOND_EPOCH);
    }

    function test_CommittedEpochIsPendingAndUnknownToValidators() public {
        (,, uint48 validUntil,) = registry.epochs(FIRST_EPOCH);
        vm.recordLogs();
        EpochId epoch = commit(0, 3);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "a validator or the set's current epoch was touched");
        (address table,, uint48 pendingUntil, uint48 expiresAt) = registry.epochs(epoch);
        uint48 activatesAt = uint48(block.timestamp) + 1 days;
        assertEq(logs[0].topics[0], IOperatorRegistry.EpochCommitted.selector);
        assertEq(logs[0].data, abi.encode(table, 3, 3 * WEIGHT, activatesAt, expiresAt));

        (EpochId pending, uint48 from) = registry.pendingEpoch(OPERATOR_SET);
        assertEq(pending, epoch);
        assertEq(from, activatesAt);
        assertEq(pendingUntil, 0);
        assertEq(expiresAt, block.timestamp + EPOCH_LIFETIME);
        assertEq(registry.latestEpoch(OPERATOR_SET), FIRST_EPOCH);
        assertEq(validUntilOf(FIRST_EPOCH), validUntil);
        assertUnknown(epoch, 3);
        assertInForce(FIRST_EPOCH, OPERATORS);
    }

    function test_AnyoneActivatesAPendingEpochOnceItsDelayIsOver() public {
        EpochId epoch = commit(0, 3);
        uint48 activatesAt = uint48(block.timestamp) + 1 days;
        vm.warp(activatesAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.ActivationTooEarly.selector, epoch, activatesAt));
        vm.prank(stranger);
        registry.activateEpoch(epoch);

        vm.warp(activatesAt);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.EpochActivated(epoch, OPERATOR_SET, expiresAtOf(epoch));
        vm.prank(stranger);
        registry.activateEpoch(epoch);
        assertEq(registry.latestEpoch(OPERATOR_SET), epoch);
        (EpochId pending,) = registry.pendingEpoch(OPERATOR_SET);
        assertEq(pending, EpochId.wrap(0));
        assertInForce(epoch, 3);
        // Only now is the first one superseded.
        assertEq(validUntilOf(FIRST_EPOCH), activatesAt + GRACE_PERIOD);
        assertInForce(FIRST_EPOCH, OPERATORS);
        skip(GRACE_PERIOD);
        assertExpired(FIRST_EPOCH, OPERATORS, activatesAt + GRACE_PERIOD);
    }

    /// @dev The registry's owner by itself, with its own key and weight, in one block.
    function test_OwnerCannotChangeWhoSignsWithoutNotice() public {
        registerOperator(50, 1_000_000);
        EpochId epoch = commit(50, 1);
        vm.prank(owner);
        vm.expectRevert();
        registry.activateEpoch(epoch);
        vm.prank(owner);
        registry.revokeOperatorSet(OPERATOR_SET);
        assertUnknown(epoch, 1);
        // Nor does an empty set begin anew.
        epoch = commit(50, 1);
        vm.expectPartialRevert(IOperatorRegistry.ActivationTooEarly.selector);
        registry.activateEpoch(epoch);
    }

    function test_RevertWhen_AnotherEpochIsCommittedWhileOneIsPending() public {
        EpochId epoch = commit(0, 3);
        _assertCommitRefused(abi.encodeWithSelector(IOperatorRegistry.EpochIsPending.selector, epoch));
        // Nor once it could be activated, until its last second.
        skip(2 days);
        _assertCommitRefused(abi.encodeWithSelector(IOperatorRegistry.EpochIsPending.selector, epoch));
        vm.warp(expiresAtOf(epoch) - 1);
        _assertCommitRefused(abi.encodeWithSelector(IOperatorRegistry.EpochIsPending.selector, epoch));
        // Another set does not wait for it.
        _setWeightsInOtherSet();
        commit(OTHER_SET, 0, 3);
    }

    function test_PendingEpochThatExpiredCannotBeActivatedAndBlocksNoOther() public {
        EpochId epoch = commit(0, 3);
        uint48 expiresAt = expiresAtOf(epoch);
        vm.warp(expiresAt);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.PendingEpochExpired.selector, epoch, expiresAt));
        registry.activateEpoch(epoch);
        skip(1 hours);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.PendingEpochExpired.selector, epoch, expiresAt));
        registry.activateEpoch(epoch);
        EpochId next = commit(0, 3);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochNotPending.selector, epoch));
        registry.activateEpoch(epoch);
        skip(1 days);
        registry.activateEpoch(next);
        assertInForce(next, 3);
    }

    function test_PendingEpochCanBeActivatedInItsLastSecond() public {
        EpochId epoch = commit(0, 3);
        vm.warp(expiresAtOf(epoch) - 1);
        registry.activateEpoch(epoch);
        assertInForce(epoch, 3);
    }

    function test_RevertWhen_WhatIsActivatedIsNotPending() public {
        EpochId[3] memory others = [EpochId.wrap(0), FIRST_EPOCH, EpochId.wrap(9)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochNotPending.selector, others[i]));
            registry.activateEpoch(others[i]);
        }
    }

    function test_RevertWhen_PendingEpochIsPublished() public {
        EpochId epoch = commit(0, 3);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochIsPending.selector, epoch));
        registry.publishEpoch(epoch);
    }

    /// @dev However commits, activations and time follow one another, a set with an owner that commits in time has an
    /// epoch in force. The delays end before an epoch does.
    function testFuzz_CommitsInTimeKeepAnEpochInForce(uint16[12] calldata pauses) public {
        for (uint256 i = 0; i < pauses.length; ++i) {
            EpochId epoch = commit(0, 3);
            skip(1 days + uint256(pauses[i]) % (EPOCH_LIFETIME - 2 days));
            registry.activateEpoch(epoch);
            assertLt(block.timestamp, validUntilOf(epoch));
        }
    }

    /* APPROVAL */

    function test_EpochApprovedByTheCurrentQuorumCountsAtOnce() public {
        EpochId epoch = commit(0, 3);
        EpochApproval memory approval = approve(epoch, 2, OPERATORS);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.EpochApproved(epoch, FIRST_EPOCH, 5 * WEIGHT, 7 * WEIGHT);
        vm.prank(stranger);
        registry.approveEpoch(epoch, approval);
        assertInForce(epoch, 3);
        assertEq(registry.latestEpoch(OPERATOR_SET), epoch);
        assertEq(validUntilOf(FIRST_EPOCH), block.timestamp + GRACE_PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochNotPending.selector, epoch));
        registry.approveEpoch(epoch, approval);
    }

    function test_ApprovalNeedsTwoThirdsOfTheWeightToTheUnit() public {
        // Of 10,000, exactly 6,667 and one less.
        setWeight(0, 3333);
        setWeight(1, 6667);
        commitApproved(0, 2, OPERATORS);
        EpochId epoch = commit(0, 2);
        uint256 snapshot = vm.snapshotState();
        registry.approveEpoch(epoch, approve(epoch, 1, 2));
        vm.revertToState(snapshot);

        revoke(epoch);
        setWeight(0, 3334);
        setWeight(1, 6666);
        commitApproved(0, 2, 2);
        epoch = commit(0, 2);
        EpochApproval memory approval = approve(epoch, 1, 2);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.ApprovalQuorumNotReached.selector, 6666, 6667));
        registry.approveEpoch(epoch, approval);
    }

    /// @dev Each field of what is signed, and the tag: another value gives another signature.
    function test_RevertWhen_ApprovalIsOfSomethingElse() public {
        EpochId epoch = commit(0, 3);
        uint48 deadline = uint48(block.timestamp) + 1 hours;
        bytes32 setHash = registry.setHashOf(epoch);
        bytes32[5] memory digests = [
            registry.epochApprovalDigest(OTHER_SET, FIRST_EPOCH, setHash, deadline),
            registry.epochApprovalDigest(OPERATOR_SET, epoch, setHash, deadline),
            registry.epochApprovalDigest(OPERATOR_SET, FIRST_EPOCH, registry.setHashOf(FIRST_EPOCH), deadline),
            registry.epochApprovalDigest(OPERATOR_SET, FIRST_EPOCH, setHash, deadline + 1),
            setHash
        ];
        for (uint256 i = 0; i < digests.length; ++i) {
            _assertInvalid(epoch, deadline, signApproval(digests[i], 0, OPERATORS));
        }
        bytes32 digest = approvalDigest(epoch, deadline);
        _assertInvalid(epoch, deadline, signUnder(digest, 0, OPERATORS, OperatorKeys.SIGNATURE_TAG));
        _assertInvalid(epoch, deadline, signUnder(digest, 0, OPERATORS, OperatorKeys.POSSESSION_TAG));
        _assertInvalid(epoch, deadline, signApproval(digest, 0, OPERATORS - 1));
        registry.approveEpoch(epoch, EpochApproval(deadline, signApproval(digest, 0, OPERATORS), ""));
    }

    function test_RevertWhen_ApprovalIsForAnotherRegistryOrChain() public {
        EpochId epoch = commit(0, 3);
        uint48 deadline = uint48(block.timestamp) + 1 hours;
        bytes32 setHash = registry.setHashOf(epoch);
        bytes32 elsewhere = deployRegistry().epochApprovalDigest(OPERATOR_SET, FIRST_EPOCH, setHash, deadline);
        _assertInvalid(epoch, deadline, signApproval(elsewhere, 0, OPERATORS));
        EpochApproval memory approval = approve(epoch, 0, OPERATORS);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(IOperatorRegistry.InvalidApproval.selector);
        registry.approveEpoch(epoch, approval);
    }

    function test_RevertWhen_ApprovalsSignatureIsMalformed() public {
        EpochId epoch = commit(0, 3);
        uint48 deadline = uint48(block.timestamp) + 1 hours;
        _assertRefused(epoch, EpochApproval(deadline, new bytes(96), ""), BLS12381.PointAtInfinity.selector);
        _assertRefused(epoch, EpochApproval(deadline, new bytes(95), ""), BLS12381.WrongPointLength.selector);
        // All absent: the aggregate is infinity, and so would be its signature.
        EpochApproval memory empty = EpochApproval(deadline, new bytes(96), firstBits(OPERATORS));
        _assertRefused(epoch, empty, IOperatorRegistry.ApprovalQuorumNotReached.selector);
    }

    function test_ApprovalDigestIsEip712() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Assent"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        bytes32 typeHash = keccak256(
            "EpochApproval(address registry,uint32 operatorSet,uint32 signedBy,bytes32 setHash,uint48 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, address(registry), 1, 2, keccak256("set"), 3));
        assertEq(
            registry.epochApprovalDigest(OPERATOR_SET, SECOND_EPOCH, keccak256("set"), 3),
            keccak256(abi.encodePacked(hex"1901", domain, structHash))
        );
        assertEq(registry.APPROVAL_TAG(), OperatorKeys.EPOCH_APPROVAL_TAG);
    }

    /// @dev A tree's builder could have operators sign a root that is the digest of an approval, or the reverse.
    function test_SignatureOfAnAttestationIsNoApprovalNorTheReverse() public {
        Attestation memory attestation = attest(protectedCall());
        bytes32 root = taskManager.digestOf(attestation);
        assertRefused(
            attestation.intent,
            encode(attestation, FIRST_EPOCH, signApproval(root, 0, OPERATORS), "", new bytes32[](0)),
            abi.encodeWithSelector(IRefusals.InvalidSignature.selector)
        );
        EpochId epoch = commit(0, 3);
        uint48 deadline = uint48(block.timestamp) + 1 hours;
        _assertInvalid(epoch, deadline, sign(approvalDigest(epoch, deadline), 0, OPERATORS));
    }

    function test_RevertWhen_ApprovalsDeadlineIsOver() public {
        EpochId epoch = commit(0, 3);
        EpochApproval memory approval = approve(epoch, 0, OPERATORS);
        skip(1 hours);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.ApprovalExpired.selector, approval.deadline));
        registry.approveEpoch(epoch, approval);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.ApprovalExpired.selector, approval.deadline));
        registry.approveEpoch(epoch, approval);
        rewind(2);
        registry.approveEpoch(epoch, approval);
    }

    function test_RevertWhen_SupersededEpochsOperatorsApprove() public {
        commitApproved(0, 3, OPERATORS);
        EpochId epoch = commit(0, OPERATORS);
        // Epoch 1 is in its grace period: what its operators sign is for epoch 2's.
        assertInForce(FIRST_EPOCH, OPERATORS);
        uint48 deadline = uint48(block.timestamp) + 1 hours;
        bytes32 setHash = registry.setHashOf(epoch);
        bytes32 byTheFirst = registry.epochApprovalDigest(OPERATOR_SET, FIRST_EPOCH, setHash, deadline);
        _assertInvalid(epoch, deadline, signApproval(byTheFirst, 0, OPERATORS));
        _assertInvalid(epoch, deadline, signApproval(byTheFirst, 0, 3));
        registry.approveEpoch(epoch, approve(epoch, 0, 3));
    }

    /// @dev Once it has counted, the same approval approves the same operators never again.
    function test_RevertWhen_ApprovalIsReplayed() public {
        EpochId epoch = commit(0, OPERATORS);
        EpochApproval memory approval = approve(epoch, 0, OPERATORS);
        registry.approveEpoch(epoch, approval);
        EpochId next = commit(0, OPERATORS);
        assertEq(registry.setHashOf(next), registry.setHashOf(epoch));
        vm.expectRevert(IOperatorRegistry.InvalidApproval.selector);
        registry.approveEpoch(next, approval);
    }

    function test_RevertWhen_NoEpochIsInForceToApprove() public {
        EpochId epoch = commit(0, 3);
        EpochApproval memory approval = approve(epoch, 0, OPERATORS);
        uint256 snapshot = vm.snapshotState();
        revoke(FIRST_EPOCH);
        bytes memory expected = abi.encodeWithSelector(IOperatorRegistry.NoEpochInForce.selector, OPERATOR_SET);
        vm.expectRevert(expected);
        registry.approveEpoch(epoch, approval);
        vm.revertToState(snapshot);

        revoke(epoch);
        skip(EPOCH_LIFETIME - 1);
        epoch = commit(0, 3);
        approval = approve(epoch, 0, OPERATORS);
        skip(1);
        vm.expectRevert(expected);
        registry.approveEpoch(epoch, approval);
    }

    /* HASH */

    function test_SetHashDependsOnAddressesKeysAndWeightsAndOnNothingElse() public {
        bytes32 setHash = registry.setHashOf(FIRST_EPOCH);
        EpochId epoch = commitApproved(0, OPERATORS, OPERATORS);
        assertEq(registry.setHashOf(epoch), setHash);
        epoch = commitApproved(0, OPERATORS - 1, OPERATORS);
        assertNotEq(registry.setHashOf(epoch), setHash);
        setWeight(3, WEIGHT + 1);
        epoch = commitApproved(0, OPERATORS, OPERATORS - 1);
        assertNotEq(registry.setHashOf(epoch), setHash);
        setWeight(3, WEIGHT);
        bytes memory key = OperatorKeys.publicKey(OperatorKeys.secretKey(50));
        bytes memory proof = proofOfPossession(50, operatorAddress(3), key);
        vm.prank(operatorAddress(3));
        registry.rotateKey(key, proof);
        epoch = commitApproved(0, OPERATORS, OPERATORS);
        assertNotEq(registry.setHashOf(epoch), setHash);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, EpochId.wrap(9)));
        registry.setHashOf(EpochId.wrap(9));
    }

    /// @dev keccak256 of the tables' hashes, each of the entries that docs/protocol.md gives.
    function test_SetHashIsWhatTheProtocolSays() public view {
        bytes memory entries;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            bytes memory key = OperatorKeys.publicKey(OperatorKeys.secretKey(i));
            entries = bytes.concat(entries, abi.encodePacked(key, WEIGHT, operatorAddress(i)));
        }
        assertEq(registry.setHashOf(FIRST_EPOCH), keccak256(bytes.concat(keccak256(entries))));
    }

    /* PRIVATE */

    function _setWeightsInOtherSet() private {
        uint96[] memory weights = new uint96[](3);
        (weights[0], weights[1], weights[2]) = (1, 1, 1);
        vm.prank(owner);
        ownerStakeSource.setWeights(OTHER_SET, operatorAddresses(0, 3), weights);
    }

    function _assertCommitRefused(bytes memory expected) private {
        address[] memory operators = operatorAddresses(0, 3);
        vm.expectRevert(expected);
        vm.prank(owner);
        registry.commitEpoch(OPERATOR_SET, operators);
    }

    function _assertInvalid(EpochId epoch, uint48 deadline, bytes memory signature) private {
        _assertRefused(epoch, EpochApproval(deadline, signature, ""), IOperatorRegistry.InvalidApproval.selector);
    }

    function _assertRefused(EpochId epoch, EpochApproval memory approval, bytes4 expected) private {
        vm.expectPartialRevert(expected);
        registry.approveEpoch(epoch, approval);
    }
}
