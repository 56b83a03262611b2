// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Where operators' weights come from
interface IStakeSource {
    /// @notice The weight of an operator in an operator set, in a unit of the source's own; zero if it has no part in it.
    /// @param operatorSet The operator set.
    /// @param operator The operator's address.
    function weightOf(uint32 operatorSet, address operator) external view returns (uint96);
}
