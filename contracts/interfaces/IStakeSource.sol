// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OperatorSetId} from "./Protocol.sol";

/// @title IStakeSource
/// @notice Weighs operators.
interface IStakeSource {
    /// @notice Returns an operator's weight in an operator set, in the source's own unit; zero if it is not in the set.
    /// @param operatorSet The operator set.
    /// @param operator The operator's address.
    function weightOf(OperatorSetId operatorSet, address operator) external view returns (uint96);
}
