// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {Attestation, EpochId, IRefusals, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";

/// @dev Owners change operators and thresholds while attestations are pending.
abstract contract AttackEpochsAndThresholdsTest is ClientTestBase {
    bytes32[] private none;

    /* EPOCHS */

    function test_EpochCommittedWhileAttestationsAreUnderWayLeavesThemGood() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = authorize(attestation, OPERATORS, 1);
        commitEpoch(2, OPERATORS - 2);
        assertPasses(attestation.intent, authorization);
    }

    /// @dev The bitmap's bits are the operators of the epoch that is named: under the next one they are others.
    function test_RevertWhen_EpochCommittedMeanwhileIsNamedWithTheBitmapOfTheOneBefore() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 1, OPERATORS);
        EpochId next = commitEpoch(1, OPERATORS - 1);
        assertRefused(
            attestation.intent,
            encode(attestation, next, signature, hex"01", none),
            abi.encodeWithSelector(IRefusals.InvalidSignature.selector)
        );
        // Those who signed are all of the next epoch, so the authorization would be valid there.
        assertPasses(attestation.intent, encode(attestation, next, signature, "", none));
    }

    /// @dev Each in a separate epoch would be a minority; no signature counts the weight of two epochs.
    function test_RevertWhen_MinoritiesOfTwoEpochsSignTogether() public {
        EpochId next = commitEpoch(0, 3);
        for (uint256 i = OPERATORS; i < OPERATORS + 4; ++i) {
            registerOperator(i, WEIGHT);
        }
        EpochId last = commitEpoch(3, 8);
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 3, OPERATORS);
        // Operators 3 to 6: 4 of 7 in the first, none in the second, 4 of 8 in the last.
        _assertTooFew(attestation, encode(attestation, FIRST_EPOCH, signature, hex"07", none));
        _assertTooFew(attestation, encode(attestation, next, signature, hex"07", none));
        _assertTooFew(attestation, encode(attestation, last, signature, hex"f0", none));
    }

    function test_RevertWhen_WeightsWereLoweredMeanwhileAndTheNextEpochIsNamed() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), 0, 5);
        setWeight(6, 100 * WEIGHT);
        EpochId next = commitEpoch(0, OPERATORS);
        _assertTooFew(attestation, encode(attestation, next, signature, hex"60", none));
        assertPasses(attestation.intent, encode(attestation, FIRST_EPOCH, signature, hex"60", none));
    }

    /// @dev Documented: the epoch is named by the authorization and not signed. Revoking an epoch takes its keys away,
    /// and not the decisions: with the same keys in the next epoch, what they signed is valid again.
    function test_RevokedEpochsAttestationIsGoodUnderTheNextEpochWithTheSameKeys() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = authorize(attestation);
        vm.prank(owner);
        registry.revokeEpochs(only(FIRST_EPOCH));
        assertRefused(attestation.intent, authorization, abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1));
        EpochId next = commitEpoch(0, OPERATORS);
        assertPasses(
            attestation.intent,
            encode(attestation, next, sign(taskManager.digestOf(attestation), 0, OPERATORS), "", none)
        );
    }

    function test_RevertWhen_RevokedEpochsAttestationIsUsedAfterItsNonceWasBurned() public {
        Attestation memory attestation = attest(protectedCall());
        vm.prank(owner);
        registry.revokeEpochs(only(FIRST_EPOCH));
        counter.burnAssentNonces(NONCE >> 8, 1 << (NONCE & 0xff));
        EpochId next = commitEpoch(0, OPERATORS);
        assertRefused(
            attestation.intent,
            encode(attestation, next, sign(taskManager.digestOf(attestation), 0, OPERATORS), "", none),
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), NONCE)
        );
    }

    /* THRESHOLDS */

    /// @dev Documented: the quorum is the client's at the time of use. What too few had signed becomes valid once it is
    /// lowered.
    function test_LoweredThresholdMakesOutstandingAttestationsGood() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory byFour = authorize(attestation, OPERATORS, 3);
        _assertTooFew(attestation, byFour);
        counter.setAssentPolicy(_withQuorum(5001));
        assertPasses(attestation.intent, byFour);
    }

    function test_LoweredThresholdMakesOutstandingRecordedRootsGood() public {
        Attestation memory attestation = attest(protectedCall());
        bytes32 root = taskManager.digestOf(attestation);
        taskManager.recordRoot(FIRST_EPOCH, SignedRoot(root, sign(root, 3, OPERATORS), firstBits(3)));
        bytes memory recorded = encodeRecorded(attestation, FIRST_EPOCH, none);
        _assertTooFew(attestation, recorded);
        counter.setAssentPolicy(_withQuorum(5001));
        assertPasses(attestation.intent, recorded);
    }

    function test_RevertWhen_ThresholdIsLoweredBelowTheFloor() public {
        Attestation memory attestation = attest(protectedCall());
        vm.expectRevert(
            abi.encodeWithSelector(
                IPolicyClient.AssentInvalidPolicy.selector, POLICY_ID, OPERATOR_SET, 5000, MAX_LIFETIME
            )
        );
        counter.setAssentPolicy(_withQuorum(5000));
        counter.setAssentPolicy(_withQuorum(5001));
        _assertTooFew(attestation, authorize(attestation, OPERATORS, 4));
    }

    /// @dev How an owner lowers a threshold without that: a new policy, or the outstanding nonces burned.
    function test_RevertWhen_ThresholdIsLoweredUnderANewPolicyWithAttestationsOutstanding() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory byFour = authorize(attestation, OPERATORS, 3);
        Policy memory next = _withQuorum(5001);
        next.policyId = keccak256("the next policy");
        counter.setAssentPolicy(next);
        assertEq(bytes4(attempt(attestation.intent, agent, byFour)), IRefusals.WrongTask.selector);
    }

    function test_LongerLifetimeMakesOutstandingAttestationsGood() public {
        Attestation memory attestation = attest(protectedCall());
        attestation.expiration = uint48(block.timestamp + MAX_LIFETIME + 1);
        bytes memory authorization = authorize(attestation);
        assertEq(bytes4(attempt(attestation.intent, agent, authorization)), IRefusals.LifetimeTooLong.selector);
        Policy memory longer = policy();
        longer.maxLifetime = MAX_LIFETIME + 1;
        counter.setAssentPolicy(longer);
        assertPasses(attestation.intent, authorization);
    }

    function _assertTooFew(Attestation memory attestation, bytes memory authorization) private {
        bytes memory refusal = attempt(attestation.intent, agent, authorization);
        assertEq(bytes4(refusal), IRefusals.QuorumNotReached.selector);
    }

    function _withQuorum(uint16 quorum) private pure returns (Policy memory lenient) {
        lenient = policy();
        lenient.quorum = quorum;
    }
}

contract AttackEpochsAndThresholdsOfTrailingCallsTest is AttackEpochsAndThresholdsTest, TrailingPath {}

contract AttackEpochsAndThresholdsOfExplicitIntentsTest is AttackEpochsAndThresholdsTest, ExplicitPath {}
