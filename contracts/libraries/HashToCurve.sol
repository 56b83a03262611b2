// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {G1Point, MODULUS_HIGH, MODULUS_LOW} from "./BLS12381.sol";

/// @title Hashing to G1 of BLS12-381, suite `BLS12381G1_XMD:SHA-256_SSWU_RO_` (RFC 9380, section 8.8.1)
/// @dev Messages of any length, domain separation tags of any length but zero. The map to the curve, the isogeny and the
/// clearing of the cofactor are the MAP_FP_TO_G1 precompile's (EIP-2537). Faults of the chain revert with the errors of
/// `Precompiles`.
library HashToCurve {
    /// @notice RFC 9380, section 3.1: tags must not be empty.
    error EmptyDomainSeparationTag();

    /// @dev Tags above this length are hashed first (RFC 9380, section 5.3.3).
    uint256 private constant MAX_TAG_LENGTH = 255;

    /// @notice `hash_to_curve` (RFC 9380, section 3): a point of G1 whose discrete logarithm nobody knows.
    function hashToG1(bytes memory message, bytes memory domainSeparationTag)
        internal
        view
        returns (G1Point memory point)
    {
        (uint256 start, uint256 place) = _addresses(message, point);
        _hash(start, message.length, _shorten(domainSeparationTag), place);
    }

    /// @notice `hashToG1` of a message of 32 bytes, written to memory as a precompile reads it (128 bytes).
    function hashWordToG1(bytes32 message, bytes memory domainSeparationTag, uint256 place) internal view {
        // Scratch space: the message is read before anything else is written there.
        assembly ("memory-safe") {
            mstore(0, message)
        }
        _hash(0, 32, _shorten(domainSeparationTag), place);
    }

    /// @notice `expand_message_xmd` with SHA-256 to 128 bytes (RFC 9380, section 5.3.1).
    function expandMessage(bytes memory message, bytes memory domainSeparationTag)
        internal
        view
        returns (bytes32[4] memory uniform)
    {
        G1Point memory point;
        (uint256 start, uint256 place) = _addresses(message, point);
        uint256 expanded = _hash(start, message.length, _shorten(domainSeparationTag), place);
        assembly ("memory-safe") {
            mcopy(uniform, expanded, 128)
        }
    }

    function _shorten(bytes memory tag) private pure returns (bytes memory) {
        if (tag.length == 0) revert EmptyDomainSeparationTag();
        return tag.length <= MAX_TAG_LENGTH ? tag : bytes.concat(sha256(abi.encodePacked("H2C-OVERSIZE-DST-", tag)));
    }

    function _addresses(bytes memory message, G1Point memory point)
        private
        pure
        returns (uint256 start, uint256 place)
    {
        assembly ("memory-safe") {
            start := add(message, 0x20)
            place := point
        }
    }

    /// @dev In assembly because ten calls of precompiles, each through the compiler's encoding, cost a verification 9,000 gas
    /// more.
    ///
    /// Memory-safe: it writes to `place`, to scratch space (0 to 63), and behind the free memory pointer, where nothing needs
    /// to stay. From there on lie:
    ///
    ///     0x000  MODEXP's input: lengths 64, 1, 64 | base (64 bytes) | exponent 1 (1 byte) | modulus (64 bytes)
    ///     0x100  MODEXP's remainder, MAP_FP_TO_G1's input (64 bytes)
    ///     0x140  two mapped points (256 bytes)
    ///     0x240  the expanded message (128 bytes)
    ///     0x2c0  64 zero bytes | message | uint16 128 | 0 | tag | length of the tag
    /// @param message Address of the message.
    /// @param length Bytes of the message.
    /// @param tag The domain separation tag, 1 to 255 bytes.
    /// @param place Address of the point's 128 bytes.
    /// @return expanded Address of the expanded message, good until memory is allocated.
    function _hash(uint256 message, uint256 length, bytes memory tag, uint256 place)
        private
        view
        returns (uint256 expanded)
    {
        assembly ("memory-safe") {
            // No input below can be rejected, so a call failed for want of gas, or there is no such precompile. Only an
            // account without code takes a call without gas.
            function fail(precompile) {
                if staticcall(0, precompile, 0, 0, 0, 0) {
                    mstore(0, 0x942b0bea) // PrecompileMissing(address)
                    mstore(0x20, precompile)
                    revert(0x1c, 36)
                }
                mstore(0, 0x1c26714c) // InsufficientGas()
                revert(0x1c, 4)
            }

            expanded := add(mload(0x40), 0x240)
            let input := add(expanded, 0x80)
            mstore(input, 0)
            mstore(add(input, 0x20), 0)
            mcopy(add(input, 0x40), message, length)
            let end := add(add(input, 0x40), length)
            // A word, of which 128 · 2^8 stands in the first three bytes; the tag overwrites the rest.
            mstore(end, shl(232, 0x8000))
            mcopy(add(end, 3), add(tag, 0x20), mload(tag))
            mstore8(add(add(end, 3), mload(tag)), mload(tag))

            // b_0. SHA-256 (0x02) rejects nothing, so it may be given all the gas there is. `and` evaluates its second
            // argument first.
            length := add(length, add(0x44, mload(tag)))
            if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 0x02, input, length, 0, 32))) {
                fail(0x02)
            }
            let seed := mload(0)

            // b_1 to b_4 overwrite what stands before the tag: b_0, mixed with the block before, and the block's number.
            input := sub(end, 30)
            length := add(34, mload(tag))
            let previous := 0
            for { let i := 1 } lt(i, 5) { i := add(i, 1) } {
                mstore(input, xor(seed, previous))
                mstore8(add(input, 32), i)
                if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 0x02, input, length, 0, 32))) {
                    fail(0x02)
                }
                previous := mload(0)
                mstore(add(expanded, sub(shl(5, i), 32)), previous)
            }

            // Two field elements, each of 64 bytes reduced by the modulus (MODEXP, 0x05, EIP-198, at EIP-7883's least price),
            // and mapped (MAP_FP_TO_G1, 0x10). 128 bits more than the modulus has make the bias negligible (RFC 9380,
            // section 5.1). A modulus of 64 bytes pads the remainder as the map wants it.
            input := sub(expanded, 0x240)
            mstore(input, 64)
            mstore(add(input, 0x20), 1)
            mstore(add(input, 0x40), 64)
            mstore8(add(input, 0xa0), 1)
            mstore(add(input, 0xa1), MODULUS_HIGH)
            mstore(add(input, 0xc1), MODULUS_LOW)
            mcopy(add(input, 0x60), expanded, 64)
            if iszero(and(eq(returndatasize(), 64), staticcall(500, 0x05, input, 225, add(input, 0x100), 64))) {
                fail(0x05)
            }
            if iszero(
                and(eq(returndatasize(), 128), staticcall(5500, 0x10, add(input, 0x100), 64, add(input, 0x140), 128))
            ) { fail(0x10) }
            mcopy(add(input, 0x60), add(expanded, 64), 64)
            if iszero(and(eq(returndatasize(), 64), staticcall(500, 0x05, input, 225, add(input, 0x100), 64))) {
                fail(0x05)
            }
            if iszero(
                and(eq(returndatasize(), 128), staticcall(5500, 0x10, add(input, 0x100), 64, add(input, 0x1c0), 128))
            ) { fail(0x10) }
            // G1ADD
            if iszero(and(eq(returndatasize(), 128), staticcall(375, 0x0b, add(input, 0x140), 256, place, 128))) {
                fail(0x0b)
            }
        }
    }
}
