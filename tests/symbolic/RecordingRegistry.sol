// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochId, OperatorSetId} from "../../contracts/interfaces/Protocol.sol";

/// @title RecordingRegistry
/// @notice A registry, and its stake source, that records what its owner tells it.
contract RecordingRegistry {
    uint48 public constant epochLifetime = 7 days;
    uint48 public constant activationDelay = 1 days;

    address private immutable _TABLE;
    uint48 private immutable _VALID_UNTIL;
    address[] private _members;
    /// @notice The hash of the last call's data.
    bytes32 public lastCall;
    /// @notice Number of commits.
    uint256 public commits;
    /// @notice Number of other calls that change something.
    uint256 public others;

    constructor(address table, uint48 validUntil) {
        (_TABLE, _VALID_UNTIL) = (table, validUntil);
    }

    function setMembers(address[] memory members) external {
        _members = members;
    }

    function commitEpoch(OperatorSetId, address[] calldata) external returns (EpochId) {
        ++commits;
        lastCall = keccak256(msg.data);
        return EpochId.wrap(1);
    }

    /// @dev Revocations, and what the owner may change.
    fallback() external {
        ++others;
        lastCall = keccak256(msg.data);
    }

    function stakeSource() external view returns (address) {
        return address(this);
    }

    function membersOf(OperatorSetId) external view returns (address[] memory) {
        return _members;
    }

    function epochs(EpochId) external view returns (address, OperatorSetId, uint48, uint48) {
        return (_TABLE, OperatorSetId.wrap(1), _VALID_UNTIL, _VALID_UNTIL);
    }

    function latestEpoch(OperatorSetId) external pure returns (EpochId) {
        return EpochId.wrap(1);
    }

    function stagedTables(OperatorSetId) external pure returns (address[] memory) {}
}
