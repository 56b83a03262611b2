// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import {Handover} from "../interfaces/IEpochMirror.sol";
import {OperatorTable} from "../libraries/OperatorTable.sol";
import {EpochSignature} from "./EpochSignature.sol";
import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @title EpochHandover
/// @notice Computes what operators sign to hand over to another epoch.
library EpochHandover {
    /// @dev Bytes of a table's head, after the leading zero byte that SSTORE2 adds.
    uint256 internal constant HEAD_LENGTH = 207;
    /// @dev Bytes of an entry.
    uint256 internal constant ENTRY_LENGTH = 224;
    /// @dev Bytes of an address of an earlier table.
    uint256 private constant ADDRESS_LENGTH = 20;

    bytes32 private constant HANDOVER_TYPEHASH = keccak256(
        "EpochHandover(uint256 homeChain,address homeRegistry,uint32 operatorSet,uint32 signedBy,uint32 epoch,"
        "uint48 expiresAt,bytes32 contentHash)"
    );

    /// @notice Returns the digest that operators sign.
    function digest(Handover memory handover) internal pure returns (bytes32) {
        return EpochSignature.typedDigest(keccak256(abi.encode(HANDOVER_TYPEHASH, handover)));
    }

    /// @notice Returns the hash of the tables of an epoch: keccak256 of the head without addresses and, for each
    /// table, keccak256 of its entries.
    /// @param table The head of the epoch's operator table.
    function contentHash(address table) internal view returns (bytes32) {
        (,,, uint256 count) = OperatorTable.readHead(table);
        address[] memory earlierTables = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            earlierTables[i] = OperatorTable.earlierTable(table, i);
        }
        return contentHash(SSTORE2.read(table, 0, HEAD_LENGTH), earlierTables, SSTORE2.read(table));
    }

    /// @notice Returns the hash of the tables of an epoch, as above.
    /// @param head The head without addresses.
    /// @param earlierTables The earlier tables, each full.
    /// @param code The last table's code, without the leading zero byte.
    function contentHash(bytes memory head, address[] memory earlierTables, bytes memory code)
        internal
        view
        returns (bytes32)
    {
        uint256 count = earlierTables.length;
        bytes32[] memory hashes = new bytes32[](count + 1);
        uint256 end = HEAD_LENGTH + ENTRY_LENGTH * OperatorTable.CAPACITY;
        for (uint256 i = 0; i < count; ++i) {
            hashes[i] = keccak256(SSTORE2.read(earlierTables[i], HEAD_LENGTH, end));
        }
        hashes[count] = EfficientHashLib.hash(code, HEAD_LENGTH + ADDRESS_LENGTH * count);
        return keccak256(abi.encodePacked(head, hashes));
    }
}
