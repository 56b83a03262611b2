// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IStakeSource} from "./IStakeSource.sol";

/// @title Weights that an owner sets by hand
interface IOwnerStakeSource is IStakeSource {
    /// @notice An operator's weight in a set is `weight` from now on.
    event WeightChanged(uint32 indexed operatorSet, address indexed operator, uint96 weight);

    /// @notice As many weights as operators must be given.
    error LengthsDiffer(uint256 operators, uint256 weights);

    /// @notice Sets the weights of operators in a set; zero takes an operator out of it. Owner only.
    function setWeights(uint32 operatorSet, address[] calldata operators, uint96[] calldata weights) external;
}
