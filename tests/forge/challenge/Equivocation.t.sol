// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {DoubleStatement} from "../../../contracts/challenge/DoubleStatement.sol";
import {Equivocation, SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {SigningDomain} from "../../../contracts/challenge/TaskStatements.sol";
import {EpochSignature} from "../../../contracts/crosschain/EpochSignature.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {Attestation, EpochId, IRefusals} from "../../../contracts/interfaces/Protocol.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {MirrorTestBase} from "../crosschain/MirrorTestBase.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";

/// @dev Two attestations of one task by one operator prove its offence, with others' signatures or without.
contract EquivocationTest is MirrorTestBase, OffenceProofs {
    Equivocation private equivocation;

    function setUp() public override {
        super.setUp();
        equivocation = new Equivocation(registry);
        assertEq(address(equivocation.OPERATOR_REGISTRY()), address(registry));
    }

    function activationDelay() internal pure override(AssentTestBase, EpochTestBase) returns (uint48) {
        return EpochTestBase.activationDelay();
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

    /* EPOCHS */

    /// @dev Operators 2 to 8 are of the second epoch. 0 to 4 signed in the first, 3 to 6 in the second.
    function test_WhoSignedInTwoEpochsIsPunishedInThatOfTheFirstStatement() public {
        EpochId later = _laterEpoch();
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory first = _signed(allowed, 0, 5);
        SignedAttestation memory second = signedByThose(later, denied, 3, 7, 9);
        second.nonSigners = allBut(1, 5, OPERATORS);
        _assertOffenders(_proof(first, second), FIRST_EPOCH, allBut(3, 5, OPERATORS));
        // Operators 3 and 4, which are the second epoch's 1 and 2.
        _assertOffenders(_proof(second, first), later, allBut(1, 3, OPERATORS));
    }

    /// @dev The epochs have no signer of both in common.
    function test_NoOneIsPunishedForAnothersSignature() public {
        EpochId later = _laterEpoch();
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory second = signedByThose(later, denied, 5, 9, 9);
        second.nonSigners = allBut(3, 7, OPERATORS);
        _assertOffenders(_proof(_signed(allowed, 0, 5), second), FIRST_EPOCH, allBut(0, 0, OPERATORS));
        _assertOffenders(_proof(second, _signed(allowed, 0, 5)), later, allBut(0, 0, OPERATORS));
    }

    /// @dev Its journal is another, which does not know what the first key signed.
    function test_AnOperatorWithAnotherKeyInTheLaterEpochDidNotDoIt() public {
        (bytes memory key, bytes memory possession) = newKey(50, 1);
        vm.prank(operatorAddress(1));
        registry.rotateKey(key, possession);
        EpochId later = commitNext(0, 2);
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory second = signedByThose(later, denied, 0, 1, 2);
        // Operators 0 and 1, the latter with its new key.
        uint256 sum = addmod(OperatorKeys.secretKey(0), OperatorKeys.secretKey(50), OperatorKeys.ORDER);
        second.nonSigners = "";
        second.signature = OperatorKeys.sign(sum, taskManager.digestOf(denied));
        _assertOffenders(_proof(second, _signed(allowed, 0, OPERATORS)), later, hex"02");
        _assertOffenders(_proof(_signed(allowed, 0, OPERATORS), second), FIRST_EPOCH, allBut(0, 1, OPERATORS));
    }

    /// @dev As many bytes as the operators need, and no more.
    function test_NonSignersOfEightOperatorsAreOneByte() public {
        registerOperator(7, WEIGHT);
        EpochId one = commitNext(0, 8);
        EpochId two = commitNext(0, 8);
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory first = signedByThose(one, allowed, 0, 5, 8);
        SignedAttestation memory second = signedByThose(two, denied, 3, 8, 8);
        _assertOffenders(_proof(first, second), one, hex"e7");
    }

    /// @dev 250 operators are in three tables.
    function test_EpochsOfSeveralTablesAreCompared() public {
        for (uint256 i = OPERATORS; i < 250; ++i) {
            registerOperator(i, WEIGHT);
        }
        commitEpoch(0, 250);
        EpochId first = EpochId.wrap(registry.epochCount());
        skip(activationDelay());
        registry.activateEpoch(first);
        commitEpoch(0, 250);
        EpochId later = EpochId.wrap(registry.epochCount());
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SignedAttestation memory one = signedByThose(first, allowed, 90, 210, 250);
        SignedAttestation memory two = signedByThose(later, denied, 105, 250, 250);
        _assertOffenders(_proof(one, two), first, allBut(105, 210, 250));
        _assertOffenders(_proof(two, one), later, allBut(105, 210, 250));
    }

    /* OTHER CHAINS */

    /// @dev Two authorizations that the TaskManager of a mirror verifies, for one task there.
    function test_WhatAMirrorsEpochVerifiedIsPunishedAtHome() public {
        onAway();
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        bytes memory authorization = authorize(allowed, OPERATORS, 2);
        assertRefused(allowed.intent, authorization, "");
        SigningDomain memory away = domain();
        assertEq(away.chainId, AWAY_CHAIN);
        bytes memory proof = abi.encode(away, _signed(allowed, 2, OPERATORS), _signed(denied, 1, OPERATORS));
        onHome();
        _assertOffenders(proof, FIRST_EPOCH, firstBits(2));
    }

    /// @dev A signature for one chain is invalid for another.
    function test_RevertWhen_TheDomainIsAnotherChains() public {
        (Attestation memory allowed, Attestation memory denied) = _decisions();
        SigningDomain memory other = SigningDomain(AWAY_CHAIN, address(taskManager));
        bytes memory proof = abi.encode(other, _signed(allowed, 0, OPERATORS), _signed(denied, 0, OPERATORS));
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        equivocation.prove(proof);
        other = SigningDomain(homeChain, address(registry));
        proof = abi.encode(other, _signed(allowed, 0, OPERATORS), _signed(denied, 0, OPERATORS));
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        equivocation.prove(proof);
    }

    /// @dev Operators 2 to 8, of which 7 and 8 are new.
    function _laterEpoch() private returns (EpochId) {
        registerOperator(7, WEIGHT);
        registerOperator(8, WEIGHT);
        return commitNext(2, OPERATORS);
    }

    function _assertOffenders(bytes memory proof, EpochId epoch, bytes memory nonSigners) private view {
        (EpochId actual, bytes32 taskId, bytes memory absent) = equivocation.prove(proof);
        assertEq(actual, epoch);
        assertNotEq(taskId, 0);
        assertEq(absent, nonSigners);
    }

    /* REFUSALS */

    /// @dev In a batch and by itself: the same decision.
    function test_RevertWhen_BothAreTheSame() public {
        (Attestation memory allowed,) = _decisions();
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), _inBatch(allowed, 5, 3, 0));
        vm.expectRevert(abi.encodeWithSelector(DoubleStatement.SameStatement.selector, taskManager.digestOf(allowed)));
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
            abi.encodeWithSelector(DoubleStatement.TooFarApart.selector, allowed.issuedAt, denied.issuedAt);
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), _signed(denied, 0, OPERATORS));
        vm.expectRevert(refusal);
        equivocation.prove(proof);
        proof = _proof(_signed(denied, 0, OPERATORS), _signed(allowed, 0, OPERATORS));
        refusal = abi.encodeWithSelector(DoubleStatement.TooFarApart.selector, denied.issuedAt, allowed.issuedAt);
        vm.expectRevert(refusal);
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
        SignedAttestation memory unknown = _signed(denied, 0, OPERATORS);
        unknown.epoch = EpochId.wrap(9);
        bytes memory proof = _proof(_signed(allowed, 0, OPERATORS), unknown);
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
        view
        returns (bytes memory)
    {
        return abi.encode(domain(), first, second);
    }

    /// @dev By operators `first` to `end - 1` of the first epoch.
    function _signed(Attestation memory attestation, uint256 first, uint256 end)
        private
        view
        returns (SignedAttestation memory)
    {
        if (end == OPERATORS) return signedBy(FIRST_EPOCH, attestation, first, OPERATORS);
        return signedByThose(FIRST_EPOCH, attestation, first, end, OPERATORS);
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
        bytes32[] memory proof = MerkleTree.proofOf(leaves, index);
        return SignedAttestation(FIRST_EPOCH, attestation, proof, firstBits(absent), signature);
    }
}
