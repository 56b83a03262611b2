// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IStakeSource} from "../../../contracts/interfaces/IStakeSource.sol";
import {OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";

/// @title SlashableStakeSource
/// @notice A stake source in which all weigh the same, and which a test tells how long it can slash.
contract SlashableStakeSource is IStakeSource {
    /// @inheritdoc IStakeSource
    uint48 public slashableFor;
    /// @notice How many weights it returns more than it was asked for.
    uint256 public surplus;

    constructor(uint48 initialSlashableFor) {
        slashableFor = initialSlashableFor;
    }

    function setSlashableFor(uint48 newSlashableFor) external {
        slashableFor = newSlashableFor;
    }

    function setSurplus(uint256 newSurplus) external {
        surplus = newSurplus;
    }

    /// @inheritdoc IStakeSource
    function weightsOf(OperatorSetId, address[] calldata operators) external view returns (uint96[] memory weights) {
        weights = new uint96[](operators.length + surplus);
        for (uint256 i = 0; i < weights.length; ++i) {
            weights[i] = 100;
        }
    }
}
