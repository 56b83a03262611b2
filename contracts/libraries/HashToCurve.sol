// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Pointer} from "../types/Pointer.sol";
import {G1Point, MODULUS_HIGH, MODULUS_LOW} from "../types/Points.sol";
import {G1ADD_ADDRESS, MAP_FP_TO_G1_ADDRESS, Precompiles, SHA256_ADDRESS} from "./Precompiles.sol";

/// @title HashToCurve
/// @notice Hashes to G1 of BLS12-381, suite `BLS12381G1_XMD:SHA-256_SSWU_RO_` (RFC 9380, section 8.8.1).
/// @dev Messages of any length, domain separation tags of any length but zero. The map to the curve, the isogeny and
/// the clearing of the cofactor are the MAP_FP_TO_G1 precompile's (EIP-2537). Faults of the chain revert with the
/// errors of `Precompiles`.
library HashToCurve {
    /// @notice Thrown when the domain separation tag is empty (RFC 9380, section 3.1).
    error EmptyDomainSeparationTag();

    /// @dev Tags above this length are hashed first (RFC 9380, section 5.3.3).
    uint256 private constant MAX_TAG_LENGTH = 255;

    /// @dev The field modulus' reciprocal: 2^636 divided by the modulus, rounded down.
    uint256 private constant RECIPROCAL = 0x9d835d2f3cc9e45ce28101b0cc7a6ba291b82741ff6a0a94bdf4771e0286779d;

    /// @notice Returns `hash_to_curve` of a message (RFC 9380, section 3): a point of G1 whose discrete logarithm is
    /// unknown.
    function hashToG1(bytes memory message, bytes memory domainSeparationTag)
        internal
        view
        returns (G1Point memory point)
    {
        Pointer destination;
        // In assembly: Solidity has no pointers. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            destination := point
        }
        _hash(_pointer(message), message.length, _shorten(domainSeparationTag), destination);
    }

    /// @notice Writes `hashToG1` of a message of 32 bytes to memory, as a precompile reads it.
    /// @param destination Pointer to 128 bytes that are allocated.
    function hashWordToG1(bytes32 message, bytes memory domainSeparationTag, Pointer destination) internal view {
        bytes memory tag = _shorten(domainSeparationTag);
        Pointer start;
        // In assembly: saves 100 gas of the compiler's encoding. Memory-safe: allocates 32 bytes and writes only there.
        assembly ("memory-safe") {
            start := mload(0x40)
            mstore(start, message)
            mstore(0x40, add(start, 0x20))
        }
        _hash(start, 32, tag, destination);
    }

    /// @notice Returns `expand_message_xmd` with SHA-256 to 128 bytes (RFC 9380, section 5.3.1).
    /// @dev Part of this library's API; the contracts do not call it.
    function expandMessage(bytes memory message, bytes memory domainSeparationTag)
        internal
        view
        returns (bytes32[4] memory uniform)
    {
        bytes memory tag = _shorten(domainSeparationTag);
        (uint256 b1, uint256 b2, uint256 b3, uint256 b4) = _expand(_pointer(message), message.length, tag);
        return [bytes32(b1), bytes32(b2), bytes32(b3), bytes32(b4)];
    }

    /// @notice Returns the remainder of a number of 512 bits divided by the field modulus.
    /// @dev Barrett's reduction (CRYPTO '86; Handbook of Applied Cryptography, algorithm 14.42), for 700 gas less than
    /// MODEXP, whose price may rise. With p the modulus, the quotient is estimated as high · floor(2^636 / p) / 2^380,
    /// rounded down. It is at most 1 too small: what is rounded off is less than 1, and before it number / p is less
    /// than 2^-123 more. Without branches, so that a symbolic proof has one path.
    function reduce(uint256 high, uint256 low) internal pure returns (uint256 remainderHigh, uint256 remainderLow) {
        // In assembly: Solidity has no product of 512 bits. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            // The product modulo 2^256 - 1 is the sum of its words, or that sum less 2^256 - 1.
            function mulHigh(x, y) -> word {
                let sum := mulmod(x, y, not(0))
                let lowWord := mul(x, y)
                word := sub(sub(sum, lowWord), lt(sum, lowWord))
            }

            let quotient := shr(124, mulHigh(high, RECIPROCAL))
            let productLow := mul(quotient, MODULUS_LOW)
            let productHigh := add(mulHigh(quotient, MODULUS_LOW), mul(quotient, MODULUS_HIGH))
            remainderHigh := sub(sub(high, productHigh), lt(low, productLow))
            remainderLow := sub(low, productLow)
            let isLess := lt(remainderLow, MODULUS_LOW)
            let exceeds := or(gt(remainderHigh, MODULUS_HIGH), gt(eq(remainderHigh, MODULUS_HIGH), isLess))
            remainderHigh := sub(remainderHigh, mul(exceeds, add(MODULUS_HIGH, isLess)))
            remainderLow := sub(remainderLow, mul(exceeds, MODULUS_LOW))
        }
    }

    function _shorten(bytes memory tag) private pure returns (bytes memory) {
        if (tag.length == 0) revert EmptyDomainSeparationTag();
        return tag.length <= MAX_TAG_LENGTH ? tag : bytes.concat(sha256(abi.encodePacked("H2C-OVERSIZE-DST-", tag)));
    }

    /// @dev Returns a pointer to the bytes of a message.
    function _pointer(bytes memory message) private pure returns (Pointer start) {
        // In assembly: Solidity has no pointers. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            start := add(message, 0x20)
        }
    }

    /// @dev Two field elements, each of 64 uniform bytes reduced, and mapped. With 128 bits more than the modulus the
    /// bias is negligible (RFC 9380, section 5.1).
    /// @param message Pointer to the message.
    /// @param length Bytes of the message.
    /// @param tag The domain separation tag, 1 to 255 bytes.
    /// @param destination Pointer to the 128 bytes of the point.
    function _hash(Pointer message, uint256 length, bytes memory tag, Pointer destination) private view {
        (uint256 high0, uint256 low0, uint256 high1, uint256 low1) = _expand(message, length, tag);
        (high0, low0) = reduce(high0, low0);
        (high1, low1) = reduce(high1, low1);
        _mapAndAdd(high0, low0, high1, low1, destination);
    }

    /// @dev Returns the blocks b_1 to b_4 of the expanded message.
    function _expand(Pointer message, uint256 length, bytes memory tag)
        private
        view
        returns (uint256 b1, uint256 b2, uint256 b3, uint256 b4)
    {
        bool hashed;
        // In assembly: saves a verification 3,000 gas of the compiler's encoding for five calls of SHA-256.
        // Memory-safe: writes only after the free memory pointer, and nothing there is needed afterwards. The layout
        // there:
        //
        //     64 zero bytes | message | uint16 128 | 0 | tag | length of the tag | b_0, then b_1 to b_4
        //
        // SHA-256 rejects nothing, so it can be given all the gas left. `and` evaluates its second argument first.
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, 0)
            mstore(add(input, 0x20), 0)
            mcopy(add(input, 0x40), message, length)
            let end := add(add(input, 0x40), length)
            // The first three bytes of this word are uint16 128 and a zero byte; the tag overwrites the rest.
            mstore(end, shl(232, 0x8000))
            mcopy(add(end, 3), add(tag, 0x20), mload(tag))
            let output := add(add(end, 4), mload(tag))
            mstore8(sub(output, 1), mload(tag))

            length := sub(output, input)
            hashed := and(eq(returndatasize(), 0x20), staticcall(gas(), SHA256_ADDRESS, input, length, output, 0x20))
            let seed := mload(output)

            // The block before, mixed with b_0, and the block's number overwrite the 33 bytes before the tag.
            input := sub(end, 30)
            length := add(34, mload(tag))
            let previous := 0
            for { let i := 1 } lt(i, 5) { i := add(i, 1) } {
                mstore(input, xor(seed, previous))
                mstore8(add(input, 32), i)
                hashed := and(
                    and(hashed, eq(returndatasize(), 0x20)),
                    staticcall(gas(), SHA256_ADDRESS, input, length, output, 0x20)
                )
                previous := mload(output)
                output := add(output, 0x20)
            }
            b1 := mload(sub(output, 0x80))
            b2 := mload(sub(output, 0x60))
            b3 := mload(sub(output, 0x40))
            b4 := previous
        }
        // Without the precompile too: the answer is shorter then.
        if (!hashed) Precompiles.revertWithChainFault(Precompiles.SHA256);
    }

    /// @dev Writes the sum of two field elements' points.
    function _mapAndAdd(uint256 high0, uint256 low0, uint256 high1, uint256 low1, Pointer destination) private view {
        bool mapped;
        bool added;
        // In assembly: saves a verification 3,000 gas of the compiler's encoding for three calls. Memory-safe: it
        // writes to scratch space, which only this block reads, to `destination`, and after the free memory pointer,
        // where nothing is needed afterwards.
        //
        // No input can be rejected, so each call can be given all the gas left, whatever its price becomes.
        assembly ("memory-safe") {
            let points := mload(0x40)
            mstore(0, high0)
            mstore(0x20, low0)
            mapped := and(eq(returndatasize(), 0x80), staticcall(gas(), MAP_FP_TO_G1_ADDRESS, 0, 0x40, points, 0x80))
            mstore(0, high1)
            mstore(0x20, low1)
            mapped := and(
                and(mapped, eq(returndatasize(), 0x80)),
                staticcall(gas(), MAP_FP_TO_G1_ADDRESS, 0, 0x40, add(points, 0x80), 0x80)
            )
            if mapped {
                added := and(
                    eq(returndatasize(), 0x80),
                    staticcall(gas(), G1ADD_ADDRESS, points, 0x100, destination, 0x80)
                )
            }
        }
        if (!mapped) Precompiles.revertWithChainFault(Precompiles.MAP_FP_TO_G1);
        if (!added) Precompiles.revertWithChainFault(Precompiles.G1ADD);
    }
}
