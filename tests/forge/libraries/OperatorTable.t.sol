// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {BLS12381, G2Point} from "../../../contracts/libraries/BLS12381.sol";
import {OperatorTable, TableEntry, TableHead} from "../../../contracts/libraries/OperatorTable.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";

/// @dev The bytes of a table against docs/protocol.md.
contract OperatorTableTest is AssentTestBase {
    function test_TableOfACommittedEpochIsTheFormatToTheByte() public {
        deployAssent(3);
        setWeight(1, 7);
        EpochId epoch = commitEpoch(0, 3);
        (address table,,,) = registry.epochs(epoch);

        uint256 sum = 0;
        bytes memory entries;
        uint96[3] memory weights = [WEIGHT, 7, WEIGHT];
        for (uint256 i = 0; i < 3; ++i) {
            uint256 secret = OperatorKeys.secretKey(i);
            sum = addmod(sum, secret, OperatorKeys.ORDER);
            entries = abi.encodePacked(entries, OperatorKeys.publicKey(secret), weights[i], operatorAddress(i));
        }
        bytes memory negatedAggregate = OperatorKeys.publicKey(OperatorKeys.ORDER - sum);
        assertEq(
            table.code,
            abi.encodePacked(hex"00", negatedAggregate, uint96(2 * WEIGHT + 7), uint16(3), uint8(0), entries)
        );
    }

    function test_EarlierTablesAreTheFormatToTheByte() public {
        deployAssent(102);
        (address head,,,) = registry.epochs(FIRST_EPOCH);
        address earlier = OperatorTable.earlierTable(head, 0);

        assertEq(earlier.code, _expectedTable(0, 100, 0, 100, ""));
        assertEq(head.code, _expectedTable(0, 102, 100, 102, abi.encodePacked(earlier)));
    }

    function testFuzz_WhatIsWrittenIsRead(
        TableHead memory head,
        address[3] memory earlier,
        uint8 earlierCount,
        TableEntry[5] memory entries
    ) public {
        head.earlierTables = earlierCount % 4;
        head.operatorCount = uint16(100 * uint256(head.earlierTables) + 5);
        _fit(head.negatedAggregate);
        address[] memory tables = new address[](head.earlierTables);
        for (uint256 i = 0; i < tables.length; ++i) {
            tables[i] = earlier[i];
        }
        bytes memory encoded;
        for (uint256 i = 0; i < 5; ++i) {
            _fit(entries[i].publicKey);
            bytes memory key = BLS12381.encode(entries[i].publicKey);
            encoded = bytes.concat(encoded, OperatorTable.encodeEntry(key, entries[i].weight, entries[i].operator));
        }

        address table = OperatorTable.write(head, tables, encoded);
        (G2Point memory negatedAggregate, uint256 totalWeight, uint256 operatorCount, uint256 earlierTables) =
            OperatorTable.readHead(table);
        assertEq(abi.encode(negatedAggregate), abi.encode(head.negatedAggregate));
        assertEq(totalWeight, head.totalWeight);
        assertEq(operatorCount, head.operatorCount);
        assertEq(earlierTables, head.earlierTables);
        for (uint256 i = 0; i < tables.length; ++i) {
            assertEq(OperatorTable.earlierTable(table, i), tables[i]);
        }
        for (uint256 i = 0; i < 5; ++i) {
            uint256 index = 100 * uint256(head.earlierTables) + i;
            assertEq(abi.encode(OperatorTable.readEntry(table, earlierTables, index)), abi.encode(entries[i]));
        }
    }

    function testFuzz_EntryOfAnEarlierTableIsReadThroughTheHead(TableEntry memory entry, uint256 index) public {
        _fit(entry.publicKey);
        index = bound(index, 0, 199);
        bytes memory before = new bytes((index % 100) * 224);
        bytes memory behind = new bytes((99 - index % 100) * 224);
        bytes memory publicKey = BLS12381.encode(entry.publicKey);
        bytes memory encoded = OperatorTable.encodeEntry(publicKey, entry.weight, entry.operator);

        TableHead memory head;
        address[] memory tables = new address[](2);
        tables[index / 100] = OperatorTable.write(head, new address[](0), bytes.concat(before, encoded, behind));
        // The other table has no code, nor the head entries: what is read from there is zero.
        address table = OperatorTable.write(head, tables, "");
        assertEq(abi.encode(OperatorTable.readEntry(table, 2, index)), abi.encode(entry));
    }

    function test_FullTableFitsIntoAContract() public {
        TableHead memory head;
        head.earlierTables = 19;
        head.operatorCount = 2000;
        address table = OperatorTable.write(head, new address[](19), new bytes(100 * 224));
        assertEq(table.code.length, 208 + 19 * 20 + 100 * 224);
        assertLe(table.code.length, 24_576, "EIP-170");
    }

    function _expectedTable(uint256 from, uint256 to, uint256 firstEntry, uint256 endEntry, bytes memory earlier)
        private
        view
        returns (bytes memory)
    {
        uint256 sum = 0;
        for (uint256 i = from; i < to; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        bytes memory entries;
        for (uint256 i = firstEntry; i < endEntry; ++i) {
            bytes memory key = OperatorKeys.publicKey(OperatorKeys.secretKey(i));
            entries = abi.encodePacked(entries, key, WEIGHT, operatorAddress(i));
        }
        bytes memory negatedAggregate = OperatorKeys.publicKey(OperatorKeys.ORDER - sum);
        uint96 total = uint96((to - from) * WEIGHT);
        uint8 earlierCount = uint8(earlier.length / 20);
        return abi.encodePacked(hex"00", negatedAggregate, total, uint16(to - from), earlierCount, earlier, entries);
    }

    /// @dev Into 48 bytes for each field element.
    function _fit(G2Point memory point) private pure {
        point.x0High = uint128(point.x0High);
        point.x1High = uint128(point.x1High);
        point.y0High = uint128(point.y0High);
        point.y1High = uint128(point.y1High);
    }
}
