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
        bytes32[4] memory uniform;
        _hash(message, _shorten(domainSeparationTag), uniform, point);
    }

    /// @notice `expand_message_xmd` with SHA-256 to 128 bytes (RFC 9380, section 5.3.1).
    function expandMessage(bytes memory message, bytes memory domainSeparationTag)
        internal
        view
        returns (bytes32[4] memory uniform)
    {
        G1Point memory point;
        _hash(message, _shorten(domainSeparationTag), uniform, point);
    }

    function _shorten(bytes memory tag) private pure returns (bytes memory) {
        if (tag.length == 0) revert EmptyDomainSeparationTag();
        return tag.length <= MAX_TAG_LENGTH ? tag : bytes.concat(sha256(abi.encodePacked("H2C-OVERSIZE-DST-", tag)));
    }

    /// @dev Fills in both the expanded message and the point it is mapped to. In assembly because ten calls of precompiles,
    /// each through the compiler's encoding, cost a verification 9,000 gas more.
    ///
    /// Memory-safe: it writes to `uniform`, to `point`, to scratch space (0 to 63), and behind the free memory pointer,
    /// where nothing needs to stay. From there on lie:
    ///
    ///     modexp     0x000  lengths 64, 1, 64 | base (64 bytes) | exponent 1 (1 byte) | modulus (64 bytes)
    ///     element    0x100  MODEXP's remainder, MAP_FP_TO_G1's input (64 bytes)
    ///     points     0x140  two mapped points (256 bytes)
    ///     padded     0x240  64 zero bytes | message | uint16 128 | 0 | tag | length of the tag
    function _hash(bytes memory message, bytes memory tag, bytes32[4] memory uniform, G1Point memory point)
        private
        view
    {
        assembly ("memory-safe") {
            // As `Precompiles.callInMemory`. None of these inputs can be rejected, so a call that fails lacked gas.
            function requireCall(precompile, price, input, inputLength, output, outputLength) {
                if iszero(staticcall(price, precompile, input, inputLength, output, outputLength)) {
                    mstore(0, 0x1c26714c) // InsufficientGas()
                    revert(0x1c, 4)
                }
                if iszero(eq(returndatasize(), outputLength)) {
                    mstore(0, 0x942b0bea) // PrecompileMissing(address)
                    mstore(0x20, precompile)
                    revert(0x1c, 36)
                }
            }
            // SHA-256 costs 60 and 12 for each word (Yellow Paper, appendix E).
            function sha256Price(length) -> price {
                price := add(60, mul(12, shr(5, add(length, 31))))
            }

            let modexp := mload(0x40)
            let element := add(modexp, 0x100)
            let points := add(modexp, 0x140)
            let padded := add(modexp, 0x240)
            let messageEnd := add(add(padded, 0x40), mload(message))
            let tagStart := add(messageEnd, 3)
            let tagEnd := add(tagStart, mload(tag))

            mstore8(tagEnd, mload(tag))
            mcopy(tagStart, add(tag, 0x20), mload(tag))
            mstore(padded, 0)
            mstore(add(padded, 0x20), 0)
            mcopy(add(padded, 0x40), add(message, 0x20), mload(message))
            mstore8(messageEnd, 0)
            mstore8(add(messageEnd, 1), 128)
            mstore8(add(messageEnd, 2), 0)

            // b_0
            let length := sub(add(tagEnd, 1), padded)
            requireCall(0x02, sha256Price(length), padded, length, 0, 32) // SHA-256
            let seed := mload(0)

            // b_1 to b_4 overwrite what stands before the tag: b_0, mixed with the block before, and the block's number.
            let input := sub(tagStart, 33)
            length := sub(add(tagEnd, 1), input)
            let price := sha256Price(length)
            let previous := 0
            for { let i := 0 } lt(i, 4) { i := add(i, 1) } {
                mstore(input, xor(seed, previous))
                mstore8(sub(tagStart, 1), add(i, 1))
                let output := add(uniform, shl(5, i))
                requireCall(0x02, price, input, length, output, 32) // SHA-256
                previous := mload(output)
            }

            // Two field elements, each of 64 bytes reduced by the modulus (EIP-198), and mapped. 128 bits more than the
            // modulus has make the bias negligible (RFC 9380, section 5.1). A modulus of 64 bytes pads the remainder as
            // MAP_FP_TO_G1 wants it.
            mstore(modexp, 64)
            mstore(add(modexp, 0x20), 1)
            mstore(add(modexp, 0x40), 64)
            mstore8(add(modexp, 0xa0), 1)
            mstore(add(modexp, 0xa1), MODULUS_HIGH)
            mstore(add(modexp, 0xc1), MODULUS_LOW)
            for { let i := 0 } lt(i, 2) { i := add(i, 1) } {
                mcopy(add(modexp, 0x60), add(uniform, shl(6, i)), 64)
                requireCall(0x05, 500, modexp, 225, element, 64) // MODEXP, EIP-7883's least price
                requireCall(0x10, 5500, element, 64, add(points, shl(7, i)), 128) // MAP_FP_TO_G1
            }
            requireCall(0x0b, 375, points, 256, point, 128) // G1ADD
        }
    }
}
