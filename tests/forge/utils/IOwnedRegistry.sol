// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";

/// @title IOwnedRegistry
/// @notice What OperatorRegistry has beyond its interface. Tests deploy it from its artifact, which has its own
/// settings.
interface IOwnedRegistry is IOperatorRegistry {
    function transferOwnership(address newOwner) external;
    function acceptOwnership() external;
    function renounceOwnership() external;
    function owner() external view returns (address);
    function APPROVAL_QUORUM() external view returns (uint16);
    function APPROVAL_TAG() external view returns (bytes memory);
    function CHANGE_WINDOW() external view returns (uint48);
    function MAX_LIVE_EPOCHS() external view returns (uint256);
    function MAX_VALIDATORS() external view returns (uint256);
    function UPDATE_GAS() external view returns (uint256);
}
