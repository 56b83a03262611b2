// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G1Point} from "./BLS12381.sol";
import {Precompiles} from "./Precompiles.sol";

/// @title Hashing to G1 of BLS12-381, suite `BLS12381G1_XMD:SHA-256_SSWU_RO_` (RFC 9380, section 8.8.1)
/// @dev Messages of any length, domain separation tags of any length but zero. The map to the curve, the isogeny and the
/// clearing of the cofactor are the MAP_FP_TO_G1 precompile's (EIP-2537).
library HashToCurve {
    /// @notice RFC 9380, section 3.1: tags must not be empty.
    error EmptyDomainSeparationTag();
    /// @dev Tags above this length are hashed first (RFC 9380, section 5.3.3).
    uint256 private constant MAX_TAG_LENGTH = 255;
    /// @dev Bytes expanded to: two field elements of 64 bytes (L of RFC 9380, section 8.8.1).
    uint16 private constant UNIFORM_LENGTH = 128;

    /// @notice `hash_to_curve` (RFC 9380, section 3): a point of G1 whose discrete logarithm nobody knows.
    function hashToG1(bytes memory message, bytes memory domainSeparationTag) internal view returns (G1Point memory) {
        bytes32[4] memory uniform = expandMessage(message, domainSeparationTag);
        (bool success, bytes memory sum) =
            Precompiles.g1Add(bytes.concat(_map(uniform[0], uniform[1]), _map(uniform[2], uniform[3])));
        if (!success) revert Precompiles.PrecompileFailed(Precompiles.G1ADD);
        return abi.decode(sum, (G1Point));
    }

    /// @notice `expand_message_xmd` with SHA-256 to 128 bytes (RFC 9380, section 5.3.1).
    function expandMessage(bytes memory message, bytes memory domainSeparationTag)
        internal
        view
        returns (bytes32[4] memory uniform)
    {
        bytes memory tag = _suffixTag(domainSeparationTag);
        bytes32 seed = Precompiles.sha256Hash(
            // 64 zero bytes: one block of SHA-256 input (Z_pad).
            abi.encodePacked(bytes32(0), bytes32(0), message, UNIFORM_LENGTH, uint8(0), tag)
        );
        bytes32 previous;
        for (uint8 i = 0; i < 4; ++i) {
            previous = Precompiles.sha256Hash(abi.encodePacked(seed ^ previous, i + 1, tag));
            uniform[i] = previous;
        }
    }

    /// @dev DST_prime: the tag, hashed if it is too long, and its length.
    function _suffixTag(bytes memory tag) private view returns (bytes memory) {
        if (tag.length == 0) revert EmptyDomainSeparationTag();
        if (tag.length <= MAX_TAG_LENGTH) return abi.encodePacked(tag, uint8(tag.length));
        return abi.encodePacked(Precompiles.sha256Hash(abi.encodePacked("H2C-OVERSIZE-DST-", tag)), uint8(32));
    }

    /// @dev One field element from 64 uniform bytes, mapped to G1. 128 bits more than the modulus has make the bias of the
    /// reduction negligible (RFC 9380, section 5.1).
    function _map(bytes32 high, bytes32 low) private view returns (bytes memory) {
        // MODEXP's input (EIP-198): lengths of base, exponent and modulus, then these. With a modulus of 64 bytes the
        // remainder is padded as MAP_FP_TO_G1 wants it.
        return Precompiles.mapToG1(
            Precompiles.reduce(
                abi.encodePacked(
                    uint256(64),
                    uint256(1),
                    uint256(64),
                    high,
                    low,
                    uint8(1),
                    BLS12381.MODULUS_HIGH,
                    BLS12381.MODULUS_LOW
                )
            )
        );
    }
}
