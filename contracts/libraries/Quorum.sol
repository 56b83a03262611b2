// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Quorum
/// @notice Computes how much weight must have signed.
library Quorum {
    /// @dev Basis points of the whole.
    uint16 internal constant WHOLE = 10_000;
    /// @dev The least quorum of a policy, just over half: two disjoint groups must never both be a quorum.
    uint16 internal constant FLOOR = 5001;

    /// @notice Returns whether a policy may demand this share, in basis points.
    function isAcceptable(uint16 quorum) internal pure returns (bool) {
        return FLOOR <= quorum && quorum <= WHOLE;
    }

    /// @notice Returns whether a number of basis points is a share: more than nothing, and at most the whole.
    function isShare(uint16 share) internal pure returns (bool) {
        return 0 < share && share <= WHOLE;
    }

    /// @notice Returns whether a weight reaches a quorum.
    /// @param signed The weight that signed, of at most 96 bits.
    /// @param totalWeight The epoch's total weight, at least 1, of at most 96 bits.
    /// @param quorum Share in basis points; the floor replaces anything below it.
    function isReached(uint256 signed, uint256 totalWeight, uint16 quorum) internal pure returns (bool) {
        uint256 share = FixedPointMathLib.max(quorum, FLOOR);
        unchecked {
            // At most 96 + 16 bits. It is `signed >= requiredWeight`, for 60 gas less.
            return signed * WHOLE >= totalWeight * share;
        }
    }

    /// @notice Returns the least weight that reaches a quorum, rounded up; more than `totalWeight` if the quorum is
    /// above the whole.
    /// @param totalWeight The epoch's total weight, at least 1, of at most 96 bits.
    /// @param quorum Share in basis points; the floor replaces anything below it.
    function requiredWeight(uint256 totalWeight, uint16 quorum) internal pure returns (uint256) {
        uint256 share = FixedPointMathLib.max(quorum, FLOOR);
        unchecked {
            // At most 96 + 16 bits. It is `portionOf`, for 5 gas less.
            return (totalWeight * share + (WHOLE - 1)) / WHOLE;
        }
    }

    /// @notice Returns a share of a weight, rounded up.
    /// @param totalWeight A weight of at most 96 bits.
    /// @param share The share in basis points, of at most 16 bits. It has no floor.
    function portionOf(uint256 totalWeight, uint256 share) internal pure returns (uint256) {
        unchecked {
            // At most 96 + 16 bits.
            return (totalWeight * share + (WHOLE - 1)) / WHOLE;
        }
    }
}
