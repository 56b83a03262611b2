// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator} from "./IAttestationValidator.sol";
import {IProposedChanges} from "./IProposedChanges.sol";
import {EpochId, OperatorSetId} from "./Protocol.sol";

/// @notice The statement of an epoch's operators that another epoch follows it, for every chain.
/// @dev EIP-712 type `EpochHandover(uint256 homeChain,address homeRegistry,uint32 operatorSet,uint32 signedBy,
/// uint32 epoch,uint48 committedAt,uint48 expiresAt,bytes32 contentHash)`, under the domain of `EpochSignature`.
/// @dev The registry on the home chain has a record of all that it says of the epoch, so that a lie can be proved
/// there. One of another home says nothing of that registry, and no mirror of it takes it.
struct Handover {
    /// @dev The chain of the registry.
    uint256 homeChain;
    /// @dev The registry that committed both epochs.
    address homeRegistry;
    /// @dev The operator set of both.
    OperatorSetId operatorSet;
    /// @dev The epoch whose operators signed.
    EpochId signedBy;
    /// @dev The epoch that follows it, perhaps with others between.
    EpochId epoch;
    /// @dev When the registry read that epoch's first weights (Unix time), from which its lifetime counts.
    uint48 committedAt;
    /// @dev The end of that epoch (Unix time).
    uint48 expiresAt;
    /// @dev What its operator table holds, wherever it is.
    bytes32 contentHash;
}

/// @notice An aggregate signature of an epoch's operators.
struct SignedByOperators {
    /// @dev Bitmap of the operators that did not sign, as in an authorization.
    bytes nonSigners;
    /// @dev A point of G1 in 96 bytes.
    bytes signature;
}

/// @notice The settings of an `EpochMirror`.
struct MirrorSettings {
    /// @dev The chain of the registry.
    uint256 homeChain;
    /// @dev The registry whose epochs are mirrored.
    address homeRegistry;
    /// @dev The share of an epoch's weight that hands over to the next, in basis points.
    uint16 quorum;
    /// @dev The share of an epoch's weight that revokes it, in basis points.
    uint16 haltQuorum;
    /// @dev How long a superseded epoch stays valid, in seconds.
    uint48 gracePeriod;
    /// @dev How long before it is applied the owner proposes a change, in seconds.
    uint48 notice;
    /// @dev The account that may revoke epochs and nothing else; zero if no account may.
    address guardian;
}

/// @title IEpochMirror
/// @notice Holds the epochs of a registry on another chain. Each epoch's operators hand over to the next.
/// @dev To a TaskManager it is the registry: it publishes every change of an epoch. Its events are those of
/// `IOperatorRegistry`, where they say the same.
interface IEpochMirror is IProposedChanges {
    /// @notice Emitted when the operators of `signedBy` hand over to an epoch, which comes into force. `signedBy` ends
    /// after the grace period, unless it ends before.
    event EpochAccepted(
        EpochId indexed epoch, EpochId indexed signedBy, OperatorSetId indexed operatorSet, address table
    );
    /// @notice Emitted when the owner sets the epoch from which a set's operators hand over. The set's latest epoch
    /// ends after the grace period, unless it ends before.
    event GenesisSet(EpochId indexed epoch, OperatorSetId indexed operatorSet, address table);
    /// @notice Emitted when a full table is stored for epochs of more than 100 operators.
    event TableStored(address table, bytes32 entriesHash);
    /// @notice Emitted when an epoch's operators revoke it.
    event EpochHalted(EpochId indexed epoch, uint256 signedWeight, uint256 totalWeight);

    /// @notice Thrown when the handover is of another chain's or another registry's epochs.
    error WrongHome(uint256 homeChain, address homeRegistry);
    /// @notice Thrown when the handover is not signed by the set's latest epoch here.
    error WrongSigner(EpochId signedBy, EpochId latest);
    /// @notice Thrown when the epoch that signed has expired, or was revoked (zero).
    error SignerExpired(EpochId signedBy, uint48 validUntil);
    /// @notice Thrown when the epoch is not later than the set's latest epoch here, or is known here.
    error NotLater(EpochId epoch, EpochId latest);
    /// @notice Thrown when the epoch was revoked here before it could be accepted.
    error EpochWasRevoked(EpochId epoch);
    /// @notice Thrown when the epoch was committed after the current time.
    error CommittedLater(EpochId epoch, uint48 committedAt);
    /// @notice Thrown when the epoch has expired, or ends later than any epoch can.
    error InvalidExpiry(EpochId epoch, uint48 expiresAt);
    /// @notice Thrown when the table's content is not what was signed.
    error WrongContent(bytes32 expected, bytes32 actual);
    /// @notice Thrown when the bytes are not an operator table.
    error MalformedTable();
    /// @notice Thrown when an earlier table was not stored here.
    error UnknownTable(address table);
    /// @notice Thrown when the caller is not the guardian.
    error NotGuardian(address caller);
    /// @notice Thrown at deployment when a setting is out of its bounds.
    error InvalidMirrorSettings();

    /// @notice Accepts an epoch to which the set's latest epoch here hands over. Anyone may call it.
    /// @dev Epochs may be skipped. An expired or revoked epoch hands over to none: see `setGenesis`.
    /// @param handover What was signed.
    /// @param table The epoch's operator table: its code at home without the first byte. Above 100 operators, with
    /// the addresses of tables that were stored here.
    /// @param nonSigners Bitmap of the operators of `signedBy` that did not sign, as in an authorization.
    /// @param signature The aggregate signature of `handoverDigest(handover)` under `EPOCH_TAG`.
    function accept(
        Handover calldata handover,
        bytes calldata table,
        bytes calldata nonSigners,
        bytes calldata signature
    ) external;

    /// @notice Stores a full table of an epoch with more than 100 operators. Anyone may call it.
    /// @param entries The entries of 100 operators.
    function storeTable(bytes calldata entries) external returns (address table);

    /// @notice Revokes an epoch with the signature of the epoch's operators, the same as at home. Anyone may call it.
    function revoke(EpochId epoch, bytes calldata nonSigners, bytes calldata signature) external;

    /// @notice Revokes an epoch that is not here yet, so that it can never be accepted. Anyone may call it.
    /// @dev Without it, a thief of the epoch's keys could send the handover, and use the keys in the same transaction.
    /// The set's latest epoch stays what it is, and hands over to a later one.
    /// @param handover The handover with which the epoch could be accepted, and so the proof of whose epoch it is.
    /// @param table As of `accept`.
    /// @param handedOver Who signed the handover.
    /// @param revoked Which of the epoch's own operators signed its revocation, as of `revoke`.
    function revokeAhead(
        Handover calldata handover,
        bytes calldata table,
        SignedByOperators calldata handedOver,
        SignedByOperators calldata revoked
    ) external;

    /// @notice Revokes epochs, also those that are not here yet: they can never be accepted. Only the guardian may call
    /// it.
    function guardianRevoke(EpochId[] calldata epochs) external;

    /// @notice Sets the epoch from which a set's operators hand over. Only the owner may call it, after notice once
    /// there is an epoch of any set: sets share the numbers of epochs.
    /// @dev The only way on after the latest epoch has expired or was revoked: its operators have nothing at stake.
    /// @param operatorSet The operator set.
    /// @param epoch The epoch.
    /// @param expiresAt Its end (Unix time).
    /// @param table Its operator table, as of `accept`.
    function setGenesis(OperatorSetId operatorSet, EpochId epoch, uint48 expiresAt, bytes calldata table) external;

    /// @notice Adds a validator, which receives every later change of an epoch. Only the owner may call it, after
    /// notice once there is an epoch.
    function addValidator(IAttestationValidator validator) external;

    /// @notice Removes a validator. Only the owner may call it, after notice once there is an epoch.
    /// @dev Warning: its epochs stay in force there until they expire, even if they are revoked here later.
    function removeValidator(IAttestationValidator validator) external;

    /// @notice Publishes the state of an epoch to every validator again. Anyone may call it.
    function publishEpoch(EpochId epoch) external;

    /// @notice Returns an epoch, as the registry's function of the same name.
    /// @dev Of an epoch that was revoked before it was here, `validUntil` is 1 and all else is zero.
    function epochs(EpochId epoch)
        external
        view
        returns (address table, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt);

    /// @notice Returns the epoch of a set that was accepted last; zero before the first.
    function latestEpoch(OperatorSetId operatorSet) external view returns (EpochId);

    /// @notice Returns the hash of an epoch's operators, as the registry's function of the same name.
    function setHashOf(EpochId epoch) external view returns (bytes32);

    /// @notice Returns the validators to which epochs are published.
    function validators() external view returns (IAttestationValidator[] memory);

    /// @notice Returns what operators sign to hand over.
    function handoverDigest(Handover calldata handover) external pure returns (bytes32);

    /// @notice Returns what an epoch's operators sign to revoke it, at home and on all chains.
    function revocationDigest(EpochId epoch) external view returns (bytes32);
}
