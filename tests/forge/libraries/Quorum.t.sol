// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Quorum} from "../../../contracts/libraries/Quorum.sol";
import {Test} from "forge-std/Test.sol";

contract QuorumTest is Test {
    /// @dev The least whole number that is at least the share: it reaches it, and one less does not.
    function testFuzz_RequiredIsTheLeastWeightThatReachesTheShare(uint96 total, uint16 quorum) public pure {
        total = uint96(bound(total, 1, type(uint96).max));
        uint256 share = quorum < 5001 ? 5001 : quorum;
        uint256 required = Quorum.requiredWeight(total, quorum);
        assertGe(required * 10_000, uint256(total) * share);
        assertLt((required - 1) * 10_000, uint256(total) * share);
    }

    /// @dev Two disjoint groups are never both a quorum.
    function testFuzz_TwoQuorumsOverlap(uint96 total, uint16 quorum) public pure {
        total = uint96(bound(total, 1, type(uint96).max));
        assertGt(2 * Quorum.requiredWeight(total, quorum), total);
    }

    function testFuzz_AcceptableQuorumCanBeReached(uint96 total, uint16 quorum) public pure {
        total = uint96(bound(total, 1, type(uint96).max));
        assertEq(Quorum.isAcceptable(quorum), quorum >= 5001 && quorum <= 10_000);
        if (Quorum.isAcceptable(quorum)) assertLe(Quorum.requiredWeight(total, quorum), total);
    }

    /// @dev The least whole number that is at least the share, which has no floor.
    function testFuzz_PortionIsTheShareRoundedUp(uint96 total, uint16 share) public pure {
        uint256 portion = Quorum.portionOf(total, share);
        assertGe(portion * 10_000, uint256(total) * share);
        assertLt(portion * 10_000, uint256(total) * share + 10_000);
    }

    function test_Portions() public pure {
        assertEq(Quorum.portionOf(0, 5000), 0);
        assertEq(Quorum.portionOf(3, 0), 0);
        assertEq(Quorum.portionOf(3, 1), 1);
        assertEq(Quorum.portionOf(3, 5000), 2); // 1.5 round up.
        assertEq(Quorum.portionOf(10_000, 5000), 5000);
        assertEq(Quorum.portionOf(type(uint96).max, 10_000), type(uint96).max);
    }

    function testFuzz_ShareIsMoreThanNothingAndAtMostTheWhole(uint16 share) public pure {
        assertEq(Quorum.isShare(share), share != 0 && share <= 10_000);
    }

    function test_SharesAtTheBounds() public pure {
        assertFalse(Quorum.isShare(0));
        assertTrue(Quorum.isShare(1));
        assertTrue(Quorum.isShare(10_000));
        assertFalse(Quorum.isShare(10_001));
    }

    function test_RequiredWeights() public pure {
        assertEq(Quorum.requiredWeight(1, 5001), 1);
        assertEq(Quorum.requiredWeight(2, 5001), 2);
        assertEq(Quorum.requiredWeight(3, 6667), 3); // 2.0001 round up.
        assertEq(Quorum.requiredWeight(3, 6666), 2);
        assertEq(Quorum.requiredWeight(10_000, 5001), 5001);
        assertEq(Quorum.requiredWeight(10_000, 0), 5001);
        assertEq(Quorum.requiredWeight(10_001, 5001), 5002); // 5001.5001
        assertEq(Quorum.requiredWeight(10_000, 10_000), 10_000);
        assertEq(Quorum.requiredWeight(type(uint96).max, 10_000), type(uint96).max);
        assertEq(Quorum.requiredWeight(10_000, type(uint16).max), 65_535);
    }
}
