// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IOwnerStakeSource} from "../interfaces/IOwnerStakeSource.sol";
import {IStakeSource} from "../interfaces/IStakeSource.sol";
import {OperatorSetId} from "../interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title OwnerStakeSource
/// @notice Weights that an owner sets.
/// @dev A change takes effect with the next epoch, which copies the weights. They are
/// not stake that could be slashed, so they set no limit to an epoch's lifetime.
contract OwnerStakeSource is IOwnerStakeSource, Ownable2Step {
    /// @inheritdoc IOwnerStakeSource
    mapping(OperatorSetId operatorSet => mapping(address operator => uint96 weight)) public weightOf;

    /// @inheritdoc IStakeSource
    uint48 public constant slashableFor = type(uint48).max;

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

    /// @inheritdoc IStakeSource
    function weightsOf(OperatorSetId operatorSet, address[] calldata operators)
        external
        view
        returns (uint96[] memory weights)
    {
        weights = new uint96[](operators.length);
        for (uint256 i = 0; i < operators.length; ++i) {
            weights[i] = weightOf[operatorSet][operators[i]];
        }
    }
}
