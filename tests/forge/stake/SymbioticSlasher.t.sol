// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Equivocation, SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {FalseHandover} from "../../../contracts/challenge/FalseHandover.sol";
import {FaultTerms, IOffences} from "../../../contracts/interfaces/IOffences.sol";
import {ISymbioticSlasher} from "../../../contracts/interfaces/ISymbioticSlasher.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {SymbioticSlasher} from "../../../contracts/stake/SymbioticSlasher.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";
import {IDelegatorCore, ISlasherCore, IVaultCore} from "./ISymbioticCore.sol";
import {SymbioticTestBase} from "./SymbioticTestBase.sol";
import {Vm} from "forge-std/Vm.sol";

/// @dev From two signatures to stake that is gone, on Symbiotic's contracts.
contract SymbioticSlasherTest is SymbioticTestBase, OffenceProofs {
    uint256 private constant MEMBERS = 4;
    uint64 private constant WAD = 0.5e18;
    uint48 private constant REPORTING_WINDOW = 1 days;
    /// @dev What is left of the stake's challenge window is the time to execute.
    uint48 private constant RECORDING_WINDOW = 4 days;

    Equivocation private equivocation;
    SymbioticSlasher private offences;
    EpochId private first;

    function setUp() public {
        deployStake();
        addMembers(0, MEMBERS);
        first = keeper.commit(OPERATOR_SET);
        equivocation = new Equivocation(registry);
        offences = new SymbioticSlasher(stake, keeper, RECORDING_WINDOW, REPORTING_WINDOW, _terms());
        appoint(address(offences));
        skip(1);
    }

    /* PUNISHMENT */

    function test_OperatorsThatSignedBothLoseTheirShareAndNoOneElse() public {
        _report(0, first, 2, MEMBERS);
        skip(REPORTING_WINDOW);
        for (uint256 i = 2; i < MEMBERS; ++i) {
            vm.expectEmit(address(offences));
            emit ISymbioticSlasher.OperatorSlashed(OPERATOR_SET, operatorAddress(i), first, _idOf(0), STAKE / 2);
            offences.execute(OPERATOR_SET, operatorAddress(i), 1);
        }
        for (uint256 i = 0; i < MEMBERS; ++i) {
            assertEq(stakedOf(i), i < 2 ? STAKE : STAKE / 2);
        }
        assertEq(collateral.balanceOf(burner), STAKE);
    }

    /// @dev What the specific vaults prevent: a shared one takes from an innocent operator.
    function test_ASharedVaultWouldTakeFromTheInnocent() public {
        address vault = createVault(vaultInit(), NETWORK_RESTAKE, sharedDelegator(), true, INSTANT);
        vaultOfOperator[MEMBERS] = vault;
        optIntoVault(vault, 0);
        optIntoVault(vault, 1);
        stakeIn(vault, MEMBERS, 1000e18);
        setLimit(vault, OPERATOR_SET);
        bytes32 subnetwork = stake.subnetworkOf(OPERATOR_SET);
        IDelegatorCore delegator = IDelegatorCore(IVaultCore(vault).delegator());
        delegator.setNetworkLimit(subnetwork, type(uint256).max);
        delegator.setOperatorNetworkShares(subnetwork, operatorAddress(0), 1);
        delegator.setOperatorNetworkShares(subnetwork, operatorAddress(1), 3);
        skip(1);
        uint48 captured = uint48(block.timestamp) - 1;
        assertEq(delegator.stakeAt(subnetwork, operatorAddress(0), captured, ""), 250e18);
        appoint(address(this));
        ISlasherCore(IVaultCore(vault).slasher()).slash(subnetwork, operatorAddress(1), 300e18, captured, "");
        skip(1);
        // The first did nothing, and lost 75.
        assertEq(delegator.stakeAt(subnetwork, operatorAddress(0), uint48(block.timestamp) - 1, ""), 175e18);
    }

    function test_AnOffenceIsPunishedOnce() public {
        bytes32 record = _report(0, first, 3, MEMBERS);
        bytes memory refusal = abi.encodeWithSelector(IOffences.AlreadyPunished.selector, _idOf(0));
        vm.expectRevert(refusal);
        offences.punish(record, indicesFrom(3, 4));
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), 9);
        assertEq(stakedOf(3), STAKE / 2);
        vm.expectRevert(refusal);
        offences.punish(record, indicesFrom(3, 4));
        vm.expectRevert(
            abi.encodeWithSelector(ISymbioticSlasher.NothingQueued.selector, OPERATOR_SET, operatorAddress(3))
        );
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
    }

    function test_AQueuedSlashIsAnnouncedWithItsTime() public {
        bytes32 record = offences.recordOffence(equivocation, equivocationOn(0, first, 3, MEMBERS));
        vm.expectEmit(address(offences));
        emit ISymbioticSlasher.SlashQueued(
            OPERATOR_SET, operatorAddress(3), first, _idOf(0), uint48(block.timestamp) + REPORTING_WINDOW
        );
        offences.punish(record, indicesFrom(3, 4));
    }

    /// @dev Its stake waits to be withdrawn, and its vault is still known.
    function test_AnOperatorThatLeftIsPunished() public {
        leaveSet(3);
        withdraw(3, STAKE);
        vm.prank(operatorAddress(3));
        networkOptIns.optOut(network);
        setLimit(vaultOfOperator[3], OPERATOR_SET, 0);
        _report(0, first, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(stakedOf(3), STAKE / 2);
    }

    /// @dev Recorded in the last second, it waits for its reporting window, and there is still a day.
    function test_TheLastOffenceIsPunishedUntilTheLastSecond() public {
        withdraw(3, STAKE);
        (,,, uint48 expiresAt) = registry.epochs(first);
        vm.warp(uint256(expiresAt) + RECORDING_WINDOW - 1);
        _report(0, first, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        uint256 snapshot = vm.snapshotState();
        vm.warp(uint256(keeper.committedAt(first)) - 1 + VAULT_DURATION);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(collateral.balanceOf(burner), STAKE / 2);

        vm.revertToState(snapshot);
        vm.warp(uint256(keeper.committedAt(first)) + VAULT_DURATION);
        vm.expectEmit(address(offences));
        emit ISymbioticSlasher.SlashLapsed(OPERATOR_SET, operatorAddress(3), first, _idOf(0));
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(collateral.balanceOf(burner), 0);
    }

    function test_RevertWhen_TheWindowIsOver() public {
        bytes memory proof = equivocationOn(0, first, 0, MEMBERS);
        (,,, uint48 expiresAt) = registry.epochs(first);
        vm.warp(uint256(expiresAt) + RECORDING_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IOffences.TooLate.selector, first, block.timestamp));
        offences.recordOffence(equivocation, proof);
    }

    /* EPOCHS AND SETS */

    /// @dev An operator reports itself in an epoch in which it has little, though it signed with all it has.
    function test_AnOffenceInASmallEpochShieldsNoneInALater() public {
        stakeIn(vaultOfOperator[3], 3, 3 * STAKE);
        EpochId second = _nextEpoch();
        _report(0, first, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(stakedOf(3), 4 * STAKE - STAKE / 2);
        _report(0, second, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        // Together as much as in the second only.
        assertEq(stakedOf(3), 2 * STAKE);
    }

    /// @dev Or it reports itself in a later one, for which its stake was withdrawn.
    function test_AnOffenceInASmallEpochShieldsNoneInAnEarlier() public {
        withdraw(3, 3 * STAKE / 4);
        EpochId second = _nextEpoch();
        _report(0, second, 3, MEMBERS);
        skip(REPORTING_WINDOW - 1);
        _report(0, first, 3, MEMBERS);
        skip(1);
        offences.execute(OPERATOR_SET, operatorAddress(3), 2);
        assertEq(stakedOf(3), STAKE / 2);
    }

    /// @dev No statement names its epoch: what was signed in one can be shown as signed in each that has the key.
    function test_AnOffenceCostsItsShareOnceInWhateverEpochs() public {
        EpochId[4] memory epochs = [first, _nextEpoch(), _nextEpoch(), _nextEpoch()];
        for (uint256 i = 0; i < 4; ++i) {
            _report(0, epochs[3 - i], 3, MEMBERS);
        }
        skip(REPORTING_WINDOW);
        for (uint256 i = 0; i < 4; ++i) {
            if (i > 0) {
                vm.expectEmit(address(offences));
                emit ISymbioticSlasher.SlashLapsed(OPERATOR_SET, operatorAddress(3), epochs[i], _idOf(0, epochs[i]));
            }
            offences.execute(OPERATOR_SET, operatorAddress(3), 1);
            assertEq(stakedOf(3), STAKE / 2);
        }
        // Nor in one that is committed afterwards.
        EpochId later = _nextEpoch();
        _report(0, later, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(stakedOf(3), STAKE / 2);
    }

    function test_EitherOrderOfTwoStatementsCostsOnce() public {
        EpochId second = _nextEpoch();
        SignedAttestation memory allowed = signedBy(first, decisionOn(0, 1), 3, MEMBERS);
        SignedAttestation memory denied = signedBy(second, decisionOn(0, 0), 3, MEMBERS);
        bytes32 record = offences.recordOffence(equivocation, abi.encode(domain(), allowed, denied));
        assertEq(offences.offenceOf(record).epoch, first);
        offences.punish(record, indicesFrom(3, 4));
        record = offences.recordOffence(equivocation, abi.encode(domain(), denied, allowed));
        assertEq(offences.offenceOf(record).epoch, second);
        offences.punish(record, indicesFrom(3, 4));
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), 2);
        assertEq(stakedOf(3), STAKE / 2);
    }

    /// @dev In the other set, another vault backs the operator.
    function test_AnOffenceInAnotherSetShieldsNone() public {
        address big = vaultOfOperator[3];
        address small = createVault(vaultInit(), 3);
        vaultOfOperator[3] = big;
        stakeIn(small, 3, MIN_WEIGHT);
        setLimit(small, OTHER_SET);
        skip(1);
        vm.prank(operatorAddress(3));
        stake.joinSet(OTHER_SET, small);
        EpochId other = keeper.commit(OTHER_SET);
        skip(1);
        SignedAttestation memory allowed = signedBy(other, decisionOn(0, 1), 3, MEMBERS);
        SignedAttestation memory denied = signedBy(other, decisionOn(0, 0), 3, MEMBERS);
        (allowed.nonSigners, denied.nonSigners) = ("", "");
        bytes32 record = offences.recordOffence(equivocation, abi.encode(domain(), allowed, denied));
        offences.punish(record, indicesFrom(0, 1));
        skip(REPORTING_WINDOW);
        offences.execute(OTHER_SET, operatorAddress(3), 1);
        assertEq(collateral.balanceOf(burner), MIN_WEIGHT / 2);
        _report(0, first, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(stakedOf(3), STAKE / 2);
    }

    /* ORDER */

    function test_RevertWhen_TheReportingWindowIsOpen() public {
        _report(0, first, 3, MEMBERS);
        uint48 from = uint48(block.timestamp) + REPORTING_WINDOW;
        (uint48 executableFrom, EpochId[] memory epochs) = offences.queueOf(OPERATOR_SET, operatorAddress(3));
        assertEq(executableFrom, from);
        assertEq(epochs.length, 1);
        assertEq(epochs[0], first);
        vm.warp(from - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISymbioticSlasher.ReportingWindowOpen.selector, OPERATOR_SET, operatorAddress(3), from
            )
        );
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        vm.warp(from);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        (executableFrom, epochs) = offences.queueOf(OPERATOR_SET, operatorAddress(3));
        assertEq(executableFrom, 0);
        assertEq(epochs.length, 0);
    }

    /// @dev The operator reports its own later offence, so that the earlier could not be slashed. It can.
    function test_ANewOffenceShieldsNoOldOne() public {
        EpochId second = _nextEpoch();
        _report(1, second, 3, MEMBERS);
        skip(REPORTING_WINDOW - 1);
        _report(0, first, 3, MEMBERS);
        skip(1);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        ISlasherCore slasher = slasherOf(3);
        bytes32 subnetwork = stake.subnetworkOf(OPERATOR_SET);
        assertEq(slasher.latestSlashedCaptureTimestamp(subnetwork, operatorAddress(3)), keeper.committedAt(first) - 1);
        assertEq(stakedOf(3), STAKE / 2);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(slasher.latestSlashedCaptureTimestamp(subnetwork, operatorAddress(3)), keeper.committedAt(second) - 1);
        assertEq(stakedOf(3), STAKE / 4);
    }

    /// @dev The operator has a small offence of an old epoch ready, and reports a new one in the same transaction. What
    /// happened between them could not be slashed any more.
    function test_AnOffenceThatIsReadyTakesNoNewerOneWithIt() public {
        EpochId second = _nextEpoch();
        EpochId third = _nextEpoch();
        _report(0, first, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        _report(2, third, 3, MEMBERS);
        offences.execute(OPERATOR_SET, operatorAddress(3), type(uint256).max);
        assertEq(stakedOf(3), STAKE / 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISymbioticSlasher.ReportingWindowOpen.selector,
                OPERATOR_SET,
                operatorAddress(3),
                block.timestamp + REPORTING_WINDOW
            )
        );
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        skip(REPORTING_WINDOW - 1);
        _report(1, second, 3, MEMBERS);
        skip(1);
        vm.recordLogs();
        offences.execute(OPERATOR_SET, operatorAddress(3), type(uint256).max);
        _assertOrder(_listOf(second, third));
        assertEq(stakedOf(3), STAKE / 8);
    }

    /// @dev Whatever is queued meanwhile, older or newer.
    function test_NoOneDelaysAnOffenceThatIsReady() public {
        EpochId second = _nextEpoch();
        EpochId third = _nextEpoch();
        _report(1, second, 3, MEMBERS);
        skip(REPORTING_WINDOW / 2);
        _report(2, third, 3, MEMBERS);
        skip(REPORTING_WINDOW / 2 - 1);
        _report(0, first, 3, MEMBERS);
        (uint48 executableFrom,) = offences.queueOf(OPERATOR_SET, operatorAddress(3));
        assertEq(executableFrom, block.timestamp + 1);
        skip(1);
        vm.recordLogs();
        offences.execute(OPERATOR_SET, operatorAddress(3), type(uint256).max);
        _assertOrder(_listOf(first, second));
        (executableFrom,) = offences.queueOf(OPERATOR_SET, operatorAddress(3));
        assertEq(executableFrom, block.timestamp + REPORTING_WINDOW / 2);
        skip(REPORTING_WINDOW / 2);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(stakedOf(3), STAKE / 8);
    }

    /// @dev As Symbiotic has it: without the order, the old offence is free.
    function test_SymbioticSlashesNoOlderStakeThanItDidLast() public {
        EpochId second = _nextEpoch();
        appoint(address(this));
        ISlasherCore slasher = slasherOf(3);
        bytes32 subnetwork = stake.subnetworkOf(OPERATOR_SET);
        slasher.slash(subnetwork, operatorAddress(3), 1, keeper.committedAt(second) - 1, "");
        uint48 old = keeper.committedAt(first) - 1;
        assertEq(slasher.slashableStake(subnetwork, operatorAddress(3), old, ""), 0);
        vm.expectRevert(ISlasherCore.InsufficientSlash.selector);
        slasher.slash(subnetwork, operatorAddress(3), 1, old, "");
    }

    function test_OffencesOfThreeEpochsAreSlashedInTheirOrder() public {
        EpochId second = _nextEpoch();
        EpochId third = _nextEpoch();
        _report(2, third, 3, MEMBERS);
        _report(0, first, 3, MEMBERS);
        _report(1, second, 3, MEMBERS);
        _report(3, first, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        vm.recordLogs();
        offences.execute(OPERATOR_SET, operatorAddress(3), type(uint256).max);
        EpochId[] memory expected = new EpochId[](4);
        (expected[0], expected[1], expected[2], expected[3]) = (first, first, second, third);
        _assertOrder(expected);
        assertEq(stakedOf(3), STAKE / 16);
    }

    /// @dev The operator's vault calls back, while its queue is executed, to queue a later offence behind the last.
    function test_WhatAVaultsHookQueuesWaitsForItsOwnWindow() public {
        _assertHookWaits(false);
    }

    /// @dev Others are ready behind the one whose slash calls back.
    function test_WhatAVaultsHookQueuesBehindOthersWaitsForItsOwnWindow() public {
        _assertHookWaits(true);
    }

    function _assertHookWaits(bool isOtherReady) private {
        EpochId second = _nextEpoch();
        EpochId third = _nextEpoch();
        bytes32 later = offences.recordOffence(equivocation, equivocationOn(1, third, 3, MEMBERS));
        Hook hook = new Hook(address(offences), abi.encodeCall(offences.punish, (later, indicesFrom(3, 4))));
        IDelegatorCore delegator = IDelegatorCore(IVaultCore(vaultOfOperator[3]).delegator());
        delegator.grantRole(keccak256("HOOK_SET_ROLE"), address(this));
        delegator.setHook(address(hook));
        _report(0, first, 3, MEMBERS);
        if (isOtherReady) _report(2, second, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), type(uint256).max);
        assertTrue(hook.hasCalled());
        assertEq(stakedOf(3), isOtherReady ? STAKE / 4 : STAKE / 2);
        (uint48 executableFrom, EpochId[] memory epochs) = offences.queueOf(OPERATOR_SET, operatorAddress(3));
        assertEq(executableFrom, block.timestamp + REPORTING_WINDOW);
        assertEq(epochs.length, 1);
        assertEq(epochs[0], third);
    }

    /// @dev One that cannot be slashed does not stop those after it.
    function test_ASlashWithoutEffectLeavesTheQueue() public {
        EpochId second = _nextEpoch();
        skip(REPORTING_WINDOW);
        _report(1, second, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        // Reported too late.
        _report(0, first, 3, MEMBERS);
        _report(2, second, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        vm.expectEmit(address(offences));
        emit ISymbioticSlasher.SlashLapsed(OPERATOR_SET, operatorAddress(3), first, _idOf(0));
        offences.execute(OPERATOR_SET, operatorAddress(3), 2);
        assertEq(stakedOf(3), STAKE / 4);
    }

    /* REFUSALS */

    function test_RevertWhen_TheOperatorDidNotDoIt() public {
        bytes32 record = offences.recordOffence(equivocation, equivocationOn(0, first, 2, MEMBERS));
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IOffences.NotOffender.selector, record, i));
            offences.punish(record, indicesFrom(i, i + 1));
        }
    }

    function test_RevertWhen_TheKeeperDidNotCommitTheEpoch() public {
        vm.mockCall(address(keeper), abi.encodeCall(keeper.committedAt, (first)), abi.encode(0));
        bytes32 record = offences.recordOffence(equivocation, equivocationOn(0, first, 0, MEMBERS));
        vm.expectRevert(abi.encodeWithSelector(ISymbioticSlasher.UnknownCommit.selector, first));
        offences.punish(record, indicesFrom(0, 1));
    }

    function test_RevertWhen_NoVaultBacksTheOperator() public {
        bytes32 record = offences.recordOffence(equivocation, equivocationOn(0, first, 0, MEMBERS));
        vm.mockCall(address(stake), abi.encodeCall(stake.vaultOf, (OPERATOR_SET, operatorAddress(0))), abi.encode(0));
        vm.expectRevert(abi.encodeWithSelector(ISymbioticSlasher.NoVault.selector, OPERATOR_SET, operatorAddress(0)));
        offences.punish(record, indicesFrom(0, 1));
    }

    /// @dev It stays queued until the network appoints the slasher again.
    function test_RevertWhen_TheNetworkHasAnotherMiddleware() public {
        _report(0, first, 3, MEMBERS);
        skip(REPORTING_WINDOW);
        appoint(address(this));
        vm.expectRevert(ISlasherCore.NotNetworkMiddleware.selector);
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        appoint(address(offences));
        offences.execute(OPERATOR_SET, operatorAddress(3), 1);
        assertEq(stakedOf(3), STAKE / 2);
    }

    function test_RevertWhen_TheWindowsLeaveNoTimeToExecute() public {
        uint48 most = stake.CHALLENGE_WINDOW();
        FaultTerms[] memory terms = _terms();
        new SymbioticSlasher(stake, keeper, most - 2, 1, terms);
        vm.expectRevert(abi.encodeWithSelector(IOffences.WindowsTooLong.selector, most, most));
        new SymbioticSlasher(stake, keeper, most - 1, 1, terms);
    }

    /* OFFENCES */

    /// @dev Records that operators `from` to `end - 1` of an epoch decided a task twice, and queues their slashes.
    function _report(uint256 nonce, EpochId epoch, uint256 from, uint256 end) private returns (bytes32 record) {
        record = offences.recordOffence(equivocation, equivocationOn(nonce, epoch, from, end));
        offences.punish(record, indicesFrom(from, end));
    }

    function _nextEpoch() private returns (EpochId epoch) {
        skip(12 hours);
        epoch = keeper.commit(OPERATOR_SET);
        skip(1);
    }

    function _idOf(uint256 nonce) private view returns (bytes32) {
        return _idOf(nonce, first);
    }

    function _idOf(uint256 nonce, EpochId epoch) private view returns (bytes32) {
        bytes32 deed = keccak256(abi.encode(equivocation, decisionOn(nonce, 1).taskId));
        return keccak256(abi.encode(deed, epoch));
    }

    function _listOf(EpochId one, EpochId two) private pure returns (EpochId[] memory list) {
        list = new EpochId[](2);
        (list[0], list[1]) = (one, two);
    }

    /// @dev The slashes since the logs are recorded.
    function _assertOrder(EpochId[] memory epochs) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != ISymbioticSlasher.OperatorSlashed.selector) continue;
            assertEq(uint256(logs[i].topics[3]), EpochId.unwrap(epochs[count++]));
        }
        assertEq(count, epochs.length);
    }

    function _terms() private returns (FaultTerms[] memory terms) {
        terms = new FaultTerms[](2);
        terms[0] = FaultTerms(equivocation, WAD);
        terms[1] = FaultTerms(new FalseHandover(registry), 1e18);
    }
}

/// @dev Makes a call whenever its vault is slashed.
contract Hook {
    address private immutable _TARGET;
    bytes private _data;
    bool public hasCalled;

    constructor(address target, bytes memory data) {
        _TARGET = target;
        _data = data;
    }

    fallback() external {
        (bool success,) = _TARGET.call(_data);
        if (success) hasCalled = true;
    }
}
