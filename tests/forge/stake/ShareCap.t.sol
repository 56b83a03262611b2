// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ShareCap} from "../../../contracts/stake/ShareCap.sol";
import {Test} from "forge-std/Test.sol";

/// @dev No operator has more than its share, and no weight is lowered more than that needs.
contract ShareCapTest is Test {
    function test_TheGreatestIsLoweredToItsShare() public pure {
        // A quarter of 400 and of what is left of the greatest: 133.
        _assertLowered([uint96(1000), 100, 100, 100, 100], [uint96(133), 100, 100, 100, 100], 2500);
        _assertLowered([uint96(100), 100, 100, 100, 1000], [uint96(100), 100, 100, 100, 133], 2500);
    }

    function test_SeveralAreLoweredToOneCap() public pure {
        _assertLowered([uint96(1000), 2000, 100, 100, 100], [uint96(225), 225, 100, 100, 100], 3000);
    }

    function test_NothingIsLoweredWithinTheShare() public pure {
        uint96[5] memory weights = [uint96(100), 100, 100, 100, 100];
        _assertLowered(weights, weights, 2000);
        _assertLowered([uint96(100), 0, 0, 0, 0], [uint96(100), 0, 0, 0, 0], 10_000);
        _assertLowered([uint96(0), 0, 0, 0, 0], [uint96(0), 0, 0, 0, 0], 1);
    }

    /// @dev Exactly as many as could have the share, or fewer.
    function test_WhereNoneCanBeWithinTheShareAllAreEqual() public pure {
        _assertLowered([uint96(5), 9, 3, 2, 4], [uint96(2), 2, 2, 2, 2], 1999);
        _assertLowered([uint96(5), 9, 3, 2, 4], [uint96(2), 2, 2, 2, 2], 2000);
        _assertLowered([uint96(700), 0, 0, 0, 0], [uint96(700), 0, 0, 0, 0], 100);
    }

    function testFuzz_NoWeightIsMoreThanItsShare(uint96[] memory weights, uint256 share) public pure {
        (weights, share) = _bounded(weights, share);
        uint96[] memory lowered = _copy(weights);
        ShareCap.lower(lowered, share);
        (uint256 sum, uint256 greatest, uint256 count) = _sum(lowered);
        if (count * share >= 10_000) assertLe(greatest * 10_000, share * sum);
        uint256 cap = ShareCap.capOf(weights, share);
        for (uint256 i = 0; i < weights.length; ++i) {
            assertEq(lowered[i], weights[i] < cap ? weights[i] : cap);
        }
    }

    /// @dev A cap that is greater by one would leave one with more than its share.
    function testFuzz_TheCapIsTheGreatest(uint96[] memory weights, uint256 share) public pure {
        (weights, share) = _bounded(weights, share);
        (, uint256 greatest, uint256 count) = _sum(weights);
        uint256 cap = ShareCap.capOf(weights, share);
        if (cap == greatest || count * share < 10_000) return;
        uint256 sum = 0;
        for (uint256 i = 0; i < weights.length; ++i) {
            sum += weights[i] < cap + 1 ? weights[i] : cap + 1;
        }
        assertGt((cap + 1) * 10_000, share * sum);
    }

    function testFuzz_OrderAndZerosStay(uint96[] memory weights, uint256 share) public pure {
        (weights, share) = _bounded(weights, share);
        uint96[] memory lowered = _copy(weights);
        ShareCap.lower(lowered, share);
        for (uint256 i = 0; i < weights.length; ++i) {
            assertEq(lowered[i] == 0, weights[i] == 0);
            assertLe(lowered[i], weights[i]);
            if (i > 0 && weights[i - 1] <= weights[i]) assertLe(lowered[i - 1], lowered[i]);
        }
    }

    /// @dev At most 100 weights, of which some are zero.
    function _bounded(uint96[] memory weights, uint256 share) private pure returns (uint96[] memory, uint256) {
        uint256 length = weights.length < 100 ? weights.length : 100;
        assembly ("memory-safe") {
            mstore(weights, length)
        }
        for (uint256 i = 0; i < length; ++i) {
            if (weights[i] % 5 == 0) weights[i] = 0;
            // Of different sizes.
            weights[i] >>= weights[i] % 90;
        }
        return (weights, bound(share, 1, 10_000));
    }

    function _sum(uint96[] memory weights) private pure returns (uint256 sum, uint256 greatest, uint256 count) {
        for (uint256 i = 0; i < weights.length; ++i) {
            sum += weights[i];
            if (weights[i] > greatest) greatest = weights[i];
            if (weights[i] != 0) ++count;
        }
    }

    function _copy(uint96[] memory weights) private pure returns (uint96[] memory copy) {
        copy = new uint96[](weights.length);
        for (uint256 i = 0; i < weights.length; ++i) {
            copy[i] = weights[i];
        }
    }

    function _assertLowered(uint96[5] memory weights, uint96[5] memory expected, uint256 share) private pure {
        uint96[] memory lowered = new uint96[](5);
        for (uint256 i = 0; i < 5; ++i) {
            lowered[i] = weights[i];
        }
        ShareCap.lower(lowered, share);
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(lowered[i], expected[i]);
        }
    }
}
