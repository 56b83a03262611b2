// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bitmap} from "../../../contracts/libraries/Bitmap.sol";
import {Test} from "forge-std/Test.sol";

/// @dev Bitmaps in memory, against their definition: operator i is bit i % 8 of byte i / 8.
contract BitmapTest is Test {
    function testFuzz_ABitIsWhereItIsDefined(bytes memory bitmap, uint256 index) public pure {
        bool expected = index / 8 < bitmap.length && bitmap[index / 8] & bytes1(uint8(1 << (index % 8))) != 0;
        assertEq(Bitmap.isSet(bitmap, index), expected);
    }

    function test_EachBitOfAByteIsAnOperator() public pure {
        for (uint256 i = 0; i < 24; ++i) {
            for (uint256 j = 0; j < 24; ++j) {
                bytes memory bitmap = new bytes(3);
                bitmap[i / 8] = bytes1(uint8(1 << (i % 8)));
                assertEq(Bitmap.isSet(bitmap, j), i == j);
            }
        }
    }

    function test_BitsAfterTheEndAreZero() public pure {
        assertTrue(Bitmap.isSet(hex"ff", 7));
        assertFalse(Bitmap.isSet(hex"ff", 8));
        assertFalse(Bitmap.isSet("", 0));
        assertFalse(Bitmap.isSet(hex"ff", type(uint256).max));
    }

    function test_OnlyZeroBytesAtTheEndAreRemoved() public pure {
        bytes memory bitmap = hex"0000";
        Bitmap.trim(bitmap);
        assertEq(bitmap, "");
        bitmap = hex"";
        Bitmap.trim(bitmap);
        assertEq(bitmap, "");
        bitmap = hex"0001800000";
        Bitmap.trim(bitmap);
        assertEq(bitmap, hex"000180");
        Bitmap.trim(bitmap);
        assertEq(bitmap, hex"000180");
    }

    function testFuzz_TrimmedBitmapsHaveTheSameBits(bytes memory bitmap, uint8 zeros, uint256 index) public pure {
        bytes memory trimmed = bytes.concat(bitmap, new bytes(zeros));
        Bitmap.trim(trimmed);
        assertLe(trimmed.length, bitmap.length);
        assertEq(Bitmap.isSet(trimmed, index), Bitmap.isSet(bitmap, index));
        for (uint256 i = 0; i < 8 * bitmap.length; ++i) {
            assertEq(Bitmap.isSet(trimmed, i), Bitmap.isSet(bitmap, i));
        }
        if (trimmed.length != 0) assertNotEq(trimmed[trimmed.length - 1], 0);
    }
}
