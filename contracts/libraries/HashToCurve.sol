// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Pointer, SCRATCH} from "../types/Pointer.sol";
import {G1Point, MODULUS_HIGH, MODULUS_LOW} from "../types/Points.sol";
import {
    G1ADD_ADDRESS,
    G1ADD_PRICE,
    INSUFFICIENT_GAS_SELECTOR,
    MAP_FP_TO_G1_ADDRESS,
    MAP_FP_TO_G1_PRICE,
    MODEXP_ADDRESS,
    MODEXP_LEAST_PRICE,
    PRECOMPILE_MISSING_SELECTOR,
    SHA256_ADDRESS
} from "./Precompiles.sol";

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

    /// @notice Returns `hash_to_curve` of a message (RFC 9380, section 3): a point of G1 whose discrete logarithm is
    /// unknown.
    function hashToG1(bytes memory message, bytes memory domainSeparationTag)
        internal
        view
        returns (G1Point memory point)
    {
        (Pointer start, Pointer destination) = _pointers(message, point);
        _hash(start, message.length, _shorten(domainSeparationTag), destination);
    }

    /// @notice Writes `hashToG1` of a message of 32 bytes to memory, as a precompile reads it.
    /// @param destination Pointer to 128 bytes that are allocated.
    function hashWordToG1(bytes32 message, bytes memory domainSeparationTag, Pointer destination) internal view {
        // In assembly: saves allocating the message. Memory-safe: scratch space, which `_hash` reads before it writes
        // there.
        assembly ("memory-safe") {
            mstore(0, message)
        }
        _hash(SCRATCH, 32, _shorten(domainSeparationTag), destination);
    }

    /// @notice Returns `expand_message_xmd` with SHA-256 to 128 bytes (RFC 9380, section 5.3.1).
    /// @dev Part of this library's API; the contracts do not call it.
    function expandMessage(bytes memory message, bytes memory domainSeparationTag)
        internal
        view
        returns (bytes32[4] memory uniform)
    {
        G1Point memory point;
        (Pointer start, Pointer destination) = _pointers(message, point);
        Pointer expanded = _hash(start, message.length, _shorten(domainSeparationTag), destination);
        // In assembly: Solidity has no pointers. Memory-safe: writes only to `uniform`.
        assembly ("memory-safe") {
            mcopy(uniform, expanded, 0x80)
        }
    }

    function _shorten(bytes memory tag) private pure returns (bytes memory) {
        if (tag.length == 0) revert EmptyDomainSeparationTag();
        return tag.length <= MAX_TAG_LENGTH ? tag : bytes.concat(sha256(abi.encodePacked("H2C-OVERSIZE-DST-", tag)));
    }

    function _pointers(bytes memory message, G1Point memory point)
        private
        pure
        returns (Pointer start, Pointer destination)
    {
        // In assembly: Solidity has no pointers. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            start := add(message, 0x20)
            destination := point
        }
    }

    /// @dev In assembly: saves a verification 9,000 gas of the compiler's encoding for ten calls of precompiles.
    ///
    /// Memory-safe: it writes to `destination`, to scratch space, and after the free memory pointer, where nothing is
    /// needed afterwards. The layout there:
    ///
    ///     0x000  MODEXP's input: lengths 64, 1, 64 | base (64 bytes) | exponent 1 (1 byte) | modulus (64 bytes)
    ///     0x100  MODEXP's remainder, MAP_FP_TO_G1's input (64 bytes)
    ///     0x140  two mapped points (256 bytes)
    ///     0x240  the expanded message (128 bytes)
    ///     0x2c0  64 zero bytes | message | uint16 128 | 0 | tag | length of the tag
    /// @param message Pointer to the message.
    /// @param length Bytes of the message.
    /// @param tag The domain separation tag, 1 to 255 bytes.
    /// @param destination Pointer to the 128 bytes of the point.
    /// @return expanded Pointer to the expanded message, valid until memory is allocated.
    function _hash(Pointer message, uint256 length, bytes memory tag, Pointer destination)
        private
        view
        returns (Pointer expanded)
    {
        assembly ("memory-safe") {
            // No input below can be rejected, so a call failed for lack of gas, or the precompile is missing. Only an
            // account without code accepts a call without gas.
            function fail(precompile) {
                if staticcall(0, precompile, 0, 0, 0, 0) {
                    mstore(0, PRECOMPILE_MISSING_SELECTOR)
                    mstore(0x20, precompile)
                    revert(0x1c, 0x24)
                }
                mstore(0, INSUFFICIENT_GAS_SELECTOR)
                revert(0x1c, 0x04)
            }

            expanded := add(mload(0x40), 0x240)
            let input := add(expanded, 0x80)
            mstore(input, 0)
            mstore(add(input, 0x20), 0)
            mcopy(add(input, 0x40), message, length)
            let end := add(add(input, 0x40), length)
            // The first three bytes of this word are uint16 128 and a zero byte; the tag overwrites the rest.
            mstore(end, shl(232, 0x8000))
            mcopy(add(end, 3), add(tag, 0x20), mload(tag))
            mstore8(add(add(end, 3), mload(tag)), mload(tag))

            // b_0. SHA-256 rejects nothing, so it can be given all the gas left. `and` evaluates its second argument
            // first.
            length := add(length, add(0x44, mload(tag)))
            if iszero(and(eq(returndatasize(), 0x20), staticcall(gas(), SHA256_ADDRESS, input, length, 0, 0x20))) {
                fail(SHA256_ADDRESS)
            }
            let seed := mload(0)

            // b_1 to b_4: the block before, mixed with b_0, and the block's number overwrite the 33 bytes before the
            // tag.
            input := sub(end, 30)
            length := add(34, mload(tag))
            let previous := 0
            for { let i := 1 } lt(i, 5) { i := add(i, 1) } {
                mstore(input, xor(seed, previous))
                mstore8(add(input, 32), i)
                if iszero(and(eq(returndatasize(), 0x20), staticcall(gas(), SHA256_ADDRESS, input, length, 0, 0x20))) {
                    fail(SHA256_ADDRESS)
                }
                previous := mload(0)
                mstore(add(expanded, sub(shl(5, i), 32)), previous)
            }

            // Two field elements, each of 64 bytes reduced by the modulus (MODEXP, EIP-198), and mapped. With 128 bits
            // more than the modulus the bias is negligible (RFC 9380, section 5.1). A modulus of 64 bytes pads the
            // remainder as MAP_FP_TO_G1 reads it.
            input := sub(expanded, 0x240)
            mstore(input, 0x40)
            mstore(add(input, 0x20), 1)
            mstore(add(input, 0x40), 0x40)
            mstore8(add(input, 0xa0), 1)
            mstore(add(input, 0xa1), MODULUS_HIGH)
            mstore(add(input, 0xc1), MODULUS_LOW)
            mcopy(add(input, 0x60), expanded, 0x40)
            if iszero(
                and(
                    eq(returndatasize(), 0x40),
                    staticcall(MODEXP_LEAST_PRICE, MODEXP_ADDRESS, input, 0xe1, add(input, 0x100), 0x40)
                )
            ) {
                fail(MODEXP_ADDRESS)
            }
            if iszero(
                and(
                    eq(returndatasize(), 0x80),
                    staticcall(
                        MAP_FP_TO_G1_PRICE,
                        MAP_FP_TO_G1_ADDRESS,
                        add(input, 0x100),
                        0x40,
                        add(input, 0x140),
                        0x80
                    )
                )
            ) { fail(MAP_FP_TO_G1_ADDRESS) }
            mcopy(add(input, 0x60), add(expanded, 0x40), 0x40)
            if iszero(
                and(
                    eq(returndatasize(), 0x40),
                    staticcall(MODEXP_LEAST_PRICE, MODEXP_ADDRESS, input, 0xe1, add(input, 0x100), 0x40)
                )
            ) {
                fail(MODEXP_ADDRESS)
            }
            if iszero(
                and(
                    eq(returndatasize(), 0x80),
                    staticcall(
                        MAP_FP_TO_G1_PRICE,
                        MAP_FP_TO_G1_ADDRESS,
                        add(input, 0x100),
                        0x40,
                        add(input, 0x1c0),
                        0x80
                    )
                )
            ) { fail(MAP_FP_TO_G1_ADDRESS) }
            if iszero(
                and(
                    eq(returndatasize(), 0x80),
                    staticcall(G1ADD_PRICE, G1ADD_ADDRESS, add(input, 0x140), 0x100, destination, 0x80)
                )
            ) {
                fail(G1ADD_ADDRESS)
            }
        }
    }
}
