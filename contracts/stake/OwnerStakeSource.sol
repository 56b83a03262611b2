// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IOwnerStakeSource} from "../interfaces/IOwnerStakeSource.sol";
import {IStakeSource} from "../interfaces/IStakeSource.sol";
import {OperatorSetId} from "../interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title OwnerStakeSource
/// @notice Weights that an owner sets.
/// @dev A change takes effect with the next epoch, which copies the weights.
contract OwnerStakeSource is IOwnerStakeSource, Ownable2Step {
    /// @inheritdoc IStakeSource
    mapping(OperatorSetId operatorSet => mapping(address operator => uint96 weight)) public weightOf;

    /// @param owner The account that sets the weights.
    constructor(address owner) Ownable(owner) {}

    /// @inheritdoc IOwnerStakeSource
    function setWeights(OperatorSetId operatorSet, address[] calldata operators, uint96[] calldata weights)
        external
        onlyOwner
    {
        if (operators.length != weights.length) revert LengthsDiffer(operators.length, weights.length);
        for (uint256 i = 0; i < operators.length; ++i) {
            weightOf[operatorSet][operators[i]] = weights[i];
            emit WeightChanged(operatorSet, operators[i], weights[i]);
        }
    }
}
