// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IEpochKeeper} from "../../../contracts/interfaces/IEpochKeeper.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {StakeTestBase} from "./StakeTestBase.sol";

/// @dev From stake to the next epoch without anyone's choice, on EigenLayer's contracts.
contract KeeperOnEigenLayerTest is StakeTestBase {
    uint256 private constant MEMBERS = 5;
    uint256 private constant LOST = 2;

    EpochId private current;

    function setUp() public {
        deployStake(1);
        addMembers(0, MEMBERS);
        deployKeeper();
        current = keeper.commit(OPERATOR_SET);
        vm.warp(keeper.nextEarlyCommit(OPERATOR_SET));
    }

    function test_EveryMemberIsInTheEpochWithItsStake() public view {
        (address table,,,) = registry.epochs(current);
        (, uint256 totalWeight, uint256 count,) = OperatorTable.readHead(table);
        assertEq(count, MEMBERS);
        assertEq(totalWeight, MEMBERS * STAKE);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            assertEq(OperatorTable.readEntry(table, 0, i).operator, operatorAddress(i));
            assertEq(OperatorTable.readEntry(table, 0, i).weight, STAKE);
        }
    }

    function test_AnOperatorThatWasSlashedIsNotInTheNextEpoch() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.NothingLost.selector, current, LOST));
        keeper.commitEarly(OPERATOR_SET, LOST);
        slash(OPERATOR_SET, LOST, 1e18);
        _assertReplaced();
    }

    function test_AnOperatorThatLeftIsNotInTheNextEpoch() public {
        leaveSet(OPERATOR_SET, LOST);
        _assertReplaced();
    }

    function test_AnOperatorWhoseStakersLeftIsNotInTheNextEpoch() public {
        undelegate(LOST);
        _assertReplaced();
    }

    function test_AnOperatorThatExitsIsReplacedOnceItCouldNotBeSlashedForLong() public {
        allocate(OPERATOR_SET, LOST, 0);
        vm.roll(block.number + DEALLOCATION_DELAY - LOOKAHEAD);
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.NothingLost.selector, current, LOST));
        keeper.commitEarly(OPERATOR_SET, LOST);
        vm.roll(block.number + 1);
        _assertReplaced();
    }

    function test_TwoCallersInOneBlockCommitTheSameSet() public {
        vm.warp(keeper.nextCommit(OPERATOR_SET));
        uint256 snapshot = vm.snapshotState();
        vm.prank(makeAddr("first caller"));
        bytes32 first = registry.setHashOf(keeper.commit(OPERATOR_SET));
        vm.revertToState(snapshot);
        vm.prank(makeAddr("second caller"));
        assertEq(registry.setHashOf(keeper.commit(OPERATOR_SET)), first);
    }

    function _assertReplaced() private {
        EpochId next = keeper.commitEarly(OPERATOR_SET, LOST);
        (address table,,,) = registry.epochs(next);
        (,, uint256 count,) = OperatorTable.readHead(table);
        assertEq(count, MEMBERS - 1);
        for (uint256 i = 0; i < count; ++i) {
            assertNotEq(OperatorTable.readEntry(table, 0, i).operator, operatorAddress(LOST));
        }
    }
}
