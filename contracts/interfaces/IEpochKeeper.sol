// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {IProposedChanges} from "./IProposedChanges.sol";
import {EpochId, OperatorSetId} from "./Protocol.sol";

/// @notice The settings of an `EpochKeeper`.
struct KeeperSettings {
    /// @dev The registry whose owner the keeper becomes.
    IOperatorRegistry operatorRegistry;
    /// @dev How long before it is applied the owner proposes a change, in seconds.
    uint48 notice;
    /// @dev The least time from one commit of a set to the next, in seconds.
    uint48 interval;
    /// @dev The share of an epoch's weight that revokes it, in basis points.
    uint16 haltQuorum;
    /// @dev The least number of operators of an epoch.
    uint16 minOperators;
    /// @dev The account that may revoke epochs and nothing else; zero if no account may.
    address guardian;
}

/// @title IEpochKeeper
/// @notice Owns an operator registry, so that no one chooses the operators: anyone commits all members of a set.
/// @dev The registry's own rules hold as well: a committed epoch is pending, and the registry's changes need notice.
interface IEpochKeeper is IProposedChanges {
    /// @notice Emitted when all members of a set are committed as an epoch.
    event MembersCommitted(EpochId indexed epoch, OperatorSetId indexed operatorSet, address indexed caller);
    /// @notice Emitted when an epoch's operators revoke it.
    event EpochHalted(EpochId indexed epoch, uint256 signedWeight, uint256 totalWeight);
    /// @notice Emitted when the guardian revokes epochs.
    event GuardianRevoked(EpochId[] epochs);
    /// @notice Emitted when the guardian changes; zero if no account may revoke from then on.
    event GuardianChanged(address guardian);
    /// @notice Emitted when the owner changes the registry. `change` is the calldata.
    event RegistryChanged(bytes change);

    /// @notice Thrown when a set can be committed only later.
    error CommitTooEarly(OperatorSetId operatorSet, uint256 from);
    /// @notice Thrown when the epoch would have too few operators with weight and a valid key.
    error TooFewOperators(uint256 count, uint256 least);
    /// @notice Thrown when the operator named as lost has the weight and the key with which it is in the epoch.
    error NothingLost(EpochId epoch, uint256 index);
    /// @notice Thrown when the epoch has no operator with that index.
    error NoSuchOperator(EpochId epoch, uint256 index);
    /// @notice Thrown when the caller is not the guardian.
    error NotGuardian(address caller);
    /// @notice Thrown when the owner may not make this change, even with notice.
    error ForbiddenChange(bytes4 selector);
    /// @notice Thrown when a setting is out of its bounds, or the registry's delays are too long for an epoch to follow
    /// another in time.
    error InvalidKeeperSettings();

    /// @notice Accepts the ownership of the registry, which its owner has offered. Anyone may call it.
    function acceptRegistry() external;

    /// @notice Commits all members of a set as its next epoch. Anyone may call it.
    /// @dev Not before `nextCommit`. Members without weight or valid key are skipped.
    function commit(OperatorSetId operatorSet) external returns (EpochId epoch);

    /// @notice Commits before the interval is over, since an operator of the set's current epoch lost its weight, or
    /// its key is no longer the epoch's. Anyone may call it.
    /// @dev Not before `nextEarlyCommit`.
    /// @param operatorSet The operator set.
    /// @param index The operator's index in the set's current epoch.
    function commitEarly(OperatorSetId operatorSet, uint256 index) external returns (EpochId epoch);

    /// @notice Revokes an epoch with the signature of the epoch's operators. Anyone may call it, at any time.
    /// @param epoch The epoch.
    /// @param nonSigners Bitmap of the epoch's operators that did not sign, as in an authorization.
    /// @param signature The aggregate signature of `revocationDigest(epoch)` under `EPOCH_TAG`.
    function revoke(EpochId epoch, bytes calldata nonSigners, bytes calldata signature) external;

    /// @notice Revokes epochs. Only the guardian may call it.
    function guardianRevoke(EpochId[] calldata epochs) external;

    /// @notice Sets the guardian. Only the owner may call it, after notice.
    function setGuardian(address guardian) external;

    /// @notice Makes a change of the registry. Only the owner may call it, after notice.
    /// @dev A change for which the registry wants notice as well must have been proposed there.
    /// @param change The calldata of a setter of the registry, or of `transferOwnership`. Nothing else is possible.
    function changeRegistry(bytes calldata change) external;

    /// @notice Proposes a change at the registry, which wants its own notice. Only the owner may call it.
    function proposeToRegistry(bytes calldata change) external;

    /// @notice Cancels a change that was proposed at the registry. Only the owner may call it.
    function cancelAtRegistry(bytes calldata change) external;

    /// @notice Returns when the set can next be committed (Unix time).
    function nextCommit(OperatorSetId operatorSet) external view returns (uint256);

    /// @notice Returns when the set can next be committed because an operator was lost (Unix time).
    function nextEarlyCommit(OperatorSetId operatorSet) external view returns (uint256);

    /// @notice Returns when this contract last committed the set (Unix time); zero if it did not.
    function lastCommit(OperatorSetId operatorSet) external view returns (uint48);

    /// @notice Returns when the weights of an epoch were read, as the registry's function of the same name.
    function committedAt(EpochId epoch) external view returns (uint48);

    /// @notice Returns the registry that this contract owns.
    function OPERATOR_REGISTRY() external view returns (IOperatorRegistry);

    /// @notice Returns the account that may revoke epochs; zero if no account may.
    function guardian() external view returns (address);

    /// @notice Returns what an epoch's operators sign to revoke it, on this chain and on all others.
    function revocationDigest(EpochId epoch) external view returns (bytes32);
}
