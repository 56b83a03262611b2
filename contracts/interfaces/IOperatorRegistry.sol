// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator} from "./IAttestationValidator.sol";
import {IStakeSource} from "./IStakeSource.sol";
import {EpochId, OperatorSetId} from "./Protocol.sol";

/// @title IOperatorRegistry
/// @notice Registers one BLS key for each operator. Its owner commits operator sets as epochs and revokes them.
/// @dev A public key is a point of G2 in 192 bytes, a proof of possession a point of G1 in 96 (docs/protocol.md).
/// A malformed one reverts with the errors of `BLS12381`.
interface IOperatorRegistry {
    /// @notice Emitted when an operator registers its key.
    event OperatorRegistered(address indexed operator, bytes publicKey);
    /// @notice Emitted when an operator replaces its key. Epochs committed earlier keep the old one.
    event KeyRotated(address indexed operator, bytes publicKey);
    /// @notice Emitted when an operator deregisters. Epochs committed earlier keep it.
    event OperatorDeregistered(address indexed operator);
    /// @notice Emitted when a full table is staged for the next epoch of the set.
    event OperatorsStaged(OperatorSetId indexed operatorSet, address table);
    /// @notice Emitted when the tables staged for the next epoch of the set are discarded.
    event StagedOperatorsDiscarded(OperatorSetId indexed operatorSet);
    /// @notice Emitted when an operator set is committed as an epoch.
    event EpochCommitted(
        EpochId indexed epoch,
        OperatorSetId indexed operatorSet,
        address table,
        uint256 operatorCount,
        uint256 totalWeight
    );
    /// @notice Emitted when a later epoch limits an epoch to `validUntil` (Unix time).
    event EpochSuperseded(EpochId indexed epoch, uint48 validUntil);
    /// @notice Emitted when the owner revokes an epoch.
    event EpochRevoked(EpochId indexed epoch);
    /// @notice Emitted when a validator is added, which receives every change of an epoch from then on.
    event ValidatorAdded(IAttestationValidator indexed validator);
    /// @notice Emitted when the grace period changes, in seconds. Applies to epochs superseded afterwards.
    event GracePeriodChanged(uint48 gracePeriod);
    /// @notice Emitted when the stake source changes. Applies to epochs committed afterwards.
    event StakeSourceChanged(IStakeSource stakeSource);

    /// @notice Thrown when the operator is registered already; `rotateKey` replaces its key.
    error OperatorAlreadyRegistered(address operator);
    /// @notice Thrown when the operator has no key.
    error OperatorNotRegistered(address operator);
    /// @notice Thrown when the key was registered before, by any operator.
    error KeyAlreadyUsed(bytes32 keyHash);
    /// @notice Thrown when the proof of possession is not the key's signature for this operator, chain and registry.
    error InvalidProofOfPossession();
    /// @notice Thrown when the operators' addresses are not strictly ascending.
    error OperatorsNotAscending(address previous, address next);
    /// @notice Thrown when the operator has no weight in the set.
    error OperatorWithoutWeight(OperatorSetId operatorSet, address operator);
    /// @notice Thrown when the number of operators is out of this function's bounds.
    error WrongOperatorCount(uint256 count, uint256 least, uint256 most);
    /// @notice Thrown when an epoch would have too many tables.
    error TooManyTables(uint256 most);
    /// @notice Thrown when there is no such epoch.
    error NoSuchEpoch(EpochId epoch);
    /// @notice Thrown when the validator is not a contract made for this registry, or was added before.
    error InvalidValidator(IAttestationValidator validator);
    /// @notice Thrown when there would be too many validators.
    error TooManyValidators(uint256 most);
    /// @notice Thrown when the grace period is longer than `MAX_GRACE_PERIOD`, in seconds.
    error GracePeriodTooLong(uint48 gracePeriod, uint48 longest);
    /// @notice Thrown when the stake source is not a contract.
    error InvalidStakeSource(IStakeSource stakeSource);

    /// @notice Registers the caller with its key and the key's proof of possession.
    /// @param publicKey A key that was never registered here.
    /// @param proofOfPossession The key's signature of `proofOfPossessionDigest(caller, publicKey)`.
    function registerOperator(bytes calldata publicKey, bytes calldata proofOfPossession) external;

    /// @notice Replaces the caller's key. Takes effect with the next epoch.
    function rotateKey(bytes calldata publicKey, bytes calldata proofOfPossession) external;

    /// @notice Deregisters the caller. Takes effect with the next epoch.
    function deregisterOperator() external;

    /// @notice Stages 100 operators of a set that is too large for one table. Only the owner may call it.
    /// @dev Call it for each 100 operators in turn, then `commitEpoch` with the last 1 to 100. Reads keys and weights
    /// at the time of this call.
    /// @param operators Exactly 100, in ascending order, above those staged earlier.
    function stageOperators(OperatorSetId operatorSet, address[] calldata operators) external;

    /// @notice Discards the tables staged for the set's next epoch. Only the owner may call it.
    function discardStagedOperators(OperatorSetId operatorSet) external;

    /// @notice Commits a set as a new epoch and ends its current one after the grace period. Only the owner may call
    /// it.
    /// @dev Costs about 60,000 gas an operator; above 100 operators see `stageOperators`.
    /// @param operatorSet The operator set.
    /// @param operators 1 to 100 registered operators with weight in the set, in ascending order, above those staged.
    /// @return epoch The new epoch's number.
    function commitEpoch(OperatorSetId operatorSet, address[] calldata operators) external returns (EpochId epoch);

    /// @notice Revokes an epoch: nothing that it signed is valid any more, recorded or not. Only the owner may call it.
    function revokeEpoch(EpochId epoch) external;

    /// @notice Adds a validator, which receives every later change of an epoch in the same transaction. Only the owner
    /// may call it.
    /// @dev It cannot be removed: it would keep epochs in force that are revoked later. Publish epochs committed
    /// earlier to it with `publishEpoch`.
    /// @param validator A validator made for this registry.
    function addValidator(IAttestationValidator validator) external;

    /// @notice Publishes the state of an epoch to every validator again. Anyone may call it.
    function publishEpoch(EpochId epoch) external;

    /// @notice Sets how long a superseded epoch stays valid. Only the owner may call it.
    /// @param gracePeriod Seconds, at most `MAX_GRACE_PERIOD`.
    function setGracePeriod(uint48 gracePeriod) external;

    /// @notice Sets the source of weights. Only the owner may call it.
    function setStakeSource(IStakeSource stakeSource) external;

    /// @notice Returns an epoch: the head of its operator table, its operator set, and the first second (Unix time) at
    /// which it is no longer valid. All are zero if there is no such epoch; only `validUntil` is zero once revoked.
    function epochs(EpochId epoch) external view returns (address table, OperatorSetId operatorSet, uint48 validUntil);

    /// @notice Returns the number of the newest epoch of any set; zero before the first.
    function epochCount() external view returns (uint32);

    /// @notice Returns the newest epoch of a set; zero before the first.
    function latestEpoch(OperatorSetId operatorSet) external view returns (EpochId);

    /// @notice Returns the validators to which epochs are published.
    function validators() external view returns (IAttestationValidator[] memory);

    /// @notice Returns the tables staged for the set's next epoch.
    function stagedTables(OperatorSetId operatorSet) external view returns (address[] memory);

    /// @notice Returns an operator's key; empty if it is not registered.
    function publicKeyOf(address operator) external view returns (bytes memory);

    /// @notice Returns whether a key, given by its keccak256, was ever registered.
    function isKeyUsed(bytes32 keyHash) external view returns (bool);

    /// @notice Returns what a proof of possession signs: an EIP-712 digest of operator and key, for this chain and
    /// registry.
    function proofOfPossessionDigest(address operator, bytes calldata publicKey) external view returns (bytes32);

    /// @notice Returns how long a superseded epoch stays valid, in seconds.
    function gracePeriod() external view returns (uint48);

    /// @notice Returns the source of weights.
    function stakeSource() external view returns (IStakeSource);
}
