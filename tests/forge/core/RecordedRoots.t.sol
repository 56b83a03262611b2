// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Epoch, IAttestationValidator, SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {
    Attestation,
    EpochId,
    IRefusals,
    Intent,
    OperatorSetId,
    Policy
} from "../../../contracts/interfaces/Protocol.sol";
import {Authorization} from "../../../contracts/libraries/Authorization.sol";
import {Precompiles} from "../../../contracts/libraries/Precompiles.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @dev A root is verified once, and attestations under it are used without a signature.
abstract contract RecordedRootsTest is ClientTestBase {
    uint256 private constant BATCH = 5;

    /* RECORDING */

    function test_RecordingIsAnnouncedAndReadable() public {
        SignedRoot memory signedRoot = _signed("root", 2);
        vm.expectEmit(address(taskManager));
        emit IAttestationValidator.RootRecorded(FIRST_EPOCH, "root", 5 * WEIGHT, 7 * WEIGHT);
        vm.prank(stranger);
        taskManager.recordRoot(FIRST_EPOCH, signedRoot);
        (uint96 signed, uint96 total, uint48 epochEnd) = taskManager.recordedRoots(FIRST_EPOCH, "root");
        assertEq(signed, 5 * WEIGHT);
        assertEq(total, 7 * WEIGHT);
        assertEq(epochEnd, block.timestamp + EPOCH_LIFETIME);
    }

    /// @dev The same weight again changes nothing.
    function test_RecordingTheSameAgainIsNotAnnounced() public {
        taskManager.recordRoot(FIRST_EPOCH, _signed("root", 2));
        vm.recordLogs();
        taskManager.recordRoot(FIRST_EPOCH, _signed("root", 2));
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_GreatestWeightOfSeveralRecordsStays() public {
        taskManager.recordRoot(FIRST_EPOCH, _signed("root", 2));
        taskManager.recordRoot(FIRST_EPOCH, _signed("root", 3));
        assertEq(_signedWeight("root"), 5 * WEIGHT);
        taskManager.recordRoot(FIRST_EPOCH, _signed("root", 0));
        assertEq(_signedWeight("root"), 7 * WEIGHT);
    }

    function test_RevertWhen_RecordedRootIsNotSigned() public {
        SignedRoot memory signedRoot = _signed("root", 0);
        signedRoot.root = "another root";
        _assertRecordRefused(FIRST_EPOCH, signedRoot, abi.encodeWithSelector(IRefusals.InvalidSignature.selector));
    }

    function test_RevertWhen_RecordedRootHasAMalformedSignature() public {
        SignedRoot memory signedRoot = _signed("root", 0);
        signedRoot.signature[95] ^= 0x01;
        _assertRecordRefused(FIRST_EPOCH, signedRoot, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
        signedRoot.signature = new bytes(96);
        _assertRecordRefused(FIRST_EPOCH, signedRoot, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
        signedRoot.signature = bytes.concat(_signed("root", 0).signature, hex"00");
        _assertRecordRefused(FIRST_EPOCH, signedRoot, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
        signedRoot.signature = "";
        _assertRecordRefused(FIRST_EPOCH, signedRoot, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
    }

    function test_RevertWhen_RecordedRootIsBelowTheFloor() public {
        bytes memory expected = abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 3 * WEIGHT, 351);
        _assertRecordRefused(FIRST_EPOCH, _signed("root", 4), expected);
        taskManager.recordRoot(FIRST_EPOCH, _signed("root", 3));
    }

    function test_RevertWhen_RecordedRootsBitmapNamesAnOperatorThatIsNot() public {
        SignedRoot memory signedRoot = _signed("root", 0);
        signedRoot.nonSigners = hex"80"; // Operator 7 of 7.
        bytes memory expected = abi.encodeWithSelector(IRefusals.NonSignerOutOfRange.selector);
        _assertRecordRefused(FIRST_EPOCH, signedRoot, expected);
        // A record's bitmap may end in zeros.
        signedRoot.nonSigners = hex"8000000000";
        _assertRecordRefused(FIRST_EPOCH, signedRoot, expected);
    }

    function test_RevertWhen_RecordedUnderAnUnknownExpiredOrRevokedEpoch() public {
        SignedRoot memory signedRoot = _signed("root", 0);
        _assertRecordRefused(EpochId.wrap(2), signedRoot, abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, 2));
        commitEpoch(0, OPERATORS);
        skip(GRACE_PERIOD);
        bytes memory expired = abi.encodeWithSelector(IRefusals.EpochExpired.selector, 1, block.timestamp);
        _assertRecordRefused(FIRST_EPOCH, signedRoot, expired);
        vm.prank(owner);
        registry.revokeEpochs(only(FIRST_EPOCH));
        _assertRecordRefused(FIRST_EPOCH, signedRoot, abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1));
    }

    /* USING */

    function test_EveryAttestationUnderARecordedRootPassesOnce() public {
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 0);
        for (uint256 i = 0; i < BATCH; ++i) {
            bytes memory authorization = encodeRecorded(batch[i], FIRST_EPOCH, MerkleTree.proofOf(leaves, i));
            assertPasses(batch[i].intent, authorization);
            assertRefused(
                batch[i].intent,
                authorization,
                abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), batch[i].nonce)
            );
        }
    }

    function test_LoneAttestationIsItsOwnRoot() public {
        Attestation memory attestation = attest(protectedCall());
        taskManager.recordRoot(FIRST_EPOCH, _signed(taskManager.digestOf(attestation), 0));
        assertPasses(attestation.intent, encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0)));
    }

    function test_RevertWhen_RootIsNotRecorded() public {
        Attestation memory attestation = attest(protectedCall());
        bytes32 root = taskManager.digestOf(attestation);
        assertRefused(
            attestation.intent,
            encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0)),
            abi.encodeWithSelector(IRefusals.RootNotRecorded.selector, 1, root)
        );
    }

    function test_RevertWhen_RootIsRecordedUnderAnotherEpoch() public {
        commitEpoch(0, OPERATORS);
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 0);
        assertRefused(
            batch[0].intent,
            encodeRecorded(batch[0], EpochId.wrap(2), MerkleTree.proofOf(leaves, 0)),
            abi.encodeWithSelector(IRefusals.RootNotRecorded.selector, 2, MerkleTree.rootOf(leaves))
        );
    }

    function test_RevertWhen_InnerNodeOrWrongProofIsOffered() public {
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 0);
        bytes32[] memory proof = MerkleTree.proofOf(leaves, 0);
        proof[0] ^= bytes32(uint256(1));
        bytes memory refusal = attempt(batch[0].intent, agent, encodeRecorded(batch[0], FIRST_EPOCH, proof));
        assertEq(bytes4(refusal), IRefusals.RootNotRecorded.selector);
        refusal = attempt(batch[0].intent, agent, encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 1)));
        assertEq(bytes4(refusal), IRefusals.RootNotRecorded.selector);
    }

    function test_RevertWhen_AnythingAttestedDiffersUnderARecordedRoot() public {
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 0);
        bytes memory good = encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0));
        // From `issuedAt` to the evidence: what the task id does not fix.
        for (uint256 i = Authorization.ISSUED_AT_OFFSET; i < Authorization.EPOCH_OFFSET; ++i) {
            bytes memory bad = bytes.concat(good);
            bad[i] ^= 0x01;
            assertNotEq(attempt(batch[0].intent, agent, bad), "", "a changed byte passed");
        }
        assertPasses(batch[0].intent, good);
    }

    function test_RevertWhen_RecordedWeightIsBelowTheClientsQuorum() public {
        // 4 of 7 reach the floor, and not the policy's two thirds.
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 3);
        assertRefused(
            batch[0].intent,
            encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0)),
            abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 4 * WEIGHT, 467)
        );
        // Recorded again with more weight, it is accepted.
        taskManager.recordRoot(FIRST_EPOCH, _signed(MerkleTree.rootOf(leaves), 2));
        assertPasses(batch[0].intent, encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0)));
    }

    function test_GracePeriodsEndLeavesRecordedRootsGood() public {
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 0);
        vm.prank(owner);
        registry.setGracePeriod(0);
        commitEpoch(0, OPERATORS);
        bytes memory signature = sign(MerkleTree.rootOf(leaves), 0, OPERATORS);
        assertRefused(
            batch[0].intent,
            encode(batch[0], FIRST_EPOCH, signature, "", MerkleTree.proofOf(leaves, 0)),
            abi.encodeWithSelector(IRefusals.EpochExpired.selector, 1, block.timestamp)
        );
        assertPasses(batch[0].intent, encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0)));
    }

    /// @dev However late it is recorded or used, and whatever `issuedAt` operators set.
    function test_RevertWhen_AttestationOutlivesTheEpochThatSignedIt() public {
        uint48 epochEnd = uint48(block.timestamp + EPOCH_LIFETIME);
        Attestation memory attestation = attest(protectedCall());
        (attestation.issuedAt, attestation.expiration) = (epochEnd - MAX_LIFETIME, epochEnd);
        Attestation memory longer = attest(protectedCall());
        (longer.issuedAt, longer.expiration) = (epochEnd - MAX_LIFETIME + 1, epochEnd + 1);
        // On the epoch's last day.
        vm.warp(epochEnd - 1);
        taskManager.recordRoot(FIRST_EPOCH, _signed(taskManager.digestOf(attestation), 0));
        taskManager.recordRoot(FIRST_EPOCH, _signed(taskManager.digestOf(longer), 0));
        bytes memory beyond = abi.encodeWithSelector(IRefusals.ExpirationBeyondEpoch.selector, epochEnd + 1, epochEnd);
        assertRefused(longer.intent, encodeRecorded(longer, FIRST_EPOCH, new bytes32[](0)), beyond);
        vm.warp(epochEnd);
        assertRefused(longer.intent, encodeRecorded(longer, FIRST_EPOCH, new bytes32[](0)), beyond);
        vm.warp(epochEnd - 1);
        assertPasses(attestation.intent, encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0)));
    }

    /// @dev Years after its epoch ended and every key was rotated, nothing that a quorum signed can be used.
    function test_RevertWhen_RecordedAttestationIsUsedYearsLater() public {
        Attestation memory attestation = attest(protectedCall());
        attestation.issuedAt = uint48(block.timestamp + 3649 days);
        attestation.expiration = attestation.issuedAt + MAX_LIFETIME;
        taskManager.recordRoot(FIRST_EPOCH, _signed(taskManager.digestOf(attestation), 0));
        uint48 epochEnd = uint48(block.timestamp + EPOCH_LIFETIME);
        vm.warp(attestation.issuedAt);
        assertRefused(
            attestation.intent,
            encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0)),
            abi.encodeWithSelector(IRefusals.ExpirationBeyondEpoch.selector, attestation.expiration, epochEnd)
        );
    }

    function test_HeavierRecordingKeepsTheFirstsEpochEnd() public {
        uint48 epochEnd = uint48(block.timestamp + EPOCH_LIFETIME);
        taskManager.recordRoot(FIRST_EPOCH, _signed("root", 2));
        (address table, OperatorSetId set, uint48 validUntil,) = taskManager.epochs(FIRST_EPOCH);
        vm.prank(address(registry));
        taskManager.updateEpoch(FIRST_EPOCH, Epoch(table, set, validUntil, epochEnd + 1 days));
        taskManager.recordRoot(FIRST_EPOCH, _signed("root", 0));
        taskManager.recordRoot(FIRST_EPOCH, _signed("another root", 0));
        (uint96 signed,, uint48 recordedEnd) = taskManager.recordedRoots(FIRST_EPOCH, "root");
        assertEq(signed, 7 * WEIGHT);
        assertEq(recordedEnd, epochEnd);
        (,, recordedEnd) = taskManager.recordedRoots(FIRST_EPOCH, "another root");
        assertEq(recordedEnd, epochEnd + 1 days);
    }

    function test_RevertWhen_EpochOfARecordedRootIsRevoked() public {
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 0);
        vm.prank(owner);
        registry.revokeEpochs(only(FIRST_EPOCH));
        assertRefused(
            batch[0].intent,
            encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0)),
            abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1)
        );
    }

    function test_RevertWhen_RecordedRootIsAnotherOperatorSets() public {
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 0);
        Policy memory other = policy();
        other.operatorSet = OTHER_SET;
        counter.setAssentPolicy(other);
        assertRefused(
            batch[0].intent,
            encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0)),
            abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, 1)
        );
    }

    function test_RevertWhen_RecordedAttestationIsADenial() public {
        Attestation memory attestation = attest(protectedCall());
        attestation.decision = 0;
        taskManager.recordRoot(FIRST_EPOCH, _signed(taskManager.digestOf(attestation), 0));
        assertRefused(
            attestation.intent,
            encodeRecorded(attestation, FIRST_EPOCH, new bytes32[](0)),
            abi.encodeWithSelector(IRefusals.PolicyDenied.selector, attestation.taskId)
        );
    }

    function test_RevertWhen_RecordedAttestationHasExpired() public {
        (Attestation[] memory batch, bytes32[] memory leaves) = _recordBatch(FIRST_EPOCH, 0);
        vm.warp(batch[0].expiration);
        assertRefused(
            batch[0].intent,
            encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0)),
            abi.encodeWithSelector(
                IRefusals.AttestationExpired.selector, batch[0].expiration, uint256(batch[0].expiration)
            )
        );
    }

    /* MANY ROOTS AT ONCE */

    function test_ManyRootsAreRecordedByOneProduct() public {
        SignedRoot[] memory roots = _roots(6);
        taskManager.recordRoots(FIRST_EPOCH, roots);
        for (uint256 i = 0; i < roots.length; ++i) {
            assertEq(_signedWeight(roots[i].root), (7 - i / 2) * WEIGHT);
        }
    }

    function test_RevertWhen_NoRootsAreRecorded() public {
        vm.expectRevert(IAttestationValidator.NoRoots.selector);
        taskManager.recordRoots(FIRST_EPOCH, new SignedRoot[](0));
    }

    /// @dev The coefficients commit to the calldata and to the chain, the contract and the keys. Anyone who chose one
    /// of them after the calldata could have two invalid signatures accepted together.
    function test_CoefficientsCommitToCalldataChainContractAndKeys() public {
        SignedRoot[] memory roots = _roots(3);
        (address table,,,) = taskManager.epochs(FIRST_EPOCH);
        bytes memory data = abi.encodeCall(IAttestationValidator.recordRoots, (FIRST_EPOCH, roots));
        bytes32 seed = keccak256(abi.encode(block.chainid, address(taskManager), table.codehash, keccak256(data)));
        bytes memory terms;
        for (uint256 i = 0; i < roots.length; ++i) {
            bytes memory signature = roots[i].signature;
            (bytes memory x, bytes memory y) = (LibBytes.slice(signature, 0, 48), LibBytes.slice(signature, 48, 96));
            uint256 coefficient = uint128(uint256(keccak256(abi.encode(seed, i))));
            assertGt(coefficient, type(uint64).max, "improbably small");
            terms = abi.encodePacked(terms, bytes16(0), x, bytes16(0), y, coefficient);
        }
        vm.expectCall(Precompiles.G1MSM, terms);
        taskManager.recordRoots(FIRST_EPOCH, roots);
    }

    function test_RevertWhen_OneOfManySignaturesIsOfAnotherRoot() public {
        for (uint256 i = 0; i < 6; ++i) {
            SignedRoot[] memory roots = _roots(6);
            roots[i].signature = _signed("another root", i / 2).signature;
            _assertRootsRefused(roots, abi.encodeWithSelector(IRefusals.InvalidSignature.selector));
        }
    }

    /// @dev The sum of the two signatures is what it should be: without coefficients this would pass.
    function test_RevertWhen_TwoForgeriesCancelOut() public {
        SignedRoot[] memory roots = _roots(2);
        (roots[0].signature, roots[1].signature) = (roots[1].signature, roots[0].signature);
        _assertRootsRefused(roots, abi.encodeWithSelector(IRefusals.InvalidSignature.selector));
    }

    function test_RevertWhen_OneOfManySignaturesIsMalformed() public {
        for (uint256 i = 0; i < 4; ++i) {
            SignedRoot[] memory roots = _roots(4);
            roots[i].signature[95] ^= 0x01;
            _assertRootsRefused(roots, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
            roots[i].signature = new bytes(96);
            _assertRootsRefused(roots, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
        }
    }

    /// @dev (0, 2) is on the curve and of order 3 (2² = 0³ + 4): G1MSM must reject what G1ADD would take.
    function test_RevertWhen_OneOfManySignaturesIsOutsideTheSubgroup() public {
        SignedRoot[] memory roots = _roots(3);
        roots[1].signature = new bytes(96);
        roots[1].signature[95] = 0x02;
        _assertRootsRefused(roots, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
    }

    function test_RevertWhen_OneOfManyRootsIsBelowTheFloor() public {
        SignedRoot[] memory roots = _roots(2);
        roots[1] = _signed(roots[1].root, 4);
        _assertRootsRefused(roots, abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 3 * WEIGHT, 351));
    }

    /// @dev Each root that a batch accepts is also accepted by itself.
    function testFuzz_ManyRootsPassExactlyWhenEachPasses(uint256 seed) public {
        SignedRoot[] memory roots = _roots(2 + seed % 4);
        for (uint256 i = 0; i < roots.length; ++i) {
            uint256 change = uint256(keccak256(abi.encode(seed, i))) % 12;
            if (change == 0) roots[i].root ^= bytes32(uint256(1));
            if (change == 1) roots[i].nonSigners = hex"01";
            if (change == 2) roots[i].signature = roots[0].signature;
        }
        bool eachPasses = true;
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < roots.length; ++i) {
            try taskManager.recordRoot(FIRST_EPOCH, roots[i]) {}
            catch {
                eachPasses = false;
            }
        }
        vm.revertToState(snapshot);
        bool allPass = true;
        try taskManager.recordRoots(FIRST_EPOCH, roots) {}
        catch {
            allPass = false;
        }
        assertEq(allPass, eachPasses);
    }

    /// @dev Pairs of roots, of which the first two all signed, the next two all but one, and so on.
    function _roots(uint256 count) private view returns (SignedRoot[] memory roots) {
        roots = new SignedRoot[](count);
        for (uint256 i = 0; i < count; ++i) {
            roots[i] = _signed(keccak256(abi.encode(i)), i / 2);
        }
    }

    function _signed(bytes32 root, uint256 absent) private view returns (SignedRoot memory) {
        return SignedRoot({root: root, signature: sign(root, absent, OPERATORS), nonSigners: firstBits(absent)});
    }

    function _signedWeight(bytes32 root) private view returns (uint96 signed) {
        (signed,,) = taskManager.recordedRoots(FIRST_EPOCH, root);
    }

    function _recordBatch(EpochId epoch, uint256 absent)
        private
        returns (Attestation[] memory batch, bytes32[] memory leaves)
    {
        batch = new Attestation[](BATCH);
        leaves = new bytes32[](BATCH);
        for (uint256 i = 0; i < BATCH; ++i) {
            batch[i] = attestationOf(address(counter), protectedCall(), i);
            leaves[i] = taskManager.digestOf(batch[i]);
        }
        taskManager.recordRoot(epoch, _signed(MerkleTree.rootOf(leaves), absent));
    }

    function _assertRecordRefused(EpochId epoch, SignedRoot memory signedRoot, bytes memory expected) private {
        vm.expectRevert(expected);
        taskManager.recordRoot(epoch, signedRoot);
        SignedRoot[] memory roots = new SignedRoot[](1);
        roots[0] = signedRoot;
        vm.expectRevert(expected);
        taskManager.recordRoots(epoch, roots);
    }

    function _assertRootsRefused(SignedRoot[] memory roots, bytes memory expected) private {
        vm.expectRevert(expected);
        taskManager.recordRoots(FIRST_EPOCH, roots);
        for (uint256 i = 0; i < roots.length; ++i) {
            assertEq(_signedWeight(roots[i].root), 0, "a root of a refused batch was recorded");
        }
    }
}

contract RecordedRootsTrailingTest is RecordedRootsTest, TrailingPath {}

contract RecordedRootsExplicitTest is RecordedRootsTest, ExplicitPath {}
