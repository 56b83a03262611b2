// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAdmission} from "./IAdmission.sol";
import {IMembershipSource} from "./IMembershipSource.sol";
import {IOperatorRegistry} from "./IOperatorRegistry.sol";
import {OperatorSetId} from "./Protocol.sol";

/// @notice The terms on which operators are members of a set.
struct MemberTerms {
    /// @dev The registry in which operators have their keys.
    IOperatorRegistry operatorRegistry;
    /// @dev Which operators may join; zero if all may.
    IAdmission admission;
    /// @dev The least weight of a member, at least 1. Less weighs nothing.
    uint96 minWeight;
    /// @dev The most weight of a member. More weighs only as much.
    uint96 maxWeight;
    /// @dev The most members of a set: 1 to 100.
    uint16 maxMembers;
    /// @dev The largest share of an epoch's weight that one operator may have, in basis points; 10,000 if any.
    uint16 maxShare;
    /// @dev How long after the end of an epoch its operators can be slashed, in seconds.
    uint48 challengeWindow;
}

/// @title IMemberStake
/// @notice Weighs operators by stake that can be slashed, and decides which of them may join a set.
interface IMemberStake is IMembershipSource {
    /// @notice Emitted when an operator joins a set.
    event OperatorJoined(OperatorSetId indexed operatorSet, address indexed operator, uint96 weight);
    /// @notice Emitted when an operator leaves a set, or is ejected. Epochs committed earlier keep it.
    event OperatorLeft(OperatorSetId indexed operatorSet, address indexed operator);

    /// @notice Thrown when the operator may not join the set.
    error NotAdmitted(OperatorSetId operatorSet, address operator);
    /// @notice Thrown when the operator has no valid key in the operator registry.
    error KeyMissing(address operator);
    /// @notice Thrown when the operator's slashable stake weighs less than a member's must.
    error TooLittleStake(uint256 weight, uint96 least);
    /// @notice Thrown when the set would have more members than it may.
    error OperatorSetFull(uint256 most);
    /// @notice Thrown when the operator gives no reason to eject it.
    error CannotEject(OperatorSetId operatorSet, address operator);
    /// @notice Thrown at deployment when a contract among the settings has no code.
    error NotContract(address account);
    /// @notice Thrown at deployment when the bounds of weights are zero, exceed each other or what a table can add up.
    error InvalidWeightBounds(uint96 minWeight, uint96 maxWeight);
    /// @notice Thrown at deployment when the most members or the largest share are out of their bounds.
    error InvalidMemberBounds(uint16 maxMembers, uint16 maxShare);
    /// @notice Thrown at deployment when no time is left for an epoch before the challenge window, in seconds.
    error ChallengeWindowTooLong(uint48 challengeWindow, uint256 slashable);

    /// @notice Ejects a member that is no longer admitted, or, while the set is full, one without weight or valid key.
    /// Anyone may call it.
    function eject(OperatorSetId operatorSet, address operator) external;
}
