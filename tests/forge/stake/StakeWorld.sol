// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Equivocation} from "../../../contracts/challenge/Equivocation.sol";
import {FalseHandover} from "../../../contracts/challenge/FalseHandover.sol";
import {ReporterReward} from "../../../contracts/challenge/ReporterReward.sol";
import {EpochHandover} from "../../../contracts/crosschain/EpochHandover.sol";
import {EpochMirror} from "../../../contracts/crosschain/EpochMirror.sol";
import {Handover, MirrorSettings} from "../../../contracts/interfaces/IEpochMirror.sol";
import {FaultTerms} from "../../../contracts/interfaces/IOffences.sol";
import {AttestedCall, ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, EpochId, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {EigenLayerSlasher} from "../../../contracts/stake/EigenLayerSlasher.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";
import {StakeToken} from "./EigenLayerTestBase.sol";
import {StakeTestBase} from "./StakeTestBase.sol";

/// @title StakeWorld
/// @notice Operators with stake on EigenLayer, a keeper, a mirror on another chain and a slasher, and what is known of
/// each epoch.
abstract contract StakeWorld is StakeTestBase, OffenceProofs {
    uint256 internal constant OPERATORS = 6;
    uint256 internal constant AWAY_CHAIN = 10;
    uint64 internal constant WAD = 0.25e18;
    uint256 internal constant WHOLE = 1e18;
    /// @dev A tenth of the least slash: a quarter of the minimum weight, of a token that is worth as much.
    uint256 internal constant REWARD = 2.5e18;

    /// @dev What was seen when an epoch was committed, and since.
    struct KnownEpoch {
        EpochId id;
        uint256 committedAt;
        uint256 lastSlashableBlock;
        address table;
        bytes32 setHash;
        uint48 expiresAt;
        /// @dev Of its operators, in their order: addresses, secrets, weights, and what slashing left of each, of 1e18.
        address[] operators;
        uint256[] secrets;
        uint256[] weights;
        uint256[] left;
        /// @dev The earliest end that each chain gave it; the greatest number before the first.
        uint256 homeEnd;
        uint256 awayEnd;
    }

    uint256 internal homeChain;
    EpochMirror internal mirror;
    ITaskManager internal homeTaskManager;
    ITaskManager internal awayTaskManager;
    Equivocation internal equivocation;
    FalseHandover internal falseHandover;
    EigenLayerSlasher internal offences;
    address internal reporter = makeAddr("reporter");
    StakeToken internal rewardToken;
    ReporterReward internal reward;
    KnownEpoch[] internal epochs;
    mapping(EpochId epoch => uint256) internal numberOf;
    mapping(uint256 index => uint256) internal secretOf;
    uint256 internal nextSecret = 1000;

    function activationDelay() internal pure override returns (uint48) {
        return 1 days;
    }

    function deployWorld() internal {
        deployStake(1);
        homeChain = block.chainid;
        addMembers(0, OPERATORS);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            secretOf[i] = i;
        }
        deployKeeper();
        homeTaskManager = taskManager;
        equivocation = new Equivocation(registry);
        falseHandover = new FalseHandover(registry);
        FaultTerms[] memory terms = new FaultTerms[](2);
        (terms[0], terms[1]) = (FaultTerms(equivocation, WAD), FaultTerms(falseHandover, WAD));
        offences = new EigenLayerSlasher(stake, RECORDING_WINDOW, terms);
        appoint(address(offences), allocationManager.slashOperator.selector);
        rewardToken = new StakeToken();
        reward = new ReporterReward(offences, keeper, address(rewardToken), REWARD);
        rewardToken.mint(address(reward), 1000 * REWARD);
        MirrorSettings memory mirrored = MirrorSettings({
            homeChain: homeChain,
            homeRegistry: address(registry),
            quorum: QUORUM,
            haltQuorum: 5000,
            gracePeriod: GRACE_PERIOD,
            notice: 3 days,
            guardian: address(0)
        });
        mirror = new EpochMirror(address(this), mirrored);
        learn(keeper.commit(OPERATOR_SET));
        vm.chainId(AWAY_CHAIN);
        awayTaskManager = ITaskManager(deployCode("TaskManager.sol:TaskManager", abi.encode(mirror)));
        mirror.addValidator(awayTaskManager);
        KnownEpoch storage first = epochs[0];
        mirror.setGenesis(OPERATOR_SET, first.id, first.expiresAt, codeOf(first.table));
        vm.chainId(homeChain);
        observe();
    }

    /* EPOCHS */

    /// @dev Remembers an epoch that was committed in this block.
    function learn(EpochId id) internal returns (KnownEpoch storage known) {
        known = epochs.push();
        numberOf[id] = epochs.length;
        known.id = id;
        known.committedAt = block.timestamp;
        known.lastSlashableBlock = block.number + LOOKAHEAD;
        (known.table,,, known.expiresAt) = registry.epochs(id);
        known.setHash = registry.setHashOf(id);
        (known.homeEnd, known.awayEnd) = (type(uint256).max, type(uint256).max);
        (,, uint256 count, uint256 earlierTables) = OperatorTable.readHead(known.table);
        for (uint256 i = 0; i < count; ++i) {
            address operator = OperatorTable.readEntry(known.table, earlierTables, i).operator;
            known.operators.push(operator);
            known.secrets.push(secretOf[indexOf(operator)]);
            known.weights.push(OperatorTable.readEntry(known.table, earlierTables, i).weight);
            known.left.push(WHOLE);
        }
    }

    /// @dev Promises 1 and 11: an epoch's end never moves later, on any chain, and is within its lifetime.
    function observe() internal {
        for (uint256 i = 0; i < epochs.length; ++i) {
            KnownEpoch storage known = epochs[i];
            (,, uint48 validUntil, uint48 expiresAt) = registry.epochs(known.id);
            assertEq(expiresAt, known.expiresAt);
            assertEq(registry.committedAt(known.id), known.committedAt);
            assertLe(expiresAt, known.committedAt + EPOCH_LIFETIME);
            bool isPending = EpochId.unwrap(_pending()) == EpochId.unwrap(known.id);
            if (!isPending) known.homeEnd = _earlier(known.homeEnd, validUntil, expiresAt);
            (address table,, uint48 awayUntil, uint48 awayExpiry) = mirror.epochs(known.id);
            if (table != address(0)) known.awayEnd = _earlier(known.awayEnd, awayUntil, awayExpiry);
        }
    }

    function _pending() private view returns (EpochId pending) {
        (pending,) = registry.pendingEpoch(OPERATOR_SET);
    }

    function _earlier(uint256 before, uint48 validUntil, uint48 expiresAt) private pure returns (uint256) {
        assertLe(validUntil, expiresAt);
        assertLe(validUntil, before);
        return validUntil;
    }

    /* SIGNING */

    /// @dev The aggregate signature of an epoch's operators that are not in the bitmap; a bit each.
    function signFor(KnownEpoch storage known, uint256 absent, bytes32 digest, bytes memory tag)
        internal
        view
        returns (bytes memory)
    {
        uint256 sum = 0;
        for (uint256 i = 0; i < known.secrets.length; ++i) {
            if (absent >> i & 1 == 1) continue;
            sum = addmod(sum, OperatorKeys.secretKey(known.secrets[i]), OperatorKeys.ORDER);
        }
        return OperatorKeys.sign(sum, bytes.concat(digest), tag);
    }

    /// @dev Without a bit beyond the operators, and with at least one signer.
    function boundAbsent(KnownEpoch storage known, uint256 seed) internal view returns (uint256 absent) {
        uint256 all = (1 << known.operators.length) - 1;
        absent = seed & all;
        if (absent == all) absent &= all - 1;
    }

    function bitmapOf(uint256 absent) internal pure returns (bytes memory) {
        return absent == 0 ? bytes("") : bytes.concat(bytes1(uint8(absent)));
    }

    function weightWithout(KnownEpoch storage known, uint256 absent)
        internal
        view
        returns (uint256 signed, uint256 total)
    {
        for (uint256 i = 0; i < known.weights.length; ++i) {
            total += known.weights[i];
            if (absent >> i & 1 == 0) signed += known.weights[i];
        }
    }

    function handoverTo(KnownEpoch storage known, EpochId signedBy) internal view returns (Handover memory) {
        return Handover({
            homeChain: homeChain,
            homeRegistry: address(registry),
            operatorSet: OPERATOR_SET,
            signedBy: signedBy,
            epoch: known.id,
            committedAt: uint48(known.committedAt),
            expiresAt: known.expiresAt,
            contentHash: EpochHandover.contentHash(codeOf(known.table))
        });
    }

    function codeOf(address table) internal view returns (bytes memory code) {
        bytes memory whole = table.code;
        code = new bytes(whole.length - 1);
        for (uint256 i = 0; i < code.length; ++i) {
            code[i] = whole[i + 1];
        }
    }

    function indexOf(address operator) internal pure returns (uint256) {
        return uint160(operator) - uint160(operatorAddress(0));
    }

    /// @dev Whether an epoch's operators authorize a call on this chain now, all of them signing.
    function authorizes(KnownEpoch storage known, ITaskManager of_) internal view returns (bool) {
        Attestation memory attestation = attestationFor(of_, 10 minutes);
        bytes memory signature =
            signFor(known, 0, of_.digestOf(attestation), "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
        return passes(of_, encode(attestation, known.id, signature, "", new bytes32[](0)));
    }

    /// @dev Of a call that does nothing, on this chain, from now on.
    function attestationFor(ITaskManager of_, uint256 lifetime) internal view returns (Attestation memory) {
        Intent memory intent = Intent(address(1), address(this), 0, "", block.chainid);
        return Attestation({
            taskId: of_.taskIdOf(address(this), POLICY_ID, intent, 0),
            policyId: POLICY_ID,
            policyClient: address(this),
            nonce: 0,
            issuedAt: uint48(block.timestamp),
            expiration: uint48(block.timestamp + lifetime),
            decision: 1,
            evidence: EVIDENCE,
            intent: intent
        });
    }

    /// @dev Whether an authorization of that call is valid on this chain now. Attestations may be long.
    function passes(ITaskManager of_, bytes memory authorization) internal view returns (bool success) {
        AttestedCall memory attested =
            AttestedCall(address(1), address(1), address(this), 0, keccak256(""), block.chainid);
        Policy memory terms = policy();
        terms.maxLifetime = 2 * EPOCH_LIFETIME;
        try of_.check(address(this), attested, terms, 0, authorization) {
            success = true;
        } catch {}
    }
}
