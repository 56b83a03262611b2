// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Equivocation, SignedAttestation} from "../../../contracts/challenge/Equivocation.sol";
import {FalseHandover} from "../../../contracts/challenge/FalseHandover.sol";
import {Offences} from "../../../contracts/challenge/Offences.sol";
import {EpochSignature} from "../../../contracts/crosschain/EpochSignature.sol";
import {Handover, SignedByOperators} from "../../../contracts/interfaces/IEpochMirror.sol";
import {FaultTerms, IFault, IOffences, RecordedOffence} from "../../../contracts/interfaces/IOffences.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {AttestedCall} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {Quorum} from "../../../contracts/libraries/Quorum.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {MirrorTestBase} from "../crosschain/MirrorTestBase.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";

/// @title LargeSetHandler
/// @notice Epochs of 201 to 250 operators in three tables, whose operators hand over, lie, equivocate and revoke at
/// random.
contract LargeSetHandler is MirrorTestBase, OffenceProofs {
    uint256 private constant MANY = 250;
    bytes private constant ATTESTATION_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

    /// @dev Operators `first` to `first + count - 1`, each with its weight.
    struct LargeEpoch {
        EpochId id;
        uint256 first;
        uint256 count;
    }

    /// @dev Two statements of one or two epochs, and who did not sign each.
    struct Both {
        LargeEpoch first;
        bytes firstAbsent;
        LargeEpoch second;
        bytes secondAbsent;
    }

    LargeEpoch[] private _epochs;
    Equivocation private _equivocation;
    CountedOffences private _offences;
    EpochId[] private _accepted;
    FalseHandover private _falseHandover;
    mapping(EpochId epoch => uint256) private _latestEnd;
    /// @dev One more than the ends of epochs that were seen last, at home and away; zero before the first time.
    mapping(EpochId epoch => uint256) private _endAtHome;
    mapping(EpochId epoch => uint256) private _endAway;
    mapping(string action => uint256) public done;
    /// @dev The newest epoch when an operator was punished for a deed.
    mapping(bytes32 deed => mapping(address operator => EpochId)) private _newestEpoch;
    /// @dev Epochs that the mirror was told to refuse before it had them.
    EpochId[] private _refused;
    mapping(EpochId epoch => bool) private _isRefused;

    constructor() {
        super.setUp();
        for (uint256 i = OPERATORS; i < MANY; ++i) {
            registerOperator(i, WEIGHT + uint96(i % 50));
        }
        _epochs.push(LargeEpoch(FIRST_EPOCH, 0, OPERATORS));
        _accepted.push(FIRST_EPOCH);
        _latestEnd[FIRST_EPOCH] = block.timestamp + EPOCH_LIFETIME;
        _equivocation = new Equivocation(registry);
        _falseHandover = new FalseHandover(registry);
        FaultTerms[] memory terms = new FaultTerms[](2);
        (terms[0], terms[1]) = (FaultTerms(_equivocation, 1e18), FaultTerms(_falseHandover, 1e18));
        _offences = new CountedOffences(registry, terms);
    }

    /// @dev Promise 1: an epoch ends within a lifetime of its commit, and its end becomes no later, on either chain.
    modifier observed() {
        _;
        for (uint256 i = 0; i < _epochs.length; ++i) {
            EpochId id = _epochs[i].id;
            (,, uint48 end,) = registry.epochs(id);
            _requireNoLater(_endAtHome, id, end);
        }
        for (uint256 i = 0; i < _accepted.length; ++i) {
            (,, uint48 end,) = mirror.epochs(_accepted[i]);
            _requireNoLater(_endAway, _accepted[i], end);
        }
    }

    function activationDelay() internal pure override(AssentTestBase, EpochTestBase) returns (uint48) {
        return EpochTestBase.activationDelay();
    }

    function setUp() public override {}

    /* ACTIONS */

    /// @dev Promise 2, of several tables.
    function commitLarge(uint256 count) external observed {
        count = bound(count, 201, MANY);
        uint256 first = MANY - count;
        EpochId id = commitEpoch(first, count);
        _latestEnd[id] = block.timestamp + EPOCH_LIFETIME;
        skip(activationDelay());
        registry.activateEpoch(id);
        _epochs.push(LargeEpoch(id, first, count));
        (address table,,,) = registry.epochs(id);
        (, uint256 total, uint256 held, uint256 earlierTables) = OperatorTable.readHead(table);
        assertEq(earlierTables, 2);
        assertEq(held, count);
        uint256 sum = 0;
        for (uint256 i = 0; i < count; ++i) {
            sum += OperatorTable.readEntry(table, earlierTables, i).weight;
        }
        assertEq(sum, total);
        ++done["commit"];
    }

    /// @dev Promises 6 and 7: accepted if a quorum of the unexpired epoch signed, and only then.
    function handOverLarge(uint256 seed, uint256 absentSeed) external observed {
        LargeEpoch memory next = _epochs[seed % _epochs.length];
        LargeEpoch memory signer = _epochOf(_accepted[_accepted.length - 1]);
        // From none to half are absent.
        uint256 share = absentSeed % 5;
        bytes memory absent = _absent(signer, absentSeed, share);
        Handover memory handover = handoverTo(next.id, signer.id);
        bytes memory signature = _sign(signer, absent, mirror.handoverDigest(handover), mirror.EPOCH_TAG());
        (,, uint48 signersEnd,) = mirror.epochs(signer.id);
        bytes memory table = _tableAway(next);
        vm.chainId(AWAY_CHAIN);
        (bool success,) = address(mirror).call(abi.encodeCall(mirror.accept, (handover, table, absent, signature)));
        vm.chainId(homeChain);
        (uint256 signed, uint256 total) = _weights(signer, absent);
        bool isNext = EpochId.unwrap(next.id) > EpochId.unwrap(signer.id);
        bool isAlive = block.timestamp < signersEnd && block.timestamp < handover.expiresAt;
        bool isRefused = _isRefused[next.id];
        assertEq(success, isNext && isAlive && !isRefused && signed >= Quorum.portionOf(total, QUORUM));
        if (!success) return;
        _accepted.push(next.id);
        ++done["handOver"];
    }

    /// @dev Promise 8: who signed both in two epochs, or in one, is punished once, and no one else.
    function equivocateLarge(uint256 seed, uint256 otherSeed, uint256 task, uint256 absentSeed) external {
        LargeEpoch memory first = _epochs[seed % _epochs.length];
        LargeEpoch memory second = _epochs[otherSeed % _epochs.length];
        if (block.timestamp >= uint256(expiresAtOf(first.id)) + 6 days) return;
        task = task % 3;
        bytes memory firstAbsent = _absent(first, absentSeed, 1 + absentSeed % 9);
        bytes memory secondAbsent = _absent(second, ~absentSeed, 1 + absentSeed / 9 % 9);
        bytes memory proof =
            abi.encode(domain(), _signed(first, task, 1, firstAbsent), _signed(second, task, 0, secondAbsent));
        _report(_equivocation, proof, Both(first, firstAbsent, second, secondAbsent), absentSeed % 7);
    }

    /// @dev Promise 6: who signed a handover that home does not have so is punished, whatever is false.
    function lieLarge(uint256 seed, uint256 absentSeed, uint256 lie) external {
        LargeEpoch memory signer = _epochs[seed % _epochs.length];
        LargeEpoch memory next = _epochs[absentSeed % _epochs.length];
        if (block.timestamp >= uint256(expiresAtOf(signer.id)) + 6 days) return;
        Handover memory handover = handoverTo(next.id, signer.id);
        uint48 time = uint48(bound(lie >> 8, 1, 1 days));
        if (lie % 6 == 0) handover.expiresAt += time;
        else if (lie % 6 == 1) handover.expiresAt -= time;
        else if (lie % 6 == 2) handover.committedAt -= time;
        else if (lie % 6 == 3) handover.contentHash ^= bytes32(1 << (lie >> 8 & 0xff));
        else if (lie % 6 == 4) handover.epoch = EpochId.wrap(registry.epochCount() + uint32(time));
        else handover.operatorSet = OTHER_SET;
        bytes memory absent = _absent(signer, absentSeed, 1 + absentSeed % 9);
        bytes memory signature = _sign(signer, absent, mirror.handoverDigest(handover), mirror.EPOCH_TAG());
        bytes memory proof = abi.encode(handover, absent, signature);
        _report(_falseHandover, proof, Both(signer, absent, signer, absent), absentSeed % 7);
        ++done["lie"];
    }

    /// @dev An epoch's operators revoke it on the other chain, in one of four calls.
    function haltLarge(uint256 seed, uint256 absentSeed) external observed {
        if (seed % 4 != 0) return;
        LargeEpoch memory known = _epochOf(_accepted[seed / 4 % _accepted.length]);
        bytes memory absent = _absent(known, absentSeed, absentSeed % 9);
        bytes memory signature = _sign(known, absent, mirror.revocationDigest(known.id), mirror.EPOCH_TAG());
        bool success = _away(abi.encodeCall(mirror.revoke, (known.id, absent, signature)));
        (uint256 signed, uint256 total) = _weights(known, absent);
        assertEq(success, signed >= Quorum.portionOf(total, 5000));
        if (success) ++done["halt"];
    }

    /// @dev The same, of an epoch that the mirror could accept and does not have, in one of four calls.
    function revokeAheadLarge(uint256 seed, uint256 absentSeed) external observed {
        if (seed % 4 != 0) return;
        LargeEpoch memory next = _epochs[seed / 4 % _epochs.length];
        LargeEpoch memory signer = _epochOf(_accepted[_accepted.length - 1]);
        Handover memory handover = handoverTo(next.id, signer.id);
        SignedByOperators memory handedOver =
            _aggregateOf(signer, _absent(signer, 0, 0), mirror.handoverDigest(handover));
        bytes memory absent = _absent(next, absentSeed, absentSeed % 9);
        SignedByOperators memory revoked = _aggregateOf(next, absent, mirror.revocationDigest(next.id));
        (,, uint48 signersEnd,) = mirror.epochs(signer.id);
        bytes memory table = _tableAway(next);
        bool success = _away(abi.encodeCall(mirror.revokeAhead, (handover, table, handedOver, revoked)));
        (uint256 signed, uint256 total) = _weights(next, absent);
        bool canBe = EpochId.unwrap(next.id) > EpochId.unwrap(signer.id) && !_isRefused[next.id]
            && block.timestamp < signersEnd && block.timestamp < handover.expiresAt;
        assertEq(success, canBe && signed >= Quorum.portionOf(total, 5000));
        if (!success) return;
        _refused.push(next.id);
        _isRefused[next.id] = true;
        ++done["revokeAhead"];
    }

    /// @dev Promise 11, and that an epoch in force authorizes, on either chain.
    function useLarge(uint256 seed) external observed {
        LargeEpoch memory known = _epochs[seed % _epochs.length];
        (,, uint48 end,) = registry.epochs(known.id);
        assertEq(_authorizes(known), block.timestamp < end);
        (,, end,) = mirror.epochs(known.id);
        onAway();
        bool success = _authorizes(known);
        onHome();
        assertEq(success, block.timestamp < end);
        ++done["use"];
    }

    /// @dev Promise 10: a signature of an attestation is invalid for a handover, and the reverse.
    function confuseLarge(uint256 seed, uint256 task, uint256 absentSeed) external observed {
        LargeEpoch memory known = _epochs[seed % _epochs.length];
        bytes memory absent = _absent(known, absentSeed, absentSeed % 9);
        (address table,,,) = registry.epochs(known.id);
        bytes32 attested = taskManager.digestOf(decisionOn(task % 3, 1));
        bytes32 handedOver = mirror.handoverDigest(handoverTo(known.id, known.id));
        bytes memory signature = _sign(known, absent, attested, ATTESTATION_TAG);
        _equivocation.requireSigned(table, attested, absent, signature);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        _falseHandover.requireSigned(table, attested, absent, signature);
        signature = _sign(known, absent, handedOver, mirror.EPOCH_TAG());
        _falseHandover.requireSigned(table, handedOver, absent, signature);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        _equivocation.requireSigned(table, handedOver, absent, signature);
        ++done["confuse"];
    }

    /// @dev Revokes an epoch on one of the chains, in one of four calls.
    function revokeLarge(uint256 seed) external observed {
        if (seed % 4 != 0) return;
        LargeEpoch memory known = _epochs[seed / 4 % _epochs.length];
        if (seed / 4 % 2 == 0) {
            vm.prank(owner);
            registry.revokeEpochs(only(known.id));
        } else {
            EpochId accepted = _accepted[seed / 4 % _accepted.length];
            vm.prank(guardian);
            mirror.guardianRevoke(only(accepted));
        }
        ++done["revoke"];
    }

    function pass(uint256 time) external observed {
        skip(bound(time, 1, 1 days));
    }

    /* WHAT HOLDS AT ANY TIME */

    function assertMirrored() external view {
        for (uint256 i = 0; i < _accepted.length; ++i) {
            assertEq(mirror.setHashOf(_accepted[i]), registry.setHashOf(_accepted[i]));
            if (i > 0) assertGt(EpochId.unwrap(_accepted[i]), EpochId.unwrap(_accepted[i - 1]));
        }
        for (uint256 i = 0; i < _refused.length; ++i) {
            (address table,, uint48 end,) = mirror.epochs(_refused[i]);
            assertEq(table, address(0));
            assertEq(end, 1);
        }
        assertEq(_offences.most(), done["punish"] == 0 ? 0 : 1);
    }

    /* PARTS */

    function _away(bytes memory data) private returns (bool success) {
        vm.chainId(AWAY_CHAIN);
        (success,) = address(mirror).call(data);
        vm.chainId(homeChain);
    }

    /// @dev Records an offence, and has every seventh operator of the first epoch punished, if it signed both.
    function _report(IFault fault, bytes memory proof, Both memory both, uint256 start) private {
        bytes32 record = recordNew(_offences, fault, proof);
        if (record == 0) return;
        (bytes32 deed, bytes32 id) = (_offences.offenceOf(record).deed, _offences.offenceOf(record).id);
        uint256[] memory index = new uint256[](1);
        for (uint256 i = start; i < both.first.count; i += 7) {
            index[0] = i;
            uint256 number = both.first.first + i;
            address operator = operatorAddress(number);
            bool isOffender =
                _hasSigned(both.first, both.firstAbsent, number) && _hasSigned(both.second, both.secondAbsent, number);
            if (!isOffender) {
                vm.expectRevert(abi.encodeWithSelector(IOffences.NotOffender.selector, record, i));
            } else if (EpochId.unwrap(both.first.id) <= EpochId.unwrap(_newestEpoch[deed][operator])) {
                // One slash is of all epochs that there are.
                vm.expectRevert(abi.encodeWithSelector(IOffences.AlreadyPunished.selector, id));
            } else {
                _newestEpoch[deed][operator] = _epochs[_epochs.length - 1].id;
                ++done["punish"];
            }
            _offences.punish(record, index);
        }
    }

    function _aggregateOf(LargeEpoch memory epoch, bytes memory absent, bytes32 digest)
        private
        view
        returns (SignedByOperators memory)
    {
        return SignedByOperators(absent, _sign(epoch, absent, digest, mirror.EPOCH_TAG()));
    }

    /// @dev Whether an epoch's operators authorize a call on this chain now, all of them signing.
    function _authorizes(LargeEpoch memory known) private view returns (bool success) {
        Attestation memory attestation = decisionOn(0, 1);
        bytes memory signature = _sign(known, _absent(known, 0, 0), taskManager.digestOf(attestation), ATTESTATION_TAG);
        bytes memory authorization = encode(attestation, known.id, signature, "", new bytes32[](0));
        AttestedCall memory attested =
            AttestedCall(address(1), address(1), address(this), 0, keccak256(""), block.chainid);
        try taskManager.check(address(this), attested, policy(), 0, authorization) {
            success = true;
        } catch {}
    }

    function _requireNoLater(mapping(EpochId epoch => uint256) storage seen, EpochId id, uint256 end) private {
        assertLe(end, seen[id] == 0 ? _latestEnd[id] : seen[id] - 1);
        seen[id] = end + 1;
    }

    function _epochOf(EpochId id) private view returns (LargeEpoch memory) {
        for (uint256 i = 0; i < _epochs.length; ++i) {
            if (EpochId.unwrap(_epochs[i].id) == EpochId.unwrap(id)) return _epochs[i];
        }
        revert("no such epoch");
    }

    /// @dev Of ten operators as many as the share are absent, at random; at least one signs.
    function _absent(LargeEpoch memory epoch, uint256 seed, uint256 share) private pure returns (bytes memory bitmap) {
        bitmap = new bytes((epoch.count + 7) / 8);
        for (uint256 i = 1; i < epoch.count; ++i) {
            if (uint256(keccak256(abi.encode(seed, i))) % 10 < share) bitmap[i / 8] |= bytes1(uint8(1 << (i % 8)));
        }
    }

    function _isAbsent(bytes memory bitmap, uint256 i) private pure returns (bool) {
        return uint8(bitmap[i / 8]) >> (i % 8) & 1 == 1;
    }

    function _hasSigned(LargeEpoch memory epoch, bytes memory absent, uint256 operator) private pure returns (bool) {
        if (operator < epoch.first || operator >= epoch.first + epoch.count) return false;
        return !_isAbsent(absent, operator - epoch.first);
    }

    function _weights(LargeEpoch memory epoch, bytes memory absent)
        private
        pure
        returns (uint256 signed, uint256 total)
    {
        for (uint256 i = 0; i < epoch.count; ++i) {
            uint256 operator = epoch.first + i;
            uint256 weight = operator < OPERATORS ? WEIGHT : WEIGHT + operator % 50;
            total += weight;
            if (!_isAbsent(absent, i)) signed += weight;
        }
    }

    function _sign(LargeEpoch memory epoch, bytes memory absent, bytes32 digest, bytes memory tag)
        private
        view
        returns (bytes memory)
    {
        uint256 sum = 0;
        for (uint256 i = 0; i < epoch.count; ++i) {
            if (_isAbsent(absent, i)) continue;
            sum = addmod(sum, OperatorKeys.secretKey(epoch.first + i), OperatorKeys.ORDER);
        }
        return OperatorKeys.sign(sum, bytes.concat(digest), tag);
    }

    function _signed(LargeEpoch memory epoch, uint256 task, uint8 decision, bytes memory absent)
        private
        view
        returns (SignedAttestation memory)
    {
        Attestation memory attestation = decisionOn(task, decision);
        // By the time of the first proof, so that one task has one decision.
        (attestation.issuedAt, attestation.expiration) = (1_800_000_000, 1_800_000_600);
        bytes32 digest = taskManager.digestOf(attestation);
        bytes memory signature = _sign(epoch, absent, digest, ATTESTATION_TAG);
        return SignedAttestation(epoch.id, attestation, new bytes32[](0), absent, signature);
    }

    /// @dev The epoch's table with the addresses of its earlier tables on the other chain.
    function _tableAway(LargeEpoch memory epoch) private returns (bytes memory table) {
        table = tableOf(epoch.id);
        if (epoch.count <= 100) return table;
        address[] memory tables = earlierTablesOf(epoch.id);
        bytes20 first = bytes20(mirror.storeTable(entriesOf(tables[0])));
        bytes20 second = bytes20(mirror.storeTable(entriesOf(tables[1])));
        return bytes.concat(slice(table, 0, 207), first, second, slice(table, 247, table.length));
    }
}

/// @dev Counts how often an operator is punished for an offence.
contract CountedOffences is Offences {
    mapping(bytes32 id => mapping(address operator => uint256)) private _times;
    uint256 public most;

    constructor(IOperatorRegistry registry, FaultTerms[] memory terms) Offences(registry, 6 days, terms) {}

    function _punish(bytes32, RecordedOffence memory offence, OperatorSetId, address operator) internal override {
        uint256 times = ++_times[offence.id][operator];
        if (times > most) most = times;
    }

    function _slashesAtOnce() internal pure override returns (bool) {
        return true;
    }
}
