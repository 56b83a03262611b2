// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OperatorSetId} from "./Protocol.sol";

/// @title IStakeSource
/// @notice Weighs operators.
interface IStakeSource {
    /// @notice Returns operators' weights in an operator set, in the source's own unit; zero for one that is not in it.
    /// @param operatorSet The operator set.
    /// @param operators The operators' addresses.
    /// @return weights As many as operators, in their order.
    function weightsOf(OperatorSetId operatorSet, address[] calldata operators)
        external
        view
        returns (uint96[] memory weights);

    /// @notice Returns how long operators can be slashed for a weight after it is read, in seconds.
    /// @dev An epoch must not live longer: its operators would sign with nothing at stake.
    function slashableFor() external view returns (uint48);
}
