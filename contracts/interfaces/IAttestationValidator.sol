// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {EpochId, IRefusals, OperatorSetId} from "./Protocol.sol";

/// @notice An operator set, frozen. One slot, so that a use of an attestation reads one.
struct Epoch {
    /// @dev Head of the epoch's operator table; zero if there is no such epoch.
    address table;
    /// @dev The operator set it belongs to.
    OperatorSetId operatorSet;
    /// @dev First second at which it is no longer in force (Unix time); zero once it was revoked.
    uint48 validUntil;
}

/// @notice What was verified when a root was recorded.
struct RecordedRoot {
    /// @dev Weight of the operators that signed; zero if the root is not recorded.
    uint96 signedWeight;
    /// @dev Weight of the whole epoch.
    uint96 totalWeight;
}

/// @notice A root and its aggregate signature.
struct SignedRoot {
    /// @dev Root of a Merkle tree of attestation digests, or a lone digest.
    bytes32 root;
    /// @dev The aggregate signature, a point of G1 in 96 bytes.
    bytes signature;
    /// @dev Bitmap of the operators that did not sign: operator i is bit i % 8 of byte i / 8.
    bytes nonSigners;
}

/// @title Whether a quorum signed
/// @notice Knows the epochs, verifies aggregate signatures, and remembers the roots it has verified.
interface IAttestationValidator is IRefusals {
    /// @notice The registry has told of an epoch, or of its end.
    event EpochUpdated(EpochId indexed epoch, OperatorSetId indexed operatorSet, address table, uint48 validUntil);
    /// @notice Attestations under a root need no signature any more.
    event RootRecorded(EpochId indexed epoch, bytes32 indexed root, uint256 signedWeight, uint256 totalWeight);

    /// @notice Only the operator registry tells of epochs.
    error NotOperatorRegistry(address caller);

    /// @notice Takes over the state of an epoch. Only for the operator registry.
    function updateEpoch(EpochId number, Epoch calldata epoch) external;

    /// @notice Verifies a root once, so that each attestation under it can be used without its signature.
    /// @dev Anybody may. Checks 8 to 11, with the floor as the quorum; a use checks its client's own quorum against the
    /// weight recorded here. Of several records of one root in one epoch the greatest weight stays.
    /// @param number The epoch whose operators signed, in force.
    /// @param signedRoot The root and its signature.
    function recordRoot(EpochId number, SignedRoot calldata signedRoot) external;

    /// @notice Verifies and records many roots of one epoch with one product of pairings: two pairings, and one more for
    /// each change of the non-signers from one root to the next.
    /// @dev All are recorded, or none.
    function recordRoots(EpochId number, SignedRoot[] calldata signedRoots) external;

    /// @notice The registry that tells of epochs.
    function OPERATOR_REGISTRY() external view returns (IOperatorRegistry);

    /// @notice An epoch, as the registry last told it.
    function epochs(EpochId number) external view returns (address table, OperatorSetId operatorSet, uint48 validUntil);

    /// @notice What was verified of a root; zero if it is not recorded under this epoch.
    function recordedRoots(EpochId number, bytes32 root) external view returns (uint96 signedWeight, uint96 totalWeight);
}
