// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IMembershipSource} from "../../../contracts/interfaces/IMembershipSource.sol";
import {OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";

/// @title ListedStakeSource
/// @notice A stake source whose members, equal for all sets, and weights a test sets.
contract ListedStakeSource is IMembershipSource {
    uint48 public slashableFor = type(uint48).max;
    mapping(address operator => uint96) private _weights;
    address[] private _members;

    /// @dev In ascending order, each with the weight.
    function setMembers(address[] calldata members, uint96 weight) external {
        _members = members;
        for (uint256 i = 0; i < members.length; ++i) {
            _weights[members[i]] = weight;
        }
    }

    function setWeight(address operator, uint96 weight) external {
        _weights[operator] = weight;
    }

    function membersOf(OperatorSetId) external view returns (address[] memory) {
        return _members;
    }

    function weightsOf(OperatorSetId, address[] calldata operators) external view returns (uint96[] memory weights) {
        weights = new uint96[](operators.length);
        for (uint256 i = 0; i < operators.length; ++i) {
            weights[i] = _weights[operators[i]];
        }
    }
}
