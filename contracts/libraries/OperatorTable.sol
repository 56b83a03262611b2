// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import {Pointer} from "../types/Pointer.sol";
import {BLS12381, G2Point} from "./BLS12381.sol";
import {G2ADD_ADDRESS, Precompiles} from "./Precompiles.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @notice The head of an operator table, which describes the whole set.
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

/// @title OperatorTable
/// @notice Writes and reads operator sets as contract code.
/// @dev The layout is in docs/protocol.md. SSTORE2 adds the leading zero byte and skips it.
/// @dev Reading code costs one cold account for any number of operators; storage would cost a slot for every 32 bytes.
library OperatorTable {
    /// @dev Most entries of one table: 100 · 224 bytes and the head stay below the 24,576 bytes of EIP-170.
    uint256 internal constant CAPACITY = 100;
    /// @dev Most tables before the head, so that a bitmap of 255 bytes covers every operator.
    uint256 internal constant MAX_EARLIER_TABLES = 19;

    /// @dev Bytes after a key that `signedWeight` uses as well.
    uint256 internal constant ROOM_AFTER_KEY = 512;

    /// @dev Offset of the entries in a table without addresses of earlier tables.
    uint256 private constant ENTRIES_OFFSET = 208;
    /// @dev Bytes of a head without addresses, after the leading zero byte that SSTORE2 adds.
    uint256 internal constant HEAD_LENGTH = 207;
    /// @dev Bytes of an entry.
    uint256 internal constant ENTRY_LENGTH = 224;
    /// @dev Bytes of an address of an earlier table.
    uint256 internal constant ADDRESS_LENGTH = 20;
    /// @dev Bytes of a coordinate in a table; in memory it is preceded by 16 zero bytes.
    uint256 private constant COORDINATE_LENGTH = 48;

    /// @notice Writes a table and returns its address.
    /// @param head The head, which describes the whole set.
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

    // Each cast keeps a field of that length.
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @notice Reads a table's head.
    /// @return negatedAggregate Minus the sum of all public keys.
    /// @return totalWeight Sum of all weights.
    /// @return operatorCount Number of operators.
    /// @return earlierTables Number of tables that hold the operators before this table's.
    function readHead(address table)
        internal
        view
        returns (G2Point memory negatedAggregate, uint256 totalWeight, uint256 operatorCount, uint256 earlierTables)
    {
        uint256 counts = uint256(_read(table, 1, negatedAggregate));
        totalWeight = counts >> 160;
        operatorCount = uint16(counts >> 144);
        earlierTables = uint8(counts >> 136);
    }

    /// @notice Returns the weight that signed, and writes the key of those who did.
    /// @dev Refuses a bitmap that names an operator that is not in the epoch with `NonSignerOutOfRange`.
    ///
    /// In assembly: a non-signer costs 1,150 gas instead of 1,800. The least possible is 821: G2ADD 600 (EIP-2537), a
    /// warm call 100 and EXTCODECOPY of 7 words 121 (EIP-2929).
    ///
    /// Memory-safe if `key` is: it writes to scratch space, which only this block reads, and to
    ///
    ///     key + 0x000  the negated key so far, G2ADD's first operand and its result (256 bytes)
    ///     key + 0x100  a non-signer's key, G2ADD's second operand (256 bytes)
    ///     key + 0x200  the head or an entry, as the table holds it (224 bytes)
    ///     key + 0x2e0  a number (32 bytes)
    /// @param head The head of the epoch's operator table.
    /// @param nonSigners Bitmap: operator i is bit i % 8 of byte i / 8.
    /// @param key Pointer to the last 256 bytes that are allocated: minus the sum of the signers' keys is written
    /// there. `ROOM_AFTER_KEY` bytes after it are used as well.
    /// @return signed The sum of the signers' weights.
    /// @return total The sum of all weights of the epoch.
    function signedWeight(address head, bytes calldata nonSigners, Pointer key)
        internal
        view
        returns (uint256 signed, uint256 total)
    {
        assembly ("memory-safe") {
            calldatacopy(key, calldatasize(), 0x200) // Zeros.

            extcodecopy(head, add(key, 0x200), 1, ENTRY_LENGTH)
            // Each coordinate, after 16 zero bytes.
            mcopy(add(key, 0x10), add(key, 0x200), COORDINATE_LENGTH)
            mcopy(add(key, 0x50), add(key, 0x230), COORDINATE_LENGTH)
            mcopy(add(key, 0x90), add(key, 0x260), COORDINATE_LENGTH)
            mcopy(add(key, 0xd0), add(key, 0x290), COORDINATE_LENGTH)
            total := mload(add(key, 0x2c0))
            // In memory, because the compiler would compute them again each time: the number of operators in the head,
            // the offset of their entries, and the number of operators in earlier tables.
            let earlierTables := and(shr(136, total), 0xff)
            mstore(add(key, 0x2e0), mul(CAPACITY, earlierTables))
            mstore(0, sub(and(shr(144, total), 0xffff), mload(add(key, 0x2e0))))
            mstore(0x20, add(ENTRIES_OFFSET, mul(ADDRESS_LENGTH, earlierTables)))
            total := shr(160, total)
            signed := total

            // A word of the bitmap at a time: 256 operators. The first word is read in any case and is zero if all have
            // signed, so the first non-signer costs no more than the next.
            for { let first := 0 } 1 {} {
                let bits := calldataload(add(nonSigners.offset, shr(3, first)))
                // The calldata after the bitmap is not part of it. (A shift by 256 or more gives zero.)
                bits := and(bits, not(shr(sub(shl(3, nonSigners.length), first), not(0))))
                // Indices count from the head's first operator; those of earlier tables wrap.
                let base := sub(first, mload(add(key, 0x2e0)))
                for {} bits {} {
                    // Count leading zeros (EIP-7939). A byte's first bit is its last operator's.
                    let index := clz(bits)
                    bits := xor(bits, shr(index, shl(255, 1)))
                    // slither-disable-next-line incorrect-exp
                    index := add(base, xor(index, 7))
                    // The first case is the slow one: the compiler jumps to it, and not to the other.
                    switch lt(index, mload(0))
                    case 0 {
                        index := add(index, mload(add(key, 0x2e0)))
                        if iszero(lt(index, mload(add(key, 0x2e0)))) {
                            // NonSignerOutOfRange(), without arguments: saves 12 gas for each non-signer.
                            mstore(0, 0xffc09758)
                            revert(0x1c, 4)
                        }
                        // The quotient counts whole tables.
                        // slither-disable-next-line divide-before-multiply
                        let offset := add(ENTRIES_OFFSET, mul(div(index, CAPACITY), ADDRESS_LENGTH))
                        extcodecopy(head, add(key, 0x200), offset, ADDRESS_LENGTH)
                        let table := shr(96, mload(add(key, 0x200)))
                        offset := add(ENTRIES_OFFSET, mul(mod(index, CAPACITY), ENTRY_LENGTH))
                        extcodecopy(table, add(key, 0x200), offset, ENTRY_LENGTH)
                    }
                    default {
                        extcodecopy(head, add(key, 0x200), add(mload(0x20), mul(index, ENTRY_LENGTH)), ENTRY_LENGTH)
                    }
                    mcopy(add(key, 0x110), add(key, 0x200), COORDINATE_LENGTH)
                    mcopy(add(key, 0x150), add(key, 0x230), COORDINATE_LENGTH)
                    mcopy(add(key, 0x190), add(key, 0x260), COORDINATE_LENGTH)
                    mcopy(add(key, 0x1d0), add(key, 0x290), COORDINATE_LENGTH)
                    signed := sub(signed, shr(160, mload(add(key, 0x2c0))))
                    // Adding to a negated sum subtracts from the sum. Registered keys are never rejected, so the call
                    // gets all the gas left, whatever its price becomes. A precompile that fails returns nothing, so
                    // the size of the answer also tells whether there is one.
                    pop(staticcall(gas(), G2ADD_ADDRESS, key, 0x200, key, 0x100))
                    if xor(returndatasize(), 0x100) {
                        total := 0
                        break
                    }
                }
                first := add(first, 256)
                if iszero(and(gt(shl(3, nonSigners.length), first), gt(total, 0))) { break }
            }
        }
        // Every epoch has weight.
        if (total == 0) Precompiles.revertWithChainFault(Precompiles.G2ADD);
    }

    // Each cast keeps a field of that length.
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @notice Reads operator `index`.
    /// @param earlierTables As in the head.
    /// @param index Below the head's number of operators.
    function readEntry(address head, uint256 earlierTables, uint256 index)
        internal
        view
        returns (TableEntry memory entry)
    {
        uint256 offset = ENTRIES_OFFSET + (index % CAPACITY) * ENTRY_LENGTH;
        uint256 holder = index / CAPACITY;
        address table = holder == earlierTables ? head : earlierTable(head, holder);
        if (holder == earlierTables) offset += ADDRESS_LENGTH * earlierTables;
        uint256 weightAndOperator = uint256(_read(table, offset, entry.publicKey));
        entry.weight = uint96(weightAndOperator >> 160);
        entry.operator = address(uint160(weightAndOperator));
    }

    /// @notice Returns the address of table `index`, which must be below the head's number of earlier tables.
    function earlierTable(address head, uint256 index) internal view returns (address) {
        // SSTORE2 counts from after the leading zero byte.
        uint256 offset = ENTRIES_OFFSET - 1 + ADDRESS_LENGTH * index;
        return address(bytes20(SSTORE2.read(head, offset, offset + ADDRESS_LENGTH)));
    }

    /// @notice Returns the bytes of one entry.
    function encodeEntry(bytes memory publicKey, uint96 weight, address operator) internal pure returns (bytes memory) {
        return abi.encodePacked(publicKey, weight, operator);
    }

    /// @notice Returns the hash of a set's operators: keccak256 of the tables' hashes, each keccak256 of the table's
    /// entries.
    /// @dev Independent of where the tables are, so that it is the same on every chain.
    function setHash(address head) internal view returns (bytes32) {
        (,, uint256 operatorCount, uint256 earlierTables) = readHead(head);
        bytes32[] memory hashes = new bytes32[](earlierTables + 1);
        for (uint256 i = 0; i < earlierTables; ++i) {
            hashes[i] = _hashEntries(earlierTable(head, i), 0, CAPACITY);
        }
        hashes[earlierTables] = _hashEntries(head, earlierTables, operatorCount - CAPACITY * earlierTables);
        return keccak256(abi.encodePacked(hashes));
    }

    /// @dev Returns the hash of a table's own entries, which follow the addresses of `earlierTables` tables.
    function _hashEntries(address table, uint256 earlierTables, uint256 count) private view returns (bytes32) {
        // SSTORE2 counts from behind the leading zero byte.
        uint256 offset = ENTRIES_OFFSET - 1 + ADDRESS_LENGTH * earlierTables;
        return keccak256(SSTORE2.read(table, offset, offset + ENTRY_LENGTH * count));
    }

    /// @dev Reads a key into `key` and returns the 32 bytes after it.
    function _read(address table, uint256 offset, G2Point memory key) private view returns (bytes32 rest) {
        // In assembly: saves 1,400 gas of copying the bytes and decoding the coordinates. Memory-safe: writes the
        // fields of `key`, and after the free memory pointer, where nothing is needed afterwards.
        assembly ("memory-safe") {
            let code := mload(0x40)
            extcodecopy(table, code, offset, ENTRY_LENGTH)
            mcopy(add(key, 0x10), code, COORDINATE_LENGTH)
            mcopy(add(key, 0x50), add(code, 0x30), COORDINATE_LENGTH)
            mcopy(add(key, 0x90), add(code, 0x60), COORDINATE_LENGTH)
            mcopy(add(key, 0xd0), add(code, 0x90), COORDINATE_LENGTH)
            rest := mload(add(code, 0xc0))
        }
    }
}
