// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {MODULUS_HIGH, MODULUS_LOW} from "../../../contracts/types/Points.sol";
import {BLS12381Caller} from "../utils/BLS12381Caller.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "forge-std/Test.sol";

/// @dev What the vectors of RFC 9380 do not reach: every remainder, and every length of a tag.
contract HashToCurveTest is Test {
    address private constant MODEXP = address(0x05);

    BLS12381Caller private library_ = new BLS12381Caller();

    /* REDUCTION */

    function testFuzz_RemainderIsModexps(uint256 high, uint256 low) public view {
        _assertRemainder(high, low);
    }

    /// @dev Where the estimated quotient errs: around multiples of the modulus.
    function testFuzz_RemainderNearAMultipleIsModexps(uint256 multiple, uint8 distance) public view {
        _assertNearMultiple(multiple % 2 ** 131, distance);
    }

    function test_RemainderAtTheEdgesIsModexps() public view {
        uint256[6] memory edges = [0, 1, MODULUS_HIGH, MODULUS_LOW, 2 ** 255, type(uint256).max];
        for (uint256 i = 0; i < edges.length; ++i) {
            for (uint256 j = 0; j < edges.length; ++j) {
                _assertRemainder(edges[i], edges[j]);
            }
        }
        for (uint256 bits = 0; bits <= 131; ++bits) {
            for (uint256 distance = 0; distance < 9; ++distance) {
                _assertNearMultiple(2 ** bits - 1, uint8(distance));
                _assertNearMultiple(2 ** bits, uint8(distance));
            }
        }
        // Where the estimated quotient is 1 too small, and the remainder is greater than the modulus in its high word.
        for (uint256 multiple = 1; multiple < 64; ++multiple) {
            (uint256 high, uint256 low) = Math.mul512(multiple, MODULUS_LOW);
            unchecked {
                uint256 moved = low + type(uint256).max / 20 * 13;
                _assertRemainder(high + multiple * MODULUS_HIGH + (moved < low ? 1 : 0), moved);
            }
        }
        // The greatest multiple of 512 bits.
        uint256 greatest = 0x9d835d2f3cc9e45ce28101b0cc7a6ba29;
        for (uint256 distance = 0; distance < 9; ++distance) {
            _assertNearMultiple(greatest, uint8(distance));
        }
    }

    /* HASHING A WORD */

    /// @dev Tags above 255 bytes are hashed, by a call that must not overwrite the message.
    function test_HashOfAWordIsThatOfItsBytesUnderTagsOfEveryLength() public view {
        uint16[8] memory lengths = [1, 31, 32, 43, 255, 256, 257, 1000];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory tag = new bytes(lengths[i]);
            tag[lengths[i] - 1] = 0x01;
            bytes memory hashOf42 = abi.encode(library_.hashWordToG1(bytes32(uint256(42)), tag));
            assertEq(hashOf42, abi.encode(library_.hashToG1(abi.encode(42), tag)), "not the hash of its bytes");
            bytes memory hashOf43 = abi.encode(library_.hashWordToG1(bytes32(uint256(43)), tag));
            assertNotEq(hashOf42, hashOf43, "one hash for two messages");
        }
    }

    /// @dev `multiple` times the modulus, plus up to 4 or minus up to 4.
    function _assertNearMultiple(uint256 multiple, uint8 distance) private view {
        (uint256 high, uint256 low) = Math.mul512(multiple, MODULUS_LOW);
        unchecked {
            high += multiple * MODULUS_HIGH;
            uint256 offset = distance % 9;
            uint256 moved = low + offset - 4;
            if (offset < 4 && moved > low) --high;
            if (offset > 4 && moved < low) ++high;
            _assertRemainder(high, moved);
        }
    }

    function _assertRemainder(uint256 high, uint256 low) private view {
        (uint256 remainderHigh, uint256 remainderLow) = library_.reduce(high, low);
        bytes memory input = abi.encodePacked(abi.encode(64, 1, 64, high, low), uint8(1), MODULUS_HIGH, MODULUS_LOW);
        (bool success, bytes memory expected) = MODEXP.staticcall(input);
        assertTrue(success);
        assertEq(abi.encode(remainderHigh, remainderLow), expected);
    }
}
