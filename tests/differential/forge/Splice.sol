// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {LibBytes} from "solady/utils/LibBytes.sol";

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
        return bytes.concat(LibBytes.slice(source, 0, offset), by, LibBytes.slice(source, end));
    }

    /// @dev With as many bytes overwritten as are given.
    function overwrite(bytes memory source, uint256 offset, bytes memory by) internal pure returns (bytes memory) {
        return splice(source, offset, by.length, by);
    }
}
