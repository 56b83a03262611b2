// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ConfusionHandler} from "./ConfusionHandler.sol";
import {ForgeryHandler} from "./ForgeryHandler.sol";
import {End, Handler} from "./Handler.sol";
import {IntruderHandler} from "./IntruderHandler.sol";
import {OperatorHandler} from "./OperatorHandler.sol";
import {OwnerHandler} from "./OwnerHandler.sol";
import {ReplayHandler} from "./ReplayHandler.sol";
import {UserHandler} from "./UserHandler.sol";
import {World} from "./World.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Test} from "forge-std/Test.sol";

/// @dev Users, operators, owners and attackers act at random on two vaults, two operator sets and two TaskManagers.
/// Each of them asserts how each of its own calls ends; here is what must hold between the calls, whatever they were.
contract InvariantsTest is Test {
    World private world;
    Handler[] private handlers;

    function setUp() public {
        world = new World();
        handlers.push(new UserHandler(world));
        handlers.push(new OperatorHandler(world));
        handlers.push(new OwnerHandler(world));
        handlers.push(new ReplayHandler(world));
        handlers.push(new ForgeryHandler(world));
        handlers.push(new ConfusionHandler(world));
        handlers.push(new IntruderHandler(world));
        for (uint256 i = 0; i < handlers.length; ++i) {
            targetContract(address(handlers[i]));
            targetSelector(FuzzSelector(address(handlers[i]), handlers[i].actions()));
        }
    }

    /// @dev One function, because each is a separate campaign.
    function invariant_EveryPromiseHoldsAfterEveryCall() public view {
        world.assertNoNonceIsUsedTwiceOrAfterItWasBurned();
        world.assertNothingIsExecutedWithoutItsAttestation();
        world.assertBitmapsAgree();
        world.assertBalancesChangeOnlyByAttestedAmounts();
        world.assertPoliciesAreTheOwners();
        world.assertEpochsAgree();
        world.assertRecordedRootsAreWhatWasSigned();
    }

    function afterInvariant() public view {
        world.assertTotalsAreSums();
    }

    /// @dev Runs as long as the campaign's, with the actions drawn as evenly, reach every end that the actors aim at.
    /// Without this, an actor that no longer reaches what it is there for would not be seen.
    function test_ActorsReachEverySuccessAndEveryRefusalTheyAimAt() public {
        vm.pauseGasMetering();
        End[][] memory ends = new End[][](handlers.length);
        uint256[][] memory reached = new uint256[][](handlers.length);
        for (uint256 i = 0; i < handlers.length; ++i) {
            ends[i] = handlers[i].ends();
            reached[i] = new uint256[](ends[i].length);
        }
        for (uint256 run = 0; run < 80; ++run) {
            uint256 start = vm.snapshotState();
            _run(run);
            _tally(ends, reached);
            vm.revertToStateAndDelete(start);
        }
        uint256 missing = 0;
        for (uint256 i = 0; i < handlers.length; ++i) {
            for (uint256 j = 0; j < ends[i].length; ++j) {
                string memory end = string.concat(ends[i][j].action, " ", vm.toString(bytes32(ends[i][j].refusal)));
                emit log_named_uint(end, reached[i][j]);
                if (reached[i][j] == 0) ++missing;
            }
        }
        assertEq(missing, 0, "ends that are never reached, printed above with a count of 0");
    }

    function _run(uint256 run) private {
        for (uint256 call = 0; call < 50; ++call) {
            uint256 seed = uint256(keccak256(abi.encode(run, call)));
            (Handler handler, bytes4 action) = _drawAction(seed);
            Address.functionCall(address(handler), abi.encodeWithSelector(action, seed));
        }
        world.assertTotalsAreSums();
    }

    function _drawAction(uint256 seed) private view returns (Handler, bytes4) {
        uint256 count = 0;
        for (uint256 i = 0; i < handlers.length; ++i) {
            count += handlers[i].actions().length;
        }
        uint256 index = seed % count;
        for (uint256 i = 0;; ++i) {
            bytes4[] memory actions = handlers[i].actions();
            if (index < actions.length) return (handlers[i], actions[index]);
            index -= actions.length;
        }
        revert("unreachable");
    }

    /// @dev Adds up what a run has reached.
    function _tally(End[][] memory ends, uint256[][] memory reached) private view {
        for (uint256 i = 0; i < ends.length; ++i) {
            for (uint256 j = 0; j < ends[i].length; ++j) {
                reached[i][j] += world.timesReached(ends[i][j].action, ends[i][j].refusal);
            }
        }
    }
}
