// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {FaultTerms, IFault, IOffences, Punishment, RecordedOffence} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {OperatorTable} from "../libraries/OperatorTable.sol";

/// @title Offences
/// @notice Records proved offences, and punishes those who did them, each once.
/// @dev Which faults there are, and what they cost, never changes. Recording and punishing are apart, because a
/// transaction has no room to punish 100 operators.
/// @dev No signature names an epoch: what an operator signed in one can be shown as signed in each with its key. So
/// an offence is one of an epoch. Else an operator would report itself where it has least, and be free elsewhere. And a
/// deed costs its share of the greatest stake in a set, not of each epoch's. Else one would cost all of it.
abstract contract Offences is IOffences {
    /// @dev All of an operator's stake in the set.
    uint64 internal constant WHOLE = 1e18;

    /// @inheritdoc IOffences
    IOperatorRegistry public immutable OPERATOR_REGISTRY;
    /// @notice How long after an epoch's end an offence of its operators can be recorded, in seconds.
    uint48 public immutable CHALLENGE_WINDOW;

    /// @dev Each in one slot.
    mapping(bytes32 id => mapping(address operator => Punishment)) private _punishments;
    /// @dev The newest epoch when an operator's stake in a set was slashed for a deed, if `punish` slashes at once.
    mapping(bytes32 deed => mapping(OperatorSetId operatorSet => mapping(address operator => EpochId))) private
        _settled;
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
    function report(IFault fault, bytes calldata proof, uint256[] calldata indices) external returns (bytes32 record) {
        record = recordOffence(fault, proof);
        punish(record, indices);
    }

    /// @inheritdoc IOffences
    function recordOffence(IFault fault, bytes calldata proof) public returns (bytes32 record) {
        uint64 wad = _wads[fault];
        if (wad == 0) revert UnknownFault(fault);
        (EpochId epoch, bytes32 deed, bytes memory nonSigners) = fault.prove(proof);
        // Faults do not share deeds.
        deed = keccak256(abi.encode(fault, deed));
        (,,, uint48 expiresAt) = OPERATOR_REGISTRY.epochs(epoch);
        uint256 end = _endOf(expiresAt);
        if (block.timestamp >= end) revert TooLate(epoch, end);
        // Else a copy of the proof with a longer bitmap would be another record, of another reporter.
        Bitmap.trim(nonSigners);
        bytes32 id = keccak256(abi.encode(deed, epoch));
        record = keccak256(abi.encode(id, nonSigners));
        if (_offences[record].wad != 0) revert AlreadyRecorded(record);
        _offences[record] =
            RecordedOffence({epoch: epoch, wad: wad, reporter: msg.sender, deed: deed, id: id, nonSigners: nonSigners});
        emit OffenceRecorded(record, fault, epoch, id, msg.sender);
    }

    /// @inheritdoc IOffences
    // An operator is marked before it is punished.
    // slither-disable-next-line reentrancy-events
    function punish(bytes32 record, uint256[] calldata indices) public {
        RecordedOffence memory offence = _offences[record];
        if (offence.wad == 0) revert NoSuchRecord(record);
        (address table, OperatorSetId operatorSet,, uint48 expiresAt) = OPERATOR_REGISTRY.epochs(offence.epoch);
        (,, uint256 count, uint256 earlierTables) = OperatorTable.readHead(table);
        Punishment memory punishment = _punishmentNow(offence, expiresAt);
        bool hasEffect = indices.length == 0;
        for (uint256 i = 0; i < indices.length; ++i) {
            uint256 index = indices[i];
            if (index >= count || Bitmap.isSet(offence.nonSigners, index)) revert NotOffender(record, index);
            address operator = OperatorTable.readEntry(table, earlierTables, index).operator;
            if (_hasPaid(offence, operatorSet, operator)) continue;
            hasEffect = true;
            _mark(offence, operatorSet, operator, punishment);
            _punish(record, offence, operatorSet, operator);
            emit OperatorPunished(record, operatorSet, operator);
        }
        if (!hasEffect) revert AlreadyPunished(offence.id);
    }

    /// @inheritdoc IOffences
    function offenceOf(bytes32 record) external view returns (RecordedOffence memory) {
        return _offences[record];
    }

    /// @inheritdoc IOffences
    function punishmentOf(bytes32 id, address operator) external view returns (Punishment memory) {
        return _punishments[id][operator];
    }

    /// @inheritdoc IOffences
    function isPunished(bytes32 id, address operator) public view returns (bool) {
        return _punishments[id][operator].reporter != address(0);
    }

    /// @inheritdoc IOffences
    function faults() external view returns (FaultTerms[] memory) {
        return _faults;
    }

    /// @dev Remembers that an operator's stake was slashed for an offence, if `punish` only queued it.
    function _setSlashed(bytes32 id, address operator) internal {
        _punishments[id][operator].slashedAt = uint48(block.timestamp);
    }

    /// @dev Slashes the share of the stake that an operator has in the set for the epoch, or queues the slash. No deed
    /// may cost an operator more in a set than its share of the greatest stake there, in whatever epochs.
    function _punish(bytes32 record, RecordedOffence memory offence, OperatorSetId operatorSet, address operator)
        internal
        virtual;

    /// @dev Returns whether `_punish` slashes, and does not only queue.
    function _slashesAtOnce() internal pure virtual returns (bool);

    /// @dev Returns a record's offence, which exists.
    function _offence(bytes32 record) internal view returns (RecordedOffence storage) {
        return _offences[record];
    }

    function _mark(
        RecordedOffence memory offence,
        OperatorSetId operatorSet,
        address operator,
        Punishment memory punishment
    ) private {
        _punishments[offence.id][operator] = punishment;
        if (!_slashesAtOnce()) return;
        _settled[offence.deed][operatorSet][operator] = EpochId.wrap(OPERATOR_REGISTRY.epochCount());
    }

    /// @dev Returns whether an operator was punished for the offence, or what was slashed for the same deed at once was
    /// of this epoch's stake, too.
    function _hasPaid(RecordedOffence memory offence, OperatorSetId operatorSet, address operator)
        private
        view
        returns (bool)
    {
        return isPunished(offence.id, operator)
            || EpochId.unwrap(offence.epoch) <= EpochId.unwrap(_settled[offence.deed][operatorSet][operator]);
    }

    /// @dev Reverts if nothing is left of the time for which stake can be slashed after an epoch's end.
    function _requireWithin(uint256 windows, uint48 slashableFor) internal pure {
        if (windows >= slashableFor) revert WindowsTooLong(windows, slashableFor);
    }

    /// @dev Returns the punishment for an offence in an epoch with that end.
    function _punishmentNow(RecordedOffence memory offence, uint48 expiresAt) private view returns (Punishment memory) {
        // Later, stake may be free, and a slash may take nothing.
        bool slashesStake = _slashesAtOnce() && block.timestamp < _endOf(expiresAt);
        return Punishment(offence.reporter, offence.epoch, slashesStake ? uint48(block.timestamp) : 0);
    }

    /// @dev Returns when offences of an epoch's operators can no longer be recorded; zero if there is no such epoch.
    function _endOf(uint48 expiresAt) private view returns (uint256) {
        return expiresAt == 0 ? 0 : uint256(expiresAt) + CHALLENGE_WINDOW;
    }
}
