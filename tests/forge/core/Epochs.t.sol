// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IOwnerStakeSource} from "../../../contracts/interfaces/IOwnerStakeSource.sol";
import {Attestation, EpochId, IRefusals, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {BLS12381} from "../../../contracts/libraries/BLS12381.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {SlashableStakeSource} from "../utils/SlashableStakeSource.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Vm} from "forge-std/Vm.sol";

/// @dev What an epoch freezes, and when it ends.
contract EpochsTest is TrailingPath {
    /* COMMITTING */

    function test_CommittingIsAnnounced() public {
        vm.recordLogs();
        EpochId epoch = commitEpoch(0, 5);
        assertEq(epoch, EpochId.wrap(2));
        assertEq(registry.epochCount(), 2);
        assertEq(registry.latestEpoch(OPERATOR_SET), EpochId.wrap(2));
        (address table, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt) = registry.epochs(epoch);
        assertEq(operatorSet, OPERATOR_SET);
        assertEq(registry.committedAt(epoch), block.timestamp);
        assertEq(validUntil, block.timestamp + EPOCH_LIFETIME);
        assertEq(expiresAt, block.timestamp + EPOCH_LIFETIME);

        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32 set = bytes32(uint256(OperatorSetId.unwrap(OPERATOR_SET)));
        assertEq(logs.length, 5);
        _assertLog(logs[0], IOperatorRegistry.EpochCommitted.selector, 2, set);
        assertEq(logs[0].data, abi.encode(table, 5, 5 * WEIGHT, block.timestamp, expiresAt));
        _assertLog(logs[1], IAttestationValidator.EpochUpdated.selector, 1, set);
        _assertLog(logs[2], IOperatorRegistry.EpochSuperseded.selector, 1, 0);
        assertEq(logs[2].data, abi.encode(block.timestamp + GRACE_PERIOD));
        _assertLog(logs[3], IAttestationValidator.EpochUpdated.selector, 2, set);
        assertEq(logs[3].data, abi.encode(table, validUntil));
        _assertLog(logs[4], IOperatorRegistry.EpochActivated.selector, 2, set);
        assertEq(logs[4].data, abi.encode(validUntil));
    }

    /// @dev Its end would not change.
    function test_EpochThatEndsWithTheGracePeriodIsNotSuperseded() public {
        (,, uint48 validUntil,) = registry.epochs(FIRST_EPOCH);
        vm.warp(validUntil - GRACE_PERIOD);
        vm.recordLogs();
        EpochId epoch = commitEpoch(0, 5);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32 set = bytes32(uint256(OperatorSetId.unwrap(OPERATOR_SET)));
        assertEq(logs.length, 3);
        _assertLog(logs[0], IOperatorRegistry.EpochCommitted.selector, 2, set);
        _assertLog(logs[1], IAttestationValidator.EpochUpdated.selector, 2, set);
        _assertLog(logs[2], IOperatorRegistry.EpochActivated.selector, 2, set);
        assertEq(epoch, EpochId.wrap(2));
        (,, uint48 unchanged,) = registry.epochs(FIRST_EPOCH);
        assertEq(unchanged, validUntil);
    }

    function test_EpochsOfAllSetsAreNumberedTogether() public {
        _setWeights(OTHER_SET, 0, 3, 1);
        assertEq(_commit(OTHER_SET, 0, 3), EpochId.wrap(2));
        assertEq(_commit(OPERATOR_SET, 0, 3), EpochId.wrap(3));
        assertEq(_commit(OTHER_SET, 0, 2), EpochId.wrap(4));
        assertEq(registry.epochCount(), 4);
        assertEq(registry.latestEpoch(OPERATOR_SET), EpochId.wrap(3));
        assertEq(registry.latestEpoch(OTHER_SET), EpochId.wrap(4));
        (,, uint48 validUntil,) = registry.epochs(EpochId.wrap(3));
        assertEq(validUntil, block.timestamp + EPOCH_LIFETIME, "another set's epoch superseded it");
    }

    function test_RevertWhen_OperatorsAreNotInAscendingOrder() public {
        address[] memory operators = operatorAddresses(0, 3);
        (operators[1], operators[2]) = (operators[2], operators[1]);
        _assertCommitRefused(
            operators,
            abi.encodeWithSelector(IOperatorRegistry.OperatorsNotAscending.selector, operators[1], operators[2])
        );
        operators[2] = operators[1];
        _assertCommitRefused(
            operators,
            abi.encodeWithSelector(IOperatorRegistry.OperatorsNotAscending.selector, operators[1], operators[1])
        );
        operators = new address[](1);
        _assertCommitRefused(
            operators, abi.encodeWithSelector(IOperatorRegistry.OperatorsNotAscending.selector, address(0), address(0))
        );
    }

    /// @dev One that leaves ahead of the owner's transaction does not undo it.
    function test_OperatorWithoutKeyOrWeightIsSkipped() public {
        setWeight(1, 0);
        vm.prank(operatorAddress(2));
        registry.deregisterOperator();
        vm.prank(operatorAddress(3));
        registry.disableKey();
        for (uint256 i = 1; i <= 3; ++i) {
            vm.expectEmit(address(registry));
            emit IOperatorRegistry.OperatorSkipped(OPERATOR_SET, operatorAddress(i));
        }
        EpochId epoch = _commit(OPERATOR_SET, 0, OPERATORS);
        (address table,,,) = registry.epochs(epoch);
        (, uint256 totalWeight, uint256 operatorCount,) = OperatorTable.readHead(table);
        assertEq(operatorCount, OPERATORS - 3);
        assertEq(totalWeight, (OPERATORS - 3) * WEIGHT);
        assertEq(OperatorTable.readEntry(table, 0, 0).operator, operatorAddress(0));
        assertEq(OperatorTable.readEntry(table, 0, 1).operator, operatorAddress(4));
        assertEq(
            BLS12381.encode(OperatorTable.readEntry(table, 0, 1).publicKey), registry.publicKeyOf(operatorAddress(4))
        );
    }

    function test_RevertWhen_EveryOperatorIsSkipped() public {
        _assertCommitRefused(
            operatorAddresses(OPERATORS, 3),
            abi.encodeWithSelector(IOperatorRegistry.WrongOperatorCount.selector, 0, 1, 100)
        );
    }

    function test_RevertWhen_StakeSourceReturnsAnotherNumberOfWeights() public {
        SlashableStakeSource source = new SlashableStakeSource(EPOCH_LIFETIME);
        vm.prank(owner);
        registry.setStakeSource(source);
        _commit(OPERATOR_SET, 0, 3);
        source.setSurplus(1);
        _assertCommitRefused(
            operatorAddresses(0, 3), abi.encodeWithSelector(IOperatorRegistry.WrongWeightCount.selector, 3, 4)
        );
    }

    function test_RevertWhen_OperatorsAreTooFewOrTooMany() public {
        _assertCommitRefused(
            new address[](0), abi.encodeWithSelector(IOperatorRegistry.WrongOperatorCount.selector, 0, 1, 100)
        );
        _assertCommitRefused(
            operatorAddresses(0, 101),
            abi.encodeWithSelector(IOperatorRegistry.WrongOperatorCount.selector, 101, 1, 100)
        );
    }

    function test_RevertWhen_WeightsOverflow() public {
        setWeight(0, type(uint96).max);
        _assertCommitRefused(operatorAddresses(0, 2), abi.encodeWithSignature("Panic(uint256)", 0x11));
        assertEq(_commit(OPERATOR_SET, 0, 1), EpochId.wrap(2));
    }

    /* FREEZING */

    function test_StakeChangesReachNoCommittedEpoch() public {
        setWeight(0, 1_000_000);
        // By weights of today the absent operator would be nearly the whole.
        _assertAuthorizes(FIRST_EPOCH, 1, "");
        assertEq(_commit(OPERATOR_SET, 0, OPERATORS), EpochId.wrap(2));
        bytes memory refusal = abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 600, 667_101);
        _assertAuthorizes(EpochId.wrap(2), 1, refusal);
    }

    function test_RotationAndDeregistrationReachNoCommittedEpoch() public {
        bytes memory next = OperatorKeys.publicKey(OperatorKeys.secretKey(50));
        bytes memory proof = proofOfPossession(50, operatorAddress(0), next);
        vm.prank(operatorAddress(0));
        registry.rotateKey(next, proof);
        vm.prank(operatorAddress(1));
        registry.deregisterOperator();
        _assertAuthorizes(FIRST_EPOCH, 0, "");
    }

    function test_RotatedKeySignsFromTheNextEpochOn() public {
        bytes memory next = OperatorKeys.publicKey(OperatorKeys.secretKey(50));
        bytes memory proof = proofOfPossession(50, operatorAddress(0), next);
        vm.prank(operatorAddress(0));
        registry.rotateKey(next, proof);
        EpochId epoch = _commit(OPERATOR_SET, 0, 1);

        Attestation memory attestation = attest(protectedCall());
        bytes32 digest = taskManager.digestOf(attestation);
        bytes32[] memory noProof = new bytes32[](0);
        assertRefused(
            attestation.intent,
            encode(attestation, epoch, sign(digest, 0, 1), "", noProof),
            abi.encodeWithSelector(IRefusals.InvalidSignature.selector)
        );
        assertPasses(attestation.intent, encode(attestation, epoch, sign(digest, 50, 51), "", noProof));
    }

    /* ENDING */

    /// @dev With an owner that is lost, all operators gone or all keys rotated.
    function test_EpochEndsWithItsLifetimeWhateverItsOwnerDoes() public {
        uint256 end = block.timestamp + EPOCH_LIFETIME;
        vm.warp(end - 1);
        _assertAuthorizes(FIRST_EPOCH, 0, "");
        vm.warp(end);
        _assertAuthorizes(FIRST_EPOCH, 0, abi.encodeWithSelector(IRefusals.EpochExpired.selector, 1, end));
        registry.publishEpoch(FIRST_EPOCH);
        _assertAuthorizes(FIRST_EPOCH, 0, abi.encodeWithSelector(IRefusals.EpochExpired.selector, 1, end));
    }

    function test_GraceNeverReachesBeyondTheLifetime() public {
        uint256 end = block.timestamp + EPOCH_LIFETIME;
        vm.warp(end - GRACE_PERIOD + 1);
        _commit(OPERATOR_SET, 0, OPERATORS);
        (,, uint48 validUntil,) = registry.epochs(FIRST_EPOCH);
        assertEq(validUntil, end);
        vm.warp(end);
        _assertAuthorizes(FIRST_EPOCH, 0, abi.encodeWithSelector(IRefusals.EpochExpired.selector, 1, end));
    }

    /// @dev What was recorded under an epoch keeps its first end, whatever supersedes it.
    function test_FirstEndOfAnEpochNeverChanges() public {
        uint48 end = uint48(block.timestamp) + EPOCH_LIFETIME;
        skip(1 days);
        _commit(OPERATOR_SET, 0, OPERATORS);
        _assertFirstEnd(FIRST_EPOCH, end);
        vm.prank(owner);
        registry.revokeEpochs(only(FIRST_EPOCH));
        _assertFirstEnd(FIRST_EPOCH, end);
    }

    /// @dev However commits, revocations and settings follow one another, no epoch's end is ever extended.
    function testFuzz_NothingLengthensAnEpoch(uint8[12] calldata steps) public {
        for (uint256 i = 0; i < steps.length; ++i) {
            uint48[16] memory before = _validUntil();
            if (steps[i] % 4 == 0) {
                _commit(OPERATOR_SET, 0, 1);
            } else if (steps[i] % 4 == 1) {
                vm.prank(owner);
                registry.setGracePeriod(uint48(steps[i] % 144) * 1 hours);
            } else if (steps[i] % 4 == 2) {
                EpochId epoch = EpochId.wrap(uint32(1 + steps[i] % registry.epochCount()));
                vm.prank(owner);
                registry.revokeEpochs(only(epoch));
            } else {
                skip(uint256(steps[i]) * 1 hours);
            }
            uint48[16] memory later = _validUntil();
            _assertNoneOutlivesItsLifetime();
            for (uint256 j = 0; j < before.length; ++j) {
                if (before[j] != 1) assertLe(later[j], before[j]);
            }
        }
    }

    /* WEIGHTS */

    function test_OwnerStakeSourceIsItsOwnersAlone() public {
        address[] memory operators = operatorAddresses(0, 1);
        uint96[] memory weights = new uint96[](1);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, agent));
        vm.prank(agent);
        ownerStakeSource.setWeights(OPERATOR_SET, operators, weights);

        vm.expectRevert(abi.encodeWithSelector(IOwnerStakeSource.LengthsDiffer.selector, 1, 2));
        vm.prank(owner);
        ownerStakeSource.setWeights(OPERATOR_SET, operators, new uint96[](2));

        vm.expectEmit(address(ownerStakeSource));
        emit IOwnerStakeSource.WeightChanged(OPERATOR_SET, operators[0], 0);
        vm.prank(owner);
        ownerStakeSource.setWeights(OPERATOR_SET, operators, weights);
        assertEq(ownerStakeSource.weightOf(OPERATOR_SET, operators[0]), 0);
    }

    /// @dev 1 stands for an epoch that is not yet, so that a commit does not count as lengthening.
    function _validUntil() private view returns (uint48[16] memory all) {
        for (uint32 i = 0; i < 16; ++i) {
            (address table,, uint48 validUntil,) = registry.epochs(EpochId.wrap(i));
            all[i] = table == address(0) ? 1 : validUntil;
        }
    }

    function _assertNoneOutlivesItsLifetime() private view {
        for (uint32 i = 1; i <= registry.epochCount(); ++i) {
            (,, uint48 validUntil, uint48 expiresAt) = registry.epochs(EpochId.wrap(i));
            assertLe(validUntil, expiresAt);
        }
    }

    function _assertFirstEnd(EpochId epoch, uint48 expected) private view {
        (,,, uint48 expiresAt) = registry.epochs(epoch);
        assertEq(expiresAt, expected);
        (,,, expiresAt) = taskManager.epochs(epoch);
        assertEq(expiresAt, expected);
    }

    function _assertLog(Vm.Log memory log, bytes32 selector, uint256 epoch, bytes32 set) private pure {
        assertEq(log.topics[0], selector);
        assertEq(log.topics[1], bytes32(epoch));
        if (set != 0) assertEq(log.topics[2], set);
    }

    function _assertAuthorizes(EpochId epoch, uint256 absent, bytes memory expected) private {
        Attestation memory attestation = attest(protectedCall());
        bytes memory signature = sign(taskManager.digestOf(attestation), absent, OPERATORS);
        bytes memory authorization = encode(attestation, epoch, signature, firstBits(absent), new bytes32[](0));
        uint256 snapshot = vm.snapshotState();
        assertRefused(attestation.intent, authorization, expected);
        vm.revertToState(snapshot);
    }

    function _assertCommitRefused(address[] memory operators, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(owner);
        registry.commitEpoch(OPERATOR_SET, operators);
    }

    function _commit(OperatorSetId operatorSet, uint256 first, uint256 count) private returns (EpochId) {
        vm.prank(owner);
        return registry.commitEpoch(operatorSet, operatorAddresses(first, count));
    }

    function _setWeights(OperatorSetId operatorSet, uint256 first, uint256 count, uint96 weight) private {
        uint96[] memory weights = new uint96[](count);
        for (uint256 i = 0; i < count; ++i) {
            weights[i] = weight;
        }
        vm.prank(owner);
        ownerStakeSource.setWeights(operatorSet, operatorAddresses(first, count), weights);
    }
}
