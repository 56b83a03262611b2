// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Epoch} from "../../contracts/interfaces/IAttestationValidator.sol";
import {AttestedCall} from "../../contracts/interfaces/ITaskManager.sol";
import {EpochId, IRefusals, OperatorSetId, Policy} from "../../contracts/interfaces/Protocol.sol";
import {TaskManagerProof} from "./TaskManagerProof.sol";

/// @title What no authorization passes without
contract RefusalsProof is TaskManagerProof {
    function check_AcceptedOnlyOnceIssuedBeforeItsExpirationAndWithinThePolicysLifetime(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy
    ) public {
        bytes memory authorization = anyAuthorization();
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        vm.assume(accepted);
        assert(block.timestamp < expirationOf(authorization));
        assert(issuedAtOf(authorization) <= block.timestamp);
        assert(expirationOf(authorization) <= uint256(issuedAtOf(authorization)) + policy.maxLifetime);
        assert(issuedAtOf(authorization) >= issuanceFloor);
    }

    /// @dev The converse: the last second and the longest lifetime are not refused for their time.
    function check_RefusedForItsTimeOnlyOutsideItsBounds(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy
    ) public {
        bytes memory authorization = anyAuthorization();
        (bool accepted, bytes memory refusal) = spend(client, attestedCall, policy, authorization);
        vm.assume(!accepted);
        (uint256 issuedAt, uint256 expiration) = (issuedAtOf(authorization), expirationOf(authorization));
        bytes4 selector = selectorOf(refusal);
        if (selector == IRefusals.AttestationExpired.selector) assert(expiration <= block.timestamp);
        if (selector == IRefusals.AttestationNotYetValid.selector) assert(issuedAt > block.timestamp);
        if (selector == IRefusals.LifetimeTooLong.selector) assert(expiration > issuedAt + policy.maxLifetime);
        if (selector == IRefusals.AttestationVoided.selector) assert(issuedAt < issuanceFloor);
        if (selector == IRefusals.ExpirationBeyondEpoch.selector) {
            assert(authorization[113] == 0x01);
            assert(expiration > epochEndOf(client, attestedCall, policy, authorization));
        }
    }

    /// @dev The end that the epoch had when the root, here the digest, was recorded.
    function check_RecordedUseIsAcceptedOnlyUntilTheEndOfItsEpoch(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy
    ) public {
        bytes memory authorization = anyAuthorization(3);
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        vm.assume(accepted);
        uint48 epochEnd = epochEndOf(client, attestedCall, policy, authorization);
        assert(expirationOf(authorization) <= epochEnd);
        assert(block.timestamp < epochEnd);
    }

    function reach_AcceptedRecordedUse(address client, AttestedCall memory attestedCall, Policy memory policy) public {
        (bool accepted,) = spend(client, attestedCall, policy, anyAuthorization(3));
        vm.assume(accepted);
        assert(false);
    }

    function check_AcceptedOnlyUnderAnEpochOfThePolicysOperatorsThatIsInForce(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy
    ) public {
        bytes memory authorization = anyAuthorization();
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        vm.assume(accepted);
        (, OperatorSetId operatorSet, uint48 validUntil,) = taskManager.epochs(EpochId.wrap(epochOf(authorization)));
        assert(OperatorSetId.unwrap(operatorSet) == OperatorSetId.unwrap(policy.operatorSet));
        assert(validUntil != 0);
        // A recorded root was signed while its epoch was in force.
        assert(authorization[113] == 0x01 || block.timestamp < validUntil);
    }

    function check_DenialIsNeverAccepted(address client, AttestedCall memory attestedCall, Policy memory policy)
        public
    {
        bytes memory authorization = anyAuthorization();
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        vm.assume(accepted);
        assert(authorization[76] == 0x01);
    }

    /// @dev Of all forms, with absent operators and in a tree as well.
    function check_NoDirectUseWithoutThePairing(address client, AttestedCall memory attestedCall, Policy memory policy)
        public
    {
        bytes memory authorization = anyAuthorization(anyBelow(3, "form"));
        vm.assume(vm.load(PAIRING, 0) != 0 || vm.load(PAIRING, bytes32(uint256(1))) != bytes32(uint256(1)));
        (address table,,,) = taskManager.epochs(EpochId.wrap(epochOf(authorization)));
        vm.assume(table == TABLE);
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        assert(!accepted);
    }

    function check_EpochWithoutTableIsRefused(address client, AttestedCall memory attestedCall, Policy memory policy)
        public
    {
        bytes memory authorization = anyAuthorization(anyBelow(5, "form"));
        (address table,,,) = taskManager.epochs(EpochId.wrap(epochOf(authorization)));
        vm.assume(table == address(0));
        (bool accepted,) = spend(client, attestedCall, policy, authorization);
        assert(!accepted);
    }

    function check_OnlyTheRegistryChangesEpochs(address caller, EpochId number, Epoch memory epoch) public {
        vm.prank(caller);
        try taskManager.updateEpoch(number, epoch) {
            assert(caller == REGISTRY);
        } catch {
            assert(caller != REGISTRY);
        }
    }

    /// @dev That of the root that is the attestation's digest.
    function epochEndOf(
        address client,
        AttestedCall memory attestedCall,
        Policy memory policy,
        bytes memory authorization
    ) private view returns (uint48 epochEnd) {
        EpochId number = EpochId.wrap(epochOf(authorization));
        (,, epochEnd) = taskManager.recordedRoots(number, digestOf(client, attestedCall, policy, authorization));
    }
}
