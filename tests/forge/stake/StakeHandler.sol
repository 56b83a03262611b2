// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {FalseHandover} from "../../../contracts/challenge/FalseHandover.sol";
import {SigningDomain, TaskStatements} from "../../../contracts/challenge/TaskStatements.sol";
import {EpochHandover} from "../../../contracts/crosschain/EpochHandover.sol";
import {EpochSignature} from "../../../contracts/crosschain/EpochSignature.sol";
import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Handover, SignedByOperators} from "../../../contracts/interfaces/IEpochMirror.sol";
import {IFault, IOffences, Punishment} from "../../../contracts/interfaces/IOffences.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {Quorum} from "../../../contracts/libraries/Quorum.sol";
import {AllocateParams, Withdrawal} from "./IEigenLayerCore.sol";
import {StakeWorld} from "./StakeWorld.sol";

/// @title StakeHandler
/// @notice Operators, stakers, reporters and others who act at random, in any order. Each action asserts its promises.
contract StakeHandler is StakeWorld {
    /// @dev How many calls of each kind had an effect.
    mapping(string action => uint256) public done;
    /// @dev How often an operator was punished for an offence.
    mapping(bytes32 id => mapping(address operator => uint256)) public punishments;
    /// @dev The newest epoch when an operator was punished for a deed.
    mapping(bytes32 deed => mapping(address operator => EpochId)) private _newestEpoch;
    /// @dev When the slash was for which an operator was last rewarded, and all that its slashes took and paid.
    mapping(address operator => uint48) private _rewardedSlash;
    mapping(address operator => uint256) private _slashed;
    mapping(address operator => uint256) private _rewards;
    bytes32[] private _ids;
    /// @dev Epochs that the mirror accepted, in this order. A false one is not what home committed.
    EpochId[] private _accepted;
    /// @dev The end that the mirror was told, by a true handover or by a false one.
    mapping(EpochId epoch => uint48) private _toldEnd;
    /// @dev Epochs that the mirror was told to refuse before it had them.
    EpochId[] private _refused;
    mapping(EpochId epoch => bool) private _isRefused;
    Recorded[] private _recorded;

    /// @dev A handover as it is signed and sent.
    struct Told {
        Handover handover;
        bytes table;
        uint256 absent;
        bytes signature;
        /// @dev Which field is false; empty if none is.
        string lie;
    }

    /// @dev An attestation whose root was recorded while its epoch was in force.
    struct Recorded {
        EpochId epoch;
        bool isAway;
        Attestation attestation;
    }

    constructor() {
        deployWorld();
        _accept(epochs[0].id, epochs[0].expiresAt);
    }

    modifier observed() {
        _;
        observe();
    }

    /* STAKE */

    function pass(uint256 blocks) external observed {
        // Half a day at most, but for one time in four: two days.
        advance(bound(blocks, 1, blocks % 4 == 0 ? 14_400 : 3600));
        ++done["pass"];
    }

    function deposit(uint256 seed, uint256 amount) external observed {
        uint256 index = _operator(seed);
        if (delegationManager.isDelegated(stakerOf(index))) return;
        delegate(index, bound(amount, 1e18, 2 * STAKE));
        ++done["deposit"];
    }

    function reallocate(uint256 seed, uint256 magnitude) external observed {
        address operator = operatorAddress(_operator(seed));
        AllocateParams[] memory params = new AllocateParams[](1);
        params[0] = AllocateParams(setOf(OPERATOR_SET), strategies, new uint64[](1));
        uint64 most = allocationManager.getMaxMagnitude(operator, strategies[0]);
        params[0].newMagnitudes[0] = uint64(bound(magnitude, 0, most));
        vm.prank(operator);
        // EigenLayer refuses while another change is pending.
        try allocationManager.modifyAllocations(operator, params) {
            ++done["reallocate"];
        } catch {}
    }

    function undelegateStaker(uint256 seed) external observed {
        uint256 index = _operator(seed);
        if (!delegationManager.isDelegated(stakerOf(index))) return;
        undelegate(index);
        ++done["undelegate"];
    }

    function withdraw(uint256 seed) external observed {
        address staker = stakerOf(_operator(seed));
        (Withdrawal[] memory queued,) = delegationManager.getQueuedWithdrawals(staker);
        if (queued.length == 0) return;
        address[] memory tokens = new address[](1);
        tokens[0] = address(tokenOf[strategies[0]]);
        vm.prank(staker);
        // EigenLayer refuses before its delay is over.
        try delegationManager.completeQueuedWithdrawal(queued[0], tokens, true) {
            ++done["withdraw"];
        } catch {}
    }

    /* MEMBERS */

    /// @dev Promise 9: a member can always leave.
    function leave_(uint256 seed) external observed {
        uint256 index = _operator(seed);
        if (!allocationManager.isMemberOfOperatorSet(operatorAddress(index), setOf(OPERATOR_SET))) return;
        leaveSet(OPERATOR_SET, index);
        ++done["leave"];
    }

    function rejoin(uint256 seed) external observed {
        uint256 index = _operator(seed);
        vm.prank(operatorAddress(index));
        try allocationManager.registerForOperatorSets(operatorAddress(index), joining(OPERATOR_SET)) {
            assertGe(weightOf(index), MIN_WEIGHT);
            ++done["rejoin"];
        } catch {}
    }

    function disableKey(uint256 seed) external observed {
        uint256 index = _operator(seed);
        if (registry.publicKeyOf(operatorAddress(index)).length == 0) return;
        vm.prank(operatorAddress(index));
        registry.disableKey();
        ++done["disableKey"];
    }

    function rotateKey(uint256 seed) external observed {
        uint256 index = _operator(seed);
        (bytes memory key, bytes memory possession) = newKey(nextSecret, index);
        vm.prank(operatorAddress(index));
        registry.rotateKey(key, possession);
        secretOf[index] = nextSecret++;
        ++done["rotateKey"];
    }

    /* EPOCHS */

    function commit(uint256 seed) external observed {
        address[] memory expected = _expectedOperators();
        uint256 snapshot = vm.snapshotState();
        (EpochId epoch, bool success) = _tryCommit(makeAddr("first caller"), seed);
        if (!success) return;
        bytes32 setHash = registry.setHashOf(epoch);
        vm.revertToState(snapshot);
        (epoch,) = _tryCommit(makeAddr("second caller"), seed);
        KnownEpoch storage known = learn(epoch);
        // Promise 5: the caller chooses nothing.
        assertEq(known.setHash, setHash);
        assertEq(known.operators, expected);
        _assertWeights(known);
        ++done["commit"];
    }

    function activate() external observed {
        (EpochId pending,) = registry.pendingEpoch(OPERATOR_SET);
        try registry.activateEpoch(pending) {
            ++done["activate"];
        } catch {}
    }

    function revoke(uint256 seed, uint256 absentSeed, bool atHome) external observed {
        // Else a set soon has no epoch, and nothing happens any more.
        if (seed % 3 != 0) return;
        KnownEpoch storage known = _epoch(seed / 3);
        uint256 absent = boundAbsent(known, absentSeed);
        bytes memory signature = signFor(known, absent, keeper.revocationDigest(known.id), keeper.EPOCH_TAG());
        (uint256 signed, uint256 total) = weightWithout(known, absent);
        bool success;
        if (atHome) {
            (success,) = address(keeper).call(abi.encodeCall(keeper.revoke, (known.id, bitmapOf(absent), signature)));
        } else {
            vm.chainId(AWAY_CHAIN);
            (success,) = address(mirror).call(abi.encodeCall(mirror.revoke, (known.id, bitmapOf(absent), signature)));
            vm.chainId(homeChain);
        }
        if (!success) return;
        assertGe(signed, Quorum.portionOf(total, 5000));
        ++done["revoke"];
    }

    /// @dev Promises 6 and 7. Half of the handovers are false, in any field.
    function handOver(uint256 seed, uint256 absentSeed, uint256 lie) external observed {
        KnownEpoch storage signer = _latestAway();
        Told memory told = _tell(signer, _epoch(seed), absentSeed, lie);
        // A mirror that holds other operators than home, or for longer, keeps no promise: such lies are undone.
        bool isKept = _isTrue(told.handover) || _is(told.lie, "committedAt") || _is(told.lie, "earlier end");
        uint256 snapshot = vm.snapshotState();
        bool success = _tryAccept(signer, told);
        if (isKept && success) _accept(told.handover.epoch, told.handover.expiresAt);
        if (_isTrue(told.handover)) {
            if (success) ++done["handOver"];
            return;
        }
        bool isPunished = _punishLie(signer, told);
        if (!isKept) vm.revertToState(snapshot);
        if (isPunished) ++done["falseHandover"];
        ++done[string.concat("lie about ", told.lie)];
        if (success) ++done[string.concat("accepted lie about ", told.lie)];
    }

    /// @dev An epoch that the mirror does not have yet is revoked by its own operators, if it could be accepted now.
    function revokeAhead(uint256 seed, uint256 absentSeed) external observed {
        // Else the mirror has too few epochs, and nothing happens any more.
        if (seed % 3 != 0) return;
        KnownEpoch storage signer = _latestAway();
        KnownEpoch storage next = _epoch(seed / 3);
        Told memory told = _tell(signer, next, absentSeed, 0);
        uint256 absent = boundAbsent(next, absentSeed >> 8);
        SignedByOperators memory revoked = SignedByOperators(
            bitmapOf(absent), signFor(next, absent, mirror.revocationDigest(next.id), mirror.EPOCH_TAG())
        );
        SignedByOperators memory handedOver = SignedByOperators(bitmapOf(told.absent), told.signature);
        bool success = _away(abi.encodeCall(mirror.revokeAhead, (told.handover, told.table, handedOver, revoked)));
        (uint256 signed, uint256 total) = weightWithout(next, absent);
        assertEq(success, _canBeAccepted(signer, next, told.absent) && signed >= Quorum.portionOf(total, 5000));
        assertEq(_latestAway().id, signer.id);
        if (!success) return;
        _refused.push(next.id);
        _isRefused[next.id] = true;
        ++done["revokeAhead"];
    }

    /// @dev The mirror's owner sets the newest epoch after notice, once the latest there has ended.
    function renew() external observed {
        KnownEpoch storage next = epochs[epochs.length - 1];
        EpochId latest = mirror.latestEpoch(OPERATOR_SET);
        (,, uint48 validUntil,) = mirror.epochs(latest);
        if (block.timestamp < validUntil || EpochId.unwrap(next.id) <= EpochId.unwrap(latest)) return;
        bytes memory change =
            abi.encodeCall(mirror.setGenesis, (OPERATOR_SET, next.id, next.expiresAt, codeOf(next.table)));
        mirror.proposeChange(change);
        advance(3 days / BLOCK_TIME);
        bool success = _away(change);
        assertEq(success, block.timestamp < next.expiresAt && !_isRefused[next.id]);
        if (!success) return;
        _accept(next.id, next.expiresAt);
        ++done["renew"];
    }

    /// @dev Promise 11, and that an epoch in force authorizes, on either chain.
    function use(uint256 seed) external observed {
        KnownEpoch storage known = _epoch(seed);
        (,, uint48 validUntil,) = registry.epochs(known.id);
        bool success = authorizes(known, homeTaskManager);
        assertEq(success, block.timestamp < validUntil);
        if (success) assertLt(block.timestamp, known.homeEnd);
        (,, validUntil,) = mirror.epochs(known.id);
        vm.chainId(AWAY_CHAIN);
        success = authorizes(known, awayTaskManager);
        vm.chainId(homeChain);
        assertEq(success, block.timestamp < validUntil);
        if (success) assertLt(block.timestamp, known.awayEnd);
        ++done["use"];
    }

    /// @dev Records the root of an attestation, which may end later than its epoch.
    function record(uint256 seed, uint256 lifetime, bool isAway) external observed {
        KnownEpoch storage known = _epoch(seed);
        ITaskManager manager = isAway ? awayTaskManager : homeTaskManager;
        vm.chainId(isAway ? AWAY_CHAIN : homeChain);
        Attestation memory attestation = attestationFor(manager, bound(lifetime, 1, 2 * EPOCH_LIFETIME));
        bytes32 root = manager.digestOf(attestation);
        bytes memory signature = signFor(known, 0, root, "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
        bool success;
        try manager.recordRoot(known.id, SignedRoot(root, signature, "")) {
            success = true;
        } catch {}
        vm.chainId(homeChain);
        assertEq(success, block.timestamp < _validUntil(known.id, isAway));
        if (!success) return;
        _recorded.push(Recorded(known.id, isAway, attestation));
        ++done["record"];
    }

    /// @dev Promise 11, of what was recorded: usable until the epoch's end by its record, unless the epoch is revoked.
    function useRecorded(uint256 seed) external observed {
        if (_recorded.length == 0) return;
        // Recent ones more often.
        uint256 recent = _recorded.length < 4 ? _recorded.length : 4;
        uint256 index = seed % 4 == 0 ? seed / 4 % _recorded.length : _recorded.length - 1 - seed / 4 % recent;
        Recorded storage recorded = _recorded[index];
        vm.chainId(recorded.isAway ? AWAY_CHAIN : homeChain);
        bytes memory authorization = encodeRecorded(recorded.attestation, recorded.epoch, new bytes32[](0));
        ITaskManager manager = recorded.isAway ? awayTaskManager : homeTaskManager;
        bool success = passes(manager, authorization);
        vm.chainId(homeChain);
        uint48 end = recorded.isAway ? _toldEnd[recorded.epoch] : epochs[numberOf[recorded.epoch] - 1].expiresAt;
        bool isRevoked = _validUntil(recorded.epoch, recorded.isAway) == 0;
        uint48 expiration = recorded.attestation.expiration;
        assertEq(success, block.timestamp < expiration && expiration <= end && !isRevoked);
        if (success) assertLt(block.timestamp, epochs[numberOf[recorded.epoch] - 1].expiresAt);
        ++done[success ? "use recorded" : "refuse recorded"];
    }

    /* OFFENCES */

    /// @dev Promises 3 and 8. Two decisions on one task, in one epoch or in two, for either chain.
    function equivocate(uint256 seed, uint256 otherSeed, uint256 task, uint256 absentSeed) external observed {
        KnownEpoch storage first = _epoch(seed);
        KnownEpoch storage second = otherSeed % 2 == 0 ? first : _epoch(otherSeed);
        SigningDomain memory domain_ = task % 2 == 0 ? domain() : SigningDomain(AWAY_CHAIN, address(awayTaskManager));
        task = bound(task, 0, 5);
        (uint256 absentFirst, uint256 absentSecond) =
            (boundAbsent(first, absentSeed), boundAbsent(second, absentSeed >> 8));
        bytes memory proof = abi.encode(
            domain_, _signed(domain_, first, task, 1, absentFirst), _signed(domain_, second, task, 0, absentSecond)
        );
        if (block.timestamp >= uint256(first.expiresAt) + RECORDING_WINDOW) return;
        uint256 absent = _absentFromEither(first, absentFirst, second, absentSecond);
        (EpochId epoch,, bytes memory nonSigners) = equivocation.prove(proof);
        assertEq(epoch, first.id);
        for (uint256 i = 0; i < first.operators.length; ++i) {
            bool isAbsent = nonSigners.length != 0 && uint8(nonSigners[0]) >> i & 1 == 1;
            assertEq(isAbsent, absent >> i & 1 == 1);
        }
        _report(equivocation, proof, first, absent);
        ++done["slash"];
    }

    /// @dev Promise 12. Anyone claims the rewards for an offence's punishments, each twice.
    function claim(uint256 seed) external observed {
        if (_ids.length == 0) return;
        bytes32 id = _ids[seed % _ids.length];
        for (uint256 i = 0; i < 2 * OPERATORS; ++i) {
            _claim(id, operatorAddresses(_operator(i), 1));
        }
    }

    /// @dev Promise 10.
    function confuse(uint256 seed, uint256 task) external observed {
        KnownEpoch storage known = _epoch(seed);
        bytes32 attested = TaskStatements.digestOf(domain(), decisionOn(bound(task, 0, 5), 1));
        bytes32 handedOver = mirror.handoverDigest(handoverTo(known, known.id));
        bytes memory tag = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
        bytes memory signature = signFor(known, 0, attested, tag);
        equivocation.requireSigned(known.table, attested, "", signature);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        falseHandover.requireSigned(known.table, attested, "", signature);
        signature = signFor(known, 0, handedOver, mirror.EPOCH_TAG());
        falseHandover.requireSigned(known.table, handedOver, "", signature);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        equivocation.requireSigned(known.table, handedOver, "", signature);
        ++done["confuse"];
    }

    /// @dev Promise 3: an operator of an epoch can be slashed for its weight until the challenge window is over.
    function probe(uint256 seed, uint256 operatorSeed) external observed {
        KnownEpoch storage known = _epoch(seed);
        if (block.number > known.lastSlashableBlock) return;
        uint256 i = operatorSeed % known.operators.length;
        uint256 snapshot = vm.snapshotState();
        uint256 before = slashedShares();
        slash(OPERATOR_SET, indexOf(known.operators[i]), WHOLE);
        uint256 expected = known.weights[i] * known.left[i] / WHOLE;
        // EigenLayer rounds each step of magnitudes and shares.
        assertGe(slashedShares() - before + 1e6, expected);
        vm.revertToState(snapshot);
        ++done["probe"];
    }

    /* WHAT HOLDS AT ANY TIME */

    /// @dev Promise 6.
    function assertMirrored() external view {
        for (uint256 i = 0; i < _accepted.length; ++i) {
            KnownEpoch storage known = epochs[numberOf[_accepted[i]] - 1];
            assertEq(mirror.setHashOf(known.id), known.setHash);
            (,,, uint48 expiresAt) = mirror.epochs(known.id);
            assertEq(expiresAt, _toldEnd[known.id]);
            assertLe(expiresAt, known.expiresAt);
        }
    }

    /// @dev An epoch that was revoked before it was there never comes, by a handover or by the mirror's owner.
    function assertRefused() external view {
        for (uint256 i = 0; i < _refused.length; ++i) {
            (address table,, uint48 validUntil,) = mirror.epochs(_refused[i]);
            assertEq(table, address(0));
            assertEq(validUntil, 1);
            assertTrue(EpochId.unwrap(mirror.latestEpoch(OPERATOR_SET)) != EpochId.unwrap(_refused[i]));
        }
    }

    /// @dev Promise 7.
    function assertAscending() external view {
        for (uint256 i = 1; i < _accepted.length; ++i) {
            assertGt(EpochId.unwrap(_accepted[i]), EpochId.unwrap(_accepted[i - 1]));
        }
        assertEq(mirror.latestEpoch(OPERATOR_SET), _accepted[_accepted.length - 1]);
    }

    /// @dev Promise 8.
    function assertPunishedOnce() external view {
        for (uint256 i = 0; i < _ids.length; ++i) {
            for (uint256 j = 0; j < OPERATORS; ++j) {
                uint256 times = punishments[_ids[i]][operatorAddress(j)];
                assertLe(times, 1);
                assertEq(offences.isPunished(_ids[i], operatorAddress(j)), times == 1);
            }
        }
    }

    /// @dev Promise 12: rewards are a tenth of the least slash, so they are at most a tenth of what was slashed, of
    /// each operator.
    function assertRewardsAreLessThanSlashes() external view {
        for (uint256 i = 0; i < OPERATORS; ++i) {
            // EigenLayer rounds each step of magnitudes and shares.
            assertLe(10 * _rewards[operatorAddress(i)], _slashed[operatorAddress(i)] + 1e9);
        }
    }

    /// @dev Promises 1 and 11.
    function assertEnds() external view {
        for (uint256 i = 0; i < epochs.length; ++i) {
            (,, uint48 validUntil,) = registry.epochs(epochs[i].id);
            assertLe(validUntil, epochs[i].homeEnd);
            assertLe(validUntil, epochs[i].committedAt + EPOCH_LIFETIME);
            (,, validUntil,) = mirror.epochs(epochs[i].id);
            assertLe(validUntil, epochs[i].awayEnd);
            assertLe(validUntil, epochs[i].committedAt + EPOCH_LIFETIME);
        }
    }

    /* PARTS */

    function _operator(uint256 seed) private pure returns (uint256) {
        return seed % OPERATORS;
    }

    function _validUntil(EpochId epoch, bool isAway) private view returns (uint48 validUntil) {
        if (isAway) (,, validUntil,) = mirror.epochs(epoch);
        else (,, validUntil,) = registry.epochs(epoch);
        // Revoked before it was there, so that the TaskManager does not know it.
        if (isAway && _isRefused[epoch]) validUntil = 0;
    }

    function _accept(EpochId epoch, uint48 end) private {
        _accepted.push(epoch);
        _toldEnd[epoch] = end;
    }

    /// @dev Paid exactly if the stake was slashed, and the weight was read after the slash that was rewarded last.
    function _claim(bytes32 id, address[] memory operators) private {
        uint256 before = rewardToken.balanceOf(reporter);
        Punishment memory punishment = offences.punishmentOf(id, operators[0]);
        bool isDue = punishment.slashedAt != 0 && keeper.committedAt(punishment.epoch) > _rewardedSlash[operators[0]]
            && rewardToken.balanceOf(address(reward)) >= REWARD;
        (bool success,) = address(reward).call(abi.encodeCall(reward.claim, (id, operators)));
        assertEq(success, isDue);
        assertEq(rewardToken.balanceOf(reporter), success ? before + REWARD : before);
        if (!success) return;
        assertEq(punishment.reporter, reporter);
        _rewardedSlash[operators[0]] = punishment.slashedAt;
        _rewards[operators[0]] += REWARD;
        ++done["claim"];
    }

    function _latestAway() private view returns (KnownEpoch storage) {
        return epochs[numberOf[mirror.latestEpoch(OPERATOR_SET)] - 1];
    }

    /// @dev Has operators sign a handover, which is false if `lie` is odd. More often all of them sign than not.
    function _tell(KnownEpoch storage signer, KnownEpoch storage next, uint256 absentSeed, uint256 lie)
        private
        view
        returns (Told memory told)
    {
        told.absent = absentSeed % 4 == 0 ? boundAbsent(signer, absentSeed / 4) : 0;
        (told.handover, told.table) = (handoverTo(next, signer.id), codeOf(next.table));
        if (lie % 2 == 1) _lie(told, lie / 2);
        told.signature = signFor(signer, told.absent, mirror.handoverDigest(told.handover), mirror.EPOCH_TAG());
    }

    /// @dev Makes a handover false in a field.
    function _lie(Told memory told, uint256 seed) private view {
        string[9] memory lies = [
            "homeChain",
            "homeRegistry",
            "operatorSet",
            "the order",
            "the epoch",
            "committedAt",
            "earlier end",
            "later end",
            "contentHash"
        ];
        told.lie = lies[seed % 9];
        Handover memory handover = told.handover;
        uint48 time = uint48(bound(seed >> 16, 1, 1 days));
        if (seed % 9 == 0) {
            handover.homeChain += time;
        } else if (seed % 9 == 1) {
            handover.homeRegistry = address(uint160(seed >> 16));
        } else if (seed % 9 == 2) {
            handover.operatorSet = OTHER_SET;
        } else if (seed % 9 == 3) {
            // Its own epoch follows, or the one before.
            handover.epoch = EpochId.wrap(EpochId.unwrap(handover.signedBy) - uint32(seed >> 16 & 1));
        } else if (seed % 9 == 4) {
            // Home has not committed it.
            handover.epoch = EpochId.wrap(registry.epochCount() + 1 + uint32(seed >> 16 & 7));
        } else if (seed % 9 == 5) {
            bool isLater = seed >> 15 & 1 == 1;
            handover.committedAt = isLater ? handover.committedAt + time : handover.committedAt - time;
        } else if (seed % 9 == 6) {
            handover.expiresAt -= time;
        } else if (seed % 9 == 7) {
            handover.expiresAt += time;
        } else {
            told.table = codeOf(_epoch(seed / 9).table);
            handover.contentHash = EpochHandover.contentHash(told.table);
        }
    }

    function _is(string memory field, string memory other) private pure returns (bool) {
        return keccak256(bytes(field)) == keccak256(bytes(other));
    }

    /// @dev Whether home has exactly that on record. A lie can be true: another epoch can have the same operators.
    function _isTrue(Handover memory handover) private view returns (bool) {
        uint256 number = numberOf[handover.epoch];
        if (number == 0 || EpochId.unwrap(handover.signedBy) >= EpochId.unwrap(handover.epoch)) return false;
        return
            keccak256(abi.encode(handover)) == keccak256(abi.encode(handoverTo(epochs[number - 1], handover.signedBy)));
    }

    /// @dev Whether the mirror accepts a true handover now, by all that the promises say of it.
    function _canBeAccepted(KnownEpoch storage signer, KnownEpoch storage next, uint256 absent)
        private
        view
        returns (bool)
    {
        (uint256 signed, uint256 total) = weightWithout(signer, absent);
        return signed >= Quorum.portionOf(total, QUORUM) && block.timestamp < _validUntil(signer.id, true)
            && EpochId.unwrap(next.id) > EpochId.unwrap(signer.id) && block.timestamp < next.expiresAt
            && !_isRefused[next.id];
    }

    function _tryAccept(KnownEpoch storage signer, Told memory told) private returns (bool success) {
        Handover memory handover = told.handover;
        uint48 signersEnd = _validUntil(signer.id, true);
        bool canBe = _isTrue(handover) && _canBeAccepted(signer, epochs[numberOf[handover.epoch] - 1], told.absent);
        success = _away(abi.encodeCall(mirror.accept, (handover, told.table, bitmapOf(told.absent), told.signature)));
        if (_isTrue(handover)) assertEq(success, canBe);
        if (!success) return false;
        (uint256 signed, uint256 total) = weightWithout(signer, told.absent);
        assertGe(signed, Quorum.portionOf(total, QUORUM));
        assertLt(block.timestamp, signersEnd);
        assertGt(EpochId.unwrap(handover.epoch), EpochId.unwrap(signer.id));
        assertFalse(_isRefused[handover.epoch]);
        assertEq(handover.homeChain, homeChain);
        assertEq(handover.homeRegistry, address(registry));
        assertEq(handover.operatorSet, OPERATOR_SET);
    }

    function _away(bytes memory data) private returns (bool success) {
        vm.chainId(AWAY_CHAIN);
        (success,) = address(mirror).call(data);
        vm.chainId(homeChain);
    }

    /// @dev All that signed a false handover are slashable, whether a mirror accepted it or not. One of another home
    /// says nothing of this registry, and no mirror of it takes it.
    function _punishLie(KnownEpoch storage signer, Told memory told) private returns (bool) {
        Handover memory handover = told.handover;
        bytes memory proof = abi.encode(handover, bitmapOf(told.absent), told.signature);
        if (handover.homeChain != homeChain || handover.homeRegistry != address(registry)) {
            vm.expectRevert(
                abi.encodeWithSelector(FalseHandover.OtherHome.selector, handover.homeChain, handover.homeRegistry)
            );
            falseHandover.prove(proof);
            return false;
        }
        (EpochId epoch,, bytes memory nonSigners) = falseHandover.prove(proof);
        assertEq(epoch, signer.id);
        assertEq(nonSigners, bitmapOf(told.absent));
        if (block.timestamp >= uint256(signer.expiresAt) + RECORDING_WINDOW) return false;
        _report(falseHandover, proof, signer, told.absent);
        return true;
    }

    /// @dev Recent ones more often.
    function _epoch(uint256 seed) private view returns (KnownEpoch storage) {
        uint256 recent = epochs.length < 4 ? epochs.length : 4;
        if (seed % 4 != 0) return epochs[epochs.length - 1 - seed / 4 % recent];
        return epochs[seed / 4 % epochs.length];
    }

    /// @dev Promise 4: members with weight and key, and no one else.
    function _expectedOperators() private view returns (address[] memory expected) {
        expected = new address[](OPERATORS);
        uint256 count = 0;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            address operator = operatorAddress(i);
            if (!allocationManager.isMemberOfOperatorSet(operator, setOf(OPERATOR_SET))) continue;
            if (registry.publicKeyOf(operator).length == 0) continue;
            if (minimumSlashableStake(OPERATOR_SET, i, block.number + LOOKAHEAD) < MIN_WEIGHT) continue;
            expected[count++] = operator;
        }
        assembly ("memory-safe") {
            mstore(expected, count)
        }
    }

    function _tryCommit(address caller, uint256 seed) private returns (EpochId epoch, bool success) {
        vm.prank(caller);
        try keeper.commit(OPERATOR_SET) returns (EpochId committed) {
            return (committed, true);
        } catch {}
        vm.prank(caller);
        try keeper.commitEarly(OPERATOR_SET, seed % OPERATORS) returns (EpochId committed) {
            return (committed, true);
        } catch {}
    }

    /// @dev Promise 2.
    function _assertWeights(KnownEpoch storage known) private view {
        (, uint256 total, uint256 count,) = OperatorTable.readHead(known.table);
        assertEq(count, known.operators.length);
        uint256 sum = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 index = indexOf(known.operators[i]);
            assertLe(known.weights[i], minimumSlashableStake(OPERATOR_SET, index, block.number + LOOKAHEAD));
            sum += known.weights[i];
        }
        assertEq(sum, total);
    }

    function _signed(
        SigningDomain memory domain_,
        KnownEpoch storage known,
        uint256 task,
        uint8 decision,
        uint256 absent
    ) private view returns (SignedAttestation memory) {
        Attestation memory attestation = decisionOn(task, decision);
        attestation.taskId = keccak256(abi.encode(domain_, task));
        bytes32 digest = TaskStatements.digestOf(domain_, attestation);
        bytes memory signature = signFor(known, absent, digest, "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
        return SignedAttestation(known.id, attestation, new bytes32[](0), bitmapOf(absent), signature);
    }

    /// @dev Those of `first` that did not sign both with one key.
    function _absentFromEither(
        KnownEpoch storage first,
        uint256 absentFirst,
        KnownEpoch storage second,
        uint256 absentSecond
    ) private view returns (uint256 absent) {
        for (uint256 i = 0; i < first.operators.length; ++i) {
            bool signedBoth = _hasSigned(first, absentFirst, first.secrets[i])
                && _hasSigned(second, absentSecond, first.secrets[i]);
            if (!signedBoth) absent |= 1 << i;
        }
    }

    function _hasSigned(KnownEpoch storage known, uint256 absent, uint256 secret) private view returns (bool) {
        for (uint256 i = 0; i < known.secrets.length; ++i) {
            if (known.secrets[i] == secret) return absent >> i & 1 == 0;
        }
        return false;
    }

    /// @dev Records an offence of an epoch's operators that are not absent, and has each of them punished.
    function _report(IFault fault, bytes memory proof, KnownEpoch storage known, uint256 absent) private {
        vm.prank(reporter);
        bytes32 record = recordNew(offences, fault, proof);
        if (record == 0) return;
        (bytes32 deed, bytes32 id) = (offences.offenceOf(record).deed, offences.offenceOf(record).id);
        _ids.push(id);
        uint256[] memory index = new uint256[](1);
        for (uint256 i = 0; i < known.operators.length; ++i) {
            address operator = known.operators[i];
            index[0] = i;
            if (absent >> i & 1 == 1) {
                vm.expectRevert(abi.encodeWithSelector(IOffences.NotOffender.selector, record, i));
                offences.punish(record, index);
                continue;
            }
            // One slash is of all epochs that there are.
            if (EpochId.unwrap(known.id) > EpochId.unwrap(_newestEpoch[deed][operator])) {
                _punish(record, index, operator);
                ++punishments[id][operator];
                if (EpochId.unwrap(_newestEpoch[deed][operator]) != 0) ++done["slash again"];
                _newestEpoch[deed][operator] = epochs[epochs.length - 1].id;
            }
            vm.expectRevert(abi.encodeWithSelector(IOffences.AlreadyPunished.selector, id));
            offences.punish(record, index);
        }
    }

    /// @dev Only this operator's stake becomes less. It never reverts: until then the stake can be slashed.
    function _punish(bytes32 record, uint256[] memory index, address operator) private {
        uint256[] memory before = _stakes();
        uint256 slashedBefore = slashedShares();
        offences.punish(record, index);
        _slashed[operator] += slashedShares() - slashedBefore;
        uint256[] memory afterwards = _stakes();
        for (uint256 i = 0; i < OPERATORS; ++i) {
            if (operatorAddress(i) != operator) assertEq(afterwards[i], before[i]);
            else assertLe(afterwards[i], before[i]);
        }
        for (uint256 i = 0; i < epochs.length; ++i) {
            for (uint256 j = 0; j < epochs[i].operators.length; ++j) {
                if (epochs[i].operators[j] == operator) epochs[i].left[j] = epochs[i].left[j] * (WHOLE - WAD) / WHOLE;
            }
        }
    }

    function _stakes() private view returns (uint256[] memory stakes) {
        stakes = new uint256[](OPERATORS);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            stakes[i] = minimumSlashableStake(OPERATOR_SET, i, block.number);
        }
    }
}
