// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IOwnerStakeSource} from "../../../contracts/interfaces/IOwnerStakeSource.sol";
import {Attestation, EpochId, IRefusals, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
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
        (address table, OperatorSetId operatorSet, uint48 validUntil) = registry.epochs(EpochId.wrap(2));
        assertEq(operatorSet, OPERATOR_SET);
        assertEq(validUntil, type(uint48).max);

        // The TaskManager stores both changes before the registry emits its events.
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 4);
        assertEq(logs[0].topics[0], IAttestationValidator.EpochUpdated.selector);
        assertEq(logs[0].topics[1], bytes32(uint256(1)));
        assertEq(logs[1].topics[0], IOperatorRegistry.EpochSuperseded.selector);
        assertEq(logs[1].topics[1], bytes32(uint256(1)));
        assertEq(logs[1].data, abi.encode(block.timestamp + GRACE_PERIOD));
        assertEq(logs[2].topics[0], IAttestationValidator.EpochUpdated.selector);
        assertEq(logs[2].topics[1], bytes32(uint256(2)));
        assertEq(logs[2].topics[2], bytes32(uint256(OperatorSetId.unwrap(OPERATOR_SET))));
        assertEq(logs[2].data, abi.encode(table, type(uint48).max));
        assertEq(logs[3].topics[0], IOperatorRegistry.EpochCommitted.selector);
        assertEq(logs[3].topics[1], bytes32(uint256(2)));
        assertEq(logs[3].topics[2], bytes32(uint256(OperatorSetId.unwrap(OPERATOR_SET))));
        assertEq(logs[3].data, abi.encode(table, 5, 5 * WEIGHT));
    }

    function test_EpochsOfAllSetsAreNumberedTogether() public {
        _setWeights(OTHER_SET, 0, 3, 1);
        assertEq(_commit(OTHER_SET, 0, 3), EpochId.wrap(2));
        assertEq(_commit(OPERATOR_SET, 0, 3), EpochId.wrap(3));
        assertEq(_commit(OTHER_SET, 0, 2), EpochId.wrap(4));
        assertEq(registry.epochCount(), 4);
        assertEq(registry.latestEpoch(OPERATOR_SET), EpochId.wrap(3));
        assertEq(registry.latestEpoch(OTHER_SET), EpochId.wrap(4));
        (,, uint48 validUntil) = registry.epochs(EpochId.wrap(3));
        assertEq(validUntil, type(uint48).max, "another set's epoch superseded it");
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

    function test_RevertWhen_OperatorIsNotRegistered() public {
        _assertCommitRefused(
            operatorAddresses(5, 3),
            abi.encodeWithSelector(IOperatorRegistry.OperatorNotRegistered.selector, operatorAddress(7))
        );
    }

    function test_RevertWhen_OperatorHasNoWeight() public {
        setWeight(1, 0);
        _assertCommitRefused(
            operatorAddresses(0, 3),
            abi.encodeWithSelector(IOperatorRegistry.OperatorWithoutWeight.selector, OPERATOR_SET, operatorAddress(1))
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

    function test_RevertWhen_DeregisteredOperatorIsCommitted() public {
        vm.prank(operatorAddress(1));
        registry.deregisterOperator();
        _assertCommitRefused(
            operatorAddresses(0, 3),
            abi.encodeWithSelector(IOperatorRegistry.OperatorNotRegistered.selector, operatorAddress(1))
        );
    }

    /* ENDING */

    function test_RevokingIsAnnouncedAndImmediate() public {
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.EpochRevoked(FIRST_EPOCH);
        vm.prank(owner);
        registry.revokeEpoch(FIRST_EPOCH);
        _assertAuthorizes(FIRST_EPOCH, 0, abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1));
    }

    function test_RevertWhen_RevokingAnEpochThatIsNot() public {
        EpochId[3] memory unknown = [EpochId.wrap(0), EpochId.wrap(2), EpochId.wrap(type(uint32).max)];
        for (uint256 i = 0; i < unknown.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, unknown[i]));
            vm.prank(owner);
            registry.revokeEpoch(unknown[i]);
        }
    }

    function test_RevokedEpochStaysRevokedWhenSuperseded() public {
        vm.prank(owner);
        registry.revokeEpoch(FIRST_EPOCH);
        _commit(OPERATOR_SET, 0, OPERATORS);
        (,, uint48 validUntil) = registry.epochs(FIRST_EPOCH);
        assertEq(validUntil, 0);
        _assertAuthorizes(FIRST_EPOCH, 0, abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1));
    }

    function test_SupersededEpochCanStillBeRevoked() public {
        _commit(OPERATOR_SET, 0, OPERATORS);
        vm.prank(owner);
        registry.revokeEpoch(FIRST_EPOCH);
        _assertAuthorizes(FIRST_EPOCH, 0, abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1));
    }

    /// @dev However commits, revocations and settings follow one another, no epoch's time is ever extended.
    function testFuzz_NothingLengthensAnEpoch(uint8[12] calldata steps) public {
        for (uint256 i = 0; i < steps.length; ++i) {
            uint48[16] memory before = _validUntil();
            if (steps[i] % 4 == 0) {
                _commit(OPERATOR_SET, 0, 1);
            } else if (steps[i] % 4 == 1) {
                vm.prank(owner);
                registry.setGracePeriod(uint48(steps[i]) * 1 hours);
            } else if (steps[i] % 4 == 2) {
                EpochId epoch = EpochId.wrap(uint32(1 + steps[i] % registry.epochCount()));
                vm.prank(owner);
                registry.revokeEpoch(epoch);
            } else {
                skip(uint256(steps[i]) * 1 hours);
            }
            uint48[16] memory later = _validUntil();
            for (uint256 j = 0; j < before.length; ++j) {
                if (before[j] != type(uint48).max && j <= registry.epochCount() && before[j] != 1) {
                    assertLe(later[j], before[j]);
                }
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
            (address table,, uint48 validUntil) = registry.epochs(EpochId.wrap(i));
            all[i] = table == address(0) ? 1 : validUntil;
        }
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
