// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Offences} from "../challenge/Offences.sol";
import {IEpochKeeper} from "../interfaces/IEpochKeeper.sol";
import {FaultTerms, RecordedOffence} from "../interfaces/IOffences.sol";
import {ISymbioticInstantSlasher, ISymbioticVault} from "../interfaces/ISymbiotic.sol";
import {ISymbioticSlasher} from "../interfaces/ISymbioticSlasher.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";
import {SymbioticStake} from "./SymbioticStake.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title SymbioticSlasher
/// @notice Slashes the stake of operators on Symbiotic for proved offences, the oldest of an operator first.
/// @dev The network's account must appoint it as middleware. It has no owner: only a proof makes it slash. What is
/// slashed goes to the burner of `SymbioticStake`. The reporter gets nothing of it (see `ReporterReward`).
contract SymbioticSlasher is ISymbioticSlasher, Offences {
    using FixedPointMathLib for uint256;

    /// @dev An epoch with offences that wait.
    struct QueuedEpoch {
        EpochId epoch;
        /// @dev When the reporting window is over since the first of them was queued (Unix time).
        uint48 executableFrom;
    }

    /// @dev Of an operator in a set.
    struct Queue {
        /// @dev Those with a record, each once.
        QueuedEpoch[] epochs;
        mapping(EpochId epoch => bytes32[]) records;
    }

    /// @notice The source of the operators' weights, which knows their vaults.
    SymbioticStake public immutable STAKE;
    /// @notice The keeper that commits the epochs, and knows when it did.
    IEpochKeeper public immutable KEEPER;
    /// @notice How long an operator's queue waits for reports of older offences, in seconds.
    uint48 public immutable REPORTING_WINDOW;

    mapping(OperatorSetId operatorSet => mapping(address operator => Queue)) private _queues;
    /// @dev What was slashed for a deed, in whatever epochs.
    mapping(bytes32 deed => mapping(OperatorSetId operatorSet => mapping(address operator => uint256))) private _paid;

    /// @param stake The source of the operators' weights.
    /// @param keeper The keeper of the registry whose epochs' operators are punished.
    /// @param challengeWindow How long after an epoch's end an offence can be recorded, in seconds.
    /// @param reportingWindow How long a queue waits, in seconds. With the challenge window, below that of the stake:
    /// the rest is the time to execute.
    /// @param punished The faults, and which share of the operator's stake in the set each costs.
    constructor(
        SymbioticStake stake,
        IEpochKeeper keeper,
        uint48 challengeWindow,
        uint48 reportingWindow,
        FaultTerms[] memory punished
    ) Offences(keeper.OPERATOR_REGISTRY(), challengeWindow, punished) {
        _requireWithin(uint256(challengeWindow) + reportingWindow, stake.CHALLENGE_WINDOW());
        STAKE = stake;
        KEEPER = keeper;
        REPORTING_WINDOW = reportingWindow;
    }

    /// @inheritdoc ISymbioticSlasher
    // A vault's hook that calls back finds the queue as it is, and what it queues waits for its own window.
    // slither-disable-next-line reentrancy-no-eth
    function execute(OperatorSetId operatorSet, address operator, uint256 count) external {
        Queue storage queue = _queues[operatorSet][operator];
        if (queue.epochs.length == 0) revert NothingQueued(operatorSet, operator);
        for (uint256 i = 0; i < count && queue.epochs.length != 0; ++i) {
            (uint256 oldest, uint48 executableFrom) = _next(queue);
            if (block.timestamp < executableFrom) {
                if (i != 0) return;
                revert ReportingWindowOpen(operatorSet, operator, executableFrom);
            }
            _slash(operatorSet, operator, _take(queue, oldest));
        }
    }

    /// @inheritdoc ISymbioticSlasher
    function queueOf(OperatorSetId operatorSet, address operator)
        external
        view
        returns (uint48 executableFrom, EpochId[] memory epochs)
    {
        Queue storage queue = _queues[operatorSet][operator];
        epochs = new EpochId[](queue.epochs.length);
        for (uint256 i = 0; i < epochs.length; ++i) {
            epochs[i] = queue.epochs[i].epoch;
        }
        if (epochs.length != 0) (, executableFrom) = _next(queue);
    }

    /// @inheritdoc Offences
    function _punish(bytes32 record, RecordedOffence memory offence, OperatorSetId operatorSet, address operator)
        internal
        override
    {
        EpochId epoch = offence.epoch;
        if (STAKE.vaultOf(operatorSet, operator) == address(0)) revert NoVault(operatorSet, operator);
        if (KEEPER.committedAt(epoch) == 0) revert UnknownCommit(epoch);
        Queue storage queue = _queues[operatorSet][operator];
        bytes32[] storage records = queue.records[epoch];
        uint48 executableFrom = uint48(block.timestamp) + REPORTING_WINDOW;
        if (records.length == 0) queue.epochs.push(QueuedEpoch(epoch, executableFrom));
        records.push(record);
        emit SlashQueued(operatorSet, operator, epoch, offence.id, executableFrom);
    }

    /// @inheritdoc Offences
    function _slashesAtOnce() internal pure override returns (bool) {
        return false;
    }

    /// @dev Returns the index of the oldest epoch, and when it can be executed: once its own window is over, or that of
    /// a newer one. A newer one waits for its own, whatever is ready before it. So when an epoch's stake is slashed, an
    /// offence in it or in a newer one was public for a whole window. What others queue delays nothing. Numbers of
    /// epochs ascend with the times of their commits.
    function _next(Queue storage queue) private view returns (uint256 oldest, uint48 executableFrom) {
        QueuedEpoch memory found = queue.epochs[0];
        executableFrom = found.executableFrom;
        uint256 length = queue.epochs.length;
        for (uint256 i = 1; i < length; ++i) {
            QueuedEpoch memory queued = queue.epochs[i];
            if (queued.executableFrom < executableFrom) executableFrom = queued.executableFrom;
            if (EpochId.unwrap(queued.epoch) < EpochId.unwrap(found.epoch)) (oldest, found) = (i, queued);
        }
    }

    /// @dev Removes a record of an epoch. The order of an epoch's own slashes does not matter to Symbiotic.
    function _take(Queue storage queue, uint256 index) private returns (bytes32 record) {
        bytes32[] storage records = queue.records[queue.epochs[index].epoch];
        record = records[records.length - 1];
        records.pop();
        if (records.length != 0) return record;
        queue.epochs[index] = queue.epochs[queue.epochs.length - 1];
        queue.epochs.pop();
    }

    /// @dev A slash without effect leaves the queue, too: it must not stop those after it.
    // Taken from the queue before, and marked as paid. Only the slash says that it took stake.
    // slither-disable-next-line reentrancy-events,reentrancy-benign
    function _slash(OperatorSetId operatorSet, address operator, bytes32 record) private {
        RecordedOffence storage offence = _offence(record);
        (EpochId epoch, bytes32 id) = (offence.epoch, offence.id);
        address vault = STAKE.vaultOf(operatorSet, operator);
        ISymbioticInstantSlasher slasher = ISymbioticInstantSlasher(ISymbioticVault(vault).slasher());
        bytes32 subnetwork = STAKE.subnetworkOf(operatorSet);
        // When the weights were read.
        uint48 capturedAt = KEEPER.committedAt(epoch) - 1;
        uint256 slashable = slasher.slashableStake(subnetwork, operator, capturedAt, "");
        uint256 paid = _paid[offence.deed][operatorSet][operator];
        // The share of all that there was before the same deed was slashed for in another epoch.
        uint256 owed = (slashable + paid).fullMulDivUp(offence.wad, WHOLE);
        if (slashable == 0 || owed <= paid) {
            emit SlashLapsed(operatorSet, operator, epoch, id);
            return;
        }
        _paid[offence.deed][operatorSet][operator] = owed;
        uint256 slashed = slasher.slash(subnetwork, operator, owed - paid, capturedAt, "");
        // What is added to an earlier slash can be next to nothing, and is worth no reward.
        if (slashed != 0 && paid == 0) _setSlashed(id, operator);
        emit OperatorSlashed(operatorSet, operator, epoch, id, slashed);
    }
}
