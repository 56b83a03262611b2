// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OperatorSetId} from "./Protocol.sol";

/// @title IAdmission
/// @notice Decides which operators may join an operator set.
interface IAdmission {
    /// @notice Returns whether an operator may join an operator set, and remain in it.
    function isAdmitted(OperatorSetId operatorSet, address operator) external view returns (bool);
}
