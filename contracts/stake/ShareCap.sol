// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Quorum} from "../libraries/Quorum.sol";
import {LibSort} from "solady/utils/LibSort.sol";

/// @title ShareCap
/// @notice Lowers weights so that none is more than a share of their sum.
library ShareCap {
    /// @dev Widened once: a comparison of weights needs no mask.
    uint256 private constant WHOLE = Quorum.WHOLE;

    /// @notice Lowers the greatest weights to the greatest cap with which no weight is more than `share` of the sum.
    /// @dev Weights of zero stay zero. With so few weights that none could be within the share, all become equal.
    /// @param weights The weights, which are changed.
    /// @param share The share in basis points, 1 to 10,000.
    function lower(uint96[] memory weights, uint256 share) internal pure {
        uint256 cap = capOf(weights, share);
        for (uint256 i = 0; i < weights.length; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast)
            if (weights[i] > cap) weights[i] = uint96(cap);
        }
    }

    /// @notice Returns the greatest cap of weights with which no weight is more than `share` of the sum of all.
    function capOf(uint96[] memory weights, uint256 share) internal pure returns (uint256 cap) {
        (uint256[] memory ascending, uint256 rest) = _nonZero(weights);
        if (ascending.length == 0) return 0;
        cap = ascending[ascending.length - 1];
        if (cap * WHOLE <= share * rest) return cap;
        // `capped` are the greatest weights, lowered to the cap; `rest` is the sum of the others. The cap c satisfies
        // c <= share * (capped * c + rest). The divisor is positive, and the cap less than every capped weight w: the
        // round before found share * (rest + w) < w * (WHOLE - (capped - 1) * share).
        for (uint256 capped = 1; capped < ascending.length; ++capped) {
            rest -= ascending[ascending.length - capped];
            cap = share * rest / (WHOLE - capped * share);
            if (cap >= ascending[ascending.length - capped - 1]) return cap;
        }
        return ascending[0];
    }

    function _nonZero(uint96[] memory weights) private pure returns (uint256[] memory ascending, uint256 sum) {
        ascending = new uint256[](weights.length);
        uint256 count = 0;
        for (uint256 i = 0; i < weights.length; ++i) {
            if (weights[i] == 0) continue;
            ascending[count++] = weights[i];
            sum += weights[i];
        }
        // Memory-safe: shortens an array.
        assembly ("memory-safe") {
            mstore(ascending, count)
        }
        LibSort.sort(ascending);
    }
}
