// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {HashToCurve} from "./HashToCurve.sol";
import {Precompiles} from "./Precompiles.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

// The field modulus, split like a field element. RFC 9380, section 8.8.1.
uint256 constant MODULUS_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
uint256 constant MODULUS_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

/// @notice A point of E(Fp) in affine coordinates, as EIP-2537 lays it out; all zero is infinity.
/// @dev A field element of 381 bits is split at bit 256: `High` holds the top 125 bits.
struct G1Point {
    uint256 xHigh;
    uint256 xLow;
    uint256 yHigh;
    uint256 yLow;
}

/// @notice A point of E'(Fp2) in affine coordinates, as EIP-2537 lays it out (c0 before c1); all zero is infinity.
struct G2Point {
    uint256 x0High;
    uint256 x0Low;
    uint256 x1High;
    uint256 x1Low;
    uint256 y0High;
    uint256 y0Low;
    uint256 y1High;
    uint256 y1Low;
}

/// @title BLS signatures on BLS12-381 with signatures in G1 and public keys in G2 ("min-sig")
/// @notice Usable with any min-sig suite: the message may have any length and the domain separation tag any but zero.
/// @dev Everything is computed by the EIP-2537 precompiles (prices and encodings from there). The precompiles consume all
/// the gas they are given when their input is bad, so each call is capped at its list price.
///
/// Points are encoded in bytes without padding: 48 bytes for each field element, 96 for G1 and 192 for G2.
library BLS12381 {
    /// @notice A coordinate is not below the field modulus, so the point has a second spelling.
    error FieldElementNotCanonical();
    /// @notice The coordinates do not satisfy the curve equation.
    error PointNotOnCurve();
    /// @notice The point is on the curve, but not of the prime order.
    error PointNotInSubgroup();
    /// @notice Infinity is neither a public key nor a signature: it would pass for nobody's signature on everything.
    error PointAtInfinity();
    /// @notice Nothing was given where a point was expected.
    error EmptyInput();
    /// @notice The encoding has the wrong length.
    /// @param expected Bytes that encode such a point.
    /// @param actual Bytes that were given.
    error WrongPointLength(uint256 expected, uint256 actual);

    /// @dev Bytes of an encoded point of G1.
    uint256 internal constant G1_LENGTH = 96;
    /// @dev Bytes of an encoded point of G2.
    uint256 internal constant G2_LENGTH = 192;

    /// @notice Whether `signature` is `publicKey`'s signature of `message` under the tag `domainSeparationTag`.
    /// @dev Reverts, with the errors above, for a signature or key that is not a valid point. Proof of possession of the
    /// key is the caller's business.
    function verify(
        bytes memory message,
        bytes memory domainSeparationTag,
        G1Point memory signature,
        G2Point memory publicKey
    ) internal view returns (bool) {
        requireCanonical(signature);
        requireCanonical(publicKey);
        if (isInfinity(signature) || isInfinity(publicKey)) revert PointAtInfinity();

        G1Point memory hashed = HashToCurve.hashToG1(message, domainSeparationTag);
        (bool wellFormed, bool holds) = checkSignature(signature, hashed, negate(publicKey));
        if (!wellFormed) {
            // The precompile does not say which point it rejects, or why.
            requireInSubgroup(signature);
            requireInSubgroup(publicKey);
        }
        return holds;
    }

    /// @notice Checks e(signature, generator of G2) · e(hashed, negatedKey) = 1 with one call of PAIRING.
    /// @dev The caller must have excluded infinity as a signature: e(infinity, ·) · e(·, infinity) is 1 as well.
    /// @return wellFormed Whether all points are canonical, on their curves and in their subgroups.
    /// @return holds Whether the equation holds; false when not well formed.
    function checkSignature(G1Point memory signature, G1Point memory hashed, G2Point memory negatedKey)
        internal
        view
        returns (bool wellFormed, bool holds)
    {
        G2Point memory generator = generatorG2();
        uint256 input;
        // A point's fields stand in memory as the precompile wants them; to have the compiler encode them one by one costs
        // 800 gas more. Memory-safe: writes behind the free memory pointer, and nothing is allocated before the call.
        assembly ("memory-safe") {
            input := mload(0x40)
            mcopy(add(input, 0x200), negatedKey, 0x100)
            mcopy(add(input, 0x180), hashed, 0x80)
            mcopy(add(input, 0x80), generator, 0x100)
            mcopy(input, signature, 0x80)
        }
        wellFormed = Precompiles.callInMemory(Precompiles.PAIRING, Precompiles.PAIRING_OF_TWO_PRICE, input, 768, 0, 32);
        assembly ("memory-safe") {
            holds := and(wellFormed, eq(mload(0), 1))
        }
    }

    /// @notice Adds a point of E'(Fp2) to `sum`.
    /// @dev Points outside the subgroup add as well (EIP-2537). Reverts with `PointNotOnCurve` when one is off the curve.
    function addInPlace(G2Point memory sum, G2Point memory point) internal view {
        uint256 input;
        uint256 output;
        // As in `checkSignature`: 1,300 gas less for each non-signer.
        assembly ("memory-safe") {
            input := mload(0x40)
            output := sum
            mcopy(add(input, 0x100), point, 0x100)
            mcopy(input, sum, 0x100)
        }
        if (!Precompiles.callInMemory(Precompiles.G2ADD, Precompiles.G2ADD_PRICE, input, 512, output, 256)) {
            revert PointNotOnCurve();
        }
    }

    /// @notice The negative of a point with canonical coordinates.
    function negate(G2Point memory point) internal pure returns (G2Point memory negated) {
        (negated.x0High, negated.x0Low) = (point.x0High, point.x0Low);
        (negated.x1High, negated.x1Low) = (point.x1High, point.x1Low);
        (negated.y0High, negated.y0Low) = _negateFieldElement(point.y0High, point.y0Low);
        (negated.y1High, negated.y1Low) = _negateFieldElement(point.y1High, point.y1Low);
    }

    /// @notice Refuses a point of G1 with `FieldElementNotCanonical`.
    function requireCanonical(G1Point memory point) internal pure {
        if (!isCanonical(point)) revert FieldElementNotCanonical();
    }

    /// @notice Refuses a point of G2 with `FieldElementNotCanonical`.
    function requireCanonical(G2Point memory point) internal pure {
        if (
            !_isCanonical(point.x0High, point.x0Low) || !_isCanonical(point.x1High, point.x1Low)
                || !_isCanonical(point.y0High, point.y0Low) || !_isCanonical(point.y1High, point.y1Low)
        ) revert FieldElementNotCanonical();
    }

    /// @notice Refuses a canonical point that is off the curve or outside G1. Infinity passes.
    function requireInSubgroup(G1Point memory point) internal view {
        (bool onCurve,) = Precompiles.g1Add(abi.encode(point, G1Point(0, 0, 0, 0)));
        if (!onCurve) revert PointNotOnCurve();
        // G1MSM checks the subgroup, G1ADD does not.
        (bool inSubgroup,) = Precompiles.g1Multiply(abi.encode(point, uint256(1)));
        if (!inSubgroup) revert PointNotInSubgroup();
    }

    /// @notice Refuses a canonical point that is off the curve or outside G2. Infinity passes.
    function requireInSubgroup(G2Point memory point) internal view {
        (bool onCurve,) = Precompiles.g2Add(abi.encode(point, G2Point(0, 0, 0, 0, 0, 0, 0, 0)));
        if (!onCurve) revert PointNotOnCurve();
        (bool inSubgroup,) = Precompiles.g2Multiply(abi.encode(point, uint256(1)));
        if (!inSubgroup) revert PointNotInSubgroup();
    }

    /// @notice Whether both coordinates are below the field modulus.
    function isCanonical(G1Point memory point) internal pure returns (bool) {
        return _isCanonical(point.xHigh, point.xLow) && _isCanonical(point.yHigh, point.yLow);
    }

    /// @notice Whether the point is infinity.
    function isInfinity(G1Point memory point) internal pure returns (bool) {
        return (point.xHigh | point.xLow | point.yHigh | point.yLow) == 0;
    }

    /// @notice Whether the point is infinity.
    function isInfinity(G2Point memory point) internal pure returns (bool) {
        return (point.x0High | point.x0Low | point.x1High | point.x1Low) == 0
            && (point.y0High | point.y0Low | point.y1High | point.y1Low) == 0;
    }

    /// @notice Reads a point of G1 from its 96 bytes. Checks nothing but the length.
    function decodeG1(bytes memory encoded) internal pure returns (G1Point memory point) {
        _requireLength(encoded.length, G1_LENGTH);
        (point.xHigh, point.xLow) = _fieldElement(encoded, 0);
        (point.yHigh, point.yLow) = _fieldElement(encoded, 48);
    }

    /// @notice Reads a point of G2 from its 192 bytes. Checks nothing but the length.
    function decodeG2(bytes memory encoded) internal pure returns (G2Point memory point) {
        _requireLength(encoded.length, G2_LENGTH);
        return readG2(encoded);
    }

    /// @notice Reads a point of G2 from the first 192 bytes of `source`, which must have as many.
    function readG2(bytes memory source) internal pure returns (G2Point memory point) {
        (point.x0High, point.x0Low) = _fieldElement(source, 0);
        (point.x1High, point.x1Low) = _fieldElement(source, 48);
        (point.y0High, point.y0Low) = _fieldElement(source, 96);
        (point.y1High, point.y1Low) = _fieldElement(source, 144);
    }

    /// @notice Writes a point of G2 in 192 bytes.
    function encode(G2Point memory point) internal pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(uint128(point.x0High), point.x0Low, uint128(point.x1High), point.x1Low),
            abi.encodePacked(uint128(point.y0High), point.y0Low, uint128(point.y1High), point.y1Low)
        );
    }

    /// @notice The generator of G2 (RFC 9380, section 8.8.2; IETF pairing-friendly curves draft, section 4.2.1).
    function generatorG2() internal pure returns (G2Point memory) {
        return G2Point({
            x0High: 0x024aa2b2f08f0a91260805272dc51051,
            x0Low: 0xc6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8,
            x1High: 0x13e02b6052719f607dacd3a088274f65,
            x1Low: 0x596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e,
            y0High: 0x0ce5d527727d6e118cc9cdc6da2e351a,
            y0Low: 0xadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801,
            y1High: 0x0606c4a02ea734cc32acd2b02bc28b99,
            y1Low: 0xcb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be
        });
    }

    function _fieldElement(bytes memory source, uint256 offset) private pure returns (uint256 high, uint256 low) {
        high = uint128(bytes16(LibBytes.load(source, offset)));
        low = uint256(LibBytes.load(source, offset + 16));
    }

    function _isCanonical(uint256 high, uint256 low) private pure returns (bool) {
        return high < MODULUS_HIGH || (high == MODULUS_HIGH && low < MODULUS_LOW);
    }

    /// @dev p − element, and zero for zero, whose negative must not become the non-canonical p.
    function _negateFieldElement(uint256 high, uint256 low) private pure returns (uint256, uint256) {
        if ((high | low) == 0) return (0, 0);
        unchecked {
            // The borrow wraps in the low half and is taken from the high half; canonical input cannot underflow.
            return (MODULUS_HIGH - high - (low > MODULUS_LOW ? 1 : 0), MODULUS_LOW - low);
        }
    }

    function _requireLength(uint256 actual, uint256 expected) private pure {
        if (actual == 0) revert EmptyInput();
        if (actual != expected) revert WrongPointLength(expected, actual);
    }
}
