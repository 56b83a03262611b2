// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochId, IRefusals} from "../interfaces/Protocol.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @title Authorization
/// @notice Reads the fields of an authorization's bytes.
/// @dev The layout is in docs/protocol.md. An authorization has one encoding: every field has a fixed offset or a
/// length, and the bitmap has no trailing zero byte.
/// @dev Warning: Call `requireWellFormed` first; the other functions rely on it.
library Authorization {
    /// @dev The only decision that authorizes a call.
    uint8 internal constant ALLOW = 1;
    /// @dev The most hashes in a Merkle proof, so that at most 2^32 attestations share one signature.
    uint256 internal constant MAX_PROOF_LENGTH = 32;

    uint8 private constant RECORDED = 1;

    // Offsets of the fields in bytes, written in Solidity only here.
    uint256 internal constant TASK_ID_OFFSET = 0;
    uint256 internal constant NONCE_OFFSET = 32;
    uint256 internal constant ISSUED_AT_OFFSET = 64;
    uint256 internal constant EXPIRATION_OFFSET = 70;
    uint256 internal constant DECISION_OFFSET = 76;
    uint256 internal constant EVIDENCE_OFFSET = 77;
    uint256 internal constant EPOCH_OFFSET = 109;
    uint256 internal constant KIND_OFFSET = 113;
    /// @dev Of a direct authorization; a recorded one has the length of the proof here.
    uint256 internal constant SIGNATURE_OFFSET = 114;
    uint256 internal constant BITMAP_LENGTH_OFFSET = 210;
    uint256 internal constant BITMAP_OFFSET = 211;

    /// @dev Bytes of the shortest direct authorization: without a bitmap and a proof.
    uint256 internal constant LEAST_DIRECT_LENGTH = BITMAP_OFFSET + 1;
    /// @dev Bytes of the shortest authorization: recorded, without a proof.
    uint256 internal constant LEAST_LENGTH = SIGNATURE_OFFSET + 1;

    /// @notice Reverts with `MalformedAuthorization` if the bytes do not parse, or have more bytes after the last
    /// field.
    function requireWellFormed(bytes calldata authorization) internal pure {
        if (!_isWellFormed(authorization)) revert IRefusals.MalformedAuthorization();
    }

    /// @notice Returns the id of the task that the operators decided on.
    function taskId(bytes calldata authorization) internal pure returns (bytes32) {
        return LibBytes.loadCalldata(authorization, TASK_ID_OFFSET);
    }

    /// @notice Returns the nonce that use of the authorization spends.
    function nonce(bytes calldata authorization) internal pure returns (uint256) {
        return uint256(LibBytes.loadCalldata(authorization, NONCE_OFFSET));
    }

    /// @notice Returns when the operators decided (Unix time).
    function issuedAt(bytes calldata authorization) internal pure returns (uint48) {
        return uint48(bytes6(LibBytes.loadCalldata(authorization, ISSUED_AT_OFFSET)));
    }

    /// @notice Returns the first second at which the attestation is no longer valid (Unix time).
    function expiration(bytes calldata authorization) internal pure returns (uint48) {
        return uint48(bytes6(LibBytes.loadCalldata(authorization, EXPIRATION_OFFSET)));
    }

    /// @notice Returns the decision: 0 denies, 1 allows.
    function decision(bytes calldata authorization) internal pure returns (uint8) {
        return _byteAt(authorization, DECISION_OFFSET);
    }

    /// @notice Returns the hash that commits to all that the operators evaluated.
    function evidence(bytes calldata authorization) internal pure returns (bytes32) {
        return LibBytes.loadCalldata(authorization, EVIDENCE_OFFSET);
    }

    /// @notice Returns the epoch whose operators signed.
    function epoch(bytes calldata authorization) internal pure returns (EpochId) {
        return EpochId.wrap(uint32(bytes4(LibBytes.loadCalldata(authorization, EPOCH_OFFSET))));
    }

    /// @notice Returns whether the root is recorded. If so, there is neither a signature nor a bitmap.
    function isRecorded(bytes calldata authorization) internal pure returns (bool) {
        return _byteAt(authorization, KIND_OFFSET) == RECORDED;
    }

    /// @notice Returns the aggregate signature, a point of G1 in 96 bytes.
    function signature(bytes calldata authorization) internal pure returns (bytes calldata) {
        return _slice(authorization, SIGNATURE_OFFSET, BITMAP_LENGTH_OFFSET - SIGNATURE_OFFSET);
    }

    /// @notice Returns the bitmap of the operators that did not sign: operator i is bit i % 8 of byte i / 8.
    function nonSigners(bytes calldata authorization) internal pure returns (bytes calldata) {
        return _slice(authorization, BITMAP_OFFSET, _byteAt(authorization, BITMAP_LENGTH_OFFSET));
    }

    /// @notice Returns the root of the Merkle tree that contains `leaf`, by folding the proof.
    function root(bytes calldata authorization, bytes32 leaf) internal pure returns (bytes32 node) {
        node = leaf;
        // In assembly: 96 gas a level instead of 175 with OpenZeppelin's Hashes. Four levels at a time, and then the
        // rest one by one: saves 190 gas of a batch of 256. Memory-safe: writes only scratch space, which only this
        // block reads.
        //
        // The smaller hash first: the node is at 0x00, or at 0x20 if it is the greater. An exclusive or is intended,
        // not a power.
        // slither-disable-start incorrect-exp
        assembly ("memory-safe") {
            let end := add(authorization.offset, authorization.length)
            // As in `_proofLengthOffset`, whose call would cost 50 gas.
            let hash := add(authorization.offset, add(SIGNATURE_OFFSET, 1))
            if iszero(byte(0, calldataload(add(authorization.offset, KIND_OFFSET)))) {
                let bitmapLength := byte(0, calldataload(add(authorization.offset, BITMAP_LENGTH_OFFSET)))
                hash := add(authorization.offset, add(add(BITMAP_OFFSET, 1), bitmapLength))
            }
            for { let lastFour := sub(end, 0x60) } lt(hash, lastFour) { hash := add(hash, 0x80) } {
                let pointer := shl(5, gt(node, calldataload(hash)))
                mstore(pointer, node)
                mstore(xor(pointer, 0x20), calldataload(hash))
                node := keccak256(0, 0x40)
                pointer := shl(5, gt(node, calldataload(add(hash, 0x20))))
                mstore(pointer, node)
                mstore(xor(pointer, 0x20), calldataload(add(hash, 0x20)))
                node := keccak256(0, 0x40)
                pointer := shl(5, gt(node, calldataload(add(hash, 0x40))))
                mstore(pointer, node)
                mstore(xor(pointer, 0x20), calldataload(add(hash, 0x40)))
                node := keccak256(0, 0x40)
                pointer := shl(5, gt(node, calldataload(add(hash, 0x60))))
                mstore(pointer, node)
                mstore(xor(pointer, 0x20), calldataload(add(hash, 0x60)))
                node := keccak256(0, 0x40)
            }
            for {} lt(hash, end) { hash := add(hash, 0x20) } {
                let pointer := shl(5, gt(node, calldataload(hash)))
                mstore(pointer, node)
                mstore(xor(pointer, 0x20), calldataload(hash))
                node := keccak256(0, 0x40)
            }
        }
        // slither-disable-end incorrect-exp
    }

    /// @dev The length is compared last and covers everything that was read. If one of these bytes were not part of the
    /// authorization, it would be too short. (It has at least `LEAST_LENGTH` bytes.)
    function _isWellFormed(bytes calldata authorization) private pure returns (bool wellFormed) {
        uint256 proofLengthOffset = _proofLengthOffset(authorization);
        // In assembly: saves 150 gas of branches and masks. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            let start := authorization.offset
            let proofLength := byte(0, calldataload(add(start, proofLengthOffset)))
            wellFormed := and(
                lt(byte(0, calldataload(add(start, KIND_OFFSET))), 2),
                lt(byte(0, calldataload(add(start, DECISION_OFFSET))), 2)
            )
            // Without a bitmap, what precedes the proof's length is not a bitmap's last byte.
            let bitmapEnds :=
                or(
                    lt(proofLengthOffset, add(BITMAP_OFFSET, 1)),
                    gt(byte(0, calldataload(add(start, sub(proofLengthOffset, 1)))), 0)
                )
            wellFormed := and(wellFormed, and(bitmapEnds, iszero(gt(proofLength, MAX_PROOF_LENGTH))))
            let length := add(add(proofLengthOffset, 1), shl(5, proofLength))
            wellFormed := and(wellFormed, eq(authorization.length, length))
        }
    }

    /// @dev Of an unknown kind, as of a recorded one.
    function _proofLengthOffset(bytes calldata authorization) private pure returns (uint256 offset) {
        // In assembly: saves 40 gas of masks. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            offset := SIGNATURE_OFFSET
            if iszero(byte(0, calldataload(add(authorization.offset, KIND_OFFSET)))) {
                let bitmapLength := byte(0, calldataload(add(authorization.offset, BITMAP_LENGTH_OFFSET)))
                offset := add(BITMAP_OFFSET, bitmapLength)
            }
        }
    }

    /// @dev Slices without bounds checks, which `requireWellFormed` has made.
    function _slice(bytes calldata authorization, uint256 offset, uint256 length)
        private
        pure
        returns (bytes calldata part)
    {
        // In assembly: saves Solidity's bounds checks. Memory-safe: it touches no memory.
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
