// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {LargeSetHandler} from "./LargeSetHandler.sol";
import {StakeHandler} from "./StakeHandler.sol";
import {Test} from "forge-std/Test.sol";

/// @dev The promises about stake, epochs and slashing, on EigenLayer's contracts: whatever operators, stakers,
/// reporters and others do, in any order. What holds of a single action, its handler asserts.
contract StakeInvariantsTest is Test {
    StakeHandler private handler;

    function setUp() public {
        handler = new StakeHandler();
        bytes4[] memory selectors = _selectors();
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 120
    /// forge-config: long.invariant.runs = 200
    /// forge-config: long.invariant.depth = 300
    function invariant_ThePromisesAboutStakeHold() public view {
        handler.assertEnds();
        handler.assertMirrored();
        handler.assertAscending();
        handler.assertPunishedOnce();
        handler.assertRewardsAreLessThanSlashes();
    }

    /// @dev Else the promises would be about nothing.
    function test_EveryActionHasItsEffect() public {
        bytes4[] memory selectors = _selectors();
        for (uint256 i = 0; i < 700; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            bytes memory arguments = abi.encode(seed, seed >> 32, seed >> 64 & 1, seed >> 96);
            if (selectors[seed % 22] == handler.equivocate.selector) {
                arguments = abi.encode(seed, seed >> 32, seed >> 64, seed >> 96);
            }
            (bool success, bytes memory reason) =
                address(handler).call(abi.encodePacked(selectors[seed % 22], arguments));
            assertTrue(success, vm.toString(reason));
            handler.claim(seed, seed >> 32);
        }
        // A withdrawal takes two weeks, and so does an operator that joins again.
        for (uint256 i = 0; i < 60; ++i) {
            handler.undelegateStaker(i);
            handler.pass(14_400 * 4);
            handler.withdraw(i);
        }
        for (uint256 i = 0; i < 6; ++i) {
            handler.rotateKey(i);
            handler.deposit(i, 1000e18);
            handler.reallocate(i, type(uint256).max);
            handler.leave_(i);
        }
        for (uint256 i = 0; i < 8; ++i) {
            handler.pass(14_400 * 4);
        }
        for (uint256 i = 0; i < 6; ++i) {
            handler.reallocate(i, type(uint256).max);
            handler.rejoin(i);
        }
        string[20] memory actions = [
            "pass",
            "deposit",
            "reallocate",
            "undelegate",
            "withdraw",
            "leave",
            "rejoin",
            "disableKey",
            "rotateKey",
            "commit",
            "activate",
            "revoke",
            "handOver",
            "renew",
            "falseHandover",
            "use",
            "slash",
            "slash again",
            "claim",
            "probe"
        ];
        for (uint256 i = 0; i < actions.length; ++i) {
            assertGt(handler.done(actions[i]), 0, actions[i]);
        }
    }

    function _selectors() private view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](23);
        selectors[0] = handler.pass.selector;
        selectors[1] = handler.deposit.selector;
        selectors[2] = handler.reallocate.selector;
        selectors[3] = handler.undelegateStaker.selector;
        selectors[4] = handler.withdraw.selector;
        selectors[5] = handler.leave_.selector;
        selectors[6] = handler.rejoin.selector;
        selectors[7] = handler.disableKey.selector;
        selectors[8] = handler.rotateKey.selector;
        selectors[9] = handler.commit.selector;
        selectors[10] = handler.activate.selector;
        selectors[11] = handler.revoke.selector;
        selectors[12] = handler.handOver.selector;
        selectors[13] = handler.use.selector;
        selectors[14] = handler.equivocate.selector;
        selectors[15] = handler.confuse.selector;
        selectors[16] = handler.probe.selector;
        // Epochs follow each other faster than all else happens.
        selectors[17] = handler.commit.selector;
        selectors[18] = handler.pass.selector;
        selectors[19] = handler.handOver.selector;
        selectors[20] = handler.handOver.selector;
        selectors[21] = handler.renew.selector;
        selectors[22] = handler.claim.selector;
    }
}

/// @dev Epochs of three tables, on two chains.
contract LargeSetInvariantsTest is Test {
    LargeSetHandler private handler;

    function setUp() public {
        handler = new LargeSetHandler();
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = handler.commitLarge.selector;
        selectors[1] = handler.handOverLarge.selector;
        selectors[2] = handler.equivocateLarge.selector;
        selectors[3] = handler.confuseLarge.selector;
        selectors[4] = handler.revokeLarge.selector;
        selectors[5] = handler.pass.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 20
    /// forge-config: long.invariant.runs = 40
    /// forge-config: long.invariant.depth = 40
    function invariant_ThePromisesHoldForThreeTables() public view {
        handler.assertMirrored();
    }

    /// @dev Else the promises would be about nothing.
    function test_EveryActionHasItsEffect() public {
        for (uint256 i = 1; i < 4; ++i) {
            handler.commitLarge(250 - i);
            handler.handOverLarge(i, 0);
            handler.equivocateLarge(i, i - 1, i, 10 + i);
            handler.confuseLarge(i, i, i);
            handler.revokeLarge(4 * i);
        }
        assertGt(handler.done("commit"), 0);
        assertGt(handler.done("handOver"), 0);
        assertGt(handler.done("punish"), 0);
        assertGt(handler.done("confuse"), 0);
        assertGt(handler.done("revoke"), 0);
        handler.assertMirrored();
    }
}
