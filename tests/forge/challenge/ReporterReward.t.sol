// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Equivocation} from "../../../contracts/challenge/Equivocation.sol";
import {ReporterReward} from "../../../contracts/challenge/ReporterReward.sol";
import {IEpochKeeper} from "../../../contracts/interfaces/IEpochKeeper.sol";
import {FaultTerms, IOffences, Punishment} from "../../../contracts/interfaces/IOffences.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IReporterReward} from "../../../contracts/interfaces/IReporterReward.sol";
import {EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {EigenLayerSlasher} from "../../../contracts/stake/EigenLayerSlasher.sol";
import {SymbioticSlasher} from "../../../contracts/stake/SymbioticSlasher.sol";
import {StakeToken} from "../stake/EigenLayerTestBase.sol";
import {StakeTestBase} from "../stake/StakeTestBase.sol";
import {SymbioticTestBase} from "../stake/SymbioticTestBase.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";

/// @title ReporterRewardTestBase
/// @notice Reports of equivocations, and claims of the reward for them.
abstract contract ReporterRewardTestBase is OffenceProofs {
    uint256 internal constant MEMBERS = 3;
    uint64 internal constant WAD = 0.5e18;
    /// @dev A tenth of the least slash: half of the minimum weight, of a token that is worth as much.
    uint256 internal constant REWARD = 5e18;

    address internal reporter = makeAddr("reporter");
    StakeToken internal token;
    Equivocation internal equivocation;
    IOffences internal offences;
    ReporterReward internal reward;

    function deployReward(IEpochKeeper keeper_) internal {
        token = new StakeToken();
        reward = new ReporterReward(offences, keeper_, address(token), REWARD);
    }

    function terms() internal returns (FaultTerms[] memory list) {
        equivocation = new Equivocation(registry);
        list = new FaultTerms[](1);
        list[0] = FaultTerms(equivocation, WAD);
    }

    function fund(uint256 rewards) internal {
        token.mint(address(reward), rewards * REWARD);
    }

    /// @dev Reports that operators `from` to `end - 1` of an epoch decided a task twice, and has them punished.
    function report(address by, uint256 nonce, EpochId epoch, uint256 from, uint256 end) internal returns (bytes32 id) {
        bytes memory proof = equivocationOf(nonce, epoch, from, end);
        vm.prank(by);
        offences.report(equivocation, proof, indicesFrom(from, end));
        return idOf(nonce, epoch);
    }

    /// @dev Two decisions on one task, which operators `from` to `end - 1` of an epoch signed.
    function equivocationOf(uint256 nonce, EpochId epoch, uint256 from, uint256 end)
        internal
        view
        returns (bytes memory)
    {
        return abi.encode(
            domain(),
            signedByThose(epoch, decisionOn(nonce, 1), from, end, MEMBERS),
            signedByThose(epoch, decisionOn(nonce, 0), from, end, MEMBERS)
        );
    }

    function idOf(uint256 nonce, EpochId epoch) internal view returns (bytes32) {
        bytes32 deed = keccak256(abi.encode(equivocation, decisionOn(nonce, 1).taskId));
        return keccak256(abi.encode(deed, epoch));
    }

    function claim(bytes32 id, uint256 from, uint256 end) internal {
        reward.claim(id, operatorAddresses(from, end - from));
    }

    function assertNotSlashed(bytes32 id, uint256 index) internal {
        assertEq(offences.punishmentOf(id, operatorAddress(index)).slashedAt, 0);
        vm.expectRevert(abi.encodeWithSelector(IReporterReward.NotSlashed.selector, id, operatorAddress(index)));
        claim(id, index, index + 1);
    }

    function assertRewardedBefore(bytes32 id, uint256 index, uint48 committedAt, uint48 slashedAt) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IReporterReward.AlreadyRewarded.selector, OPERATOR_SET, operatorAddress(index), committedAt, slashedAt
            )
        );
        claim(id, index, index + 1);
    }
}

/// @dev Stake on EigenLayer's contracts, which is slashed as soon as an operator is punished.
contract ReporterRewardOnEigenLayerTest is StakeTestBase, ReporterRewardTestBase {
    EpochId private epoch;

    function setUp() public {
        deployStake(1);
        addMembers(0, MEMBERS);
        deployKeeper();
        epoch = keeper.commit(OPERATOR_SET);
        offences = new EigenLayerSlasher(stake, RECORDING_WINDOW, terms());
        appoint(address(offences), allocationManager.slashOperator.selector);
        deployReward(keeper);
        fund(10);
        advance(1);
    }

    /* PAYMENT */

    function test_TheReporterIsPaidOnceForEachOperatorThatWasSlashed() public {
        bytes32 id = report(reporter, 0, epoch, 1, MEMBERS);
        assertApproxEqAbs(slashedShares(), 2 * (STAKE / 2), 2);
        uint48 slashedAt = uint48(block.timestamp);
        advance(1);
        for (uint256 i = 1; i < MEMBERS; ++i) {
            vm.expectEmit(address(reward));
            emit IReporterReward.ReporterRewarded(id, OPERATOR_SET, operatorAddress(i), epoch, reporter, REWARD);
        }
        claim(id, 1, MEMBERS);
        assertEq(token.balanceOf(reporter), 2 * REWARD);
        assertEq(token.balanceOf(address(reward)), 8 * REWARD);
        for (uint256 i = 1; i < MEMBERS; ++i) {
            assertEq(reward.rewardedSlash(OPERATOR_SET, operatorAddress(i)), slashedAt);
            assertRewardedBefore(id, i, keeper.committedAt(epoch), slashedAt);
        }
        assertEq(reward.rewardedSlash(OPERATOR_SET, operatorAddress(0)), 0);
    }

    /// @dev Who punished it and who claims do not matter.
    function test_AnyoneClaimsForTheReporter() public {
        bytes memory proof = equivocationOf(0, epoch, 2, MEMBERS);
        vm.prank(reporter);
        bytes32 record = offences.recordOffence(equivocation, proof);
        assertNotSlashed(idOf(0, epoch), 2);
        vm.prank(makeAddr("another"));
        offences.punish(record, indicesFrom(2, MEMBERS));
        vm.prank(makeAddr("a third"));
        reward.claim(idOf(0, epoch), operatorAddresses(2, 1));
        assertEq(token.balanceOf(reporter), REWARD);
    }

    function test_NonSignersYieldNothing() public {
        bytes32 id = report(reporter, 0, epoch, 2, MEMBERS);
        for (uint256 i = 0; i < 2; ++i) {
            assertNotSlashed(id, i);
        }
        // Not even together with one that signed.
        vm.expectRevert(abi.encodeWithSelector(IReporterReward.NotSlashed.selector, id, operatorAddress(1)));
        claim(id, 1, MEMBERS);
        assertEq(token.balanceOf(reporter), 0);
    }

    function test_TheRewardIsClaimedOnceThereAreFunds() public {
        bytes32 id = report(reporter, 0, epoch, 0, MEMBERS);
        deployReward(keeper);
        token.mint(address(reward), 2 * REWARD - 1);
        bytes memory refusal = abi.encodeWithSelector(IReporterReward.InsufficientFunds.selector, REWARD - 1, REWARD);
        vm.expectRevert(refusal);
        claim(id, 0, 2);
        claim(id, 0, 1);
        vm.expectRevert(refusal);
        claim(id, 1, 2);
        token.mint(address(reward), 1);
        claim(id, 1, 2);
        assertEq(token.balanceOf(reporter), 2 * REWARD);
        assertEq(token.balanceOf(address(reward)), 0);
    }

    /// @dev The first record with which the operator is punished counts, whatever others there are.
    function test_TheReporterOfTheRecordThatPunishesIsPaid() public {
        bytes memory proof = equivocationOf(0, epoch, 1, MEMBERS);
        vm.prank(makeAddr("another"));
        offences.recordOffence(equivocation, proof);
        bytes32 id = report(reporter, 0, epoch, 2, MEMBERS);
        claim(id, 2, MEMBERS);
        assertEq(token.balanceOf(reporter), REWARD);
        assertEq(token.balanceOf(makeAddr("another")), 0);
    }

    /* WHAT IS NOT REWARDED */

    function test_ASecondOffenceInTheSameEpochYieldsNothing() public {
        bytes32 first = report(reporter, 0, epoch, 2, MEMBERS);
        advance(1);
        bytes32 second = report(reporter, 1, epoch, 2, MEMBERS);
        claim(second, 2, MEMBERS);
        uint48 slashedAt = uint48(block.timestamp);
        assertRewardedBefore(first, 2, keeper.committedAt(epoch), slashedAt);
        for (uint256 i = 2; i < 12; ++i) {
            assertRewardedBefore(report(reporter, i, epoch, 2, MEMBERS), 2, keeper.committedAt(epoch), slashedAt);
        }
        assertEq(token.balanceOf(reporter), REWARD);
    }

    /// @dev Else an operator's stake would be worth a reward in each of its many live epochs.
    function test_OffencesInAllEpochsFromBeforeTheSlashYieldOneReward() public {
        EpochId[4] memory epochs = [epoch, _nextEpoch(), _nextEpoch(), _nextEpoch()];
        bytes32 id = report(reporter, 1, epochs[1], 2, MEMBERS);
        uint48 slashedAt = uint48(block.timestamp);
        claim(id, 2, MEMBERS);
        for (uint256 i = 0; i < epochs.length; ++i) {
            if (i != 1) id = report(reporter, i, epochs[i], 2, MEMBERS);
            assertRewardedBefore(idOf(i, epochs[i]), 2, keeper.committedAt(epochs[i]), slashedAt);
        }
        assertEq(token.balanceOf(reporter), REWARD);
    }

    /// @dev A commit in the second of the slash may have come before it.
    function test_AnEpochThatWasCommittedAfterTheSlashIsRewardedAgain() public {
        advance(12 hours / BLOCK_TIME);
        claim(report(reporter, 0, epoch, 2, MEMBERS), 2, MEMBERS);
        EpochId second = keeper.commit(OPERATOR_SET);
        bytes32 id = report(reporter, 1, second, 2, MEMBERS);
        assertRewardedBefore(id, 2, uint48(block.timestamp), uint48(block.timestamp));
        EpochId third = _nextEpoch();
        claim(report(reporter, 2, third, 2, MEMBERS), 2, MEMBERS);
        assertEq(token.balanceOf(reporter), 2 * REWARD);
    }

    /// @dev Its stake may be free, so nothing may have been slashed.
    function test_APunishmentAfterTheChallengeWindowYieldsNothing() public {
        bytes memory proof = equivocationOf(0, epoch, 0, MEMBERS);
        vm.prank(reporter);
        bytes32 record = offences.recordOffence(equivocation, proof);
        (,,, uint48 expiresAt) = registry.epochs(epoch);
        vm.warp(uint256(expiresAt) + RECORDING_WINDOW - 1);
        offences.punish(record, indicesFrom(0, 1));
        vm.warp(uint256(expiresAt) + RECORDING_WINDOW);
        offences.punish(record, indicesFrom(1, 2));
        claim(idOf(0, epoch), 0, 1);
        assertTrue(offences.isPunished(idOf(0, epoch), operatorAddress(1)));
        assertNotSlashed(idOf(0, epoch), 1);
    }

    /// @dev Whose operators its owner chose.
    function test_RevertWhen_TheKeeperDidNotCommitTheEpoch() public {
        bytes32 id = report(reporter, 0, epoch, 2, MEMBERS);
        vm.mockCall(address(keeper), abi.encodeCall(keeper.committedAt, (epoch)), abi.encode(0));
        vm.expectRevert(abi.encodeWithSelector(IReporterReward.UnknownCommit.selector, epoch));
        claim(id, 2, MEMBERS);
        vm.clearMockedCalls();
        claim(id, 2, MEMBERS);
    }

    /* FARMING */

    /// @dev An operator that commits all offences it can and reports each itself, in epoch after epoch, until it no
    /// longer has the least weight. Each reward cost it at least the least slash.
    function test_AnOperatorThatReportsItselfLosesTenTimesWhatItGets() public {
        uint256 nonce = 0;
        uint256 rounds = 0;
        for (; weightOf(2) != 0; ++rounds) {
            EpochId other = _nextEpoch();
            for (uint256 i = 0; i < 2; ++i) {
                bytes32 id = report(operatorAddress(2), nonce++, i % 2 == 0 ? other : epoch, 2, MEMBERS);
                try reward.claim(id, operatorAddresses(2, 1)) {} catch {}
            }
            epoch = other;
            assertEq(token.balanceOf(operatorAddress(2)), (rounds + 1) * REWARD);
            assertGe(slashedShares() + 1e6, 10 * token.balanceOf(operatorAddress(2)));
        }
        assertEq(rounds, 2);
    }

    /// @dev So it is also with a stake of exactly the least weight.
    function test_TheLeastStakeLosesTenTimesTheReward() public {
        stakeAndAllocate(OPERATOR_SET, MEMBERS, 1, MIN_WEIGHT);
        registerKey(MEMBERS);
        join(OPERATOR_SET, MEMBERS);
        EpochId other = _nextEpoch();
        bytes memory proof = abi.encode(
            domain(),
            signedByThose(other, decisionOn(0, 1), MEMBERS, MEMBERS + 1, MEMBERS + 1),
            signedByThose(other, decisionOn(0, 0), MEMBERS, MEMBERS + 1, MEMBERS + 1)
        );
        vm.prank(operatorAddress(MEMBERS));
        offences.report(equivocation, proof, indicesFrom(MEMBERS, MEMBERS + 1));
        claim(idOf(0, other), MEMBERS, MEMBERS + 1);
        assertEq(slashedShares(), 10 * token.balanceOf(operatorAddress(MEMBERS)));
    }

    /* DEPLOYMENT */

    function test_ItSaysWhatItPays() public view {
        assertEq(address(reward.OFFENCES()), address(offences));
        assertEq(address(reward.KEEPER()), address(keeper));
        assertEq(reward.TOKEN(), address(token));
        assertEq(reward.REWARD(), REWARD);
    }

    function test_RevertWhen_ThereIsNoReward() public {
        vm.expectRevert(IReporterReward.InvalidRewardSettings.selector);
        new ReporterReward(offences, keeper, address(token), 0);
        new ReporterReward(offences, keeper, address(token), 1);
    }

    function test_RevertWhen_TheKeeperIsAnotherRegistrys() public {
        bytes memory call_ = abi.encodeCall(keeper.OPERATOR_REGISTRY, ());
        vm.mockCall(address(keeper), call_, abi.encode(IOperatorRegistry(address(1))));
        vm.expectRevert(IReporterReward.InvalidRewardSettings.selector);
        new ReporterReward(offences, keeper, address(token), REWARD);
    }

    function _nextEpoch() private returns (EpochId next) {
        advance(12 hours / BLOCK_TIME);
        next = keeper.commit(OPERATOR_SET);
        advance(1);
    }
}

/// @dev Stake on Symbiotic's contracts, whose slashes wait in a queue.
contract ReporterRewardOnSymbioticTest is SymbioticTestBase, ReporterRewardTestBase {
    uint48 private constant REPORTING_WINDOW = 1 days;

    SymbioticSlasher private slasher;
    EpochId private epoch;

    function setUp() public {
        deployStake();
        addMembers(0, MEMBERS);
        epoch = keeper.commit(OPERATOR_SET);
        slasher = new SymbioticSlasher(stake, keeper, 4 days, REPORTING_WINDOW, terms());
        offences = slasher;
        appoint(address(slasher));
        deployReward(keeper);
        fund(10);
        skip(1);
    }

    /// @dev What is slashed is in the vault for the harmed, which the network chose as the burner.
    function test_TheReporterIsPaidOnceTheSlashIsExecuted() public {
        bytes32 id = report(reporter, 0, epoch, 1, MEMBERS);
        assertNotSlashed(id, 1);
        skip(REPORTING_WINDOW);
        assertNotSlashed(id, 1);
        slasher.execute(OPERATOR_SET, operatorAddress(1), 1);
        Punishment memory punishment = offences.punishmentOf(id, operatorAddress(1));
        assertEq(punishment.reporter, reporter);
        assertEq(punishment.epoch, epoch);
        assertEq(punishment.slashedAt, block.timestamp);
        claim(id, 1, 2);
        assertEq(token.balanceOf(reporter), REWARD);
        assertEq(collateral.balanceOf(burner), STAKE / 2);
        assertNotSlashed(id, 2);
        assertNotSlashed(id, 0);
        assertRewardedBefore(id, 1, keeper.committedAt(epoch), uint48(block.timestamp));
    }

    /// @dev Reported so late that a later stake was slashed before.
    function test_ASlashThatLapsesIsNeverRewarded() public {
        EpochId second = _nextEpoch();
        report(reporter, 1, second, 2, MEMBERS);
        skip(REPORTING_WINDOW);
        slasher.execute(OPERATOR_SET, operatorAddress(2), 1);
        bytes32 id = report(reporter, 0, epoch, 2, MEMBERS);
        skip(REPORTING_WINDOW);
        slasher.execute(OPERATOR_SET, operatorAddress(2), 1);
        assertTrue(offences.isPunished(id, operatorAddress(2)));
        assertNotSlashed(id, 2);
        claim(idOf(1, second), 2, MEMBERS);
        assertEq(token.balanceOf(reporter), REWARD);
    }

    /// @dev A vault that slashes nothing, as none of Symbiotic's does while stake can be slashed.
    function test_ASlashOfNothingIsNeverRewarded() public {
        bytes32 id = report(reporter, 0, epoch, 2, MEMBERS);
        skip(REPORTING_WINDOW);
        vm.mockCall(address(slasherOf(2)), abi.encodeWithSelector(slasherOf(2).slash.selector), abi.encode(uint256(0)));
        slasher.execute(OPERATOR_SET, operatorAddress(2), 1);
        assertNotSlashed(id, 2);
    }

    function test_ASecondOffenceInTheSameEpochYieldsNothing() public {
        report(reporter, 0, epoch, 2, MEMBERS);
        report(reporter, 1, epoch, 2, MEMBERS);
        skip(REPORTING_WINDOW);
        slasher.execute(OPERATOR_SET, operatorAddress(2), 2);
        claim(idOf(0, epoch), 2, MEMBERS);
        assertRewardedBefore(idOf(1, epoch), 2, keeper.committedAt(epoch), uint48(block.timestamp));
        EpochId second = _nextEpoch();
        bytes32 id = report(reporter, 2, second, 2, MEMBERS);
        skip(REPORTING_WINDOW);
        slasher.execute(OPERATOR_SET, operatorAddress(2), 1);
        claim(id, 2, MEMBERS);
        assertEq(token.balanceOf(reporter), 2 * REWARD);
    }

    function _nextEpoch() private returns (EpochId next) {
        skip(12 hours);
        next = keeper.commit(OPERATOR_SET);
        skip(1);
    }
}
