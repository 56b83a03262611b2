// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Pointer} from "../types/Pointer.sol";
import {G1Point, G2Point, MODULUS_HIGH, MODULUS_LOW} from "../types/Points.sol";
import {HashToCurve} from "./HashToCurve.sol";
import {G2ADD_PRICE, Precompiles} from "./Precompiles.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

// The generator of G2, split likewise. RFC 9380, section 8.8.2; IETF pairing-friendly curves draft, section 4.2.1.
uint256 constant GENERATOR_X0_HIGH = 0x024aa2b2f08f0a91260805272dc51051;
uint256 constant GENERATOR_X0_LOW = 0xc6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8;
uint256 constant GENERATOR_X1_HIGH = 0x13e02b6052719f607dacd3a088274f65;
uint256 constant GENERATOR_X1_LOW = 0x596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e;
uint256 constant GENERATOR_Y0_HIGH = 0x0ce5d527727d6e118cc9cdc6da2e351a;
uint256 constant GENERATOR_Y0_LOW = 0xadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801;
uint256 constant GENERATOR_Y1_HIGH = 0x0606c4a02ea734cc32acd2b02bc28b99;
uint256 constant GENERATOR_Y1_LOW = 0xcb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be;

/// @title BLS12381
/// @notice Verifies BLS signatures on BLS12-381 with signatures in G1 and public keys in G2 ("min-sig"), of any suite.
/// The message may have any length, the domain separation tag any but zero.
/// @dev Everything is computed by the EIP-2537 precompiles, which `Precompiles` calls.
/// @dev Points are encoded in bytes without padding: 48 bytes for each field element, 96 for G1 and 192 for G2.
library BLS12381 {
    /// @notice Thrown when a coordinate is not below the field modulus, which would give the point a second encoding.
    error FieldElementNotCanonical();
    /// @notice Thrown when the coordinates do not satisfy the curve equation.
    error PointNotOnCurve();
    /// @notice Thrown when the point is on the curve, but not of the prime order.
    error PointNotInSubgroup();
    /// @notice Thrown when a public key or signature is infinity: the signature of no signers on every message.
    error PointAtInfinity();
    /// @notice Thrown when the encoding of a point is empty.
    error EmptyInput();
    /// @notice Thrown when the encoding of a point has the wrong length.
    /// @param expected Bytes that encode such a point.
    /// @param actual Bytes of the given encoding.
    error WrongPointLength(uint256 expected, uint256 actual);

    /// @dev Bytes of an encoded point of G1.
    uint256 internal constant G1_LENGTH = 96;
    /// @dev Bytes of an encoded point of G2.
    uint256 internal constant G2_LENGTH = 192;

    /// @notice Returns whether `signature` is `publicKey`'s signature of `message` under the tag `domainSeparationTag`.
    /// @dev Reverts, with the errors above, for a signature or key that is not a valid point.
    /// @dev Warning: Callers must verify proof of possession of the key themselves.
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

    /// @notice Returns whether e(signature, generator of G2) · e(hashed, negatedKey) = 1, with one call of PAIRING.
    /// @dev Warning: The caller must have excluded infinity as a signature: e(infinity, ·) · e(·, infinity) is 1 as
    /// well.
    /// @return wellFormed Whether all points are canonical, on their curves and in their subgroups.
    /// @return holds Whether the equation holds; false when not well formed.
    function checkSignature(G1Point memory signature, G1Point memory hashed, G2Point memory negatedKey)
        internal
        view
        returns (bool wellFormed, bool holds)
    {
        (Pointer product, Pointer hashedPointer, Pointer keyPointer) = allocateProduct();
        // In assembly: copies without Solidity's loop. Memory-safe: writes only to what `allocateProduct` allocated.
        assembly ("memory-safe") {
            mcopy(product, signature, 0x80)
            mcopy(hashedPointer, hashed, 0x80)
            mcopy(keyPointer, negatedKey, 0x100)
        }
        return checkProduct(product, 2);
    }

    /// @notice Allocates memory for the two pairs of `checkSignature`, as PAIRING reads them, and writes the generator
    /// there.
    /// @return product Pointer to the product and to its first point, the signature (128 bytes).
    /// @return hashed Pointer to the hashed message (128 bytes).
    /// @return negatedKey Pointer to the negated key (256 bytes), which is allocated last.
    function allocateProduct() internal pure returns (Pointer product, Pointer hashed, Pointer negatedKey) {
        // In assembly, so that callers write each point where PAIRING reads it: saves 1,000 gas of structs that are
        // copied.
        //
        //     0x000  signature (0x80 bytes)
        //     0x080  generator of G2 (0x100 bytes)
        //     0x180  hashed message (0x80 bytes)
        //     0x200  negated key (0x100 bytes)
        //
        // Memory-safe: allocates 0x300 bytes and writes only there.
        assembly ("memory-safe") {
            product := mload(0x40)
            hashed := add(product, 0x180)
            negatedKey := add(product, 0x200)
            mstore(0x40, add(product, 0x300))
            mstore(add(product, 0x80), GENERATOR_X0_HIGH)
            mstore(add(product, 0xa0), GENERATOR_X0_LOW)
            mstore(add(product, 0xc0), GENERATOR_X1_HIGH)
            mstore(add(product, 0xe0), GENERATOR_X1_LOW)
            mstore(add(product, 0x100), GENERATOR_Y0_HIGH)
            mstore(add(product, 0x120), GENERATOR_Y0_LOW)
            mstore(add(product, 0x140), GENERATOR_Y1_HIGH)
            mstore(add(product, 0x160), GENERATOR_Y1_LOW)
        }
    }

    /// @notice Returns whether the product of the pairings of `pairs` pairs is one.
    /// @param input Pointer to the pairs, 384 bytes each: a point of G1, a point of G2.
    /// @return wellFormed Whether all points are canonical, on their curves and in their subgroups.
    /// @return holds Whether the product is one; false when not well formed.
    function checkProduct(Pointer input, uint256 pairs) internal view returns (bool wellFormed, bool holds) {
        return Precompiles.pairingInMemory(input, pairs);
    }

    /// @notice Adds a point of E'(Fp2) to `sum`.
    /// @dev Points outside the subgroup add as well (EIP-2537). Reverts with `PointNotOnCurve` when one is off the
    /// curve.
    function addInPlace(G2Point memory sum, G2Point memory point) internal view {
        Pointer input;
        Pointer output;
        // In assembly: saves 1,300 gas of copies for each addition. Memory-safe: writes only after the free memory
        // pointer, and nothing there is needed afterwards.
        assembly ("memory-safe") {
            input := mload(0x40)
            output := sum
            mcopy(add(input, 0x100), point, 0x100)
            mcopy(input, sum, 0x100)
        }
        if (!Precompiles.callInMemory(Precompiles.G2ADD, G2ADD_PRICE, input, 512, output, 256)) {
            revert PointNotOnCurve();
        }
    }

    /// @notice Returns the negative of a point with canonical coordinates.
    function negate(G2Point memory point) internal pure returns (G2Point memory negated) {
        (negated.x0High, negated.x0Low) = (point.x0High, point.x0Low);
        (negated.x1High, negated.x1Low) = (point.x1High, point.x1Low);
        (negated.y0High, negated.y0Low) = _negateFieldElement(point.y0High, point.y0Low);
        (negated.y1High, negated.y1Low) = _negateFieldElement(point.y1High, point.y1Low);
    }

    /// @notice Reverts with `FieldElementNotCanonical` unless both coordinates of the point are below the field
    /// modulus.
    function requireCanonical(G1Point memory point) internal pure {
        if (!isCanonical(point)) revert FieldElementNotCanonical();
    }

    /// @notice Reverts with `FieldElementNotCanonical` unless the coordinates of the point are below the field modulus.
    function requireCanonical(G2Point memory point) internal pure {
        if (
            !_isCanonical(point.x0High, point.x0Low) || !_isCanonical(point.x1High, point.x1Low)
                || !_isCanonical(point.y0High, point.y0Low) || !_isCanonical(point.y1High, point.y1Low)
        ) revert FieldElementNotCanonical();
    }

    /// @notice Reverts if a canonical point is off the curve or outside G1. Accepts infinity.
    function requireInSubgroup(G1Point memory point) internal view {
        (bool onCurve,) = Precompiles.g1Add(abi.encode(point, G1Point(0, 0, 0, 0)));
        if (!onCurve) revert PointNotOnCurve();
        // G1MSM checks the subgroup, G1ADD does not.
        (bool inSubgroup,) = Precompiles.g1Multiply(abi.encode(point, uint256(1)));
        if (!inSubgroup) revert PointNotInSubgroup();
    }

    /// @notice Reverts if a canonical point is off the curve or outside G2. Accepts infinity.
    function requireInSubgroup(G2Point memory point) internal view {
        (bool onCurve,) = Precompiles.g2Add(abi.encode(point, G2Point(0, 0, 0, 0, 0, 0, 0, 0)));
        if (!onCurve) revert PointNotOnCurve();
        (bool inSubgroup,) = Precompiles.g2Multiply(abi.encode(point, uint256(1)));
        if (!inSubgroup) revert PointNotInSubgroup();
    }

    /// @notice Returns whether both coordinates are below the field modulus.
    function isCanonical(G1Point memory point) internal pure returns (bool) {
        return _isCanonical(point.xHigh, point.xLow) && _isCanonical(point.yHigh, point.yLow);
    }

    /// @notice Returns whether the point is infinity.
    function isInfinity(G1Point memory point) internal pure returns (bool) {
        return (point.xHigh | point.xLow | point.yHigh | point.yLow) == 0;
    }

    /// @notice Returns whether the point is infinity.
    function isInfinity(G2Point memory point) internal pure returns (bool) {
        return (point.x0High | point.x0Low | point.x1High | point.x1Low) == 0
            && (point.y0High | point.y0Low | point.y1High | point.y1Low) == 0;
    }

    /// @notice Writes a point of G1, 96 bytes of calldata, to memory as a precompile reads it. Checks nothing.
    /// @param destination Pointer to 128 bytes that are allocated.
    /// @return isZero Whether it is infinity.
    function copyG1(bytes calldata encoded, Pointer destination) internal pure returns (bool isZero) {
        // In assembly: saves decoding through a struct. Memory-safe if `destination` is allocated: it writes 128 bytes.
        assembly ("memory-safe") {
            mstore(destination, 0)
            mstore(add(destination, 0x40), 0)
            calldatacopy(add(destination, 0x10), encoded.offset, 48)
            calldatacopy(add(destination, 0x50), add(encoded.offset, 48), 48)
            let x := or(mload(destination), mload(add(destination, 0x20)))
            isZero := iszero(or(x, or(mload(add(destination, 0x40)), mload(add(destination, 0x60)))))
        }
    }

    /// @notice Reads a point of G1 from its 96 bytes. Checks only the length.
    function decodeG1(bytes memory encoded) internal pure returns (G1Point memory point) {
        _requireLength(encoded.length, G1_LENGTH);
        (point.xHigh, point.xLow) = _fieldElement(encoded, 0);
        (point.yHigh, point.yLow) = _fieldElement(encoded, 48);
    }

    /// @notice Reads a point of G2 from its 192 bytes. Checks only the length.
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

    /// @notice Returns the generator of G2.
    function generatorG2() internal pure returns (G2Point memory) {
        return G2Point({
            x0High: GENERATOR_X0_HIGH,
            x0Low: GENERATOR_X0_LOW,
            x1High: GENERATOR_X1_HIGH,
            x1Low: GENERATOR_X1_LOW,
            y0High: GENERATOR_Y0_HIGH,
            y0Low: GENERATOR_Y0_LOW,
            y1High: GENERATOR_Y1_HIGH,
            y1Low: GENERATOR_Y1_LOW
        });
    }

    function _fieldElement(bytes memory source, uint256 offset) private pure returns (uint256 high, uint256 low) {
        high = uint128(bytes16(LibBytes.load(source, offset)));
        low = uint256(LibBytes.load(source, offset + 16));
    }

    function _isCanonical(uint256 high, uint256 low) private pure returns (bool) {
        return high < MODULUS_HIGH || (high == MODULUS_HIGH && low < MODULUS_LOW);
    }

    /// @dev Returns p − element, and zero for zero, whose negative must not be the non-canonical p.
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
