// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAVSRegistrar, IAllocationManager} from "./IEigenLayer.sol";
import {IMemberStake, MemberTerms} from "./IMemberStake.sol";

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
    /// @dev For how many blocks after it is read a weight must stay slashable, below `DEALLOCATION_DELAY`.
    uint32 lookahead;
    /// @dev The least time from one block to the next, in seconds.
    uint32 blockTime;
    /// @dev The terms on which operators are members.
    MemberTerms members;
}

/// @title IEigenLayerStake
/// @notice Weighs operators by the stake that EigenLayer can slash, and decides which of them may join.
interface IEigenLayerStake is IMemberStake, IAVSRegistrar {
    /// @notice Thrown when the caller is not EigenLayer's AllocationManager.
    error NotAllocationManager(address caller);
    /// @notice Thrown when the operator joins sets of another account.
    error WrongAvs(address avs);
    /// @notice Thrown at deployment when the strategies are too few, too many, not ascending, or weigh nothing.
    error InvalidStrategies();
    /// @notice Thrown at deployment when the lookahead is not below EigenLayer's delay, in blocks.
    error LookaheadTooLong(uint32 lookahead, uint32 deallocationDelay);

    /// @notice Returns the strategies that weigh, in ascending order.
    function strategies() external view returns (StrategyWeight[] memory);
}
