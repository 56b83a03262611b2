// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochId, IRefusals} from "../interfaces/Protocol.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @title The bytes of an authorization, and where each field stands in them
/// @dev The layout is in docs/protocol.md. Call `requireWellFormed` first: the readers rely on it. One authorization has
/// one spelling: every field has a fixed place or a length, and the bitmap has no trailing zero byte.
library Authorization {
    /// @dev The only decision that lets a call through.
    uint8 internal constant ALLOW = 1;
    /// @dev Bounds the work that a proof can cause; 2^32 attestations share one signature at most.
    uint256 internal constant MAX_PROOF_LENGTH = 32;

    uint8 private constant DIRECT = 0;
    uint8 private constant RECORDED = 1;

    uint256 private constant KIND_OFFSET = 107;
    uint256 private constant SIGNATURE_OFFSET = 108;
    uint256 private constant BITMAP_LENGTH_OFFSET = 204;
    uint256 private constant BITMAP_OFFSET = 205;

    /// @notice Refuses bytes that do not parse, or leave something over, with `MalformedAuthorization`.
    function requireWellFormed(bytes calldata authorization) internal pure {
        if (!_isWellFormed(authorization)) revert IRefusals.MalformedAuthorization();
    }

    /// @notice The task the operators decided on.
    function taskId(bytes calldata authorization) internal pure returns (bytes32) {
        return LibBytes.loadCalldata(authorization, 0);
    }

    /// @notice The nonce that use of the authorization spends.
    function nonce(bytes calldata authorization) internal pure returns (uint256) {
        return uint256(LibBytes.loadCalldata(authorization, 32));
    }

    /// @notice First second at which the attestation is no longer good (Unix time).
    function expiration(bytes calldata authorization) internal pure returns (uint48) {
        return uint48(bytes6(LibBytes.loadCalldata(authorization, 64)));
    }

    /// @notice 0 denies, 1 allows.
    function decision(bytes calldata authorization) internal pure returns (uint8) {
        return _byteAt(authorization, 70);
    }

    /// @notice Commits to all that the operators evaluated.
    function evidence(bytes calldata authorization) internal pure returns (bytes32) {
        return LibBytes.loadCalldata(authorization, 71);
    }

    /// @notice The epoch whose operators signed.
    function epoch(bytes calldata authorization) internal pure returns (EpochId) {
        return EpochId.wrap(uint32(bytes4(LibBytes.loadCalldata(authorization, 103))));
    }

    /// @notice Whether the root is recorded. If so, there is neither a signature nor a bitmap.
    function isRecorded(bytes calldata authorization) internal pure returns (bool) {
        return _byteAt(authorization, KIND_OFFSET) == RECORDED;
    }

    /// @notice The aggregate signature, a point of G1 in 96 bytes.
    function signature(bytes calldata authorization) internal pure returns (bytes calldata) {
        return _slice(authorization, SIGNATURE_OFFSET, BITMAP_LENGTH_OFFSET - SIGNATURE_OFFSET);
    }

    /// @notice Bitmap of the operators that did not sign: operator i is bit i % 8 of byte i / 8.
    function nonSigners(bytes calldata authorization) internal pure returns (bytes calldata) {
        return _slice(authorization, BITMAP_OFFSET, _byteAt(authorization, BITMAP_LENGTH_OFFSET));
    }

    /// @notice Folds the Merkle proof: the root that `leaf` stands under.
    function root(bytes calldata authorization, bytes32 leaf) internal pure returns (bytes32 node) {
        node = leaf;
        uint256 proofLengthOffset = _proofLengthOffset(authorization);
        // 100 gas a level, and 175 through OpenZeppelin's Hashes. Memory-safe: scratch space.
        assembly ("memory-safe") {
            let end := add(authorization.offset, authorization.length)
            for { let hash := add(authorization.offset, add(proofLengthOffset, 1)) } lt(hash, end) {
                hash := add(hash, 32)
            } {
                // The smaller first: the node stands at 0, or at 32 if it is the greater.
                let place := shl(5, gt(node, calldataload(hash)))
                mstore(place, node)
                // An exclusive or is meant, not a power.
                // slither-disable-next-line incorrect-exp
                mstore(xor(place, 32), calldataload(hash))
                node := keccak256(0, 64)
            }
        }
    }

    /// @dev The length is compared last and with everything that was read: were one of these bytes not part of the
    /// authorization, it would be too short. (It is at least 109 bytes.)
    function _isWellFormed(bytes calldata authorization) private pure returns (bool) {
        uint256 proofLengthOffset = _proofLengthOffset(authorization);
        uint256 proofLength = _byteAt(authorization, proofLengthOffset);
        if (_byteAt(authorization, KIND_OFFSET) > RECORDED || decision(authorization) > ALLOW) return false;
        if (proofLength > MAX_PROOF_LENGTH) return false;
        unchecked {
            // Lengths of one byte each cannot overflow.
            if (_byteAt(authorization, proofLengthOffset - 1) == 0 && proofLengthOffset > BITMAP_OFFSET) return false;
            return authorization.length == proofLengthOffset + 1 + 32 * proofLength;
        }
    }

    function _proofLengthOffset(bytes calldata authorization) private pure returns (uint256) {
        if (isRecorded(authorization)) return SIGNATURE_OFFSET;
        unchecked {
            return BITMAP_OFFSET + _byteAt(authorization, BITMAP_LENGTH_OFFSET);
        }
    }

    /// @dev Without the compiler's bounds checks, which `requireWellFormed` has made.
    function _slice(bytes calldata authorization, uint256 offset, uint256 length)
        private
        pure
        returns (bytes calldata part)
    {
        assembly ("memory-safe") {
            // slither-disable-next-line write-after-write
            part.offset := add(authorization.offset, offset)
            part.length := length
        }
    }

    function _byteAt(bytes calldata authorization, uint256 offset) private pure returns (uint8) {
        return uint8(bytes1(LibBytes.loadCalldata(authorization, offset)));
    }
}
