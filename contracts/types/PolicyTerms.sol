// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {OperatorSetId} from "../interfaces/Protocol.sol";

/// @notice A client's TaskManager and its policy without the policy's id, packed so that a protected call reads one
/// slot.
///
///     bit 255                208 207       192 191           160 159                 0
///     ┌─────────────────────────┬─────────────┬─────────────────┬─────────────────────┐
///     │ maxLifetime      uint48 │ quorum   16 │ operatorSet  32 │ taskManager     160 │
///     └─────────────────────────┴─────────────┴─────────────────┴─────────────────────┘
type PolicyTerms is uint256;

using PolicyTermsLibrary for PolicyTerms global;

uint256 constant TASK_MANAGER_MASK = 0x00ffffffffffffffffffffffffffffffffffffffff;
uint256 constant OPERATOR_SET_SHIFT = 160;
uint256 constant OPERATOR_SET_MASK = 0xffffffff;
uint256 constant QUORUM_SHIFT = 192;
uint256 constant QUORUM_MASK = 0xffff;
uint256 constant MAX_LIFETIME_SHIFT = 208;

// Each cast keeps a field of that length.
// forge-lint: disable-next-item(unsafe-typecast)
/// @title PolicyTermsLibrary
/// @notice Reads and replaces the fields of `PolicyTerms`.
library PolicyTermsLibrary {
    /// @notice Returns the TaskManager that the client asks; zero if it has none.
    function taskManager(PolicyTerms terms) internal pure returns (ITaskManager) {
        return ITaskManager(address(uint160(PolicyTerms.unwrap(terms))));
    }

    /// @notice Returns the operator set whose epochs may sign.
    function operatorSet(PolicyTerms terms) internal pure returns (OperatorSetId) {
        return OperatorSetId.wrap(uint32(PolicyTerms.unwrap(terms) >> OPERATOR_SET_SHIFT));
    }

    /// @notice Returns the least share of an epoch's weight that must have signed, in basis points.
    function quorum(PolicyTerms terms) internal pure returns (uint16) {
        return uint16(PolicyTerms.unwrap(terms) >> QUORUM_SHIFT);
    }

    /// @notice Returns how far after `block.timestamp` an expiration may be, in seconds.
    function maxLifetime(PolicyTerms terms) internal pure returns (uint48) {
        return uint48(PolicyTerms.unwrap(terms) >> MAX_LIFETIME_SHIFT);
    }

    /// @notice Returns the same policy under another TaskManager.
    function withTaskManager(PolicyTerms terms, ITaskManager newTaskManager) internal pure returns (PolicyTerms) {
        return
            PolicyTerms.wrap(
                (PolicyTerms.unwrap(terms) & ~TASK_MANAGER_MASK) | uint256(uint160(address(newTaskManager)))
            );
    }

    /// @notice Returns another policy under the same TaskManager.
    function withPolicy(PolicyTerms terms, OperatorSetId newOperatorSet, uint16 newQuorum, uint48 newMaxLifetime)
        internal
        pure
        returns (PolicyTerms)
    {
        return PolicyTerms.wrap(
            (PolicyTerms.unwrap(terms) & TASK_MANAGER_MASK)
                | (uint256(OperatorSetId.unwrap(newOperatorSet)) << OPERATOR_SET_SHIFT)
                | (uint256(newQuorum) << QUORUM_SHIFT) | (uint256(newMaxLifetime) << MAX_LIFETIME_SHIFT)
        );
    }
}
