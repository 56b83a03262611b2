// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ConflictingObservations, SignedObservation} from "../../../contracts/challenge/ConflictingObservations.sol";
import {Equivocation, SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {TaskStatements} from "../../../contracts/challenge/TaskStatements.sol";
import {FaultTerms, IFault, IOffences, RecordedOffence} from "../../../contracts/interfaces/IOffences.sol";
import {ISymbioticSlasher} from "../../../contracts/interfaces/ISymbioticSlasher.sol";
import {Attestation, EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable, TableEntry} from "../../../contracts/libraries/OperatorTable.sol";
import {SymbioticSlasher} from "../../../contracts/stake/SymbioticSlasher.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";
import {SymbioticTestBase} from "./SymbioticTestBase.sol";
import {Vm} from "forge-std/Vm.sol";

/// @title SymbioticHandler
/// @notice Operators, stakers and reporters who act at random on Symbiotic's contracts. Each action asserts its
/// promises.
contract SymbioticHandler is SymbioticTestBase, OffenceProofs {
    uint256 private constant OPERATORS = 4;
    uint256 private constant WHOLE = 1e18;
    uint64 private constant WAD = 0.25e18;
    uint48 private constant REPORTING_WINDOW = 1 days;
    uint48 private constant RECORDING_WINDOW = 4 days;
    bytes private constant ATTESTATION_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    /// @dev What was seen when an epoch was committed.
    struct KnownEpoch {
        EpochId id;
        uint48 capturedAt;
        uint48 expiresAt;
        /// @dev Of its operators, in their order: numbers, weights, and what was slashed of each until then.
        uint256[] operators;
        uint256[] weights;
        uint256[] slashed;
    }

    /// @dev An offence that waits.
    struct Waiting {
        EpochId epoch;
        bytes32 deed;
        bytes32 id;
        uint256 queuedAt;
    }

    Equivocation private _equivocation;
    ConflictingObservations private _observations;
    SymbioticSlasher private _offences;
    KnownEpoch[] private _epochs;
    mapping(uint256 operator => Waiting[]) private _queues;
    mapping(uint256 operator => uint256) private _slashed;
    mapping(uint256 time => mapping(uint256 operator => uint256)) private _slashedIn;
    mapping(uint256 operator => uint256) private _deposited;
    mapping(bytes32 deed => mapping(uint256 operator => uint256)) private _paid;
    mapping(bytes32 id => mapping(uint256 operator => bool)) private _isPunished;
    mapping(string action => uint256) public done;

    constructor() {
        deployStake();
        addMembers(0, OPERATORS);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            _deposited[i] = STAKE;
        }
        _equivocation = new Equivocation(registry);
        _observations = new ConflictingObservations(registry);
        FaultTerms[] memory terms = new FaultTerms[](2);
        (terms[0], terms[1]) = (FaultTerms(_equivocation, WAD), FaultTerms(_observations, WAD));
        _offences = new SymbioticSlasher(stake, keeper, RECORDING_WINDOW, REPORTING_WINDOW, terms);
        appoint(address(_offences));
        _learn(keeper.commit(OPERATOR_SET));
        skip(1);
    }

    /* STAKE */

    function pass(uint256 time) external {
        skip(bound(time, 1, time % 4 == 0 ? 2 days : 8 hours));
        ++done["pass"];
    }

    function deposit(uint256 seed, uint256 amount) external {
        uint256 i = seed % OPERATORS;
        amount = bound(amount, 1e18, STAKE);
        stakeIn(vaultOfOperator[i], i, amount);
        _deposited[i] += amount;
        ++done["deposit"];
    }

    function unstake(uint256 seed, uint256 amount) external {
        uint256 i = seed % OPERATORS;
        try this.tryWithdraw(i, bound(amount, 1e18, STAKE)) {
            ++done["unstake"];
        } catch {}
    }

    function tryWithdraw(uint256 i, uint256 amount) external {
        withdraw(i, amount);
    }

    /// @dev Opts out of the network or back in.
    function opt(uint256 seed) external {
        uint256 i = seed % OPERATORS;
        bool isIn = networkOptIns.isOptedIn(operatorAddress(i), network);
        // More often in than out.
        if (isIn && seed / OPERATORS % 4 != 0) return;
        vm.prank(operatorAddress(i));
        if (!isIn) return networkOptIns.optIn(network);
        // Symbiotic refuses in the second of the opt-in.
        try networkOptIns.optOut(network) {
            ++done["opt"];
        } catch {}
    }

    /// @dev A member can always leave, and one with enough stake can join again.
    function leaveOrJoin(uint256 seed) external {
        uint256 i = seed % OPERATORS;
        address[] memory members = stake.membersOf(OPERATOR_SET);
        for (uint256 j = 0; j < members.length; ++j) {
            if (members[j] != operatorAddress(i)) continue;
            if (seed / OPERATORS % 4 == 0) leaveSet(i);
            ++done["leave"];
            return;
        }
        vm.prank(operatorAddress(i));
        try stake.joinSet(OPERATOR_SET, vaultOfOperator[i]) {
            ++done["join"];
        } catch {}
    }

    /* EPOCHS */

    function commit() external {
        try keeper.commit(OPERATOR_SET) returns (EpochId epoch) {
            _learn(epoch);
            ++done["commit"];
        } catch {}
    }

    /* OFFENCES */

    /// @dev Two decisions on one task, in one epoch or in two.
    function equivocate(uint256 seed, uint256 otherSeed, uint256 task, uint256 absentSeed) external {
        (KnownEpoch storage first, KnownEpoch storage second) = _twoEpochs(seed, otherSeed);
        task = bound(task, 0, 5);
        (uint256 absent, uint256 otherAbsent) = (_absent(first, absentSeed), _absent(second, absentSeed >> 8));
        bytes memory proof =
            abi.encode(domain(), _decided(first, task, 1, absent), _decided(second, task, 0, otherAbsent));
        _report(_equivocation, proof, first, _absentFromEither(first, absent, second, otherAbsent));
    }

    /// @dev Two observations of one source for one task.
    function conflict(uint256 seed, uint256 otherSeed, uint256 task, uint256 absentSeed) external {
        (KnownEpoch storage first, KnownEpoch storage second) = _twoEpochs(seed, otherSeed);
        bytes32 taskId = keccak256(abi.encode(bound(task, 0, 5)));
        (uint256 absent, uint256 otherAbsent) = (_absent(first, absentSeed), _absent(second, absentSeed >> 8));
        bytes memory proof = abi.encode(
            domain(),
            taskId,
            keccak256("price"),
            _observed(first, taskId, "4", absent),
            _observed(second, taskId, "5", otherAbsent)
        );
        _report(_observations, proof, first, _absentFromEither(first, absent, second, otherAbsent));
    }

    /// @dev Each slash is the oldest that waits, and an offence as new or newer has waited for a whole window. What has
    /// done so itself does not wait any longer, and no other operator loses anything.
    function execute(uint256 seed, uint256 count) external {
        uint256 i = seed % OPERATORS;
        count = count % 3 == 0 ? type(uint256).max : bound(count, 1, 3);
        Waiting[] storage queue = _queues[i];
        bool isReady = _isReady(queue, 0);
        (uint48 executableFrom, EpochId[] memory epochs) = _offences.queueOf(OPERATOR_SET, operatorAddress(i));
        assertEq(epochs.length == 0, queue.length == 0);
        assertEq(queue.length != 0 && block.timestamp >= executableFrom, isReady);
        uint256[] memory before = _stakes();
        vm.recordLogs();
        try _offences.execute(OPERATOR_SET, operatorAddress(i), count) {
            assertTrue(isReady);
        } catch (bytes memory reason) {
            assertFalse(isReady);
            assertEq(
                bytes4(reason),
                queue.length == 0
                    ? ISymbioticSlasher.NothingQueued.selector
                    : ISymbioticSlasher.ReportingWindowOpen.selector
            );
            return;
        }
        uint256 taken = _followSlashes(i);
        assertTrue(taken == count || !_isReady(queue, 0));
        uint256[] memory afterwards = _stakes();
        for (uint256 j = 0; j < OPERATORS; ++j) {
            if (j != i) assertEq(afterwards[j], before[j]);
        }
        ++done["execute"];
    }

    /// @dev An operator of an epoch can be slashed for its weight until the challenge window is over. What was slashed
    /// since is missing, and once a later stake was slashed, all of it.
    function probe(uint256 seed, uint256 operatorSeed) external {
        KnownEpoch storage known = _epoch(seed);
        if (block.timestamp > uint256(known.capturedAt) + VAULT_DURATION) return;
        uint256 j = operatorSeed % known.operators.length;
        uint256 i = known.operators[j];
        bytes32 subnetwork = stake.subnetworkOf(OPERATOR_SET);
        if (slasherOf(i).latestSlashedCaptureTimestamp(subnetwork, operatorAddress(i)) > known.capturedAt) return;
        uint256 slashable = slasherOf(i).slashableStake(subnetwork, operatorAddress(i), known.capturedAt, "");
        assertGe(slashable + _slashed[i] - known.slashed[j], known.weights[j]);
        ++done["probe"];
    }

    /* WHAT HOLDS AT ANY TIME */

    /// @dev What was slashed is at the burner, and nothing else is.
    function assertBurnt() external view {
        uint256 sum = 0;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            sum += _slashed[i];
        }
        assertEq(collateral.balanceOf(burner), sum);
    }

    /// @dev Each offence that was queued waits or has left, and none is lost.
    function assertQueued() external view {
        for (uint256 i = 0; i < OPERATORS; ++i) {
            (, EpochId[] memory epochs) = _offences.queueOf(OPERATOR_SET, operatorAddress(i));
            Waiting[] storage queue = _queues[i];
            for (uint256 j = 0; j < epochs.length; ++j) {
                assertTrue(_has(queue, epochs[j]));
                for (uint256 k = 0; k < j; ++k) {
                    assertTrue(EpochId.unwrap(epochs[j]) != EpochId.unwrap(epochs[k]));
                }
            }
            assertLe(epochs.length, queue.length);
            assertEq(epochs.length == 0, queue.length == 0);
        }
    }

    /* PARTS */

    function _learn(EpochId id) private {
        KnownEpoch storage known = _epochs.push();
        (address table,,, uint48 expiresAt) = registry.epochs(id);
        (known.id, known.capturedAt, known.expiresAt) = (id, uint48(block.timestamp) - 1, expiresAt);
        (,, uint256 count, uint256 earlierTables) = OperatorTable.readHead(table);
        for (uint256 j = 0; j < count; ++j) {
            _learnOperator(known, OperatorTable.readEntry(table, earlierTables, j));
        }
    }

    function _learnOperator(KnownEpoch storage known, TableEntry memory entry) private {
        uint256 i = _numberOf(entry.operator);
        bytes32 subnetwork = stake.subnetworkOf(OPERATOR_SET);
        uint256 slashable = slasherOf(i).slashableStake(subnetwork, entry.operator, known.capturedAt, "");
        // The weight is of the second before, so a slash in the second of the commit is not seen.
        uint256 slashedNow = _slashedIn[block.timestamp][i];
        assertLe(entry.weight, slashable + slashedNow);
        known.operators.push(i);
        known.weights.push(entry.weight);
        known.slashed.push(_slashed[i] - slashedNow);
    }

    /// @dev Follows what the last call did, slash by slash, and returns how many offences left the queue.
    function _followSlashes(uint256 i) private returns (uint256 taken) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 j = 0; j < logs.length; ++j) {
            bool isSlash = logs[j].topics[0] == ISymbioticSlasher.OperatorSlashed.selector;
            if (!isSlash && logs[j].topics[0] != ISymbioticSlasher.SlashLapsed.selector) continue;
            assertEq(logs[j].topics[2], bytes32(uint256(uint160(operatorAddress(i)))));
            EpochId epoch = EpochId.wrap(uint32(uint256(logs[j].topics[3])));
            assertTrue(_isReady(_queues[i], EpochId.unwrap(epoch)));
            ++taken;
            (bytes32 id, uint256 amount) =
                isSlash ? abi.decode(logs[j].data, (bytes32, uint256)) : (abi.decode(logs[j].data, (bytes32)), 0);
            _followSlash(i, _remove(_queues[i], epoch, id), amount);
            ++done[isSlash ? "slash" : "lapse"];
        }
    }

    function _followSlash(uint256 i, bytes32 deed, uint256 amount) private {
        _slashed[i] += amount;
        _slashedIn[block.timestamp][i] += amount;
        _paid[deed][i] += amount;
        // However many epochs it was reported in.
        assertLe(_paid[deed][i], (_deposited[i] * WAD + WHOLE - 1) / WHOLE);
    }

    /// @dev Removes an offence, which must be of the oldest epoch.
    function _remove(Waiting[] storage queue, EpochId epoch, bytes32 id) private returns (bytes32 deed) {
        uint256 found = queue.length;
        for (uint256 j = 0; j < queue.length; ++j) {
            assertGe(EpochId.unwrap(queue[j].epoch), EpochId.unwrap(epoch));
            if (queue[j].id == id && EpochId.unwrap(queue[j].epoch) == EpochId.unwrap(epoch)) found = j;
        }
        assertLt(found, queue.length);
        deed = queue[found].deed;
        queue[found] = queue[queue.length - 1];
        queue.pop();
    }

    /// @dev Whether an epoch as new as that, or newer, has waited for a whole window since its first offence.
    function _isReady(Waiting[] storage queue, uint32 from) private view returns (bool) {
        for (uint256 j = 0; j < queue.length; ++j) {
            if (EpochId.unwrap(queue[j].epoch) < from) continue;
            if (block.timestamp >= queue[j].queuedAt + REPORTING_WINDOW) return true;
        }
        return false;
    }

    function _has(Waiting[] storage queue, EpochId epoch) private view returns (bool) {
        for (uint256 j = 0; j < queue.length; ++j) {
            if (EpochId.unwrap(queue[j].epoch) == EpochId.unwrap(epoch)) return true;
        }
        return false;
    }

    /// @dev Records an offence of those that signed both, and has each of them punished.
    function _report(IFault fault, bytes memory proof, KnownEpoch storage known, uint256 absent) private {
        if (block.timestamp >= uint256(known.expiresAt) + RECORDING_WINDOW) return;
        bytes32 record = recordNew(_offences, fault, proof);
        if (record == 0) return;
        RecordedOffence memory offence = _offences.offenceOf(record);
        assertEq(offence.epoch, known.id);
        uint256[] memory index = new uint256[](1);
        for (uint256 j = 0; j < known.operators.length; ++j) {
            uint256 i = known.operators[j];
            index[0] = j;
            if (absent >> j & 1 == 1) {
                vm.expectRevert(abi.encodeWithSelector(IOffences.NotOffender.selector, record, j));
            } else if (_isPunished[offence.id][i]) {
                vm.expectRevert(abi.encodeWithSelector(IOffences.AlreadyPunished.selector, offence.id));
            } else {
                _isPunished[offence.id][i] = true;
                _queues[i].push(Waiting(known.id, offence.deed, offence.id, _queuedAt(i, known.id)));
                ++done["punish"];
            }
            _offences.punish(record, index);
        }
    }

    /// @dev An epoch's window begins with the first offence that waits.
    function _queuedAt(uint256 i, EpochId epoch) private view returns (uint256) {
        Waiting[] storage queue = _queues[i];
        for (uint256 j = 0; j < queue.length; ++j) {
            if (EpochId.unwrap(queue[j].epoch) == EpochId.unwrap(epoch)) return queue[j].queuedAt;
        }
        return block.timestamp;
    }

    /// @dev Those of `first` that did not sign both.
    function _absentFromEither(KnownEpoch storage first, uint256 absent, KnownEpoch storage second, uint256 otherAbsent)
        private
        view
        returns (uint256 either)
    {
        either = absent;
        for (uint256 j = 0; j < first.operators.length; ++j) {
            if (!_hasSigned(second, otherAbsent, first.operators[j])) either |= 1 << j;
        }
    }

    function _hasSigned(KnownEpoch storage known, uint256 absent, uint256 operator) private view returns (bool) {
        for (uint256 j = 0; j < known.operators.length; ++j) {
            if (known.operators[j] == operator) return absent >> j & 1 == 0;
        }
        return false;
    }

    /// @dev Recent ones more often.
    function _epoch(uint256 seed) private view returns (KnownEpoch storage) {
        uint256 recent = _epochs.length < 6 ? _epochs.length : 6;
        if (seed % 4 != 0) return _epochs[_epochs.length - 1 - seed / 4 % recent];
        return _epochs[seed / 4 % _epochs.length];
    }

    function _twoEpochs(uint256 seed, uint256 otherSeed)
        private
        view
        returns (KnownEpoch storage first, KnownEpoch storage second)
    {
        first = _epoch(seed);
        second = otherSeed % 2 == 0 ? first : _epoch(otherSeed / 2);
    }

    /// @dev A bitmap of those that do not sign: not all.
    function _absent(KnownEpoch storage known, uint256 seed) private view returns (uint256) {
        uint256 all = (1 << known.operators.length) - 1;
        uint256 absent = seed & seed >> 4 & all;
        return absent == all ? 0 : absent;
    }

    function _bitmapOf(uint256 absent) private pure returns (bytes memory) {
        return absent == 0 ? bytes("") : abi.encodePacked(uint8(absent));
    }

    function _sign(KnownEpoch storage known, uint256 absent, bytes32 digest, bytes memory tag)
        private
        view
        returns (bytes memory)
    {
        uint256 sum = 0;
        for (uint256 j = 0; j < known.operators.length; ++j) {
            if (absent >> j & 1 == 1) continue;
            sum = addmod(sum, OperatorKeys.secretKey(known.operators[j]), OperatorKeys.ORDER);
        }
        return OperatorKeys.sign(sum, bytes.concat(digest), tag);
    }

    function _decided(KnownEpoch storage known, uint256 task, uint8 decision, uint256 absent)
        private
        view
        returns (SignedAttestation memory)
    {
        Attestation memory attestation = decisionOn(task, decision);
        bytes memory signature = _sign(known, absent, TaskStatements.digestOf(domain(), attestation), ATTESTATION_TAG);
        return SignedAttestation(known.id, attestation, new bytes32[](0), _bitmapOf(absent), signature);
    }

    function _observed(KnownEpoch storage known, bytes32 taskId, string memory output, uint256 absent)
        private
        view
        returns (SignedObservation memory)
    {
        bytes32 block_ = keccak256("block");
        bytes32 hash = keccak256(bytes(output));
        bytes32 digest = TaskStatements.observationDigest(domain(), taskId, keccak256("price"), block_, hash);
        bytes memory signature = _sign(known, absent, digest, OBSERVATION_TAG);
        return SignedObservation(known.id, block_, hash, "", _bitmapOf(absent), signature);
    }

    function _stakes() private view returns (uint256[] memory stakes) {
        stakes = new uint256[](OPERATORS);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            stakes[i] = stakedOf(i);
        }
    }

    function _numberOf(address operator) private pure returns (uint256 i) {
        while (operatorAddress(i) != operator) {
            ++i;
        }
    }
}
