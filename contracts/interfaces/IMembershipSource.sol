// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IStakeSource} from "./IStakeSource.sol";
import {OperatorSetId} from "./Protocol.sol";

/// @title IMembershipSource
/// @notice Weighs operators, and knows all of them: anyone can commit the complete set.
interface IMembershipSource is IStakeSource {
    /// @notice Returns all members of an operator set, in ascending order, with weight or without.
    function membersOf(OperatorSetId operatorSet) external view returns (address[] memory);
}
