// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {MAX_EPOCH_LIFETIME, OperatorSetId, Policy} from "../interfaces/Protocol.sol";
import {Quorum} from "../libraries/Quorum.sol";

/// @notice A client's TaskManager, its issuance floor, and its policy without the policy's id, packed so that a
/// protected call reads one slot.
///
///     bit 255        234 233     220 219         194 193           160 159                 0
///     ┌─────────────────┬───────────┬───────────────┬─────────────────┬─────────────────────┐
///     │ maxLifetime  22 │ quorum 14 │ operatorSet 26│ issuanceFloor 34│ taskManager     160 │
///     └─────────────────┴───────────┴───────────────┴─────────────────┴─────────────────────┘
type PolicyTerms is uint256;

using PolicyTermsLibrary for PolicyTerms global;

uint256 constant TASK_MANAGER_MASK = 0x00ffffffffffffffffffffffffffffffffffffffff;
uint256 constant ISSUANCE_FLOOR_SHIFT = 160;
uint256 constant ISSUANCE_FLOOR_MASK = 0x3ffffffff;
uint256 constant OPERATOR_SET_SHIFT = 194;
uint256 constant OPERATOR_SET_MASK = 0x3ffffff;
uint256 constant QUORUM_SHIFT = 220;
uint256 constant QUORUM_MASK = 0x3fff;
uint256 constant MAX_LIFETIME_SHIFT = 234;

// Each cast keeps a field of that length.
// forge-lint: disable-next-item(unsafe-typecast)
/// @title PolicyTermsLibrary
/// @notice Reads and replaces the fields of `PolicyTerms`.
library PolicyTermsLibrary {
    /// @notice Returns whether a client may have this policy. The fields of such a policy fit into `PolicyTerms`.
    function isAcceptable(Policy memory policy) internal pure returns (bool) {
        if (policy.maxLifetime == 0 || policy.maxLifetime > MAX_EPOCH_LIFETIME) return false;
        return policy.policyId != 0 && OperatorSetId.unwrap(policy.operatorSet) <= OPERATOR_SET_MASK
            && Quorum.isAcceptable(policy.quorum);
    }

    /// @notice Returns the TaskManager that the client asks; zero if it has none.
    function taskManager(PolicyTerms terms) internal pure returns (ITaskManager) {
        return ITaskManager(address(uint160(PolicyTerms.unwrap(terms))));
    }

    /// @notice Returns the first issuance time that the client accepts (Unix time).
    function issuanceFloor(PolicyTerms terms) internal pure returns (uint48) {
        return uint48((PolicyTerms.unwrap(terms) >> ISSUANCE_FLOOR_SHIFT) & ISSUANCE_FLOOR_MASK);
    }

    /// @notice Returns the operator set whose epochs may sign.
    function operatorSet(PolicyTerms terms) internal pure returns (OperatorSetId) {
        return OperatorSetId.wrap(uint32((PolicyTerms.unwrap(terms) >> OPERATOR_SET_SHIFT) & OPERATOR_SET_MASK));
    }

    /// @notice Returns the least share of an epoch's weight that must have signed, in basis points.
    function quorum(PolicyTerms terms) internal pure returns (uint16) {
        return uint16((PolicyTerms.unwrap(terms) >> QUORUM_SHIFT) & QUORUM_MASK);
    }

    /// @notice Returns how long after `issuedAt` an attestation may expire, in seconds.
    function maxLifetime(PolicyTerms terms) internal pure returns (uint48) {
        return uint48(PolicyTerms.unwrap(terms) >> MAX_LIFETIME_SHIFT);
    }

    /// @notice Returns the same terms under another TaskManager.
    function withTaskManager(PolicyTerms terms, ITaskManager newTaskManager) internal pure returns (PolicyTerms) {
        return
            PolicyTerms.wrap(
                (PolicyTerms.unwrap(terms) & ~TASK_MANAGER_MASK) | uint256(uint160(address(newTaskManager)))
            );
    }

    /// @notice Returns the same terms with another floor, of at most 34 bits.
    function withIssuanceFloor(PolicyTerms terms, uint256 newFloor) internal pure returns (PolicyTerms) {
        uint256 others = PolicyTerms.unwrap(terms) & ~(ISSUANCE_FLOOR_MASK << ISSUANCE_FLOOR_SHIFT);
        return PolicyTerms.wrap(others | (newFloor << ISSUANCE_FLOOR_SHIFT));
    }

    /// @notice Returns another policy, which is acceptable, under the same TaskManager and floor.
    function withPolicy(PolicyTerms terms, Policy memory policy) internal pure returns (PolicyTerms) {
        uint256 kept = TASK_MANAGER_MASK | (ISSUANCE_FLOOR_MASK << ISSUANCE_FLOOR_SHIFT);
        uint256 others = PolicyTerms.unwrap(terms) & kept;
        return PolicyTerms.wrap(
            others | (uint256(OperatorSetId.unwrap(policy.operatorSet)) << OPERATOR_SET_SHIFT)
                | (uint256(policy.quorum) << QUORUM_SHIFT) | (uint256(policy.maxLifetime) << MAX_LIFETIME_SHIFT)
        );
    }
}
