// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice An address in memory. A type, so that no length, offset or index passes for one.
type Pointer is uint256;

using PointerLibrary for Pointer global;

/// @title PointerLibrary
/// @notice Makes and moves pointers.
library PointerLibrary {
    /// @notice Returns the address `length` bytes after `pointer`.
    function plus(Pointer pointer, uint256 length) internal pure returns (Pointer) {
        unchecked {
            // No memory is large enough to overflow it.
            return Pointer.wrap(Pointer.unwrap(pointer) + length);
        }
    }
}
