// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G2Point} from "./BLS12381.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @notice What the head of an operator table says of the whole set.
struct TableHead {
    /// @dev Minus the sum of all public keys.
    G2Point negatedAggregate;
    /// @dev Sum of all weights.
    uint96 totalWeight;
    /// @dev Number of operators.
    uint16 operatorCount;
    /// @dev Number of tables that hold the operators before this table's.
    uint8 earlierTables;
}

/// @notice One operator of a table.
struct TableEntry {
    G2Point publicKey;
    uint96 weight;
    address operator;
}

/// @title Operator sets frozen into contract code
/// @dev The layout is in docs/protocol.md; offsets here leave out the leading zero byte, which SSTORE2 adds and skips.
/// Reading code costs one cold account for any number of operators, where storage would cost a slot for every 32 bytes.
library OperatorTable {
    /// @dev Most entries of one table: 100 · 224 bytes and the head stay below the 24,576 bytes of EIP-170.
    uint256 internal constant CAPACITY = 100;
    /// @dev Most tables before the head, so that a bitmap of 255 bytes covers every operator.
    uint256 internal constant MAX_EARLIER_TABLES = 19;

    uint256 private constant HEAD_LENGTH = 207;
    uint256 private constant ENTRY_LENGTH = 224;
    uint256 private constant ADDRESS_LENGTH = 20;

    /// @notice Writes a table and returns its address.
    /// @param head What the table says of the whole set.
    /// @param earlierTables The tables before this one, each full.
    /// @param entries This table's own entries, encoded, one after the other.
    function write(TableHead memory head, address[] memory earlierTables, bytes memory entries)
        internal
        returns (address)
    {
        bytes memory addresses;
        for (uint256 i = 0; i < earlierTables.length; ++i) {
            addresses = abi.encodePacked(addresses, earlierTables[i]);
        }
        return SSTORE2.write(
            abi.encodePacked(
                BLS12381.encode(head.negatedAggregate),
                head.totalWeight,
                head.operatorCount,
                head.earlierTables,
                addresses,
                entries
            )
        );
    }

    // Truncation is meant: each cast keeps the field that stands first in what is left.
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @notice Reads a table's head.
    function readHead(address table) internal view returns (TableHead memory head) {
        bytes32 counts = _read(table, 0, head.negatedAggregate);
        head.totalWeight = uint96(bytes12(counts));
        head.operatorCount = uint16(bytes2(counts << 96));
        head.earlierTables = uint8(bytes1(counts << 112));
    }

    // Truncation is meant: the weight stands first.
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @notice Reads operator `index`, which must be below the head's number of operators, into `entry`.
    function readEntry(address table, TableHead memory head, uint256 index, TableEntry memory entry) internal view {
        uint256 offset;
        unchecked {
            // No index is above 2,039: a bitmap has at most 255 bytes.
            offset = HEAD_LENGTH + (index % CAPACITY) * ENTRY_LENGTH;
            uint256 holder = index / CAPACITY;
            if (holder == head.earlierTables) offset += ADDRESS_LENGTH * uint256(head.earlierTables);
            else table = earlierTable(table, holder);
        }

        bytes32 weightAndOperator = _read(table, offset, entry.publicKey);
        entry.weight = uint96(bytes12(weightAndOperator));
        entry.operator = address(uint160(uint256(weightAndOperator)));
    }

    /// @notice The address of table `index`, which must be below the head's number of earlier tables.
    function earlierTable(address head, uint256 index) internal view returns (address) {
        uint256 offset = HEAD_LENGTH + ADDRESS_LENGTH * index;
        return address(bytes20(SSTORE2.read(head, offset, offset + ADDRESS_LENGTH)));
    }

    /// @notice The bytes of one entry.
    function encodeEntry(bytes memory publicKey, uint96 weight, address operator) internal pure returns (bytes memory) {
        return abi.encodePacked(publicKey, weight, operator);
    }

    /// @dev Reads a key into `key` and returns the 32 bytes after it.
    function _read(address table, uint256 offset, G2Point memory key) private view returns (bytes32 rest) {
        // Past SSTORE2's leading zero byte. To copy the bytes and take the coordinates from them costs 1,400 gas more.
        // Memory-safe: 224 bytes behind the free memory pointer, which need not stay, and the fields of `key`, each with 16
        // zero bytes before its 48.
        assembly ("memory-safe") {
            let code := mload(0x40)
            extcodecopy(table, code, add(offset, 1), 224)
            mcopy(add(key, 0x10), code, 48)
            mcopy(add(key, 0x50), add(code, 48), 48)
            mcopy(add(key, 0x90), add(code, 96), 48)
            mcopy(add(key, 0xd0), add(code, 144), 48)
            rest := mload(add(code, 192))
        }
    }
}
