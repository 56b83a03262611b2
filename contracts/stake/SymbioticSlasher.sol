// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Offences} from "../challenge/Offences.sol";
import {IEpochKeeper} from "../interfaces/IEpochKeeper.sol";
import {FaultTerms} from "../interfaces/IOffences.sol";
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

    /// @dev A share of what can still be slashed.
    struct QueuedSlash {
        bytes32 id;
        uint64 wad;
    }

    /// @dev Of an operator in a set.
    struct Queue {
        uint48 executableFrom;
        /// @dev Those with a slash, each once: at most as many as have a stake that can be slashed.
        EpochId[] epochs;
        mapping(EpochId epoch => QueuedSlash[]) slashes;
    }

    /// @notice The source of the operators' weights, which knows their vaults.
    SymbioticStake public immutable STAKE;
    /// @notice The keeper that commits the epochs, and knows when it did.
    IEpochKeeper public immutable KEEPER;
    /// @notice How long an operator's queue waits for reports of older offences, in seconds.
    uint48 public immutable REPORTING_WINDOW;

    mapping(OperatorSetId operatorSet => mapping(address operator => Queue)) private _queues;

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
        uint256 windows = uint256(challengeWindow) + reportingWindow;
        if (windows >= stake.CHALLENGE_WINDOW()) revert WindowsTooLong(windows, stake.CHALLENGE_WINDOW());
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
        if (block.timestamp < queue.executableFrom) {
            revert ReportingWindowOpen(operatorSet, operator, queue.executableFrom);
        }
        for (uint256 i = 0; i < count && _isExecutable(queue); ++i) {
            (EpochId epoch, QueuedSlash memory slash) = _takeOldest(queue);
            _slash(operatorSet, operator, epoch, slash);
        }
    }

    /// @inheritdoc ISymbioticSlasher
    function queueOf(OperatorSetId operatorSet, address operator)
        external
        view
        returns (uint48 executableFrom, EpochId[] memory epochs)
    {
        Queue storage queue = _queues[operatorSet][operator];
        return (queue.executableFrom, queue.epochs);
    }

    /// @inheritdoc Offences
    function _punish(EpochId epoch, OperatorSetId operatorSet, address operator, uint64 wad, bytes32 id)
        internal
        override
    {
        if (STAKE.vaultOf(operatorSet, operator) == address(0)) revert NoVault(operatorSet, operator);
        if (KEEPER.committedAt(epoch) == 0) revert UnknownCommit(epoch);
        Queue storage queue = _queues[operatorSet][operator];
        if (queue.epochs.length == 0) queue.executableFrom = uint48(block.timestamp) + REPORTING_WINDOW;
        if (queue.slashes[epoch].length == 0) queue.epochs.push(epoch);
        queue.slashes[epoch].push(QueuedSlash(id, wad));
        emit SlashQueued(operatorSet, operator, epoch, id, queue.executableFrom);
    }

    /// @inheritdoc Offences
    function _slashesAtOnce() internal pure override returns (bool) {
        return false;
    }

    function _isExecutable(Queue storage queue) private view returns (bool) {
        return queue.epochs.length != 0 && block.timestamp >= queue.executableFrom;
    }

    /// @dev Removes a slash of the oldest epoch. Numbers of epochs ascend with the times of their commits, and the
    /// order of an epoch's own slashes does not matter to Symbiotic.
    function _takeOldest(Queue storage queue) private returns (EpochId epoch, QueuedSlash memory slash) {
        uint256 oldest = 0;
        epoch = queue.epochs[0];
        for (uint256 i = 1; i < queue.epochs.length; ++i) {
            if (EpochId.unwrap(queue.epochs[i]) >= EpochId.unwrap(epoch)) continue;
            (oldest, epoch) = (i, queue.epochs[i]);
        }
        QueuedSlash[] storage slashes = queue.slashes[epoch];
        slash = slashes[slashes.length - 1];
        slashes.pop();
        if (slashes.length != 0) return (epoch, slash);
        queue.epochs[oldest] = queue.epochs[queue.epochs.length - 1];
        queue.epochs.pop();
        if (queue.epochs.length == 0) queue.executableFrom = 0;
    }

    /// @dev A slash without effect leaves the queue, too: it must not stop those after it.
    // Taken from the queue before. Only the slash says that it took stake.
    // slither-disable-next-line reentrancy-events,reentrancy-benign
    function _slash(OperatorSetId operatorSet, address operator, EpochId epoch, QueuedSlash memory slash) private {
        address vault = STAKE.vaultOf(operatorSet, operator);
        ISymbioticInstantSlasher slasher = ISymbioticInstantSlasher(ISymbioticVault(vault).slasher());
        bytes32 subnetwork = STAKE.subnetworkOf(operatorSet);
        // When the weights were read.
        uint48 capturedAt = KEEPER.committedAt(epoch) - 1;
        uint256 slashable = slasher.slashableStake(subnetwork, operator, capturedAt, "");
        if (slashable == 0) {
            emit SlashLapsed(operatorSet, operator, epoch, slash.id);
            return;
        }
        uint256 amount = slashable.fullMulDivUp(slash.wad, WHOLE);
        uint256 slashed = slasher.slash(subnetwork, operator, amount, capturedAt, "");
        if (slashed != 0) _setSlashed(slash.id, operator);
        emit OperatorSlashed(operatorSet, operator, epoch, slash.id, slashed);
    }
}
