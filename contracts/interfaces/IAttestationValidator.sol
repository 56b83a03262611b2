// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochId, IRefusals, OperatorSetId} from "./Protocol.sol";

/// @notice A committed operator set. A direct use reads only the first slot, `table` to `validUntil`.
struct Epoch {
    /// @dev Head of the epoch's operator table; zero if there is no such epoch.
    address table;
    /// @dev The operator set it belongs to.
    OperatorSetId operatorSet;
    /// @dev First second at which it is no longer in force (Unix time); zero once it is revoked. Never after
    /// `expiresAt`.
    uint48 validUntil;
    /// @dev First second that nothing signed under it may outlive (Unix time), whatever happens to `validUntil`.
    uint48 expiresAt;
}

/// @notice What was verified when a root was recorded.
struct RecordedRoot {
    /// @dev Weight of the operators that signed; zero if the root is not recorded.
    uint96 signedWeight;
    /// @dev Total weight of the epoch.
    uint96 totalWeight;
    /// @dev The epoch's `expiresAt` when the root was first recorded: no attestation under the root outlives it.
    uint48 epochEnd;
}

/// @notice A root and its aggregate signature.
struct SignedRoot {
    /// @dev Root of a Merkle tree of attestation digests, or a single digest.
    bytes32 root;
    /// @dev The aggregate signature, a point of G1 in 96 bytes.
    bytes signature;
    /// @dev Bitmap of the operators that did not sign: operator i is bit i % 8 of byte i / 8.
    bytes nonSigners;
}

/// @title IAttestationValidator
/// @notice Verifies that a quorum of an epoch signed, and records verified roots.
interface IAttestationValidator is IRefusals {
    /// @notice Emitted when the registry publishes an epoch, or its end.
    event EpochUpdated(EpochId indexed epoch, OperatorSetId indexed operatorSet, address table, uint48 validUntil);
    /// @notice Emitted when a root is recorded. Attestations under it can then be used without a signature.
    event RootRecorded(EpochId indexed epoch, bytes32 indexed root, uint256 signedWeight, uint256 totalWeight);

    /// @notice Thrown when the caller is not the operator registry.
    error NotOperatorRegistry(address caller);
    /// @notice Thrown when no roots are given to record.
    error NoRoots();
    /// @notice Thrown at deployment when the chain lacks the instruction CLZ (EIP-7939).
    error InstructionMissing();

    /// @notice Stores the state of an epoch. Only the operator registry may call it.
    function updateEpoch(EpochId number, Epoch calldata epoch) external;

    /// @notice Verifies a root once, so that each attestation under it can be used without its signature.
    /// @dev Permissionless. Makes checks 8 to 11 with the floor as the quorum; each use compares its client's quorum
    /// with the weight recorded here. If a root is recorded again in an epoch, the greatest weight counts.
    /// @param number The epoch whose operators signed, in force.
    /// @param signedRoot The root and its signature.
    function recordRoot(EpochId number, SignedRoot calldata signedRoot) external;

    /// @notice Verifies and records many roots of one epoch with one product of pairings. It has two pairings, and one
    /// more for each change of the non-signers from one root to the next. Records all of them, or reverts.
    function recordRoots(EpochId number, SignedRoot[] calldata signedRoots) external;

    /// @notice Returns the registry that publishes epochs.
    function OPERATOR_REGISTRY() external view returns (address);

    /// @notice Returns an epoch, as the registry last published it.
    function epochs(EpochId number)
        external
        view
        returns (address table, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt);

    /// @notice Returns what was verified of a root; zero if it is not recorded under this epoch.
    function recordedRoots(EpochId epoch, bytes32 root)
        external
        view
        returns (uint96 signedWeight, uint96 totalWeight, uint48 epochEnd);
}
