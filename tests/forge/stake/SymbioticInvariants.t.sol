// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SymbioticHandler} from "./SymbioticHandler.sol";
import {Test} from "forge-std/Test.sol";

/// @dev The promises about stake and slashing, on Symbiotic's contracts: whatever operators, stakers and reporters do,
/// in any order. What holds of a single action, its handler asserts.
contract SymbioticInvariantsTest is Test {
    SymbioticHandler private handler;

    function setUp() public {
        handler = new SymbioticHandler();
        bytes4[] memory selectors = _selectors();
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 120
    /// forge-config: long.invariant.runs = 200
    /// forge-config: long.invariant.depth = 300
    function invariant_ThePromisesAboutStakeOnSymbioticHold() public view {
        handler.assertBurnt();
        handler.assertQueued();
    }

    /// @dev Else the promises would be about nothing.
    function test_EveryActionHasItsEffect() public {
        bytes4[] memory selectors = _selectors();
        for (uint256 i = 0; i < 600; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            bytes memory arguments = abi.encode(seed >> 8, seed >> 32, seed >> 64, seed >> 96);
            (bool success, bytes memory reason) =
                address(handler).call(abi.encodePacked(selectors[seed % 14], arguments));
            assertTrue(success, vm.toString(reason));
        }
        handler.assertBurnt();
        handler.assertQueued();
        string[12] memory actions = [
            "pass",
            "deposit",
            "unstake",
            "opt",
            "leave",
            "join",
            "commit",
            "punish",
            "execute",
            "slash",
            "lapse",
            "probe"
        ];
        for (uint256 i = 0; i < actions.length; ++i) {
            assertGt(handler.done(actions[i]), 0, actions[i]);
        }
    }

    function _selectors() private view returns (bytes4[] memory selectors) {
        selectors = new bytes4[](14);
        selectors[0] = handler.pass.selector;
        selectors[1] = handler.deposit.selector;
        selectors[2] = handler.unstake.selector;
        selectors[3] = handler.opt.selector;
        selectors[4] = handler.leaveOrJoin.selector;
        selectors[5] = handler.commit.selector;
        selectors[6] = handler.equivocate.selector;
        selectors[7] = handler.conflict.selector;
        selectors[8] = handler.execute.selector;
        selectors[9] = handler.probe.selector;
        // Offences are found and slashed faster than all else happens.
        selectors[10] = handler.pass.selector;
        selectors[11] = handler.commit.selector;
        selectors[12] = handler.execute.selector;
        selectors[13] = handler.execute.selector;
    }
}
