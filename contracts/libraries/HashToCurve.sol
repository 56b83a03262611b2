// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";

import {BLS12381, G1Point} from "./BLS12381.sol";
import {Precompiles} from "./Precompiles.sol";

/// @title Hashing to G1 of BLS12-381, suite `BLS12381G1_XMD:SHA-256_SSWU_RO_` (RFC 9380, section 8.8.1)
/// @dev Messages of any length, domain separation tags of any length but zero. The map to the curve, the isogeny and the
/// clearing of the cofactor are the MAP_FP_TO_G1 precompile's (EIP-2537).
library HashToCurve {
    /// @notice RFC 9380, section 3.1: tags must not be empty.
    error EmptyDomainSeparationTag();
    /// @notice RFC 9380, section 5.3.1: at most 255 blocks of SHA-256 can be expanded to.
    /// @param length Bytes asked for.
    error ExpansionTooLong(uint256 length);

    /// @dev Bytes hashed for one field element: L of RFC 9380, section 8.8.1.
    uint256 private constant ELEMENT_LENGTH = 64;
    /// @dev Tags above this length are hashed first (RFC 9380, section 5.3.3).
    uint256 private constant MAX_TAG_LENGTH = 255;
    /// @dev Header of a MODEXP input (EIP-198): lengths of base, exponent and modulus.
    bytes private constant REDUCTION_LENGTHS = abi.encode(ELEMENT_LENGTH, 1, 48);
    /// @dev Exponent 1 and the field modulus.
    bytes private constant REDUCTION_MODULUS =
        abi.encodePacked(uint8(1), uint128(BLS12381.MODULUS_HIGH), BLS12381.MODULUS_LOW);

    /// @notice `hash_to_curve` (RFC 9380, section 3): a point of G1 that nobody knows the discrete logarithm of.
    function hashToG1(
        bytes memory message,
        bytes memory domainSeparationTag
    ) internal view returns (G1Point memory) {
        bytes memory uniform = expandMessage(message, domainSeparationTag, 2 * ELEMENT_LENGTH);
        (bytes32 a, bytes32 b, bytes32 c, bytes32 d) = abi.decode(uniform, (bytes32, bytes32, bytes32, bytes32));
        (bool success, bytes memory sum) = Precompiles.g1Add(bytes.concat(_map(a, b), _map(c, d)));
        if (!success) revert Precompiles.PrecompileFailed(Precompiles.G1ADD);
        return abi.decode(sum, (G1Point));
    }

    /// @notice `expand_message_xmd` with SHA-256 (RFC 9380, section 5.3.1).
    /// @param length Bytes to produce, at most 255 · 32.
    function expandMessage(
        bytes memory message,
        bytes memory domainSeparationTag,
        uint256 length
    ) internal view returns (bytes memory uniform) {
        uint256 blocks = (length + 31) / 32;
        if (blocks > 255) revert ExpansionTooLong(length);
        bytes memory tag = _suffixTag(domainSeparationTag);

        bytes32 seed = Precompiles.sha256Hash(
            // 64 zero bytes: one block of SHA-256 input (Z_pad).
            abi.encodePacked(bytes32(0), bytes32(0), message, uint16(length), uint8(0), tag)
        );
        bytes32[] memory output = new bytes32[](blocks);
        bytes32 previous;
        for (uint256 i = 0; i < blocks; ++i) {
            previous = Precompiles.sha256Hash(abi.encodePacked(seed ^ previous, uint8(i + 1), tag));
            output[i] = previous;
        }
        uniform = abi.encodePacked(output);
        return length == uniform.length ? uniform : Bytes.slice(uniform, 0, length);
    }

    /// @dev DST_prime: the tag, hashed if it is too long, and its length.
    function _suffixTag(
        bytes memory tag
    ) private view returns (bytes memory) {
        if (tag.length == 0) revert EmptyDomainSeparationTag();
        if (tag.length <= MAX_TAG_LENGTH) return abi.encodePacked(tag, uint8(tag.length));
        return abi.encodePacked(Precompiles.sha256Hash(abi.encodePacked("H2C-OVERSIZE-DST-", tag)), uint8(32));
    }

    /// @dev One field element from 64 uniform bytes, mapped to G1. 128 bits more than the modulus has make the bias of the
    /// reduction negligible (RFC 9380, section 5.1).
    function _map(
        bytes32 high,
        bytes32 low
    ) private view returns (bytes memory) {
        bytes memory element = Precompiles.reduce(abi.encodePacked(REDUCTION_LENGTHS, high, low, REDUCTION_MODULUS));
        return Precompiles.mapToG1(abi.encodePacked(bytes16(0), element));
    }
}
