// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import {Handover} from "../interfaces/IEpochMirror.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";
import {OperatorTable} from "../libraries/OperatorTable.sol";
import {EpochSignature} from "./EpochSignature.sol";
import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @title EpochHandover
/// @notice Computes what operators sign to hand over to another epoch.
library EpochHandover {
    bytes32 private constant HANDOVER_TYPEHASH = keccak256(
        "EpochHandover(uint256 homeChain,address homeRegistry,uint32 operatorSet,uint32 signedBy,uint32 epoch,"
        "uint48 committedAt,uint48 expiresAt,bytes32 contentHash)"
    );

    /// @notice Returns the digest that operators sign.
    function digest(Handover memory handover) internal pure returns (bytes32) {
        return EpochSignature.typedDigest(
            EfficientHashLib.hash(
                uint256(HANDOVER_TYPEHASH),
                handover.homeChain,
                uint160(handover.homeRegistry),
                OperatorSetId.unwrap(handover.operatorSet),
                EpochId.unwrap(handover.signedBy),
                EpochId.unwrap(handover.epoch),
                handover.committedAt,
                handover.expiresAt,
                uint256(handover.contentHash)
            )
        );
    }

    /// @notice Returns the hash of what an epoch's operator tables hold: keccak256 of the head without addresses and,
    /// for each table, keccak256 of its entries.
    /// @param table The last table's code, without the leading zero byte that SSTORE2 adds. It must be well-formed.
    function contentHash(bytes memory table) internal view returns (bytes32) {
        (, uint256 earlierTables) = countsOf(table);
        bytes memory preimage = LibBytes.slice(table, 0, OperatorTable.HEAD_LENGTH);
        uint256 end = OperatorTable.HEAD_LENGTH + OperatorTable.ENTRY_LENGTH * OperatorTable.CAPACITY;
        for (uint256 i = 0; i < earlierTables; ++i) {
            bytes memory entries = SSTORE2.read(earlierTable(table, i), OperatorTable.HEAD_LENGTH, end);
            preimage = abi.encodePacked(preimage, keccak256(entries));
        }
        bytes32 entriesHash =
            EfficientHashLib.hash(table, OperatorTable.HEAD_LENGTH + OperatorTable.ADDRESS_LENGTH * earlierTables);
        return keccak256(abi.encodePacked(preimage, entriesHash));
    }

    /// @notice Returns the number of operators of the whole set, and of tables before this.
    function countsOf(bytes memory table) internal pure returns (uint256 operatorCount, uint256 earlierTables) {
        uint256 counts = uint256(LibBytes.load(table, OperatorTable.HEAD_LENGTH - 3));
        return (counts >> 240, counts >> 232 & 0xff);
    }

    /// @notice Returns the address of table `index`, which must be below the number of earlier tables.
    function earlierTable(bytes memory table, uint256 index) internal pure returns (address) {
        return address(bytes20(LibBytes.load(table, OperatorTable.HEAD_LENGTH + OperatorTable.ADDRESS_LENGTH * index)));
    }
}
