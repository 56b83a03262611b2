// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Bytes with some of them replaced
library Splice {
    /// @dev With `length` bytes from `offset` on replaced by others. What reaches beyond the end changes nothing.
    function splice(bytes memory source, uint256 offset, uint256 length, bytes memory by)
        internal
        pure
        returns (bytes memory)
    {
        if (offset + length > source.length) return source;
        uint256 end = offset + length;
        return bytes.concat(slice(source, 0, offset), by, slice(source, end, source.length - end));
    }

    /// @dev With as many bytes overwritten as are given.
    function overwrite(bytes memory source, uint256 offset, bytes memory by) internal pure returns (bytes memory) {
        return splice(source, offset, by.length, by);
    }

    function slice(bytes memory source, uint256 offset, uint256 length) internal pure returns (bytes memory part) {
        part = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(add(source, 0x20), offset), length)
        }
    }
}
