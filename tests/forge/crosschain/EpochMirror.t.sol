// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochHandover} from "../../../contracts/crosschain/EpochHandover.sol";
import {EpochMirror} from "../../../contracts/crosschain/EpochMirror.sol";
import {EpochSignature} from "../../../contracts/crosschain/EpochSignature.sol";
import {IAttestationValidator, SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {
    Handover,
    IEpochMirror,
    MirrorSettings,
    SignedByOperators
} from "../../../contracts/interfaces/IEpochMirror.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IProposedChanges} from "../../../contracts/interfaces/IProposedChanges.sol";
import {EpochId, IRefusals, MAX_EPOCH_LIFETIME} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {FaultyValidator} from "../utils/FaultyValidator.sol";
import {MirrorTestBase} from "./MirrorTestBase.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @dev An epoch on another chain by a signature of the one before it.
contract EpochMirrorTest is MirrorTestBase {
    EpochId private second;

    function setUp() public override {
        super.setUp();
        registerOperator(OPERATORS, WEIGHT);
        skip(1 days);
        second = commitNext(0, OPERATORS + 1);
        onAway();
    }

    /* ACCEPTANCE */

    function test_AnEpochComesIntoForceOnAnotherChain() public {
        assertUnknown(second, OPERATORS + 1);
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory table = tableOf(second);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        vm.expectEmit(true, true, true, false, address(mirror));
        emit IEpochMirror.EpochAccepted(second, FIRST_EPOCH, OPERATOR_SET, address(0));
        vm.prank(makeAddr("anyone"));
        mirror.accept(handover, table, "", signature);

        assertInForce(second, OPERATORS + 1);
        assertEq(mirror.latestEpoch(OPERATOR_SET), second);
        assertEq(mirror.setHashOf(second), registry.setHashOf(second));
        (address stored,, uint48 validUntil, uint48 expiresAt) = mirror.epochs(second);
        (address homeTable,,,) = registry.epochs(second);
        assertEq(stored.codehash, homeTable.codehash);
        assertEq(validUntil, expiresAtOf(second));
        assertEq(expiresAt, expiresAtOf(second));
        vm.warp(expiresAt - 1);
        assertInForce(second, OPERATORS + 1);
        vm.warp(expiresAt);
        assertExpired(second, OPERATORS + 1, expiresAt);
    }

    function test_TheEpochThatHandedOverStaysInForceForTheGracePeriod() public {
        uint48 validUntil = uint48(block.timestamp) + GRACE_PERIOD;
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory table = tableOf(second);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        mirror.accept(handover, table, "", signature);
        (,, uint48 mirrored,) = mirror.epochs(FIRST_EPOCH);
        assertEq(mirrored, validUntil);
        (,, mirrored,) = taskManager.epochs(FIRST_EPOCH);
        assertEq(mirrored, validUntil);
        vm.warp(validUntil - 1);
        assertInForce(FIRST_EPOCH, OPERATORS);
        vm.warp(validUntil);
        assertExpired(FIRST_EPOCH, OPERATORS, validUntil);
    }

    function test_GraceNeverExtendsAnEpoch() public {
        uint48 expiresAt = expiresAtOf(FIRST_EPOCH);
        vm.warp(expiresAt - GRACE_PERIOD / 2);
        accept(second, FIRST_EPOCH, OPERATORS);
        vm.warp(expiresAt);
        assertExpired(FIRST_EPOCH, OPERATORS, expiresAt);
    }

    function test_AnEpochThatEndsWithTheGracePeriodIsNotSuperseded() public {
        uint48 expiresAt = expiresAtOf(FIRST_EPOCH);
        vm.warp(expiresAt - GRACE_PERIOD);
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory table = tableOf(second);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        vm.expectCall(address(taskManager), abi.encodePacked(IAttestationValidator.updateEpoch.selector), 1);
        mirror.accept(handover, table, "", signature);
        (,, uint48 validUntil,) = mirror.epochs(FIRST_EPOCH);
        assertEq(validUntil, expiresAt);
    }

    function test_EpochsMayBeSkipped() public {
        onHome();
        EpochId third = commitNext(1, OPERATORS);
        onAway();
        accept(third, FIRST_EPOCH, OPERATORS);
        assertEq(mirror.latestEpoch(OPERATOR_SET), third);
        assertUnknown(second, OPERATORS + 1);
    }

    /* EXPIRY */

    function test_AnEpochHandsOverUntilItsLastSecond() public {
        uint48 expiresAt = expiresAtOf(FIRST_EPOCH);
        vm.warp(expiresAt);
        _assertRefused(
            handoverTo(second, FIRST_EPOCH),
            abi.encodeWithSelector(IEpochMirror.SignerExpired.selector, FIRST_EPOCH, expiresAt)
        );
        vm.warp(expiresAt - 1);
        accept(second, FIRST_EPOCH, OPERATORS);
    }

    function test_RevertWhen_TheEpochHasExpired() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        uint48 expiresAt = uint48(block.timestamp) + 1;
        handover.expiresAt = expiresAt;
        bytes memory refusal = abi.encodeWithSelector(IEpochMirror.InvalidExpiry.selector, second, expiresAt);
        vm.warp(expiresAt + 1);
        _assertRefused(handover, refusal);
        vm.warp(expiresAt);
        _assertRefused(handover, refusal);
        vm.warp(expiresAt - 1);
        mirror.accept(handover, tableOf(second), "", signHandover(handover, 0, OPERATORS));
    }

    function test_RevertWhen_TheEpochWouldOutliveAnyLifetime() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        assertLt(handover.committedAt, block.timestamp);
        uint48 latest = handover.committedAt + MAX_EPOCH_LIFETIME;
        handover.expiresAt = latest + 1;
        _assertRefused(handover, abi.encodeWithSelector(IEpochMirror.InvalidExpiry.selector, second, latest + 1));
        handover.expiresAt = latest;
        mirror.accept(handover, tableOf(second), "", signHandover(handover, 0, OPERATORS));
    }

    function test_RevertWhen_TheEpochWouldBeCommittedLater() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        uint48 time = uint48(block.timestamp);
        handover.committedAt = time + 1;
        _assertRefused(handover, abi.encodeWithSelector(IEpochMirror.CommittedLater.selector, second, time + 1));
        handover.committedAt = time;
        mirror.accept(handover, tableOf(second), "", signHandover(handover, 0, OPERATORS));
    }

    /// @dev Its last operators have nothing at stake any more.
    function test_AChainThatMissedALifetimeNeedsAGenesisAfterNotice() public {
        uint48 expiresAt = expiresAtOf(FIRST_EPOCH);
        vm.warp(expiresAt);
        _assertRefused(
            handoverTo(second, FIRST_EPOCH),
            abi.encodeWithSelector(IEpochMirror.SignerExpired.selector, FIRST_EPOCH, expiresAt)
        );
        onHome();
        EpochId third = commitNext(1, OPERATORS);
        onAway();
        bytes memory table = tableOf(third);
        uint48 end = expiresAtOf(third);
        bytes memory change = abi.encodeCall(mirror.setGenesis, (OPERATOR_SET, third, end, table));
        vm.startPrank(mirrorsOwner);
        vm.expectRevert(abi.encodeWithSelector(IProposedChanges.ChangeNotProposed.selector, keccak256(change)));
        mirror.setGenesis(OPERATOR_SET, third, end, table);
        mirror.proposeChange(change);
        skip(NOTICE);
        mirror.setGenesis(OPERATOR_SET, third, end, table);
        vm.stopPrank();
        assertEq(mirror.latestEpoch(OPERATOR_SET), third);
    }

    /* REVOCATION OF AN EPOCH THAT IS NOT HERE YET */

    /// @dev Otherwise a thief of its keys could send the handover, and use them in the same transaction.
    function test_AnEpochIsRevokedBeforeItIsHere() public {
        (Handover memory handover, bytes memory table, SignedByOperators memory handedOver) = _toSecond();
        SignedByOperators memory revoked = _revocation(4, OPERATORS + 1);
        vm.expectEmit(address(mirror));
        emit IEpochMirror.EpochHalted(second, 400, 800);
        vm.expectEmit(address(mirror));
        emit IOperatorRegistry.EpochRevoked(second);
        vm.prank(makeAddr("anyone"));
        mirror.revokeAhead(handover, table, handedOver, revoked);

        bytes memory refusal = abi.encodeWithSelector(IEpochMirror.EpochWasRevoked.selector, second);
        vm.expectRevert(refusal);
        mirror.accept(handover, table, handedOver.nonSigners, handedOver.signature);
        vm.expectRevert(refusal);
        mirror.revokeAhead(handover, table, handedOver, revoked);
        assertUnknown(second, OPERATORS + 1);
        (address stored,, uint48 validUntil, uint48 expiresAt) = mirror.epochs(second);
        assertEq(stored, address(0));
        assertEq(validUntil, 1);
        assertEq(expiresAt, 0);
        // The epoch before it hands over to the next.
        assertEq(mirror.latestEpoch(OPERATOR_SET), FIRST_EPOCH);
        onHome();
        EpochId third = commitNext(1, OPERATORS);
        onAway();
        accept(third, FIRST_EPOCH, OPERATORS);
        assertEq(mirror.latestEpoch(OPERATOR_SET), third);
    }

    function test_TheGuardianRevokesAnEpochBeforeItIsHere() public {
        vm.expectEmit(address(mirror));
        emit IOperatorRegistry.EpochRevoked(second);
        vm.startPrank(guardian);
        mirror.guardianRevoke(only(second));
        mirror.guardianRevoke(only(second));
        vm.stopPrank();
        bytes memory refusal = abi.encodeWithSelector(IEpochMirror.EpochWasRevoked.selector, second);
        _assertRefused(handoverTo(second, FIRST_EPOCH), refusal);
        // Nor can the owner set it.
        (bytes memory table, uint48 end) = (tableOf(second), expiresAtOf(second));
        proposeAndWait(abi.encodeCall(mirror.setGenesis, (OPERATOR_SET, second, end, table)));
        vm.expectRevert(refusal);
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OPERATOR_SET, second, end, table);
    }

    function test_RevertWhen_TheEpochsOwnOperatorsDidNotRevokeIt() public {
        (Handover memory handover, bytes memory table, SignedByOperators memory handedOver) = _toSecond();
        SignedByOperators memory revoked = _revocation(5, OPERATORS + 1);
        vm.expectRevert(abi.encodeWithSelector(EpochSignature.EpochQuorumNotReached.selector, 300, 400));
        mirror.revokeAhead(handover, table, handedOver, revoked);
        // As if all had.
        revoked.nonSigners = "";
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        mirror.revokeAhead(handover, table, handedOver, revoked);
        // Those of the epoch before it.
        revoked = _revocation(0, OPERATORS);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        mirror.revokeAhead(handover, table, handedOver, revoked);
        mirror.accept(handover, table, handedOver.nonSigners, handedOver.signature);
    }

    /// @dev Only the handover proves whose epoch it is: anyone can name operators of a table.
    function test_RevertWhen_TheEpochCouldNotBeAccepted() public {
        (Handover memory handover, bytes memory table, SignedByOperators memory handedOver) = _toSecond();
        SignedByOperators memory revoked = _revocation(0, OPERATORS + 1);
        bytes memory other = tableOf(FIRST_EPOCH);
        bytes memory refusal =
            abi.encodeWithSelector(IEpochMirror.WrongContent.selector, handover.contentHash, hashOf(other));
        vm.expectRevert(refusal);
        mirror.revokeAhead(handover, other, handedOver, revoked);
        SignedByOperators memory few = SignedByOperators(firstBits(3), signHandover(handover, 3, OPERATORS));
        vm.expectRevert(abi.encodeWithSelector(EpochSignature.EpochQuorumNotReached.selector, 400, 467));
        mirror.revokeAhead(handover, table, few, revoked);
        uint256 snapshot = vm.snapshotState();
        uint48 end = expiresAtOf(FIRST_EPOCH);
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.SignerExpired.selector, FIRST_EPOCH, end));
        mirror.revokeAhead(handover, table, handedOver, revoked);
        vm.revertToState(snapshot);
        // One that is here is revoked by `revoke`.
        mirror.accept(handover, table, handedOver.nonSigners, handedOver.signature);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.WrongSigner.selector, FIRST_EPOCH, second));
        mirror.revokeAhead(handover, table, handedOver, revoked);
        mirror.revoke(second, revoked.nonSigners, revoked.signature);
        assertRevoked(second, OPERATORS + 1);
    }

    function _toSecond() private view returns (Handover memory, bytes memory, SignedByOperators memory) {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        return (handover, tableOf(second), SignedByOperators("", signHandover(handover, 0, OPERATORS)));
    }

    /// @dev By operators `absent` to `end - 1`.
    function _revocation(uint256 absent, uint256 end) private view returns (SignedByOperators memory) {
        bytes memory signature = signUnder(mirror.revocationDigest(second), absent, end, mirror.EPOCH_TAG());
        return SignedByOperators(firstBits(absent), signature);
    }

    /* REPLAY */

    function test_RevertWhen_TheHandoverIsAcceptedTwice() public {
        accept(second, FIRST_EPOCH, OPERATORS);
        _assertRefused(
            handoverTo(second, FIRST_EPOCH),
            abi.encodeWithSelector(IEpochMirror.WrongSigner.selector, FIRST_EPOCH, second)
        );
    }

    /// @dev A younger mirror of the same registry takes the same signature, while its signers have something at stake.
    function test_AnOldHandoverIsInvalidOnAYoungerMirror() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        EpochMirror younger = deployMirror();
        setGenesis(younger, FIRST_EPOCH);
        bytes memory table = tableOf(second);
        vm.warp(expiresAtOf(FIRST_EPOCH));
        vm.expectRevert(
            abi.encodeWithSelector(IEpochMirror.SignerExpired.selector, FIRST_EPOCH, expiresAtOf(FIRST_EPOCH))
        );
        younger.accept(handover, table, "", signature);
        vm.warp(block.timestamp - 1);
        younger.accept(handover, table, "", signature);
    }

    function test_RevertWhen_ThereIsNoEpochToHandOver() public {
        mirror = deployMirror();
        _assertRefused(
            handoverTo(second, FIRST_EPOCH), abi.encodeWithSelector(IEpochMirror.WrongSigner.selector, FIRST_EPOCH, 0)
        );
        _assertRefused(
            handoverTo(second, EpochId.wrap(0)), abi.encodeWithSelector(IEpochMirror.WrongSigner.selector, 0, 0)
        );
    }

    function test_RevertWhen_TheEpochIsNotLater() public {
        accept(second, FIRST_EPOCH, OPERATORS);
        Handover memory handover = handoverTo(second, second);
        bytes memory table = tableOf(second);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotLater.selector, second, second));
        mirror.accept(handover, table, "", new bytes(96));
        handover.epoch = FIRST_EPOCH;
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotLater.selector, FIRST_EPOCH, second));
        mirror.accept(handover, table, "", new bytes(96));
    }

    function test_RevertWhen_ALaterEpochHandsOverToOneThatWasSkipped() public {
        onHome();
        EpochId third = commitNext(1, OPERATORS);
        onAway();
        accept(third, FIRST_EPOCH, OPERATORS);
        Handover memory handover = handoverTo(second, third);
        bytes memory table = tableOf(second);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotLater.selector, second, third));
        mirror.accept(handover, table, "", new bytes(96));
    }

    /// @dev Epochs of all sets are numbered together.
    function test_RevertWhen_TheEpochIsKnownOfAnotherSet() public {
        bytes memory table = tableOf(second);
        uint48 end = expiresAtOf(second);
        proposeAndWait(abi.encodeCall(mirror.setGenesis, (OTHER_SET, second, end, table)));
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OTHER_SET, second, end, table);
        _assertRefused(
            handoverTo(second, FIRST_EPOCH), abi.encodeWithSelector(IEpochMirror.NotLater.selector, second, FIRST_EPOCH)
        );
    }

    function test_RevertWhen_TheHandoverIsOfAnotherHome() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        handover.homeChain = AWAY_CHAIN;
        _assertRefused(handover, abi.encodeWithSelector(IEpochMirror.WrongHome.selector, AWAY_CHAIN, registry));
        handover.homeChain = homeChain;
        handover.homeRegistry = address(mirror);
        _assertRefused(handover, abi.encodeWithSelector(IEpochMirror.WrongHome.selector, homeChain, address(mirror)));
    }

    /* SIGNATURE */

    /// @dev Five of seven have two thirds of the weight.
    function test_AQuorumHandsOver() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory signature = signHandover(handover, 3, OPERATORS);
        bytes memory table = tableOf(second);
        vm.expectRevert(abi.encodeWithSelector(EpochSignature.EpochQuorumNotReached.selector, 400, 467));
        mirror.accept(handover, table, firstBits(3), signature);
        signature = signHandover(handover, 2, OPERATORS);
        mirror.accept(handover, table, firstBits(2), signature);
    }

    function test_RevertWhen_AnyFieldDiffersFromWhatWasSigned() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        bytes memory table = tableOf(second);
        handover.expiresAt -= 1;
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        mirror.accept(handover, table, "", signature);
        handover.expiresAt += 1;
        handover.committedAt -= 1;
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        mirror.accept(handover, table, "", signature);
        handover.committedAt += 1;
        handover.epoch = EpochId.wrap(99);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        mirror.accept(handover, table, "", signature);
        handover.epoch = second;
        mirror.accept(handover, table, "", signature);
    }

    function test_AHandoverIsNoAttestationNorTheReverse() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes32 digest = mirror.handoverDigest(handover);
        bytes memory table = tableOf(second);
        bytes memory attestation = signUnder(digest, 0, OPERATORS, OperatorKeys.SIGNATURE_TAG);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        mirror.accept(handover, table, "", attestation);
        taskManager.recordRoot(FIRST_EPOCH, SignedRoot(digest, attestation, ""));

        bytes memory signature = signHandover(handover, 0, OPERATORS);
        vm.expectRevert(IRefusals.InvalidSignature.selector);
        taskManager.recordRoot(FIRST_EPOCH, SignedRoot(digest, signature, ""));
        mirror.accept(handover, table, "", signature);
    }

    function test_TheDigestIsThatOfTheStructWithoutChainAndContract() public view {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        // Another number than the set's.
        handover.signedBy = EpochId.wrap(7);
        bytes32 domain = keccak256(
            abi.encode(keccak256("EIP712Domain(string name,string version)"), keccak256("Assent"), keccak256("1"))
        );
        bytes32 typeHash = keccak256(
            "EpochHandover(uint256 homeChain,address homeRegistry,uint32 operatorSet,uint32 signedBy,uint32 epoch,"
            "uint48 committedAt,uint48 expiresAt,bytes32 contentHash)"
        );
        bytes32 structHash = keccak256(
            abi.encode(
                typeHash,
                homeChain,
                registry,
                OPERATOR_SET,
                handover.signedBy,
                second,
                handover.committedAt,
                handover.expiresAt,
                handover.contentHash
            )
        );
        assertEq(mirror.handoverDigest(handover), keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        assertEq(handover.contentHash, EpochHandover.contentHash(tableOf(second)));
        assertEq(mirror.EPOCH_TAG(), "ASSENT_EPOCH_HANDOVER_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
    }

    /* CONTENT */

    function test_RevertWhen_TheContentDiffersFromWhatWasSigned() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory table = tableOf(second);
            // Of the head without the numbers at its end, by which it would be malformed; of the entries.
            table[i == 0 ? vm.randomUint(0, 203) : vm.randomUint(207, table.length - 1)] ^= 0x01;
            bytes memory refusal =
                abi.encodeWithSelector(IEpochMirror.WrongContent.selector, handover.contentHash, hashOf(table));
            vm.expectRevert(refusal);
            mirror.accept(handover, table, "", signature);
        }
        mirror.accept(handover, tableOf(second), "", signature);
    }

    /// @dev Whatever a quorum signs, what the mirror stores can be read as a table.
    function test_RevertWhen_WhatWasSignedIsNoTable() public {
        bytes memory valid = tableOf(second);
        bytes[8] memory malformed = [
            bytes(""),
            slice(valid, 0, 206),
            slice(valid, 0, 207),
            slice(valid, 0, valid.length - 1),
            bytes.concat(valid, hex"00"),
            // Nine operators, or none; one earlier table.
            bytes.concat(slice(valid, 0, 204), hex"0009", slice(valid, 206, valid.length)),
            bytes.concat(slice(valid, 0, 204), hex"0000", slice(valid, 206, 207)),
            bytes.concat(slice(valid, 0, 206), hex"01", slice(valid, 207, valid.length))
        ];
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        for (uint256 i = 0; i < malformed.length; ++i) {
            vm.expectRevert(IEpochMirror.MalformedTable.selector);
            mirror.accept(handover, malformed[i], "", signature);
        }
        // 101 operators in one table, and twenty earlier ones.
        bytes memory large = bytes.concat(slice(valid, 0, 204), hex"006500", new bytes(101 * 224));
        vm.expectRevert(IEpochMirror.MalformedTable.selector);
        mirror.accept(handover, large, "", signature);
        large = bytes.concat(slice(valid, 0, 204), hex"07d114", new bytes(20 * 20 + 224));
        vm.expectRevert(IEpochMirror.MalformedTable.selector);
        mirror.accept(handover, large, "", signature);
        mirror.accept(handover, valid, "", signature);
    }

    /// @dev One table may hold 100 operators, and the last may follow nineteen others.
    function test_TheLargestTablesAreWellFormed() public {
        bytes memory valid = tableOf(second);
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        bytes memory full = bytes.concat(slice(valid, 0, 204), hex"006400", new bytes(100 * 224));
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.WrongContent.selector, handover.contentHash, hashOf(full)));
        mirror.accept(handover, full, "", signature);
        bytes memory last = bytes.concat(slice(valid, 0, 204), hex"076d13", new bytes(19 * 20 + 224));
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.UnknownTable.selector, address(0)));
        mirror.accept(handover, last, "", signature);
    }

    function _assertRefused(Handover memory handover, bytes memory refusal) private {
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        bytes memory table = tableOf(handover.epoch);
        vm.expectRevert(refusal);
        mirror.accept(handover, table, "", signature);
    }
}

/// @dev 250 operators, in three tables.
contract LargeEpochMirrorTest is MirrorTestBase {
    uint256 private constant MANY = 250;

    function setUp() public override {
        super.setUp();
        for (uint256 i = OPERATORS; i < MANY; ++i) {
            registerOperator(i, WEIGHT);
        }
        EpochId large = commitEpoch(0, MANY);
        skip(activationDelay());
        registry.activateEpoch(large);
        onAway();
    }

    function test_AnEpochOf250OperatorsIsAccepted() public {
        EpochId large = EpochId.wrap(2);
        Handover memory handover = handoverTo(large, FIRST_EPOCH);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        bytes memory table = tableOf(large);
        address[] memory homeTables = earlierTablesOf(large);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.UnknownTable.selector, homeTables[0]));
        mirror.accept(handover, table, "", signature);

        bytes memory entries = entriesOf(homeTables[0]);
        address expected = vm.computeCreateAddress(address(mirror), vm.getNonce(address(mirror)));
        vm.expectEmit(address(mirror));
        emit IEpochMirror.TableStored(expected, keccak256(entries));
        address first = mirror.storeTable(entries);
        address second = mirror.storeTable(entriesOf(homeTables[1]));
        table = bytes.concat(slice(table, 0, 207), bytes20(first), bytes20(second), slice(table, 247, table.length));
        mirror.accept(handover, table, "", signature);
        assertInForce(large, MANY);
        assertEq(mirror.setHashOf(large), registry.setHashOf(large));
    }

    function test_RevertWhen_ATableIsNotFull() public {
        bytes memory entries = entriesOf(earlierTablesOf(EpochId.wrap(2))[0]);
        mirror.storeTable(entries);
        vm.expectRevert(IEpochMirror.MalformedTable.selector);
        mirror.storeTable(bytes.concat(entries, hex"00"));
        vm.expectRevert(IEpochMirror.MalformedTable.selector);
        mirror.storeTable("");
    }
}

/// @dev Revocation, and what is left to an owner.
contract EpochMirrorAdministrationTest is MirrorTestBase {
    function setUp() public override {
        super.setUp();
        onAway();
    }

    function test_ARevocationIsValidOnAllChains() public {
        bytes32 digest = mirror.revocationDigest(FIRST_EPOCH);
        assertEq(digest, EpochSignature.revocationDigest(homeChain, address(registry), FIRST_EPOCH));
        bytes memory signature = signUnder(digest, 3, OPERATORS, mirror.EPOCH_TAG());
        EpochMirror other = deployMirror();
        setGenesis(other, FIRST_EPOCH);
        assertInForce(FIRST_EPOCH, OPERATORS);
        vm.expectEmit(address(mirror));
        emit IEpochMirror.EpochHalted(FIRST_EPOCH, 400, 700);
        mirror.revoke(FIRST_EPOCH, firstBits(3), signature);
        other.revoke(FIRST_EPOCH, firstBits(3), signature);
        assertRevoked(FIRST_EPOCH, OPERATORS);
        (,, uint48 validUntil,) = other.epochs(FIRST_EPOCH);
        assertEq(validUntil, 0);
    }

    function test_RevertWhen_LessThanTheHaltQuorumRevokes() public {
        bytes memory signature = signUnder(mirror.revocationDigest(FIRST_EPOCH), 4, OPERATORS, mirror.EPOCH_TAG());
        vm.expectRevert(abi.encodeWithSelector(EpochSignature.EpochQuorumNotReached.selector, 300, 350));
        mirror.revoke(FIRST_EPOCH, firstBits(4), signature);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 99));
        mirror.revoke(EpochId.wrap(99), "", "");
    }

    function test_ARevokedEpochHandsOverToNone() public {
        EpochId second = commitNext(0, OPERATORS - 1);
        onAway();
        vm.prank(guardian);
        mirror.guardianRevoke(only(FIRST_EPOCH));
        assertRevoked(FIRST_EPOCH, OPERATORS);
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        bytes memory signature = signHandover(handover, 0, OPERATORS);
        bytes memory table = tableOf(second);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.SignerExpired.selector, FIRST_EPOCH, 0));
        mirror.accept(handover, table, "", signature);
    }

    function test_TheGuardianRevokesEachEpochThatItNames() public {
        EpochId second = commitNext(0, OPERATORS - 1);
        accept(second, FIRST_EPOCH, OPERATORS);
        EpochId[] memory revoked = new EpochId[](2);
        (revoked[0], revoked[1]) = (FIRST_EPOCH, second);
        for (uint256 i = 0; i < revoked.length; ++i) {
            vm.expectEmit(address(mirror));
            emit IOperatorRegistry.EpochRevoked(revoked[i]);
        }
        vm.prank(guardian);
        mirror.guardianRevoke(revoked);
        assertRevoked(FIRST_EPOCH, OPERATORS);
        assertRevoked(second, OPERATORS - 1);
    }

    function test_RevertWhen_AnotherThanTheGuardianRevokes() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotGuardian.selector, mirrorsOwner));
        vm.prank(mirrorsOwner);
        mirror.guardianRevoke(only(FIRST_EPOCH));
        MirrorSettings memory settings = mirrorSettings();
        settings.guardian = address(0);
        mirror = new EpochMirror(mirrorsOwner, settings);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotGuardian.selector, address(0)));
        vm.prank(address(0));
        mirror.guardianRevoke(only(FIRST_EPOCH));
    }

    function test_RevertWhen_TheCallerIsNotTheMirrorsOwner() public {
        bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this));
        bytes memory table = tableOf(FIRST_EPOCH);
        vm.expectRevert(refusal);
        mirror.setGenesis(OPERATOR_SET, FIRST_EPOCH, 0, table);
        vm.expectRevert(refusal);
        mirror.addValidator(taskManager);
        vm.expectRevert(refusal);
        mirror.removeValidator(taskManager);
    }

    /* GENESIS */

    function test_AGenesisSupersedesTheSetsLatestEpoch() public {
        EpochId second = commitNext(0, OPERATORS - 1);
        bytes memory table = tableOf(second);
        uint48 end = expiresAtOf(second);
        proposeAndWait(abi.encodeCall(mirror.setGenesis, (OPERATOR_SET, second, end, table)));
        uint48 validUntil = uint48(block.timestamp) + GRACE_PERIOD;
        assertLt(validUntil, expiresAtOf(FIRST_EPOCH));
        address stored = vm.computeCreateAddress(address(mirror), vm.getNonce(address(mirror)));
        vm.expectEmit(address(mirror));
        emit IEpochMirror.GenesisSet(second, OPERATOR_SET, stored);
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OPERATOR_SET, second, end, table);
        (,, uint48 mirrored,) = mirror.epochs(FIRST_EPOCH);
        assertEq(mirrored, validUntil);
        (,, mirrored,) = taskManager.epochs(FIRST_EPOCH);
        assertEq(mirrored, validUntil);
        assertInForce(second, OPERATORS - 1);
    }

    /// @dev Sets share the numbers of epochs: the next one of another set would keep every handover from this one.
    function test_RevertWhen_AnotherSetsFirstEpochIsSetWithoutNotice() public {
        bytes memory table = tableOf(FIRST_EPOCH);
        uint48 end = expiresAtOf(FIRST_EPOCH);
        bytes memory change = abi.encodeCall(mirror.setGenesis, (OTHER_SET, EpochId.wrap(2), end, table));
        vm.expectRevert(abi.encodeWithSelector(IProposedChanges.ChangeNotProposed.selector, keccak256(change)));
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OTHER_SET, EpochId.wrap(2), end, table);
        proposeAndWait(change);
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OTHER_SET, EpochId.wrap(2), end, table);
        assertEq(mirror.latestEpoch(OTHER_SET), EpochId.wrap(2));
    }

    /// @dev Nor may it have ended, or be no table.
    function test_RevertWhen_AGenesisIsNotLater() public {
        bytes memory table = tableOf(FIRST_EPOCH);
        uint48 end = expiresAtOf(FIRST_EPOCH);
        proposeAndWait(abi.encodeCall(mirror.setGenesis, (OPERATOR_SET, FIRST_EPOCH, end, table)));
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotLater.selector, FIRST_EPOCH, FIRST_EPOCH));
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OPERATOR_SET, FIRST_EPOCH, end, table);
        // Of a set that has no epoch yet.
        proposeAndWait(abi.encodeCall(mirror.setGenesis, (OTHER_SET, EpochId.wrap(0), end, table)));
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.NotLater.selector, 0, 0));
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OTHER_SET, EpochId.wrap(0), end, table);
        EpochId other = EpochId.wrap(99);
        end = uint48(block.timestamp) + NOTICE;
        proposeAndWait(abi.encodeCall(mirror.setGenesis, (OTHER_SET, other, end, table)));
        assertEq(block.timestamp, end);
        vm.expectRevert(abi.encodeWithSelector(IEpochMirror.InvalidExpiry.selector, other, end));
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OTHER_SET, other, end, table);
        (end, table) = (end + NOTICE + 1, slice(table, 0, table.length - 1));
        proposeAndWait(abi.encodeCall(mirror.setGenesis, (OTHER_SET, other, end, table)));
        vm.expectRevert(IEpochMirror.MalformedTable.selector);
        vm.prank(mirrorsOwner);
        mirror.setGenesis(OTHER_SET, other, end, table);
    }

    /* VALIDATORS */

    function test_TheValidatorThatIsRemovedIsTheOneNamed() public {
        mirror = deployMirror();
        FaultyValidator[3] memory added;
        vm.startPrank(mirrorsOwner);
        for (uint256 i = 0; i < added.length; ++i) {
            added[i] = _faulty(FaultyValidator.Fault.Reverts);
            vm.expectEmit(address(mirror));
            emit IOperatorRegistry.ValidatorAdded(added[i]);
            mirror.addValidator(added[i]);
        }
        mirror.removeValidator(added[0]);
        vm.stopPrank();
        assertEq(mirror.validators().length, 2);
        assertEq(address(mirror.validators()[0]), address(added[2]));
        assertEq(address(mirror.validators()[1]), address(added[1]));
    }

    function test_ValidatorsChangeAfterNoticeOnceThereIsAnEpoch() public {
        bytes memory change = abi.encodeCall(mirror.removeValidator, (taskManager));
        vm.startPrank(mirrorsOwner);
        vm.expectRevert(abi.encodeWithSelector(IProposedChanges.ChangeNotProposed.selector, keccak256(change)));
        mirror.removeValidator(taskManager);
        mirror.proposeChange(change);
        skip(NOTICE);
        vm.expectEmit(address(mirror));
        emit IOperatorRegistry.ValidatorRemoved(taskManager);
        mirror.removeValidator(taskManager);
        vm.stopPrank();
        assertEq(mirror.validators().length, 0);
    }

    function test_RevertWhen_AValidatorIsInvalid() public {
        onHome();
        IAttestationValidator other = taskManager;
        mirror = deployMirror();
        vm.startPrank(mirrorsOwner);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.InvalidValidator.selector, other));
        mirror.addValidator(other);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.InvalidValidator.selector, address(1)));
        mirror.addValidator(IAttestationValidator(address(1)));
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.UnknownValidator.selector, other));
        mirror.removeValidator(other);
        FaultyValidator faulty = _faulty(FaultyValidator.Fault.Reverts);
        mirror.addValidator(faulty);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.InvalidValidator.selector, faulty));
        mirror.addValidator(faulty);
        for (uint256 i = 1; i < 16; ++i) {
            mirror.addValidator(_faulty(FaultyValidator.Fault.Reverts));
        }
        faulty = _faulty(FaultyValidator.Fault.Reverts);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.TooManyValidators.selector, 16));
        mirror.addValidator(faulty);
        vm.stopPrank();
    }

    /// @dev One that reverts, one that takes all gas, one whose revert data is long, and one whose code is gone.
    function test_AValidatorWithAFaultBlocksNothing() public {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            FaultyValidator faulty = _faulty(FaultyValidator.Fault(i));
            _addValidator(faulty);
            if (i == 3) vm.etch(address(faulty), "");
            vm.expectEmit(address(mirror));
            emit IOperatorRegistry.ValidatorUpdateFailed(faulty, FIRST_EPOCH);
            vm.prank(guardian);
            mirror.guardianRevoke(only(FIRST_EPOCH));
            assertRevoked(FIRST_EPOCH, OPERATORS);
            vm.revertToState(snapshot);
        }
    }

    /// @dev As of the registry: its validators are measured so, too.
    function test_GasOfAnUpdateIsBoundedAndItsMarginSmall() public {
        mirror = deployMirror();
        FaultyValidator validator = _faulty(FaultyValidator.Fault.Reverts);
        vm.prank(mirrorsOwner);
        mirror.addValidator(validator);
        setGenesis(mirror, FIRST_EPOCH);
        vm.expectCall(address(validator), 0, 500_000, abi.encodePacked(IAttestationValidator.updateEpoch.selector));
        uint256 enough = _leastGasOfRevocation();

        // With less, a validator without a fault gets 63/64 of what is left, which tells what was spent before.
        validator.repair();
        vm.prank(guardian);
        mirror.guardianRevoke{gas: 400_000}(only(FIRST_EPOCH));
        uint256 spent = 400_000 - validator.gasOfUpdate() * 64 / 63;
        assertGt(enough - spent, uint256(500_000) * 64 / 63 + 6000);
        assertLt(enough - spent, uint256(500_000) * 64 / 63 + 11_000);
    }

    /// @dev For one whose update costs much, the gas that is left would suffice to go on without it.
    function test_NoGasLeavesAValidatorBehind() public {
        FaultyValidator costly = _faulty(FaultyValidator.Fault.NeedsMuchGas);
        _addValidator(costly);
        bytes memory data = abi.encodeCall(mirror.guardianRevoke, (only(FIRST_EPOCH)));
        assertNoGasLeavesBehind(costly, guardian, address(mirror), data, 900_000);
    }

    function test_AnyonePublishesAnEpochAgain() public {
        FaultyValidator validator = _faulty(FaultyValidator.Fault.None);
        _addValidator(validator);
        assertEq(validator.updates(), 0);
        vm.recordLogs();
        mirror.publishEpoch(FIRST_EPOCH);
        assertEq(validator.updates(), 1);
        // The TaskManager's: no update failed.
        assertEq(vm.getRecordedLogs().length, 1);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 99));
        mirror.publishEpoch(EpochId.wrap(99));
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 99));
        mirror.setHashOf(EpochId.wrap(99));
    }

    function test_RevertWhen_SettingsAreOutOfBounds() public {
        MirrorSettings[8] memory faulty;
        for (uint256 i = 0; i < faulty.length; ++i) {
            faulty[i] = mirrorSettings();
        }
        faulty[0].homeRegistry = address(0);
        faulty[1].quorum = 5000;
        faulty[2].quorum = 10_001;
        faulty[3].haltQuorum = 0;
        faulty[4].haltQuorum = 10_001;
        faulty[5].gracePeriod = MAX_EPOCH_LIFETIME;
        faulty[6].notice = 0;
        faulty[7].gracePeriod = MAX_EPOCH_LIFETIME + 1;
        for (uint256 i = 0; i < faulty.length; ++i) {
            vm.expectRevert(IEpochMirror.InvalidMirrorSettings.selector);
            new EpochMirror(mirrorsOwner, faulty[i]);
        }
    }

    function _faulty(FaultyValidator.Fault fault) private returns (FaultyValidator) {
        return new FaultyValidator(IOperatorRegistry(address(mirror)), fault);
    }

    function _addValidator(FaultyValidator validator) private {
        proposeAndWait(abi.encodeCall(mirror.addValidator, (validator)));
        vm.prank(mirrorsOwner);
        mirror.addValidator(validator);
    }

    function _leastGasOfRevocation() private returns (uint256 enough) {
        bytes memory data = abi.encodeCall(mirror.guardianRevoke, (only(FIRST_EPOCH)));
        uint256 tooLittle = 400_000;
        enough = 700_000;
        while (enough - tooLittle > 1) {
            uint256 middle = (tooLittle + enough) / 2;
            uint256 snapshot = vm.snapshotState();
            vm.prank(guardian);
            (bool success,) = address(mirror).call{gas: middle}(data);
            vm.revertToStateAndDelete(snapshot);
            if (success) enough = middle;
            else tooLittle = middle;
        }
    }
}
