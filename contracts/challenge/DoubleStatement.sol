// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId} from "../interfaces/Protocol.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {OperatorTable, TableEntry} from "../libraries/OperatorTable.sol";
import {SignedFault} from "./SignedFault.sol";

/// @title DoubleStatement
/// @notice Proves that operators signed two different statements where each signs one, ever.
/// @dev The statements may be for another chain, whose mirror has the registry's epochs, and of different epochs, also
/// of different sets. Then the operators of the first statement's epoch are punished that also signed in the second's,
/// with the same key. An operator that lost its journal goes on with another key.
/// @dev So the reporter chooses which of both epochs is punished. Were it always the later, an operator would sign the
/// other statement where it has less stake. In one set, both orders cost the greater share, not the sum.
abstract contract DoubleStatement is SignedFault {
    /// @notice Thrown when both statements are the same.
    error SameStatement(bytes32 digest);
    /// @notice Thrown when the statements are so far apart that an operator may have deleted the first (Unix times).
    error TooFarApart(uint256 first, uint256 second);

    /// @notice Least time between two statements after which an operator no longer has to know the first, in seconds.
    /// @dev So long a journal keeps what it signed (docs/operators/journal.md).
    uint256 public constant RETENTION = 60 days;

    constructor(IOperatorRegistry operatorRegistry) SignedFault(operatorRegistry) {}

    function _requireDifferent(bytes32 first, bytes32 second) internal pure {
        if (first == second) revert SameStatement(first);
    }

    function _requireRemembered(uint256 first, uint256 second) internal pure {
        uint256 apart = first > second ? first - second : second - first;
        if (apart >= RETENTION) revert TooFarApart(first, second);
    }

    /// @dev Reverts unless all operators of an epoch signed that are not in the bitmap.
    function _requireSigned(EpochId epoch, bytes32 digest, bytes memory nonSigners, bytes memory signature)
        internal
        view
    {
        (address table,) = _tableOf(epoch);
        this.requireSigned(table, digest, nonSigners, signature);
    }

    /// @dev Returns the operators of the first statement's epoch that did not sign both statements.
    function _nonOffenders(EpochId first, bytes memory firstAbsent, EpochId second, bytes memory secondAbsent)
        internal
        view
        returns (bytes memory nonSigners)
    {
        if (EpochId.unwrap(first) == EpochId.unwrap(second)) return _union(firstAbsent, secondAbsent);
        return _absentFromEither(first, firstAbsent, second, secondAbsent);
    }

    /// @dev Returns the operators that are in one of two bitmaps.
    function _union(bytes memory first, bytes memory second) private pure returns (bytes memory longer) {
        bytes memory shorter;
        (longer, shorter) = first.length < second.length ? (second, first) : (first, second);
        for (uint256 i = 0; i < shorter.length; ++i) {
            longer[i] |= shorter[i];
        }
    }

    /// @dev Returns the operators of `epoch` that did not sign there, or did not sign in `other` with the same key.
    /// Both epochs have their operators in the order of the addresses.
    function _absentFromEither(EpochId epoch, bytes memory absent, EpochId other, bytes memory otherAbsent)
        private
        view
        returns (bytes memory nonSigners)
    {
        (address table,) = _tableOf(epoch);
        (,, uint256 count, uint256 earlierTables) = OperatorTable.readHead(table);
        TableEntry[] memory signers = _signersOf(other, otherAbsent);
        nonSigners = new bytes((count + 7) / 8);
        uint256 next = 0;
        for (uint256 i = 0; i < count; ++i) {
            TableEntry memory entry = OperatorTable.readEntry(table, earlierTables, i);
            while (next < signers.length && signers[next].operator < entry.operator) {
                ++next;
            }
            bool signedBoth = !Bitmap.isSet(absent, i) && next < signers.length && _isSame(signers[next], entry);
            // A one is shifted to the operator's bit.
            // forge-lint: disable-next-line(unsafe-typecast,incorrect-shift)
            if (!signedBoth) nonSigners[i / 8] |= bytes1(uint8(1 << (i % 8)));
        }
    }

    /// @dev Returns the operators of an epoch that signed, in the order of the addresses.
    function _signersOf(EpochId epoch, bytes memory absent) private view returns (TableEntry[] memory signers) {
        (address table,) = _tableOf(epoch);
        (,, uint256 count, uint256 earlierTables) = OperatorTable.readHead(table);
        signers = new TableEntry[](count);
        uint256 length = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (!Bitmap.isSet(absent, i)) signers[length++] = OperatorTable.readEntry(table, earlierTables, i);
        }
        // Memory-safe: shortens an array.
        assembly ("memory-safe") {
            mstore(signers, length)
        }
    }

    /// @dev Returns whether two entries are of one operator and one key, with any weights.
    function _isSame(TableEntry memory first, TableEntry memory second) private pure returns (bool) {
        return first.operator == second.operator
            && keccak256(abi.encode(first.publicKey)) == keccak256(abi.encode(second.publicKey));
    }
}
