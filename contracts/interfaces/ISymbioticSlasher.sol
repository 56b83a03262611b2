// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOffences} from "./IOffences.sol";
import {EpochId, OperatorSetId} from "./Protocol.sol";

/// @title ISymbioticSlasher
/// @notice Slashes the stake of operators on Symbiotic for proved offences, the oldest of an operator first.
/// @dev Symbiotic slashes no stake that is older than the one it slashed last. So `punish` only queues. Each offence
/// waits for the reporting window, in which anyone can report older ones of the operator, and all are slashed in order.
interface ISymbioticSlasher is IOffences {
    /// @notice Emitted when a slash is queued. It can be executed from `executableFrom` on (Unix time), after those of
    /// older epochs; earlier if one of the same or a newer epoch can.
    event SlashQueued(
        OperatorSetId indexed operatorSet,
        address indexed operator,
        EpochId indexed epoch,
        bytes32 id,
        uint48 executableFrom
    );
    /// @notice Emitted when an operator's stake is slashed for an offence.
    event OperatorSlashed(
        OperatorSetId indexed operatorSet, address indexed operator, EpochId indexed epoch, bytes32 id, uint256 amount
    );
    /// @notice Emitted when a slash leaves the queue without effect: nothing more of the epoch's stake can be slashed.
    /// @dev Also if the same deed in another epoch took as much already.
    event SlashLapsed(OperatorSetId indexed operatorSet, address indexed operator, EpochId indexed epoch, bytes32 id);

    /// @notice Thrown when no vault backs the operator in the set.
    error NoVault(OperatorSetId operatorSet, address operator);
    /// @notice Thrown when the keeper did not commit the epoch, so that it is unknown when its weights were read.
    error UnknownCommit(EpochId epoch);
    /// @notice Thrown when the operator's queue is empty.
    error NothingQueued(OperatorSetId operatorSet, address operator);
    /// @notice Thrown when no reporting window in the operator's queue is over.
    error ReportingWindowOpen(OperatorSetId operatorSet, address operator, uint48 executableFrom);

    /// @notice Slashes an operator for its queued offences, the oldest epoch's first. Anyone may call it, once a
    /// reporting window is over. Stops before offences that are newer than all whose window is over.
    /// @param count The most slashes: as many as fit in a transaction.
    function execute(OperatorSetId operatorSet, address operator, uint256 count) external;

    /// @notice Returns an operator's queue.
    /// @return executableFrom When the oldest epoch's can be executed (Unix time); zero if it is empty.
    /// @return epochs The epochs whose offences are queued, in no order.
    function queueOf(OperatorSetId operatorSet, address operator)
        external
        view
        returns (uint48 executableFrom, EpochId[] memory epochs);
}
