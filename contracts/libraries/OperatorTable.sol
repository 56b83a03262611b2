// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import {BLS12381, G2Point} from "./BLS12381.sol";
import {Precompiles} from "./Precompiles.sol";
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
/// @dev The layout is in docs/protocol.md. SSTORE2 adds the leading zero byte and skips it.
/// Reading code costs one cold account for any number of operators, where storage would cost a slot for every 32 bytes.
library OperatorTable {
    /// @dev Most entries of one table: 100 · 224 bytes and the head stay below the 24,576 bytes of EIP-170.
    uint256 internal constant CAPACITY = 100;
    /// @dev Most tables before the head, so that a bitmap of 255 bytes covers every operator.
    uint256 internal constant MAX_EARLIER_TABLES = 19;

    /// @dev Bytes behind a key that `readSigners` uses as well.
    uint256 internal constant ROOM_BEHIND_KEY = 512;

    /// @dev Where a table's entries begin that has no addresses of earlier tables before them.
    uint256 private constant ENTRIES_OFFSET = 208;
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

    // Truncation is meant: each cast keeps a field of that length.
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @notice Reads a table's head: minus the sum of all keys, the sum of all weights, the number of operators, and the
    /// number of tables that hold those before this table's.
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

    /// @notice Takes the non-signers out of an epoch's operators.
    /// @dev Refuses a bitmap that names an operator the epoch does not have with `MalformedAuthorization`.
    ///
    /// In assembly because a non-signer costs 1,180 gas so, and 1,800 through the compiler's memory. Its least price is 821:
    /// G2ADD 600 (EIP-2537), a warm call 100 and EXTCODECOPY of 7 words 121 (EIP-2929).
    ///
    /// Memory-safe if `key` is: it writes to scratch space and to
    ///
    ///     key + 0x000  the negated key so far, G2ADD's first operand and its result (256 bytes)
    ///     key + 0x100  a non-signer's key, G2ADD's second operand (256 bytes)
    ///     key + 0x200  the head or an entry, as the table holds it (224 bytes)
    ///     key + 0x2e0  a number (32 bytes)
    /// @param head The head of the epoch's operator table.
    /// @param nonSigners Bitmap: operator i is bit i % 8 of byte i / 8.
    /// @param key Address of the last memory that is allocated, 256 bytes: minus the sum of the signers' keys is written
    /// there. `ROOM_BEHIND_KEY` bytes behind it are used as well.
    /// @return signedWeight The sum of the signers' weights.
    /// @return totalWeight The sum of all weights of the epoch.
    function readSigners(address head, bytes calldata nonSigners, uint256 key)
        internal
        view
        returns (uint256 signedWeight, uint256 totalWeight)
    {
        assembly ("memory-safe") {
            calldatacopy(key, calldatasize(), 0x200) // Zeros.

            extcodecopy(head, add(key, 0x200), 1, ENTRY_LENGTH)
            // 48 bytes of each coordinate, behind 16 that are zero.
            mcopy(add(key, 0x10), add(key, 0x200), 48)
            mcopy(add(key, 0x50), add(key, 0x230), 48)
            mcopy(add(key, 0x90), add(key, 0x260), 48)
            mcopy(add(key, 0xd0), add(key, 0x290), 48)
            totalWeight := mload(add(key, 0x2c0))
            // In memory because the compiler would work them out again each time: the first operator of the head, the number
            // of those in it, and where the entry of operator 0 would stand if the head held it.
            let earlierTables := and(shr(136, totalWeight), 0xff)
            mstore(0, mul(CAPACITY, earlierTables))
            mstore(0x20, sub(and(shr(144, totalWeight), 0xffff), mload(0)))
            let place := sub(ENTRIES_OFFSET, mul(earlierTables, sub(mul(CAPACITY, ENTRY_LENGTH), ADDRESS_LENGTH)))
            mstore(add(key, 0x2e0), place)
            totalWeight := shr(160, totalWeight)
            signedWeight := totalWeight

            // A word of the bitmap at a time: 256 operators. The first is read in any case, which is nothing but zeros when all
            // have signed: so the first non-signer costs no more than the next.
            for { let first := 0 } 1 {} {
                let bits := calldataload(add(nonSigners.offset, shr(3, first)))
                // What follows the bitmap in calldata is not part of it. (To shift by 256 or more leaves nothing.)
                bits := and(bits, not(shr(sub(shl(3, nonSigners.length), first), not(0))))
                for {} bits {} {
                    // Count leading zeros (EIP-7939). A byte's first bit is that of its last operator.
                    let index := clz(bits)
                    bits := xor(bits, shr(index, shl(255, 1)))
                    // slither-disable-next-line incorrect-exp
                    index := add(first, xor(index, 7))
                    // One comparison for both bounds: below the first operator, the difference wraps.
                    switch lt(sub(index, mload(0)), mload(0x20))
                    case 1 {
                        place := add(mload(add(key, 0x2e0)), mul(index, ENTRY_LENGTH))
                        extcodecopy(head, add(key, 0x200), place, ENTRY_LENGTH)
                    }
                    default {
                        if iszero(lt(index, mload(0))) {
                            mstore(0, 0x431c86c8) // MalformedAuthorization()
                            revert(0x1c, 4)
                        }
                        // Whole tables are meant.
                        // slither-disable-next-line divide-before-multiply
                        place := add(ENTRIES_OFFSET, mul(div(index, CAPACITY), ADDRESS_LENGTH))
                        extcodecopy(head, add(key, 0x200), place, ADDRESS_LENGTH)
                        let table := shr(96, mload(add(key, 0x200)))
                        place := add(ENTRIES_OFFSET, mul(mod(index, CAPACITY), ENTRY_LENGTH))
                        extcodecopy(table, add(key, 0x200), place, ENTRY_LENGTH)
                    }
                    mcopy(add(key, 0x110), add(key, 0x200), 48)
                    mcopy(add(key, 0x150), add(key, 0x230), 48)
                    mcopy(add(key, 0x190), add(key, 0x260), 48)
                    mcopy(add(key, 0x1d0), add(key, 0x290), 48)
                    signedWeight := sub(signedWeight, shr(160, mload(add(key, 0x2c0))))
                    // To add to a negated sum is to take away from the sum. `and` evaluates its second argument first.
                    if iszero(and(eq(returndatasize(), 0x100), staticcall(600, 0x0d, key, 0x200, key, 0x100))) {
                        totalWeight := 0
                        break
                    }
                }
                first := add(first, 256)
                if iszero(and(gt(shl(3, nonSigners.length), first), gt(totalWeight, 0))) { break }
            }
        }
        // No epoch is without weight.
        if (totalWeight == 0) Precompiles.revertWithChainFault(Precompiles.G2ADD);
    }

    // Truncation is meant: each cast keeps a field of that length.
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @notice Reads operator `index`, which must be below the head's number of operators.
    /// @param earlierTables As the head has it.
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

    /// @notice The address of table `index`, which must be below the head's number of earlier tables.
    function earlierTable(address head, uint256 index) internal view returns (address) {
        // SSTORE2 counts from behind the leading zero byte.
        uint256 offset = ENTRIES_OFFSET - 1 + ADDRESS_LENGTH * index;
        return address(bytes20(SSTORE2.read(head, offset, offset + ADDRESS_LENGTH)));
    }

    /// @notice The bytes of one entry.
    function encodeEntry(bytes memory publicKey, uint96 weight, address operator) internal pure returns (bytes memory) {
        return abi.encodePacked(publicKey, weight, operator);
    }

    /// @dev Reads a key into `key` and returns the 32 bytes after it.
    function _read(address table, uint256 offset, G2Point memory key) private view returns (bytes32 rest) {
        // To copy the bytes and take the coordinates from them costs 1,400 gas more.
        // Memory-safe: 224 bytes behind the free memory pointer, which need not stay, and the fields of `key`, each with 16
        // zero bytes before its 48.
        assembly ("memory-safe") {
            let code := mload(0x40)
            extcodecopy(table, code, offset, 224)
            mcopy(add(key, 0x10), code, 48)
            mcopy(add(key, 0x50), add(code, 48), 48)
            mcopy(add(key, 0x90), add(code, 96), 48)
            mcopy(add(key, 0xd0), add(code, 144), 48)
            rest := mload(add(code, 192))
        }
    }
}
