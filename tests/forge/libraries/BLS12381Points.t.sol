// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G1Point, G2Point, MODULUS_HIGH, MODULUS_LOW} from "../../../contracts/libraries/BLS12381.sol";
import {Pointer} from "../../../contracts/types/Pointer.sol";
import {Test} from "forge-std/Test.sol";

/// @dev What the library says of points from their words only, each word and each byte by itself.
contract BLS12381PointsTest is Test {
    function test_OnlyAllZeroIsInfinity() public pure {
        assertTrue(BLS12381.isInfinity(G1Point(0, 0, 0, 0)));
        assertTrue(BLS12381.isInfinity(G2Point(0, 0, 0, 0, 0, 0, 0, 0)));
        for (uint256 word = 0; word < 4; ++word) {
            uint256[4] memory words;
            words[word] = 1;
            assertFalse(BLS12381.isInfinity(abi.decode(abi.encode(words), (G1Point))), vm.toString(word));
        }
        for (uint256 word = 0; word < 8; ++word) {
            uint256[8] memory words;
            words[word] = 1;
            assertFalse(BLS12381.isInfinity(abi.decode(abi.encode(words), (G2Point))), vm.toString(word));
        }
    }

    function test_EveryByteOfAPointIsCopiedAndMakesItNotInfinity() public view {
        (bytes memory nothing, bool isZero) = this.copyG1(new bytes(96));
        assertTrue(isZero);
        assertEq(nothing, new bytes(128));
        for (uint256 i = 0; i < 96; ++i) {
            bytes memory encoded = new bytes(96);
            encoded[i] = 0x01;
            bytes memory expected = new bytes(128);
            expected[i < 48 ? 16 + i : 32 + i] = 0x01;
            bytes memory copied;
            (copied, isZero) = this.copyG1(encoded);
            assertEq(copied, expected);
            assertFalse(isZero, vm.toString(i));
        }
    }

    function test_CoordinatesFromTheModulusOnAreNotCanonical() public pure {
        assertTrue(BLS12381.isCanonical(G1Point(MODULUS_HIGH, MODULUS_LOW - 1, MODULUS_HIGH, MODULUS_LOW - 1)));
        assertTrue(BLS12381.isCanonical(G1Point(MODULUS_HIGH - 1, type(uint256).max, 0, 0)));
        uint256[2][4] memory beyond = [
            [MODULUS_HIGH, MODULUS_LOW],
            [MODULUS_HIGH, MODULUS_LOW + 1],
            [MODULUS_HIGH, type(uint256).max],
            [MODULUS_HIGH + 1, 0]
        ];
        for (uint256 i = 0; i < beyond.length; ++i) {
            assertFalse(BLS12381.isCanonical(G1Point(beyond[i][0], beyond[i][1], 0, 0)));
            assertFalse(BLS12381.isCanonical(G1Point(0, 0, beyond[i][0], beyond[i][1])));
        }
    }

    /// @dev With a half that is zero, before or after, which no point in practice has.
    function test_FieldElementsWithAHalfOfZeroAreNegated() public pure {
        G2Point memory negated = BLS12381.negate(G2Point(1, 2, 3, 4, 0, 5, 6, 0));
        assertEq(abi.encode(negated.x0High, negated.x0Low), abi.encode(1, 2));
        assertEq(abi.encode(negated.x1High, negated.x1Low), abi.encode(3, 4));
        assertEq(abi.encode(negated.y0High, negated.y0Low), abi.encode(MODULUS_HIGH, MODULUS_LOW - 5));
        assertEq(abi.encode(negated.y1High, negated.y1Low), abi.encode(MODULUS_HIGH - 6, MODULUS_LOW));

        negated = BLS12381.negate(G2Point(1, 2, 3, 4, 6, MODULUS_LOW, 6, MODULUS_LOW + 1));
        assertEq(abi.encode(negated.y0High, negated.y0Low), abi.encode(MODULUS_HIGH - 6, 0));
        assertEq(abi.encode(negated.y1High, negated.y1Low), abi.encode(MODULUS_HIGH - 7, type(uint256).max));
    }

    /// @dev Earlier memory contents are not the answer of a precompile that gave none.
    function test_ProductOfABadPointDoesNotHoldWhateverMemoryHolds() public view {
        (Pointer product,,) = BLS12381.allocateProduct();
        _store(product, G1Point(0, 0, 0, 0));
        (bool wellFormed, bool holds) = BLS12381.checkProduct(product, 1);
        assertTrue(wellFormed && holds);

        _store(product, G1Point(0, 1, 0, 1));
        assembly ("memory-safe") {
            mstore(0, 1)
        }
        (wellFormed, holds) = BLS12381.checkProduct(product, 1);
        assertFalse(wellFormed);
        assertFalse(holds);
    }

    function test_PointsAddWhateverStandsBehindThemInMemory() public view {
        G2Point memory sum = G2Point(0, 0, 0, 0, 0, 0, 0, 0);
        uint256[1] memory behind = [type(uint256).max];
        G2Point memory point = BLS12381.generatorG2();
        uint256 distance;
        assembly ("memory-safe") {
            distance := sub(behind, sum)
        }
        assertEq(distance, 256);
        BLS12381.addInPlace(sum, point);
        assertEq(abi.encode(sum), abi.encode(point));
        assertEq(behind[0], type(uint256).max);
    }

    /// @dev To memory that is not clean.
    function copyG1(bytes calldata encoded) external pure returns (bytes memory copied, bool isZero) {
        copied = new bytes(128);
        Pointer pointer;
        assembly ("memory-safe") {
            pointer := add(copied, 0x20)
            for { let i := 0 } lt(i, 4) { i := add(i, 1) } { mstore(add(pointer, mul(i, 0x20)), not(0)) }
        }
        isZero = BLS12381.copyG1(encoded, pointer);
    }

    function _store(Pointer pointer, G1Point memory point) private pure {
        assembly ("memory-safe") {
            mcopy(pointer, point, 0x80)
        }
    }
}
