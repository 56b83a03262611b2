// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SlashingParams} from "../../../contracts/interfaces/IEigenLayer.sol";
import {StrategyWeight} from "../../../contracts/interfaces/IEigenLayerStake.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {EigenLayerStake} from "../../../contracts/stake/EigenLayerStake.sol";
import {StakeToken} from "./EigenLayerTestBase.sol";
import {AllocateParams, IAllocationManagerCore, IDelegationManagerCore, Withdrawal} from "./IEigenLayerCore.sol";
import {StakeTestBase} from "./StakeTestBase.sol";

/// @dev What EigenLayer's real contracts can slash is what counts, to the block.
contract EigenLayerWeightsTest is StakeTestBase {
    uint256 private constant MEMBERS = 3;

    function setUp() public {
        deployStake(1);
        addMembers(0, MEMBERS);
    }

    function test_AMembersWeightIsItsSlashableStake() public view {
        assertEq(weightOf(0), STAKE);
    }

    function test_OnlyWhatIsAllocatedToTheSetWeighs() public {
        allocate(OPERATOR_SET, 0, FULL_MAGNITUDE / 2);
        advance(DEALLOCATION_DELAY + 1);
        assertEq(weightOf(0), STAKE / 2);
    }

    function test_AnIncreaseWeighsOnceItCanBeSlashed() public {
        uint32 delay = 1000;
        allocate(OPERATOR_SET, 0, FULL_MAGNITUDE / 2);
        vm.prank(operatorAddress(0));
        allocationManager.setAllocationDelay(operatorAddress(0), delay);
        advance(ALLOCATION_CONFIGURATION_DELAY + 1);
        allocate(OPERATOR_SET, 0, FULL_MAGNITUDE);
        advance(delay - 1);
        assertEq(weightOf(0), STAKE / 2);
        advance(1);
        assertEq(weightOf(0), STAKE);
    }

    /// @dev Until then an operator allocates by its old delay, and what it allocates can be slashed by that.
    function test_AnotherAllocationDelayAppliesAfterEigenLayersDelay() public {
        uint32 delay = 1000;
        allocate(OPERATOR_SET, 0, FULL_MAGNITUDE / 2);
        vm.prank(operatorAddress(0));
        allocationManager.setAllocationDelay(operatorAddress(0), delay);
        advance(ALLOCATION_CONFIGURATION_DELAY - 1);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            allocate(OPERATOR_SET, 0, FULL_MAGNITUDE);
            assertEq(weightOf(0), STAKE);
            slash(OPERATOR_SET, 0, 1e18);
            assertEq(slashedShares(), STAKE);
            vm.revertToState(snapshot);
            advance(1);
        }
        allocate(OPERATOR_SET, 0, FULL_MAGNITUDE);
        assertEq(weightOf(0), STAKE / 2);
        slash(OPERATOR_SET, 0, 1e18);
        assertEq(slashedShares(), STAKE / 2);
    }

    function test_ANewOperatorAllocatesAfterEigenLayersDelay() public {
        vm.prank(operatorAddress(MEMBERS));
        delegationManager.registerAsOperator(address(0), 0, "");
        delegate(MEMBERS, STAKE);
        AllocateParams[] memory params = new AllocateParams[](1);
        params[0] = AllocateParams(setOf(OPERATOR_SET), strategies, new uint64[](1));
        params[0].newMagnitudes[0] = FULL_MAGNITUDE;
        advance(ALLOCATION_CONFIGURATION_DELAY - 1);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(IAllocationManagerCore.UninitializedAllocationDelay.selector);
            vm.prank(operatorAddress(MEMBERS));
            allocationManager.modifyAllocations(operatorAddress(MEMBERS), params);
            advance(1);
        }
        allocate(OPERATOR_SET, MEMBERS, FULL_MAGNITUDE);
        registerKey(MEMBERS);
        join(OPERATOR_SET, MEMBERS);
        assertEq(weightOf(MEMBERS), STAKE);
    }

    function test_AnAddressThatIsNoOperatorWeighsNothing() public view {
        assertEq(weightOf(MEMBERS), 0);
    }

    function test_StakeBelowTheMinimumWeighsNothing() public {
        slash(OPERATOR_SET, 0, 0.8e18);
        assertEq(weightOf(0), MIN_WEIGHT);
        slash(OPERATOR_SET, 0, 1);
        assertEq(weightOf(0), 0);
    }

    function test_StakeAboveTheMaximumWeighsOnlyTheMaximum() public {
        stakeAndAllocate(OPERATOR_SET, MEMBERS, 1, MAX_WEIGHT + 1);
        registerKey(MEMBERS);
        join(OPERATOR_SET, MEMBERS);
        assertEq(minimumSlashableStake(OPERATOR_SET, MEMBERS, block.number), MAX_WEIGHT + 1);
        assertEq(weightOf(MEMBERS), MAX_WEIGHT);
    }

    /// @dev EigenLayer counts the stake, and would slash none of it.
    function test_AStrategyThatTheSetCannotSlashWeighsNothing() public {
        vm.prank(avs);
        allocationManager.removeStrategiesFromOperatorSet(avs, 1, strategies);
        assertEq(minimumSlashableStake(OPERATOR_SET, 0, block.number), STAKE);
        assertEq(weightOf(0), 0);
    }

    /* DELAYS, TO THE BLOCK */

    function test_AnExitWeighsUntilItCanCompleteWithinTheLookahead() public {
        allocate(OPERATOR_SET, 0, 0);
        advance(DEALLOCATION_DELAY - LOOKAHEAD);
        assertEq(weightOf(0), STAKE);
        advance(1);
        assertEq(weightOf(0), 0);
    }

    /// @dev The exit began as early as possible for the weight to count, so that it completes as early as possible.
    function test_AWeightCanBeSlashedUntilTheLastBlockOfTheLookahead() public {
        allocate(OPERATOR_SET, 0, 0);
        advance(DEALLOCATION_DELAY - LOOKAHEAD);
        assertEq(weightOf(0), STAKE);
        advance(LOOKAHEAD);
        uint256 snapshot = vm.snapshotState();
        slash(OPERATOR_SET, 0, 1e18);
        assertEq(slashedShares(), STAKE);

        vm.revertToState(snapshot);
        advance(1);
        slash(OPERATOR_SET, 0, 1e18);
        assertEq(slashedShares(), 0);
    }

    function test_AWeightCanBeSlashedThoughItsOperatorBeginsToExitInTheSameBlock() public {
        assertEq(weightOf(0), STAKE);
        allocate(OPERATOR_SET, 0, 0);
        leaveSet(OPERATOR_SET, 0);
        undelegate(0);
        advance(LOOKAHEAD);
        slash(OPERATOR_SET, 0, 1e18);
        assertApproxEqAbs(slashedShares(), STAKE, 1);
    }

    /// @dev An epoch, and then the window in which what it signed can be challenged.
    function test_AnEpochAndItsChallengeWindowEndWithinTheLookahead() public {
        EpochId epoch = commitMembers();
        (,,, uint48 expiresAt) = registry.epochs(epoch);
        assertEq(stake.slashableFor(), EPOCH_LIFETIME);
        assertEq(expiresAt, block.timestamp + EPOCH_LIFETIME);
        allocate(OPERATOR_SET, 0, 0);
        advance(LOOKAHEAD);
        assertEq(block.timestamp, expiresAt + CHALLENGE_WINDOW);
        slash(OPERATOR_SET, 0, 1e18);
        assertEq(slashedShares(), STAKE);
    }

    function test_RevertWhen_TheLifetimeExceedsWhatCanBeSlashed() public {
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.EpochLifetimeTooLong.selector, EPOCH_LIFETIME + 1, EPOCH_LIFETIME)
        );
        vm.prank(owner);
        registry.setEpochLifetime(EPOCH_LIFETIME + 1);
    }

    /// @dev Should EigenLayer's governance shorten its delay, epochs become shorter, or are refused.
    function test_AShorterDelayOfEigenLayerShortensEpochs() public {
        vm.mockCall(
            address(allocationManager), abi.encodeCall(allocationManager.DEALLOCATION_DELAY, ()), abi.encode(57_600)
        );
        assertEq(stake.slashableFor(), 8 days - CHALLENGE_WINDOW);
        bytes memory question = abi.encodeCall(allocationManager.DEALLOCATION_DELAY, ());
        vm.mockCall(address(allocationManager), question, abi.encode(1));
        assertEq(stake.slashableFor(), 0);
        address[] memory members = stake.membersOf(OPERATOR_SET);
        vm.expectRevert(
            abi.encodeWithSelector(IOperatorRegistry.DelaysTooLong.selector, activationDelay(), GRACE_PERIOD, 0)
        );
        vm.prank(owner);
        registry.commitEpoch(OPERATOR_SET, members);
    }

    /* LEAVERS AND STAKERS */

    /// @dev EigenLayer still counts the stake of one that has left.
    function test_AMemberThatLeftWeighsNothingAndCanBeSlashed() public {
        leaveSet(OPERATOR_SET, 0);
        assertEq(minimumSlashableStake(OPERATOR_SET, 0, block.number + LOOKAHEAD), STAKE);
        assertEq(weightOf(0), 0);
        assertEq(stake.membersOf(OPERATOR_SET), operatorAddresses(1, MEMBERS - 1));
        advance(DEALLOCATION_DELAY);
        uint256 snapshot = vm.snapshotState();
        slash(OPERATOR_SET, 0, 1e18);
        assertEq(slashedShares(), STAKE);

        vm.revertToState(snapshot);
        advance(1);
        SlashingParams memory params = slashing(OPERATOR_SET, 0, 1e18);
        vm.expectRevert(IAllocationManagerCore.OperatorNotSlashable.selector);
        vm.prank(slasher);
        allocationManager.slashOperator(avs, params);
    }

    function test_WhatStakersWithdrawWeighsNothingAndCanBeSlashed() public {
        undelegate(0);
        assertEq(weightOf(0), 0);
        slash(OPERATOR_SET, 0, 0.1e18);
        assertApproxEqAbs(slashedShares(), STAKE / 10, 1);
    }

    /// @dev Both to the block: when a staker gets its shares, and when no slash takes them any more.
    function test_WhatStakersWithdrawCanBeSlashedUntilTheLastBlockOfTheirDelay() public {
        undelegate(0);
        (Withdrawal[] memory queued,) = delegationManager.getQueuedWithdrawals(stakerOf(0));
        address[] memory tokens = new address[](1);
        tokens[0] = address(tokenOf[strategies[0]]);
        advance(DEALLOCATION_DELAY);
        uint256 snapshot = vm.snapshotState();
        slash(OPERATOR_SET, 0, 0.1e18);
        assertApproxEqAbs(slashedShares(), STAKE / 10, 1);

        vm.revertToState(snapshot);
        vm.expectRevert(IDelegationManagerCore.WithdrawalDelayNotElapsed.selector);
        vm.prank(stakerOf(0));
        delegationManager.completeQueuedWithdrawal(queued[0], tokens, true);

        advance(1);
        slash(OPERATOR_SET, 0, 0.1e18);
        assertEq(slashedShares(), 0);
        vm.prank(stakerOf(0));
        delegationManager.completeQueuedWithdrawal(queued[0], tokens, true);
        assertEq(StakeToken(tokens[0]).balanceOf(stakerOf(0)), STAKE);
    }

    /// @dev The earliest block at which its shares left, of those with which the weight counted.
    function test_AWeightCanBeSlashedThoughItsStakersUndelegateInTheSameBlock() public {
        commitMembers();
        undelegate(0);
        advance(LOOKAHEAD);
        slash(OPERATOR_SET, 0, 1e18);
        assertApproxEqAbs(slashedShares(), STAKE, 1);
    }

    function test_TheNextEpochHasWhatSlashingLeft() public {
        commitMembers();
        slash(OPERATOR_SET, 0, 0.1e18);
        slash(OPERATOR_SET, 1, 1e18);
        (address table,,,) = registry.epochs(commitMembers());
        (, uint256 totalWeight, uint256 count,) = OperatorTable.readHead(table);
        assertEq(count, MEMBERS - 1);
        assertEq(totalWeight, STAKE * 9 / 10 + STAKE);
        assertEq(OperatorTable.readEntry(table, 0, 0).operator, operatorAddress(0));
        assertEq(OperatorTable.readEntry(table, 0, 0).weight, STAKE * 9 / 10);
        assertEq(OperatorTable.readEntry(table, 0, 1).operator, operatorAddress(2));
    }

    /// @dev EigenLayer's governance can pause slashing: an epoch's operators then sign with nothing at stake.
    function test_PausedSlashingDoesNotChangeWeights() public {
        pauseSlashing();
        assertEq(weightOf(0), STAKE);
        SlashingParams memory params = slashing(OPERATOR_SET, 0, 1e18);
        vm.expectRevert(IAllocationManagerCore.CurrentlyPaused.selector);
        vm.prank(slasher);
        allocationManager.slashOperator(avs, params);
    }

    /* MEMBERS */

    function test_MembersAreCompleteAndAscend() public {
        addMembers(MEMBERS, 4);
        leaveSet(OPERATOR_SET, 1);
        // EigenLayer moves the last member to the index of the one that left.
        address[] memory members = stake.membersOf(OPERATOR_SET);
        assertEq(members.length, MEMBERS + 3);
        assertEq(members[0], operatorAddress(0));
        for (uint256 i = 1; i < members.length; ++i) {
            assertEq(members[i], operatorAddress(i + 1));
        }
    }
}

/// @dev Several strategies, each with its multiplier.
contract EigenLayerStrategiesTest is StakeTestBase {
    function setUp() public {
        deployStake(3);
        addMembers(0, 1);
    }

    function test_TheStrategiesOfASetAddUp() public view {
        assertEq(weightOf(0), 3 * STAKE);
    }

    function test_AMultiplierIsTheWeightOfAWholeShare() public {
        _weigh(2e18, 1, 0.5e18);
        assertEq(weightOf(0), 2 * STAKE + 500 + STAKE / 2);
    }

    /// @dev Each of the others keeps its own multiplier.
    function test_EigenLayerIsAskedOnlyForStrategiesThatTheSetCanSlash() public {
        _weigh(2e18, 1e18, 0.5e18);
        address[] memory removed = new address[](1);
        removed[0] = strategies[0];
        vm.prank(avs);
        allocationManager.removeStrategiesFromOperatorSet(avs, 1, removed);
        address[] memory others = new address[](2);
        (others[0], others[1]) = (strategies[1], strategies[2]);
        bytes memory question = abi.encodeCall(
            allocationManager.getMinimumSlashableStake,
            (setOf(OPERATOR_SET), operatorAddresses(0, 1), others, uint32(block.number) + LOOKAHEAD)
        );
        vm.expectCall(address(allocationManager), question);
        assertEq(weightOf(0), STAKE + STAKE / 2);
    }

    function test_SharesThatOverflowStopNoCommit() public {
        _weigh(type(uint96).max, type(uint96).max, type(uint96).max);
        vm.mockCall(
            address(allocationManager),
            abi.encodePacked(allocationManager.getMinimumSlashableStake.selector),
            abi.encode(_overflowing())
        );
        assertEq(weightOf(0), MAX_WEIGHT);
    }

    function _weigh(uint96 first, uint96 second, uint96 third) private {
        uint96[3] memory multipliers = [first, second, third];
        _replaceStake(multipliers);
    }

    function _replaceStake(uint96[3] memory multipliers) private {
        StrategyWeight[] memory list = weighed();
        for (uint256 i = 0; i < 3; ++i) {
            list[i].multiplier = multipliers[i];
        }
        stake = new EigenLayerStake(settings(), list);
        assertEq(abi.encode(stake.strategies()), abi.encode(list));
    }

    function _overflowing() private pure returns (uint256[][] memory shares) {
        shares = new uint256[][](1);
        shares[0] = new uint256[](3);
        shares[0][0] = shares[0][1] = shares[0][2] = type(uint256).max;
    }
}
