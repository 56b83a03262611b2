// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {FaultTerms, IFault, IOffences, RecordedOffence} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";
import {OperatorTable} from "../libraries/OperatorTable.sol";

/// @dev Returns bit `index % 8` of byte `index / 8` of a bitmap; bits after the end are zero.
function isSet(bytes memory bitmap, uint256 index) pure returns (bool) {
    return index / 8 < bitmap.length && uint8(bitmap[index / 8]) >> (index % 8) & 1 == 1;
}

/// @title Offences
/// @notice Records proved offences, and punishes those who did them, each once.
/// @dev Which faults there are, and what they cost, never changes. Recording and punishing are apart, because a
/// transaction has no room to punish 100 operators.
abstract contract Offences is IOffences {
    /// @dev All of an operator's stake in the set.
    uint64 internal constant WHOLE = 1e18;

    /// @notice The registry whose epochs' operators are punished.
    IOperatorRegistry public immutable OPERATOR_REGISTRY;
    /// @notice How long after an epoch's end an offence of its operators can be recorded, in seconds.
    uint48 public immutable CHALLENGE_WINDOW;

    /// @inheritdoc IOffences
    mapping(bytes32 id => mapping(address operator => bool)) public isPunished;
    mapping(IFault fault => uint64 wad) private _wads;
    mapping(bytes32 record => RecordedOffence) private _offences;
    FaultTerms[] private _faults;

    constructor(IOperatorRegistry operatorRegistry, uint48 challengeWindow, FaultTerms[] memory punished) {
        OPERATOR_REGISTRY = operatorRegistry;
        CHALLENGE_WINDOW = challengeWindow;
        if (punished.length == 0) revert InvalidFaults();
        for (uint256 i = 0; i < punished.length; ++i) {
            FaultTerms memory terms = punished[i];
            if (address(terms.fault).code.length == 0 || terms.wad == 0 || terms.wad > WHOLE || _wads[terms.fault] != 0)
            {
                revert InvalidFaults();
            }
            _wads[terms.fault] = terms.wad;
            _faults.push(terms);
        }
    }

    /// @inheritdoc IOffences
    function recordOffence(IFault fault, bytes calldata proof) external returns (bytes32 record) {
        uint64 wad = _wads[fault];
        if (wad == 0) revert UnknownFault(fault);
        (EpochId epoch, bytes32 deed, bytes memory nonSigners) = fault.prove(proof);
        (,,, uint48 expiresAt) = OPERATOR_REGISTRY.epochs(epoch);
        uint256 end = expiresAt == 0 ? 0 : uint256(expiresAt) + CHALLENGE_WINDOW;
        if (block.timestamp >= end) revert TooLate(epoch, end);
        // Faults do not share ids.
        bytes32 id = keccak256(abi.encode(fault, deed));
        record = keccak256(abi.encode(id, epoch, nonSigners));
        if (_offences[record].wad != 0) revert AlreadyRecorded(record);
        _offences[record] = RecordedOffence({epoch: epoch, wad: wad, id: id, nonSigners: nonSigners});
        emit OffenceRecorded(record, fault, epoch, id, msg.sender);
    }

    /// @inheritdoc IOffences
    // An operator is marked before it is punished.
    // slither-disable-next-line reentrancy-events
    function punish(bytes32 record, uint256[] calldata indices) external {
        RecordedOffence memory offence = _offences[record];
        if (offence.wad == 0) revert NoSuchRecord(record);
        (address table, OperatorSetId operatorSet,,) = OPERATOR_REGISTRY.epochs(offence.epoch);
        (,, uint256 count, uint256 earlierTables) = OperatorTable.readHead(table);
        for (uint256 i = 0; i < indices.length; ++i) {
            uint256 index = indices[i];
            if (index >= count || isSet(offence.nonSigners, index)) revert NotOffender(record, index);
            address operator = OperatorTable.readEntry(table, earlierTables, index).operator;
            if (isPunished[offence.id][operator]) revert AlreadyPunished(offence.id, operator);
            isPunished[offence.id][operator] = true;
            _punish(offence.epoch, operatorSet, operator, offence.wad, offence.id);
            emit OperatorPunished(record, operatorSet, operator);
        }
    }

    /// @inheritdoc IOffences
    function offenceOf(bytes32 record) external view returns (RecordedOffence memory) {
        return _offences[record];
    }

    /// @inheritdoc IOffences
    function faults() external view returns (FaultTerms[] memory) {
        return _faults;
    }

    /// @dev Takes a share of the stake, of 1e18, that an operator has in the set for an epoch, or queues to take it.
    function _punish(EpochId epoch, OperatorSetId operatorSet, address operator, uint64 wad, bytes32 id)
        internal
        virtual;
}
