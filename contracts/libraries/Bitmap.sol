// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Bitmap
/// @notice Reads bitmaps of operators in memory: operator i is bit i % 8 of byte i / 8, as in an authorization.
library Bitmap {
    /// @notice Returns bit `index`; bits after the end are zero.
    function isSet(bytes memory bitmap, uint256 index) internal pure returns (bool) {
        return index / 8 < bitmap.length && uint8(bitmap[index / 8]) >> (index % 8) & 1 == 1;
    }

    /// @notice Removes zero bytes from the end of a bitmap: what is left is the shortest with the same bits.
    function trim(bytes memory bitmap) internal pure {
        uint256 length = bitmap.length;
        while (length != 0 && bitmap[length - 1] == 0) {
            --length;
        }
        // Memory-safe: shortens an array.
        assembly ("memory-safe") {
            mstore(bitmap, length)
        }
    }
}
