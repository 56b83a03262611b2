// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Equivocation, SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {FalseHandover} from "../../../contracts/challenge/FalseHandover.sol";
import {FaultTerms, IFault, IOffences, Punishment, RecordedOffence} from "../../../contracts/interfaces/IOffences.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {EigenLayerSlasher} from "../../../contracts/stake/EigenLayerSlasher.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";
import {IAllocationManagerCore} from "./IEigenLayerCore.sol";
import {StakeTestBase} from "./StakeTestBase.sol";

/// @dev From two signatures to stake that is gone, on EigenLayer's contracts.
contract EigenLayerSlasherTest is StakeTestBase, OffenceProofs {
    uint256 private constant MEMBERS = 5;
    uint64 private constant WAD = 0.5e18;

    Equivocation private equivocation;
    FalseHandover private falseHandover;
    EigenLayerSlasher private offences;
    EpochId private epoch;

    function setUp() public {
        deployStake(2);
        addMembers(0, MEMBERS);
        epoch = commitMembers();
        equivocation = new Equivocation(registry);
        falseHandover = new FalseHandover(registry);
        offences = new EigenLayerSlasher(allocationManager, avs, registry, CHALLENGE_WINDOW, _terms());
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
        vm.warp(uint256(expiresAt) + CHALLENGE_WINDOW - 1);
        offences.punish(offences.recordOffence(equivocation, _equivocation(0, 4)), indicesFrom(4, 5));
        assertApproxEqAbs(slashedShares(), STAKE / 2, 1);
    }

    /// @dev Whatever the number of proofs, of attestations and of reporters.
    function test_AnOffenceIsPunishedOnce() public {
        bytes32 first = offences.recordOffence(equivocation, _equivocation(0, 4));
        bytes32 second = offences.recordOffence(equivocation, _equivocation(3, 0));
        offences.punish(first, indicesFrom(4, 5));
        bytes memory refusal = abi.encodeWithSelector(IOffences.AlreadyPunished.selector, _idOf(), operatorAddress(4));
        vm.expectRevert(refusal);
        offences.punish(first, indicesFrom(4, 5));
        vm.expectRevert(refusal);
        offences.punish(second, indicesFrom(3, 5));
        // Who is in another proof of the same task is not shielded.
        offences.punish(second, indicesFrom(3, 4));
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
        vm.warp(uint256(expiresAt) + CHALLENGE_WINDOW);
        offences.punish(record, indicesFrom(0, 1));
        Punishment memory punishment = offences.punishmentOf(_idOf(), operatorAddress(0));
        assertEq(punishment.reporter, address(this));
        assertEq(punishment.slashedAt, 0);
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
        uint256 end = uint256(expiresAt) + CHALLENGE_WINDOW;
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
        new EigenLayerSlasher(allocationManager, avs, registry, CHALLENGE_WINDOW, terms);
    }

    function _terms() private view returns (FaultTerms[] memory terms) {
        terms = new FaultTerms[](2);
        terms[0] = FaultTerms(equivocation, WAD);
        terms[1] = FaultTerms(falseHandover, 1e18);
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

    function _idOf() private view returns (bytes32) {
        return keccak256(abi.encode(equivocation, decisionOn(0, 1).taskId));
    }

    function _recordOf(bytes memory nonSigners) private view returns (bytes32) {
        return keccak256(abi.encode(_idOf(), epoch, nonSigners));
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
        EigenLayerSlasher offences = new EigenLayerSlasher(allocationManager, avs, registry, CHALLENGE_WINDOW, terms);
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
        vm.expectRevert(
            abi.encodeWithSelector(
                IOffences.AlreadyPunished.selector,
                keccak256(abi.encode(equivocation, decisionOn(0, 1).taskId)),
                operatorAddress(99)
            )
        );
        offences.punish(record, indicesFrom(99, 100));
    }
}
