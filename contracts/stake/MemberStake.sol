// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IAdmission} from "../interfaces/IAdmission.sol";
import {IMemberStake, MemberTerms} from "../interfaces/IMemberStake.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {OperatorSetId} from "../interfaces/Protocol.sol";
import {OperatorTable} from "../libraries/OperatorTable.sol";
import {Quorum} from "../libraries/Quorum.sol";
import {ShareCap} from "./ShareCap.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title MemberStake
/// @notice The terms on which operators are members of a set, and weigh: the same wherever their stake is.
abstract contract MemberStake is IMemberStake {
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @dev So that the weights of a table add up to at most 96 bits.
    uint96 private constant HIGHEST_MAX_WEIGHT = type(uint96).max / uint96(OperatorTable.CAPACITY);

    /// @notice The registry in which operators have their keys.
    IOperatorRegistry public immutable OPERATOR_REGISTRY;
    /// @notice Which operators may join; zero if all may.
    IAdmission public immutable ADMISSION;
    /// @notice The least weight of a member. Less weighs nothing.
    uint96 public immutable MIN_WEIGHT;
    /// @notice The most weight of a member. More weighs only as much.
    uint96 public immutable MAX_WEIGHT;
    /// @notice The most members of a set, so that one table holds them, and one transaction commits it.
    uint16 public immutable MAX_MEMBERS;
    /// @notice The largest share of an epoch's weight that one operator may have, in basis points.
    uint16 public immutable MAX_SHARE;
    /// @notice How long after the end of an epoch its operators can be slashed, in seconds.
    uint48 public immutable CHALLENGE_WINDOW;

    constructor(MemberTerms memory terms) {
        _requireContract(address(terms.operatorRegistry));
        if (address(terms.admission) != address(0)) _requireContract(address(terms.admission));
        if (terms.minWeight == 0 || terms.minWeight > terms.maxWeight || terms.maxWeight > HIGHEST_MAX_WEIGHT) {
            revert InvalidWeightBounds(terms.minWeight, terms.maxWeight);
        }
        if (terms.maxMembers == 0 || terms.maxMembers > OperatorTable.CAPACITY || !Quorum.isShare(terms.maxShare)) {
            revert InvalidMemberBounds(terms.maxMembers, terms.maxShare);
        }
        OPERATOR_REGISTRY = terms.operatorRegistry;
        ADMISSION = terms.admission;
        MIN_WEIGHT = terms.minWeight;
        MAX_WEIGHT = terms.maxWeight;
        MAX_MEMBERS = terms.maxMembers;
        MAX_SHARE = terms.maxShare;
        CHALLENGE_WINDOW = terms.challengeWindow;
    }

    /* MEMBERS */

    function _requireKey(address operator) internal view {
        if (!_hasKey(operator)) revert KeyMissing(operator);
    }

    /// @dev Reverts unless an operator may be a member. The set has `count` members with it.
    /// @return weight What it weighs among enough others.
    function _requireFit(OperatorSetId operatorSet, address operator, uint256 count, uint256 stake)
        internal
        view
        returns (uint96 weight)
    {
        if (!_isAdmitted(operatorSet, operator)) revert NotAdmitted(operatorSet, operator);
        if (count > MAX_MEMBERS) revert OperatorSetFull(MAX_MEMBERS);
        if (stake < MIN_WEIGHT) revert TooLittleStake(stake, MIN_WEIGHT);
        return _bounded(stake);
    }

    /// @dev Reverts unless anyone may eject a member from a set of `count` members.
    function _requireEjectable(OperatorSetId operatorSet, address operator, uint256 count) internal view {
        if (!_isAdmitted(operatorSet, operator)) return;
        bool isFull = count >= MAX_MEMBERS;
        if (isFull && (!_hasKey(operator) || _stakeOf(operatorSet, operator) < MIN_WEIGHT)) return;
        revert CannotEject(operatorSet, operator);
    }

    function _requireContract(address account) internal view {
        if (account.code.length == 0) revert NotContract(account);
    }

    function _isAdmitted(OperatorSetId operatorSet, address operator) private view returns (bool) {
        return address(ADMISSION) == address(0) || ADMISSION.isAdmitted(operatorSet, operator);
    }

    function _hasKey(address operator) private view returns (bool) {
        return OPERATOR_REGISTRY.publicKeyOf(operator).length != 0;
    }

    /* WEIGHTS */

    /// @dev Returns the weights of an epoch that has these operators.
    /// @param stakes What each operator's slashable stake weighs, members or not.
    function _weigh(OperatorSetId operatorSet, address[] calldata operators, uint256[] memory stakes)
        internal
        view
        returns (uint96[] memory weights)
    {
        weights = new uint96[](operators.length);
        bool isShareLimited = MAX_SHARE < Quorum.WHOLE;
        for (uint256 i = 0; i < operators.length; ++i) {
            if (stakes[i] < MIN_WEIGHT || !_isMember(operatorSet, operators[i])) continue;
            // The registry skips one without a key: its weight is no part of the sum.
            if (isShareLimited && !_hasKey(operators[i])) continue;
            weights[i] = _bounded(stakes[i]);
        }
        if (isShareLimited) ShareCap.lower(weights, MAX_SHARE);
    }

    function _bounded(uint256 stake) private view returns (uint96) {
        // At most `MAX_WEIGHT`.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint96(FixedPointMathLib.min(stake, MAX_WEIGHT));
    }

    /// @dev Returns whether an operator is a member of a set.
    function _isMember(OperatorSetId operatorSet, address operator) internal view virtual returns (bool);

    /// @dev Returns what an operator's slashable stake weighs, member or not.
    function _stakeOf(OperatorSetId operatorSet, address operator) internal view virtual returns (uint256);
}
