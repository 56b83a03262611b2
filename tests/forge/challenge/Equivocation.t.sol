// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Equivocation, SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {EpochSignature} from "../../../contracts/crosschain/EpochSignature.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {Attestation, EpochId, IRefusals} from "../../../contracts/interfaces/Protocol.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";

/// @dev Two attestations of one task by one operator prove its offence, with others' signatures or without.
contract EquivocationTest is EpochTestBase {
    Equivocation private equivocation;

    function setUp() public override {
        super.setUp();
        equivocation = new Equivocation(taskManager);
        assertEq(address(equivocation.OPERATOR_REGISTRY()), address(registry));
    }

    /* PROOFS */

    function test_TwoDecisionsOnOneTaskAreAnOffence() public view {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        (EpochId epoch, bytes32 id, bytes memory nonSigners) =
            equivocation.prove(_proof(_signed(allowed, 0, OPERATORS), _signed(denied, 0, OPERATORS)));
        assertEq(epoch, FIRST_EPOCH);
        assertEq(id, allowed.taskId);
        assertEq(nonSigners, "");
    }

    function test_EveryFieldCounts() public view {
        for (uint256 i = 0; i < 5; ++i) {
            (Attestation memory first, Attestation memory second) = _decisions();
            second.decision = first.decision;
            if (i == 0) second.issuedAt += 1;
            if (i == 1) second.expiration += 1;
            if (i == 2) second.evidence = ~second.evidence;
            if (i == 3) second.policyId = ~second.policyId;
            if (i == 4) second.intent.value += 1;
            equivocation.prove(_proof(_signed(first, 0, 1), _signed(second, 0, 1)));
        }
    }

    /// @dev A quorum is not required: one operator is enough.
    function test_WhoSignedOnlyOneDidNotDoIt() public view {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        // Operators 0 to 3 allow, 3 to 6 deny.
        bytes memory proof = _proof(_signed(allowed, 0, 4), _signed(denied, 3, OPERATORS));
        (,, bytes memory nonSigners) = equivocation.prove(proof);
        assertEq(nonSigners, hex"77");
    }

    /// @dev The bitmap of an operator set can be shorter: bits after its end are zero.
    function test_BitmapsOfDifferentLengthsAreUnited() public view {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory second = _signed(denied, 1, OPERATORS);
        assertEq(second.nonSigners, hex"01");
        (,, bytes memory nonSigners) = equivocation.prove(_proof(_signed(allowed, 0, OPERATORS), second));
        assertEq(nonSigners, hex"01");
        (,, nonSigners) = equivocation.prove(_proof(second, _signed(allowed, 0, OPERATORS)));
        assertEq(nonSigners, hex"01");
    }

    function test_LeavesOfDifferentBatchesAreAnOffence() public view {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        (,, bytes memory nonSigners) =
            equivocation.prove(_proof(_inBatch(allowed, 5, 3, 2), _inBatch(denied, 16, 9, 0)));
        assertEq(nonSigners, firstBits(2));
    }

    /* REFUSALS */

    /// @dev In a batch and by itself: the same decision.
    function test_RevertWhen_BothAreTheSame() public {
        (Attestation memory allowed,) = _decisions();
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), _inBatch(allowed, 5, 3, 0));
        vm.expectRevert(abi.encodeWithSelector(Equivocation.SameAttestation.selector, taskManager.digestOf(allowed)));
        equivocation.prove(proof);
    }

    function test_RevertWhen_TheTasksDiffer() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        denied.taskId = ~denied.taskId;
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), _signed(denied, 0, OPERATORS));
        vm.expectRevert(abi.encodeWithSelector(Equivocation.DifferentTasks.selector, allowed.taskId, denied.taskId));
        equivocation.prove(proof);
    }

    /// @dev An operator's journal forgets what it signed, but not before that.
    function test_RevertWhen_TheJournalMayHaveForgotten() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        denied.issuedAt = allowed.issuedAt - 60 days + 1;
        equivocation.prove(_proof(_signed(allowed, 0, OPERATORS), _signed(denied, 0, OPERATORS)));
        denied.issuedAt -= 1;
        bytes memory refusal =
            abi.encodeWithSelector(Equivocation.IssuedTooFarApart.selector, allowed.issuedAt, denied.issuedAt);
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), _signed(denied, 0, OPERATORS));
        vm.expectRevert(refusal);
        equivocation.prove(proof);
        proof = _proof(_signed(denied, 0, OPERATORS), _signed(allowed, 0, OPERATORS));
        vm.expectRevert(
            abi.encodeWithSelector(Equivocation.IssuedTooFarApart.selector, denied.issuedAt, allowed.issuedAt)
        );
        equivocation.prove(proof);
    }

    function test_RevertWhen_AnOperatorIsSaidToHaveSignedThatDidNot() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory framed = _signed(denied, 1, OPERATORS);
        framed.nonSigners = "";
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), framed);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        equivocation.prove(proof);
        proof = _proof(framed, _signed(allowed, 0, OPERATORS));
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        equivocation.prove(proof);
    }

    function test_RevertWhen_TheAttestationWasChanged() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory changed = _signed(denied, 0, OPERATORS);
        changed.attestation.evidence = ~changed.attestation.evidence;
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), changed);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        equivocation.prove(proof);
    }

    /// @dev An approval or a handover is no attestation.
    function test_RevertWhen_ItIsSignedUnderAnotherTag() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory other = _signed(denied, 0, OPERATORS);
        other.signature = signUnder(taskManager.digestOf(denied), 0, OPERATORS, OperatorKeys.EPOCH_APPROVAL_TAG);
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), other);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        equivocation.prove(proof);
    }

    function test_RevertWhen_NoOneSigned() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory unsigned = _signed(denied, 0, OPERATORS);
        (unsigned.nonSigners, unsigned.signature) = (firstBits(OPERATORS), new bytes(96));
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), unsigned);
        vm.expectRevert(EpochSignature.MalformedEpochSignature.selector);
        equivocation.prove(proof);
    }

    function test_RevertWhen_TheBitmapNamesAnOperatorThatIsNotInTheEpoch() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory beyond = _signed(denied, 0, OPERATORS);
        beyond.nonSigners = hex"80";
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), beyond);
        vm.expectRevert(IRefusals.NonSignerOutOfRange.selector);
        equivocation.prove(proof);
    }

    function test_RevertWhen_ThereIsNoSuchEpoch() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        bytes memory proof = abi.encode(EpochId.wrap(9), _signed(allowed, 0, OPERATORS), _signed(denied, 0, OPERATORS));
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 9));
        equivocation.prove(proof);
    }

    /* SIGNING */

    /// @dev Of one task.
    function _decisions() private view returns (Attestation memory allowed, Attestation memory denied) {
        allowed = attest(protectedCall());
        denied = attest(protectedCall());
        denied.decision = 0;
    }

    function _proof(SignedAttestation memory first, SignedAttestation memory second)
        private
        pure
        returns (bytes memory)
    {
        return abi.encode(FIRST_EPOCH, first, second);
    }

    /// @dev By operators `first` to `end - 1`.
    function _signed(Attestation memory attestation, uint256 first, uint256 end)
        private
        view
        returns (SignedAttestation memory)
    {
        bytes memory nonSigners = firstBits(first);
        if (end < OPERATORS) {
            if (nonSigners.length == 0) nonSigners = new bytes(1);
            for (uint256 i = end; i < OPERATORS; ++i) {
                nonSigners[0] |= bytes1(uint8(1 << i));
            }
        }
        bytes memory signature = sign(taskManager.digestOf(attestation), first, end);
        return SignedAttestation(attestation, new bytes32[](0), nonSigners, signature);
    }

    /// @dev As leaf `index` of a batch of `size`, which all but the first `absent` operators signed.
    function _inBatch(Attestation memory attestation, uint256 size, uint256 index, uint256 absent)
        private
        view
        returns (SignedAttestation memory)
    {
        bytes32[] memory leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = keccak256(abi.encode("another leaf", size, i));
        }
        leaves[index] = taskManager.digestOf(attestation);
        bytes memory signature = sign(MerkleTree.rootOf(leaves), absent, OPERATORS);
        return SignedAttestation(attestation, MerkleTree.proofOf(leaves, index), firstBits(absent), signature);
    }
}
