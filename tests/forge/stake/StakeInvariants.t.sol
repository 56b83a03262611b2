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
        handler.assertRefused();
        handler.assertAscending();
        handler.assertPunishedOnce();
        handler.assertRewardsAreLessThanSlashes();
    }

    /// @dev Else the promises would be about nothing.
    function test_EveryActionHasItsEffect() public {
        bytes4[] memory selectors = _selectors();
        for (uint256 i = 0; i < 700; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            bytes4 selector = selectors[seed % selectors.length];
            bool hasFlag = selector == handler.revoke.selector || selector == handler.record.selector;
            uint256 third = hasFlag ? seed >> 64 & 1 : seed >> 64;
            bytes memory arguments = abi.encode(seed >> 8, seed >> 32, third, seed >> 96);
            (bool success, bytes memory reason) = address(handler).call(abi.encodePacked(selector, arguments));
            assertTrue(success, vm.toString(reason));
            handler.claim(seed);
        }
        // Home goes on, and no one hands over.
        for (uint256 i = 0; i < 16; ++i) {
            handler.deposit(i, 1000e18);
            handler.rejoin(i);
            handler.pass(14_400 * 4);
            handler.commit(i);
            handler.activate();
            handler.renew();
            // Of the newest epoch, by all operators: each lie, of which the mirror keeps only the times.
            for (uint256 field = 0; field < 9; ++field) {
                if (field != 5 && field != 6) handler.handOver(3, 1, 2 * field + 1);
            }
            // Each costs all of them stake.
            if (handler.done("accepted lie about committedAt") == 0) handler.handOver(3, 1, 2 * 5 + 1);
            else if (handler.done("accepted lie about earlier end") == 0) handler.handOver(3, 1, 2 * 6 + 1);
            else handler.revokeAhead(3, 1);
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
        string[33] memory actions = [
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
            "use",
            "slash",
            "slash again",
            "claim",
            "probe",
            "revokeAhead",
            "record",
            "use recorded",
            "refuse recorded",
            "lie about homeChain",
            "lie about homeRegistry",
            "lie about operatorSet",
            "lie about the order",
            "accepted lie about the epoch",
            "accepted lie about committedAt",
            "accepted lie about earlier end",
            "accepted lie about later end",
            "accepted lie about contentHash",
            "falseHandover"
        ];
        for (uint256 i = 0; i < actions.length; ++i) {
            assertGt(handler.done(actions[i]), 0, actions[i]);
        }
    }

    function _selectors() private view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](29);
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
        selectors[23] = handler.revokeAhead.selector;
        selectors[24] = handler.record.selector;
        selectors[25] = handler.useRecorded.selector;
        selectors[26] = handler.useRecorded.selector;
        selectors[27] = handler.handOver.selector;
        selectors[28] = handler.handOver.selector;
    }
}

/// @dev Epochs of three tables, on two chains.
contract LargeSetInvariantsTest is Test {
    LargeSetHandler private handler;

    function setUp() public {
        handler = new LargeSetHandler();
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = handler.commitLarge.selector;
        selectors[1] = handler.handOverLarge.selector;
        selectors[2] = handler.equivocateLarge.selector;
        selectors[3] = handler.confuseLarge.selector;
        selectors[4] = handler.revokeLarge.selector;
        selectors[5] = handler.pass.selector;
        selectors[6] = handler.haltLarge.selector;
        selectors[7] = handler.revokeAheadLarge.selector;
        selectors[8] = handler.lieLarge.selector;
        selectors[9] = handler.useLarge.selector;
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
        handler.commitLarge(240);
        handler.revokeAheadLarge(4, 0);
        for (uint256 i = 1; i < 4; ++i) {
            handler.commitLarge(250 - i);
            handler.handOverLarge(1, 0);
            handler.handOverLarge(i + 1, 0);
            handler.useLarge(i + 1);
            handler.equivocateLarge(i, i - 1, i, 10 + i);
            handler.confuseLarge(i, i, i);
            handler.revokeLarge(4 * i);
            handler.lieLarge(i, i, i);
        }
        handler.haltLarge(0, 0);
        handler.useLarge(0);
        handler.lieLarge(0, 0, 4);
        handler.lieLarge(0, 0, 5);
        string[9] memory actions =
            ["commit", "handOver", "punish", "confuse", "revoke", "halt", "revokeAhead", "lie", "use"];
        for (uint256 i = 0; i < actions.length; ++i) {
            assertGt(handler.done(actions[i]), 0, actions[i]);
        }
        handler.assertMirrored();
    }
}
