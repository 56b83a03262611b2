// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator} from "./IAttestationValidator.sol";
import {IProposedChanges} from "./IProposedChanges.sol";
import {IStakeSource} from "./IStakeSource.sol";
import {EpochId, OperatorSetId} from "./Protocol.sol";

/// @notice The current quorum's approval of a pending epoch.
struct EpochApproval {
    /// @dev The first second at which it is no longer valid (Unix time).
    uint48 deadline;
    /// @dev The aggregate signature of `epochApprovalDigest`, a point of G1 in 96 bytes.
    bytes signature;
    /// @dev Bitmap of the operators of the set's current epoch that did not sign, as in an authorization.
    bytes nonSigners;
}

/// @title IOperatorRegistry
/// @notice Registers one BLS key for each operator. Its owner commits operator sets as epochs and revokes them.
/// @dev A public key is a point of G2 in 192 bytes, a proof of possession a point of G1 in 96 (docs/protocol.md).
/// A malformed one reverts with the errors of `BLS12381`. The delay of proposed changes is `activationDelay`; it is
/// zero before the first epoch is committed.
interface IOperatorRegistry is IProposedChanges {
    /// @notice Emitted when an operator registers its key.
    event OperatorRegistered(address indexed operator, bytes publicKey);
    /// @notice Emitted when an operator replaces its key. Epochs committed earlier keep the old one.
    event KeyRotated(address indexed operator, bytes publicKey);
    /// @notice Emitted when an operator disables its key. Epochs committed earlier keep it until they are revoked.
    event KeyDisabled(address indexed operator, bytes publicKey);
    /// @notice Emitted when an operator deregisters. Epochs committed earlier keep it.
    event OperatorDeregistered(address indexed operator);
    /// @notice Emitted when a full table is staged for the next epoch of the set. `lastOperator` is its last operator.
    event OperatorsStaged(OperatorSetId indexed operatorSet, address table, address lastOperator);
    /// @notice Emitted when the tables staged for the next epoch of the set are discarded.
    event StagedOperatorsDiscarded(OperatorSetId indexed operatorSet);
    /// @notice Emitted when a named operator is left out, because it has no valid key or no weight.
    event OperatorSkipped(OperatorSetId indexed operatorSet, address indexed operator);
    /// @notice Emitted when an operator set is committed as an epoch, which can be activated from `activatesAt` on and
    /// expires at `expiresAt` (Unix times).
    event EpochCommitted(
        EpochId indexed epoch,
        OperatorSetId indexed operatorSet,
        address table,
        uint256 operatorCount,
        uint256 totalWeight,
        uint48 activatesAt,
        uint48 expiresAt
    );
    /// @notice Emitted when the quorum of the epoch `signedBy` approves a pending epoch.
    event EpochApproved(EpochId indexed epoch, EpochId indexed signedBy, uint256 signedWeight, uint256 totalWeight);
    /// @notice Emitted when an epoch comes into force, until `validUntil` (Unix time) at most.
    event EpochActivated(EpochId indexed epoch, OperatorSetId indexed operatorSet, uint48 validUntil);
    /// @notice Emitted when a later epoch limits an epoch to `validUntil` (Unix time).
    event EpochSuperseded(EpochId indexed epoch, uint48 validUntil);
    /// @notice Emitted when the owner revokes an epoch, pending or not.
    event EpochRevoked(EpochId indexed epoch);
    /// @notice Emitted when a validator is added, which receives every change of an epoch from then on.
    event ValidatorAdded(IAttestationValidator indexed validator);
    /// @notice Emitted when a validator is removed, which receives no change of an epoch from then on.
    event ValidatorRemoved(IAttestationValidator indexed validator);
    /// @notice Emitted when a validator refuses the state of an epoch. `publishEpoch` repeats it.
    event ValidatorUpdateFailed(IAttestationValidator indexed validator, EpochId indexed epoch);
    /// @notice Emitted when the lifetime of epochs committed afterwards changes, in seconds.
    event EpochLifetimeChanged(uint48 epochLifetime);
    /// @notice Emitted when the activation delay of epochs committed afterwards changes, in seconds.
    event ActivationDelayChanged(uint48 activationDelay);
    /// @notice Emitted when the grace period changes, in seconds. Applies to epochs superseded afterwards.
    event GracePeriodChanged(uint48 gracePeriod);
    /// @notice Emitted when the stake source changes. Applies to epochs committed afterwards.
    event StakeSourceChanged(IStakeSource stakeSource);

    /// @notice Thrown when the operator is registered already; `rotateKey` replaces its key.
    error OperatorAlreadyRegistered(address operator);
    /// @notice Thrown when the operator is not registered.
    error OperatorNotRegistered(address operator);
    /// @notice Thrown when the key was registered before, by any operator.
    error KeyAlreadyUsed(bytes32 keyHash);
    /// @notice Thrown when the operator has disabled its key already.
    error KeyAlreadyDisabled(address operator);
    /// @notice Thrown when the proof of possession is not the key's signature for this operator, chain and registry.
    error InvalidProofOfPossession();
    /// @notice Thrown when the operators' addresses are not strictly ascending.
    error OperatorsNotAscending(address previous, address next);
    /// @notice Thrown when the number of operators is out of this function's bounds, after those that are skipped.
    error WrongOperatorCount(uint256 count, uint256 least, uint256 most);
    /// @notice Thrown when the stake source returns more or fewer weights than there are operators.
    error WrongWeightCount(uint256 expected, uint256 actual);
    /// @notice Thrown when an epoch would have too many tables.
    error TooManyTables(uint256 most);
    /// @notice Thrown when there is no such epoch.
    error NoSuchEpoch(EpochId epoch);
    /// @notice Thrown when the epoch is pending, so that it cannot be published, nor another of its set committed.
    error EpochIsPending(EpochId epoch);
    /// @notice Thrown when the epoch is not pending, so that it cannot be activated.
    error EpochNotPending(EpochId epoch);
    /// @notice Thrown when the pending epoch can be activated only later, without an approval.
    error ActivationTooEarly(EpochId epoch, uint48 activatesAt);
    /// @notice Thrown when the pending epoch was not activated in time.
    error PendingEpochExpired(EpochId epoch, uint48 expiresAt);
    /// @notice Thrown when a set would have too many epochs that have neither expired nor been revoked.
    error TooManyEpochs(uint256 most);
    /// @notice Thrown when the set's current epoch is not in force, so that its quorum can approve nothing.
    error NoEpochInForce(OperatorSetId operatorSet);
    /// @notice Thrown when the approval's deadline is over.
    error ApprovalExpired(uint48 deadline);
    /// @notice Thrown when too little weight has signed the approval.
    error ApprovalQuorumNotReached(uint256 signed, uint256 required);
    /// @notice Thrown when the operators said to have signed the approval did not.
    error InvalidApproval();
    /// @notice Thrown when the validator is not a contract made for this registry, or was added before.
    error InvalidValidator(IAttestationValidator validator);
    /// @notice Thrown when the validator was not added.
    error UnknownValidator(IAttestationValidator validator);
    /// @notice Thrown when there would be too many validators.
    error TooManyValidators(uint256 most);
    /// @notice Thrown when the delays would not end before an epoch does: a set could stay without an epoch in force.
    error DelaysTooLong(uint48 activationDelay, uint48 gracePeriod, uint48 epochLifetime);
    /// @notice Thrown when the epoch lifetime is longer than the stake source or `MAX_EPOCH_LIFETIME` allows, in
    /// seconds.
    error EpochLifetimeTooLong(uint48 epochLifetime, uint48 longest);
    /// @notice Thrown when the stake source is not a contract.
    error InvalidStakeSource(IStakeSource stakeSource);

    /// @notice Registers the caller with its key and the key's proof of possession.
    /// @param publicKey A key that was never registered here.
    /// @param proofOfPossession The key's signature of `proofOfPossessionDigest(caller, publicKey)`.
    function registerOperator(bytes calldata publicKey, bytes calldata proofOfPossession) external;

    /// @notice Replaces the caller's key. Takes effect with the next epoch.
    function rotateKey(bytes calldata publicKey, bytes calldata proofOfPossession) external;

    /// @notice Disables the caller's key: later epochs skip the caller until it rotates to another key.
    /// @dev Call it when the key may be compromised. The event asks the owner to revoke the epochs that hold the key.
    function disableKey() external;

    /// @notice Deregisters the caller. Takes effect with the next epoch.
    function deregisterOperator() external;

    /// @notice Stages 100 operators of a set that is too large for one table. Only the owner may call it.
    /// @dev Call it for each 100 operators in turn, then `commitEpoch` with the last 1 to 100. Reads keys and weights
    /// at the time of this call, and the lifetime of the epoch begins with the first of these calls.
    /// @param operators 100 to 200, in ascending order, above those staged earlier. The first 100 that have a valid key
    /// and weight are staged. Those after them are ignored: name them again in the next call.
    function stageOperators(OperatorSetId operatorSet, address[] calldata operators) external;

    /// @notice Discards the tables staged for the set's next epoch. Only the owner may call it.
    function discardStagedOperators(OperatorSetId operatorSet) external;

    /// @notice Commits a set as a new epoch. Only the owner may call it.
    /// @dev The set's first epoch is activated at once. A later one is pending for `activationDelay` or until
    /// `approveEpoch`. An operator without a valid key or without weight is skipped. Costs about 60,000 gas an
    /// operator; above 100 operators see `stageOperators`.
    /// @param operatorSet The operator set.
    /// @param operators 1 to 100 operators in ascending order, above those staged.
    /// @return epoch The new epoch's number.
    function commitEpoch(OperatorSetId operatorSet, address[] calldata operators) external returns (EpochId epoch);

    /// @notice Activates a pending epoch whose delay is over, and ends the set's current one after the grace period.
    /// Anyone may call it.
    function activateEpoch(EpochId epoch) external;

    /// @notice Activates a pending epoch at once, with the approval of the set's current epoch. Anyone may call it.
    /// @param epoch A pending epoch.
    /// @param approval Signed by at least `APPROVAL_QUORUM` of the weight of the set's latest epoch, which is in force.
    function approveEpoch(EpochId epoch, EpochApproval calldata approval) external;

    /// @notice Revokes epochs: nothing that they signed is valid any more, recorded or not. Only the owner may call it.
    /// @dev Revokes pending epochs as well.
    function revokeEpochs(EpochId[] calldata revoked) external;

    /// @notice Revokes all epochs of a set, the pending one included, and discards its staged operators. Only the owner
    /// may call it.
    /// @dev The set's next epoch is pending for `activationDelay`, since no epoch in force can approve it.
    function revokeOperatorSet(OperatorSetId operatorSet) external;

    /// @notice Adds a validator, which receives every later change of an epoch in the same transaction. Only the owner
    /// may call it, after notice.
    /// @dev Publish epochs committed earlier to it with `publishEpoch`.
    /// @param validator A validator made for this registry.
    function addValidator(IAttestationValidator validator) external;

    /// @notice Removes a validator. Only the owner may call it, after notice.
    /// @dev Warning: its epochs stay in force there until they expire, even if they are revoked here later.
    function removeValidator(IAttestationValidator validator) external;

    /// @notice Publishes the state of an epoch to every validator again. Anyone may call it.
    function publishEpoch(EpochId epoch) external;

    /// @notice Sets how long an epoch is valid at most. Only the owner may call it, after notice if it raises it.
    /// @param epochLifetime Seconds, above `activationDelay + gracePeriod` and at most what the stake source can slash.
    function setEpochLifetime(uint48 epochLifetime) external;

    /// @notice Sets how long an epoch is pending. Only the owner may call it, after notice.
    /// @param activationDelay Seconds, below `epochLifetime - gracePeriod`.
    function setActivationDelay(uint48 activationDelay) external;

    /// @notice Sets how long a superseded epoch stays valid. Only the owner may call it, after notice.
    /// @param gracePeriod Seconds, below `epochLifetime - activationDelay`.
    function setGracePeriod(uint48 gracePeriod) external;

    /// @notice Sets the source of weights. Only the owner may call it, after notice.
    function setStakeSource(IStakeSource stakeSource) external;

    /// @notice Returns an epoch: the head of its operator table, its operator set, and two Unix times. They are the
    /// first second at which it is no longer valid, and the one that it can never reach.
    /// @dev All are zero if there is no such epoch; `validUntil` is zero while it is pending and once it is revoked.
    function epochs(EpochId epoch)
        external
        view
        returns (address table, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt);

    /// @notice Returns when the first weights of an epoch were read (Unix time); zero if there is no such epoch.
    /// @dev The time of the commit, or of the first `stageOperators` before it. The epoch's lifetime begins then.
    function committedAt(EpochId epoch) external view returns (uint48);

    /// @notice Returns the number of the newest epoch of any set, pending or not; zero before the first.
    function epochCount() external view returns (uint32);

    /// @notice Returns the epoch of a set that was activated last; zero before the first.
    function latestEpoch(OperatorSetId operatorSet) external view returns (EpochId);

    /// @notice Returns the pending epoch of a set, and when it can be activated (Unix time); zeros if none is pending.
    function pendingEpoch(OperatorSetId operatorSet) external view returns (EpochId epoch, uint48 activatesAt);

    /// @notice Returns the activated epochs of a set that have neither expired nor been revoked, the oldest first.
    /// @dev A superseded one is among them beyond its grace period: roots recorded under it can still be used.
    function liveEpochs(OperatorSetId operatorSet) external view returns (EpochId[] memory);

    /// @notice Returns the hash of an epoch's operators: their addresses, keys and weights, in order
    /// (docs/protocol.md).
    /// @dev Equal sets have equal hashes, on every chain.
    function setHashOf(EpochId epoch) external view returns (bytes32);

    /// @notice Returns the validators to which epochs are published.
    function validators() external view returns (IAttestationValidator[] memory);

    /// @notice Returns the tables staged for the set's next epoch.
    function stagedTables(OperatorSetId operatorSet) external view returns (address[] memory);

    /// @notice Returns the key with which an operator enters the next epoch; empty if it is not registered or has
    /// disabled its key.
    function publicKeyOf(address operator) external view returns (bytes memory);

    /// @notice Returns when an operator disabled its current key (Unix time); zero if it did not.
    function keyDisabledAt(address operator) external view returns (uint48);

    /// @notice Returns whether a key, given by its keccak256, was ever registered.
    function isKeyUsed(bytes32 keyHash) external view returns (bool);

    /// @notice Returns what a proof of possession signs: an EIP-712 digest of operator and key, for this chain and
    /// registry.
    function proofOfPossessionDigest(address operator, bytes calldata publicKey) external view returns (bytes32);

    /// @notice Returns what an approval signs: an EIP-712 digest, for this chain and registry.
    /// @param operatorSet The operator set.
    /// @param signedBy The epoch whose operators sign: the set's latest.
    /// @param setHash The hash of the operators that they approve.
    /// @param deadline The first second at which the approval is no longer valid (Unix time).
    function epochApprovalDigest(OperatorSetId operatorSet, EpochId signedBy, bytes32 setHash, uint48 deadline)
        external
        view
        returns (bytes32);

    /// @notice Returns how long an epoch is valid at most, from the time at which its weights are read, in seconds.
    function epochLifetime() external view returns (uint48);

    /// @notice Returns how long an epoch is pending, and how long before a change it must be proposed, in seconds.
    function activationDelay() external view returns (uint48);

    /// @notice Returns how long a superseded epoch stays valid, in seconds.
    function gracePeriod() external view returns (uint48);

    /// @notice Returns the source of weights.
    function stakeSource() external view returns (IStakeSource);
}
