// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ConflictingObservations} from "../../../contracts/challenge/ConflictingObservations.sol";
import {Equivocation, SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {FalseHandover} from "../../../contracts/challenge/FalseHandover.sol";
import {EigenLayerSet} from "../../../contracts/interfaces/IEigenLayer.sol";
import {FaultTerms, IFault, IOffences, Punishment, RecordedOffence} from "../../../contracts/interfaces/IOffences.sol";
import {EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {EigenLayerSlasher} from "../../../contracts/stake/EigenLayerSlasher.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";
import {IAllocationManagerCore} from "./IEigenLayerCore.sol";
import {StakeTestBase} from "./StakeTestBase.sol";
import {Vm} from "forge-std/Vm.sol";

/// @dev From two signatures to stake that is gone, on EigenLayer's contracts.
contract EigenLayerSlasherTest is StakeTestBase, OffenceProofs {
    uint256 private constant MEMBERS = 5;
    uint64 private constant WAD = 0.5e18;

    Equivocation private equivocation;
    FalseHandover private falseHandover;
    ConflictingObservations private observations;
    EigenLayerSlasher private offences;
    EpochId private epoch;

    function setUp() public {
        deployStake(2);
        addMembers(0, MEMBERS);
        epoch = commitMembers();
        equivocation = new Equivocation(registry);
        falseHandover = new FalseHandover(registry);
        observations = new ConflictingObservations(registry);
        offences = new EigenLayerSlasher(stake, RECORDING_WINDOW, _terms());
        appoint(address(offences), allocationManager.slashOperator.selector);
    }

    /* PUNISHMENT */

    function test_OperatorsThatSignedBothLoseTheirShareAndNoOneElse() public {
        bytes memory proof = _equivocation(2, 0);
        bytes32 record = _recordOf(firstBits(2));
        vm.expectEmit(address(offences));
        emit IOffences.OffenceRecorded(record, equivocation, epoch, _idOf(), address(this));
        assertEq(offences.recordOffence(equivocation, proof), record);
        vm.expectEmit(address(offences));
        emit IOffences.OperatorPunished(record, OPERATOR_SET, operatorAddress(2));
        offences.punish(record, indicesFrom(2, MEMBERS));
        for (uint256 i = 0; i < MEMBERS; ++i) {
            assertEq(weightOf(i), i < 2 ? 2 * STAKE : STAKE);
            assertEq(offences.isPunished(_idOf(), operatorAddress(i)), i >= 2);
        }
        assertEq(slashedShares(), 3 * STAKE / 2);
    }

    function test_ASlashIsDescribedByTheOffence() public {
        bytes32 record = offences.recordOffence(equivocation, _equivocation(2, 0));
        vm.recordLogs();
        offences.punish(record, indicesFrom(2, 3));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 slashes = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 slash = keccak256("OperatorSlashed(address,(address,uint32),address[],uint256[],string)");
            if (logs[i].topics[0] != slash) continue;
            (address operator,,,, string memory description) =
                abi.decode(logs[i].data, (address, EigenLayerSet, address[], uint256[], string));
            assertEq(operator, operatorAddress(2));
            assertEq(description, vm.toString(_idOf()));
            ++slashes;
        }
        assertEq(slashes, 1);
    }

    function test_TheNextEpochHasWhatIsLeft() public {
        offences.punish(offences.recordOffence(equivocation, _equivocation(0, 4)), indicesFrom(4, 5));
        (address table,,,) = registry.epochs(commitMembers());
        (, uint256 totalWeight,,) = OperatorTable.readHead(table);
        assertEq(totalWeight, 2 * MEMBERS * STAKE - STAKE);
    }

    function test_AnOperatorThatLeftIsPunished() public {
        leaveSet(OPERATOR_SET, 4);
        allocate(OPERATOR_SET, 4, 0);
        undelegate(4);
        (,,, uint48 expiresAt) = registry.epochs(epoch);
        vm.roll(block.number + LOOKAHEAD);
        vm.warp(uint256(expiresAt) + RECORDING_WINDOW - 1);
        offences.punish(offences.recordOffence(equivocation, _equivocation(0, 4)), indicesFrom(4, 5));
        assertApproxEqAbs(slashedShares(), STAKE / 2, 1);
    }

    /// @dev Whatever the number of proofs, of attestations and of reporters.
    function test_AnOffenceIsPunishedOnce() public {
        bytes32 first = offences.recordOffence(equivocation, _equivocation(0, 4));
        bytes32 second = offences.recordOffence(equivocation, _equivocation(3, 0));
        offences.punish(first, indicesFrom(4, 5));
        bytes memory refusal = abi.encodeWithSelector(IOffences.AlreadyPunished.selector, _idOf());
        vm.expectRevert(refusal);
        offences.punish(first, indicesFrom(4, 5));
        // Who is in another proof of the same task is not shielded.
        offences.punish(second, indicesFrom(3, 5));
        assertEq(weightOf(3), STAKE);
        assertEq(weightOf(4), STAKE);
        vm.expectRevert(refusal);
        offences.punish(second, indicesFrom(3, 5));
    }

    /// @dev Else an offender has itself punished in the block before, each time.
    function test_WhoWasPunishedBeforeStopsNoBatch() public {
        bytes32 record = offences.recordOffence(equivocation, _equivocation(0, 0));
        offences.punish(record, indicesFrom(2, 3));
        uint256[] memory indices = indicesFrom(0, MEMBERS);
        indices[0] = 1;
        offences.punish(record, indices);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            assertEq(weightOf(i), i == 0 ? 2 * STAKE : STAKE);
        }
        offences.punish(record, new uint256[](0));
    }

    /* EPOCHS AND SETS */

    /// @dev An operator reports itself while it has little, before it signs again with all it has.
    function test_AnOffenceInASmallEpochShieldsNoneInALater() public {
        offences.punish(offences.recordOffence(equivocation, _equivocation(0, 4)), indicesFrom(4, 5));
        assertEq(weightOf(4), STAKE);
        EpochId later = commitMembers();
        bytes32 record = offences.recordOffence(equivocation, equivocationOn(0, later, 4, MEMBERS));
        offences.punish(record, indicesFrom(4, 5));
        assertEq(weightOf(4), STAKE / 2);
    }

    function test_ConflictingObservationsInASmallEpochShieldNoneInALater() public {
        offences.punish(offences.recordOffence(observations, _conflict(epoch)), indicesFrom(4, 5));
        bytes32 record = offences.recordOffence(observations, _conflict(commitMembers()));
        offences.punish(record, indicesFrom(4, 5));
        assertEq(weightOf(4), STAKE / 2);
    }

    /// @dev Its stake in the other set is another.
    function test_AnOffenceInAnotherSetShieldsNone() public {
        (EpochId big, EpochId small) = _commitTwoSets();
        _punishFirst(_decided(small, 1), _decided(small, 0));
        assertApproxEqAbs(weightOf(MEMBERS), STAKE, 1e3);
        bytes32 record = _punishFirst(_decided(big, 1), _decided(big, 0));
        assertEq(offences.offenceOf(record).epoch, big);
        assertApproxEqAbs(weightOf(MEMBERS), STAKE / 2, 1e3);
    }

    /// @dev Each statement is of another set's epoch: an operator would choose the one where it has less.
    function test_TheReporterChoosesWhichOfTwoEpochsIsPunished() public {
        (EpochId big, EpochId small) = _commitTwoSets();
        bytes32 record = _punishFirst(_decided(small, 1), _decided(big, 0));
        assertEq(offences.offenceOf(record).epoch, small);
        assertApproxEqAbs(weightOf(MEMBERS), STAKE, 1e3);
        record = _punishFirst(_decided(big, 0), _decided(small, 1));
        assertEq(offences.offenceOf(record).epoch, big);
        assertApproxEqAbs(weightOf(MEMBERS), STAKE / 2, 1e3);
    }

    /// @dev No statement names its epoch: what was signed in one can be shown as signed in each that has the key.
    function test_AnOffenceCostsOnceInAllEpochsThatThereAre() public {
        EpochId[3] memory epochs = [epoch, commitMembers(), commitMembers()];
        bytes32[] memory records = new bytes32[](4);
        for (uint256 i = 0; i < 3; ++i) {
            records[i] = offences.recordOffence(equivocation, equivocationOn(0, epochs[i], 4, MEMBERS));
        }
        // Of two epochs, in either order.
        SignedAttestation memory first = signedBy(epochs[0], decisionOn(0, 1), 3, MEMBERS);
        SignedAttestation memory second = signedBy(epochs[2], decisionOn(0, 0), 3, MEMBERS);
        records[3] = offences.recordOffence(equivocation, abi.encode(domain(), second, first));
        bytes32 record = offences.recordOffence(equivocation, abi.encode(domain(), first, second));
        offences.punish(record, indicesFrom(4, 5));
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = offences.offenceOf(records[i]).id;
            vm.expectRevert(abi.encodeWithSelector(IOffences.AlreadyPunished.selector, id));
            offences.punish(records[i], indicesFrom(4, 5));
        }
        assertEq(weightOf(4), STAKE);
    }

    function test_RevertWhen_TheOperatorDidNotDoIt() public {
        bytes32 record = offences.recordOffence(equivocation, _equivocation(2, 1));
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IOffences.NotOffender.selector, record, i));
            offences.punish(record, indicesFrom(i, i + 1));
        }
        for (uint256 i = MEMBERS; i < 3000; i += 997) {
            vm.expectRevert(abi.encodeWithSelector(IOffences.NotOffender.selector, record, i));
            offences.punish(record, indicesFrom(i, i + 1));
        }
    }

    function test_APunishmentSaysWhoReportedItAndWhen() public {
        address reporter = makeAddr("reporter");
        bytes memory proof = _equivocation(2, 0);
        vm.prank(reporter);
        bytes32 record = offences.recordOffence(equivocation, proof);
        skip(1 hours);
        offences.punish(record, indicesFrom(2, 3));
        Punishment memory punishment = offences.punishmentOf(_idOf(), operatorAddress(2));
        assertEq(punishment.reporter, reporter);
        assertEq(punishment.epoch, epoch);
        assertEq(punishment.slashedAt, block.timestamp);
        punishment = offences.punishmentOf(_idOf(), operatorAddress(3));
        assertEq(punishment.reporter, address(0));
        assertEq(punishment.slashedAt, 0);
    }

    /// @dev Slashed, but no one knows whether there was any stake.
    function test_APunishmentAfterTheWindowHasNoTime() public {
        bytes32 record = offences.recordOffence(equivocation, _equivocation(0, 0));
        (,,, uint48 expiresAt) = registry.epochs(epoch);
        uint256 end = uint256(expiresAt) + RECORDING_WINDOW;
        // In the window's last second, when it is over, and later.
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(end - 1 + i);
            offences.punish(record, indicesFrom(i, i + 1));
            Punishment memory punishment = offences.punishmentOf(_idOf(), operatorAddress(i));
            assertEq(punishment.reporter, address(this));
            assertEq(punishment.slashedAt, i == 0 ? end - 1 : 0);
        }
    }

    function test_AReportRecordsAndPunishesAtOnce() public {
        bytes memory proof = _equivocation(2, 0);
        vm.prank(makeAddr("reporter"));
        bytes32 record = offences.report(equivocation, proof, indicesFrom(2, MEMBERS));
        assertEq(record, _recordOf(firstBits(2)));
        for (uint256 i = 0; i < MEMBERS; ++i) {
            assertEq(offences.isPunished(_idOf(), operatorAddress(i)), i >= 2);
        }
        assertEq(offences.punishmentOf(_idOf(), operatorAddress(2)).reporter, makeAddr("reporter"));
    }

    function test_PausedSlashingPunishesLater() public {
        bytes32 record = offences.recordOffence(equivocation, _equivocation(0, 0));
        pauseSlashing();
        vm.expectRevert(IAllocationManagerCore.CurrentlyPaused.selector);
        offences.punish(record, indicesFrom(0, 1));
        assertFalse(offences.isPunished(_idOf(), operatorAddress(0)));
        unpauseSlashing();
        offences.punish(record, indicesFrom(0, 1));
    }

    /* RECORDING */

    function test_ARecordSaysWhatWasProved() public {
        bytes32 record = offences.recordOffence(equivocation, _equivocation(1, 2));
        RecordedOffence memory offence = offences.offenceOf(record);
        assertEq(offence.epoch, epoch);
        assertEq(offence.wad, WAD);
        assertEq(offence.reporter, address(this));
        assertEq(offence.id, _idOf());
        assertEq(offence.nonSigners, firstBits(2));
        assertEq(abi.encode(offences.faults()), abi.encode(_terms()));
    }

    function test_RevertWhen_TheSameIsRecordedTwice() public {
        bytes memory proof = _equivocation(0, 0);
        bytes32 record = offences.recordOffence(equivocation, proof);
        vm.expectRevert(abi.encodeWithSelector(IOffences.AlreadyRecorded.selector, record));
        offences.recordOffence(equivocation, proof);
    }

    /// @dev Else a copy of the report would be another record, with which another reporter punishes first.
    function test_RevertWhen_TheSameIsRecordedWithALongerBitmap() public {
        SignedAttestation memory first = signedBy(epoch, decisionOn(0, 1), 2, MEMBERS);
        SignedAttestation memory second = signedBy(epoch, decisionOn(0, 0), 0, MEMBERS);
        bytes32 record = offences.recordOffence(equivocation, abi.encode(domain(), first, second));
        assertEq(offences.offenceOf(record).nonSigners, firstBits(2));
        for (uint256 i = 1; i < 40; i += 19) {
            first.nonSigners = bytes.concat(firstBits(2), new bytes(i));
            vm.expectRevert(abi.encodeWithSelector(IOffences.AlreadyRecorded.selector, record));
            offences.recordOffence(equivocation, abi.encode(domain(), first, second));
        }
    }

    /// @dev All signed: no byte is left.
    function test_ABitmapOfZerosIsRecordedAsNone() public {
        SignedAttestation memory first = signedBy(epoch, decisionOn(0, 1), 0, MEMBERS);
        first.nonSigners = new bytes(3);
        SignedAttestation memory second = signedBy(epoch, decisionOn(0, 0), 0, MEMBERS);
        bytes32 record = offences.recordOffence(equivocation, abi.encode(domain(), first, second));
        assertEq(offences.offenceOf(record).nonSigners, "");
        assertEq(record, _recordOf(""));
    }

    function test_RevertWhen_TheWindowIsOver() public {
        bytes memory proof = _equivocation(0, 0);
        (,,, uint48 expiresAt) = registry.epochs(epoch);
        uint256 end = uint256(expiresAt) + RECORDING_WINDOW;
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(IOffences.TooLate.selector, epoch, end));
        offences.recordOffence(equivocation, proof);
        vm.warp(end - 1);
        offences.recordOffence(equivocation, proof);
    }

    function test_RevertWhen_TheFaultIsNotAmongThose() public {
        Equivocation other = new Equivocation(registry);
        bytes memory proof = _equivocation(0, 0);
        vm.expectRevert(abi.encodeWithSelector(IOffences.UnknownFault.selector, other));
        offences.recordOffence(other, proof);
    }

    function test_RevertWhen_ThereIsNoSuchRecord() public {
        vm.expectRevert(abi.encodeWithSelector(IOffences.NoSuchRecord.selector, bytes32(0)));
        offences.punish(0, indicesFrom(0, 1));
    }

    /// @dev A fault that proves nothing of an epoch that does not exist.
    function test_RevertWhen_TheEpochDoesNotExist() public {
        vm.mockCall(
            address(equivocation),
            abi.encodeWithSelector(IFault.prove.selector),
            abi.encode(EpochId.wrap(99), bytes32(0), bytes(""))
        );
        vm.expectRevert(abi.encodeWithSelector(IOffences.TooLate.selector, 99, 0));
        offences.recordOffence(equivocation, "");
    }

    /// @dev Recorded in the last second, there is a day to punish it.
    function test_TheLastOffenceIsPunishedUntilTheLastSecond() public {
        leaveSet(OPERATOR_SET, 4);
        allocate(OPERATOR_SET, 4, 0);
        undelegate(4);
        (,,, uint48 expiresAt) = registry.epochs(epoch);
        vm.warp(uint256(expiresAt) + RECORDING_WINDOW - 1);
        bytes32 record = offences.recordOffence(equivocation, _equivocation(0, 4));
        vm.roll(block.number + LOOKAHEAD);
        vm.warp(uint256(expiresAt) + CHALLENGE_WINDOW - 1);
        offences.punish(record, indicesFrom(4, 5));
        assertApproxEqAbs(slashedShares(), STAKE / 2, 1);
    }

    function test_RevertWhen_TheWindowLeavesNoTimeToPunish() public {
        FaultTerms[] memory terms = _terms();
        EigenLayerSlasher other = new EigenLayerSlasher(stake, CHALLENGE_WINDOW - 1, terms);
        assertEq(address(other.STAKE()), address(stake));
        assertEq(address(other.ALLOCATION_MANAGER()), address(allocationManager));
        assertEq(other.AVS(), avs);
        assertEq(address(other.OPERATOR_REGISTRY()), address(registry));
        vm.expectRevert(abi.encodeWithSelector(IOffences.WindowsTooLong.selector, CHALLENGE_WINDOW, CHALLENGE_WINDOW));
        new EigenLayerSlasher(stake, CHALLENGE_WINDOW, terms);
    }

    function test_RevertWhen_FaultsAreInvalid() public {
        _assertFaultsRefused(new FaultTerms[](0));
        FaultTerms[] memory terms = _terms();
        terms[1] = terms[0];
        _assertFaultsRefused(terms);
        terms = _terms();
        terms[0].fault = IFault(address(1));
        _assertFaultsRefused(terms);
        terms = _terms();
        terms[0].wad = 0;
        _assertFaultsRefused(terms);
        terms[0].wad = 1e18 + 1;
        _assertFaultsRefused(terms);
    }

    function _assertFaultsRefused(FaultTerms[] memory terms) private {
        vm.expectRevert(IOffences.InvalidFaults.selector);
        new EigenLayerSlasher(stake, RECORDING_WINDOW, terms);
    }

    function _terms() private view returns (FaultTerms[] memory terms) {
        terms = new FaultTerms[](3);
        terms[0] = FaultTerms(equivocation, WAD);
        terms[1] = FaultTerms(falseHandover, 1e18);
        terms[2] = FaultTerms(observations, WAD);
    }

    /* PROOFS */

    /// @dev Two decisions on one task. All but the first operators signed each, as many as these are absent.
    function _equivocation(uint256 absentFirst, uint256 absentSecond) private view returns (bytes memory) {
        return abi.encode(
            domain(),
            signedBy(epoch, decisionOn(0, 1), absentFirst, MEMBERS),
            signedBy(epoch, decisionOn(0, 0), absentSecond, MEMBERS)
        );
    }

    /// @dev Operator 4 signed both.
    function _conflict(EpochId in_) private view returns (bytes memory) {
        bytes32 task = keccak256("task");
        bytes32 source = keccak256("price");
        return abi.encode(
            domain(),
            task,
            source,
            observation(in_, task, source, keccak256("block"), keccak256("4"), 4, MEMBERS),
            observation(in_, task, source, keccak256("block"), keccak256("5"), 4, MEMBERS)
        );
    }

    /// @dev The operator after the members has three quarters of its stake in their set, and the rest in another.
    function _commitTwoSets() private returns (EpochId big, EpochId small) {
        uint64 quarter = FULL_MAGNITUDE / 4;
        stakeAndAllocate(OPERATOR_SET, MEMBERS, 1, STAKE, 2 * quarter);
        createOperatorSet(OTHER_SET);
        allocate(OTHER_SET, MEMBERS, quarter);
        registerKey(MEMBERS);
        join(OPERATOR_SET, MEMBERS);
        join(OTHER_SET, MEMBERS);
        advance(1);
        (big, small) = (commitMembers(), commitMembers(OTHER_SET));
    }

    /// @dev The operator after the members signs, in their set or as the only one of the other.
    function _decided(EpochId in_, uint8 decision) private view returns (SignedAttestation memory signed) {
        signed = signedByThose(in_, decisionOn(0, decision), MEMBERS, MEMBERS + 1, MEMBERS + 1);
        (, OperatorSetId operatorSet,,) = registry.epochs(in_);
        if (OperatorSetId.unwrap(operatorSet) == OperatorSetId.unwrap(OTHER_SET)) signed.nonSigners = "";
    }

    /// @dev The operator is the last of its epoch.
    function _punishFirst(SignedAttestation memory first, SignedAttestation memory second)
        private
        returns (bytes32 record)
    {
        record = offences.recordOffence(equivocation, abi.encode(domain(), first, second));
        uint256 last = first.nonSigners.length == 0 ? 0 : MEMBERS;
        offences.punish(record, indicesFrom(last, last + 1));
    }

    function _idOf() private view returns (bytes32) {
        bytes32 deed = keccak256(abi.encode(equivocation, decisionOn(0, 1).taskId));
        return keccak256(abi.encode(deed, epoch));
    }

    function _recordOf(bytes memory nonSigners) private view returns (bytes32) {
        return keccak256(abi.encode(_idOf(), nonSigners));
    }
}

/// @dev A hundred operators that all signed twice, in as many transactions as they need.
contract EigenLayerManySignersTest is StakeTestBase, OffenceProofs {
    /// @dev What a transaction may use (EIP-7825).
    uint256 private constant MOST_GAS = 16_777_216;
    uint256 private constant MEMBERS = 100;
    uint256 private constant IN_BATCH = 25;

    function test_AHundredSignersAreSlashedInBatches() public {
        deployStake(1);
        addMembers(0, MEMBERS);
        EpochId epoch = commitMembers();
        Equivocation equivocation = new Equivocation(registry);
        FaultTerms[] memory terms = new FaultTerms[](1);
        terms[0] = FaultTerms(equivocation, 0.5e18);
        EigenLayerSlasher offences = new EigenLayerSlasher(stake, RECORDING_WINDOW, terms);
        appoint(address(offences), allocationManager.slashOperator.selector);
        bytes32 record = offences.recordOffence(equivocation, equivocationOn(0, epoch, 0, MEMBERS));
        for (uint256 i = 0; i < MEMBERS; i += IN_BATCH) {
            uint256 before = gasleft();
            offences.punish(record, indicesFrom(i, i + IN_BATCH));
            assertLt(before - gasleft(), MOST_GAS);
            assertEq(slashedShares(), (i + IN_BATCH) * STAKE / 2);
        }
        for (uint256 i = 0; i < MEMBERS; ++i) {
            assertEq(weightOf(i), STAKE / 2);
        }
        vm.expectRevert(abi.encodeWithSelector(IOffences.AlreadyPunished.selector, offences.offenceOf(record).id));
        offences.punish(record, indicesFrom(99, 100));
    }
}
