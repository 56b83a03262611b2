// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAdmission} from "./IAdmission.sol";
import {IAVSRegistrar, IAllocationManager} from "./IEigenLayer.sol";
import {IMembershipSource} from "./IMembershipSource.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {OperatorSetId} from "./Protocol.sol";

/// @notice A strategy of EigenLayer, and what its shares weigh.
struct StrategyWeight {
    address strategy;
    /// @dev The weight of 1e18 shares.
    uint96 multiplier;
}

/// @notice The settings of an `EigenLayerStake`.
struct EigenLayerSettings {
    /// @dev EigenLayer's AllocationManager.
    IAllocationManager allocationManager;
    /// @dev The account that the operator sets belong to. Their ids there are those of the protocol.
    address avs;
    /// @dev The registry in which operators have their keys.
    IOperatorRegistry operatorRegistry;
    /// @dev Which operators may join; zero if all may.
    IAdmission admission;
    /// @dev The least weight of a member, at least 1. Less weighs nothing.
    uint96 minWeight;
    /// @dev The most weight of a member. More weighs only as much.
    uint96 maxWeight;
    /// @dev For how many blocks after it is read a weight must stay slashable, below `DEALLOCATION_DELAY`.
    uint32 lookahead;
    /// @dev The least time from one block to the next, in seconds.
    uint32 blockTime;
    /// @dev How long after the end of an epoch its operators can be slashed, in seconds.
    uint48 challengeWindow;
}

/// @title IEigenLayerStake
/// @notice Weighs operators by the stake that EigenLayer can slash, and decides which of them may join.
interface IEigenLayerStake is IMembershipSource, IAVSRegistrar {
    /// @notice Emitted when an operator joins a set.
    event OperatorJoined(OperatorSetId indexed operatorSet, address indexed operator, uint96 weight);
    /// @notice Emitted when an operator leaves a set, or is ejected. Epochs committed earlier keep it.
    event OperatorLeft(OperatorSetId indexed operatorSet, address indexed operator);

    /// @notice Thrown when the caller is not EigenLayer's AllocationManager.
    error NotAllocationManager(address caller);
    /// @notice Thrown when the operator joins sets of another account.
    error WrongAvs(address avs);
    /// @notice Thrown when the operator may not join the set.
    error NotAdmitted(OperatorSetId operatorSet, address operator);
    /// @notice Thrown when the operator has no valid key in the operator registry.
    error KeyMissing(address operator);
    /// @notice Thrown when the operator's slashable stake weighs less than a member's must.
    error TooLittleStake(uint256 weight, uint96 least);
    /// @notice Thrown when the set would have more members than one table holds.
    error OperatorSetFull(uint256 most);
    /// @notice Thrown when the operator gives no reason to eject it.
    error CannotEject(OperatorSetId operatorSet, address operator);
    /// @notice Thrown at deployment when a contract among the settings has no code.
    error NotContract(address account);
    /// @notice Thrown at deployment when the strategies are too few, too many, not ascending, or weigh nothing.
    error InvalidStrategies();
    /// @notice Thrown at deployment when the bounds of weights are zero, exceed each other or what a table can add up.
    error InvalidWeightBounds(uint96 minWeight, uint96 maxWeight);
    /// @notice Thrown at deployment when the lookahead is not below EigenLayer's delay, in blocks.
    error LookaheadTooLong(uint32 lookahead, uint32 deallocationDelay);
    /// @notice Thrown at deployment when no time is left for an epoch before the challenge window, in seconds.
    error ChallengeWindowTooLong(uint48 challengeWindow, uint256 lookahead);

    /// @notice Ejects a member that is no longer admitted, or, while the set is full, one without weight or valid key.
    /// Anyone may call it.
    /// @dev Needs this contract to be the account's appointee for `deregisterFromOperatorSets`.
    function eject(OperatorSetId operatorSet, address operator) external;

    /// @notice Returns the strategies that weigh, in ascending order.
    function strategies() external view returns (StrategyWeight[] memory);
}
