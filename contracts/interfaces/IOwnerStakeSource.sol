// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IStakeSource} from "./IStakeSource.sol";
import {OperatorSetId} from "./Protocol.sol";

/// @title IOwnerStakeSource
/// @notice Weights that an owner sets.
interface IOwnerStakeSource is IStakeSource {
    /// @notice Emitted when an operator's weight in a set changes.
    event WeightChanged(OperatorSetId indexed operatorSet, address indexed operator, uint96 weight);

    /// @notice Thrown when there are not as many weights as operators.
    error LengthsDiffer(uint256 operators, uint256 weights);

    /// @notice Sets operators' weights in a set; zero removes an operator from it. Only the owner may call it.
    function setWeights(OperatorSetId operatorSet, address[] calldata operators, uint96[] calldata weights) external;

    /// @notice Returns an operator's weight in an operator set; zero if it is not in the set.
    function weightOf(OperatorSetId operatorSet, address operator) external view returns (uint96);
}
