// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EpochSignature} from "../../../contracts/crosschain/EpochSignature.sol";
import {IEpochKeeper, KeeperSettings} from "../../../contracts/interfaces/IEpochKeeper.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IProposedChanges} from "../../../contracts/interfaces/IProposedChanges.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorTable} from "../../../contracts/libraries/OperatorTable.sol";
import {EpochKeeper} from "../../../contracts/stake/EpochKeeper.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {KeeperTestBase} from "../utils/KeeperTestBase.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @dev Anyone commits all members, as often as the interval allows.
contract EpochKeeperCommitTest is KeeperTestBase {
    function test_AnyoneCommitsAllMembers() public {
        address anyone = makeAddr("anyone");
        source.setMembers(operatorAddresses(0, OPERATORS - 1), 2 * WEIGHT);
        EpochId expected = EpochId.wrap(registry.epochCount() + 1);
        vm.expectEmit(address(keeper));
        emit IEpochKeeper.MembersCommitted(expected, OPERATOR_SET, anyone);
        // Nothing is staged.
        vm.expectCall(address(registry), abi.encodePacked(IOperatorRegistry.discardStagedOperators.selector), 0);
        vm.prank(anyone);
        EpochId epoch = keeper.commit(OPERATOR_SET);
        assertEq(epoch, expected);
        (uint256 count, uint256 weight) = _headOf(epoch);
        assertEq(count, OPERATORS - 1);
        assertEq(weight, (OPERATORS - 1) * 2 * WEIGHT);
        assertEq(keeper.lastCommit(OPERATOR_SET), block.timestamp);
    }

    function test_TheRegistrysPendingTimeHoldsForTheKeeper() public {
        EpochId epoch = keeper.commit(OPERATOR_SET);
        uint48 activatesAt = uint48(block.timestamp) + activationDelay();
        vm.warp(activatesAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.ActivationTooEarly.selector, epoch, activatesAt));
        registry.activateEpoch(epoch);
        assertInForce(current, OPERATORS);
        vm.warp(activatesAt);
        registry.activateEpoch(epoch);
        assertInForce(epoch, OPERATORS);
    }

    function test_RevertWhen_AnEpochIsPending() public {
        EpochId epoch = keeper.commit(OPERATOR_SET);
        skip(INTERVAL);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochIsPending.selector, epoch));
        keeper.commit(OPERATOR_SET);
    }

    function test_TheCurrentQuorumApprovesAnEpochOfTheKeeper() public {
        EpochId epoch = keeper.commit(OPERATOR_SET);
        registry.approveEpoch(epoch, approve(epoch, 0, OPERATORS));
        assertInForce(epoch, OPERATORS);
    }

    function test_RevertWhen_TheIntervalIsNotOver() public {
        EpochId epoch = keeper.commit(OPERATOR_SET);
        uint256 from = block.timestamp + INTERVAL;
        registry.approveEpoch(epoch, approve(epoch, 0, OPERATORS));
        assertEq(keeper.nextCommit(OPERATOR_SET), from);
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.CommitTooEarly.selector, OPERATOR_SET, from));
        keeper.commit(OPERATOR_SET);
        vm.warp(from);
        keeper.commit(OPERATOR_SET);
    }

    /// @dev However short its interval: else callers could use up the registry's live epochs.
    function test_ALifetimeHasAtMostSixteenCommits() public {
        keeper.commit(OPERATOR_SET);
        vm.mockCall(
            address(registry), abi.encodeCall(IOperatorRegistry.epochLifetime, ()), abi.encode(16 * INTERVAL + 1)
        );
        assertEq(keeper.nextCommit(OPERATOR_SET), block.timestamp + INTERVAL + 1);
    }

    function test_ASetWithoutAnEpochInForceNeedNotWait() public {
        EpochId epoch = keeper.commit(OPERATOR_SET);
        registry.approveEpoch(epoch, approve(epoch, 0, OPERATORS));
        _guardianRevokes(epoch);
        assertEq(keeper.nextCommit(OPERATOR_SET), block.timestamp);
        keeper.commit(OPERATOR_SET);
    }

    /// @dev Until its last second.
    function test_ASetWaitsAsLongAsItsEpochIsInForce() public {
        uint256 last = keeper.lastCommit(OPERATOR_SET);
        uint48 validUntil = validUntilOf(current);
        vm.warp(validUntil - 1);
        assertEq(keeper.nextCommit(OPERATOR_SET), last + INTERVAL);
        vm.warp(validUntil);
        assertEq(keeper.nextCommit(OPERATOR_SET), last);
    }

    function test_EachSetHasItsInterval() public {
        keeper.commit(OPERATOR_SET);
        keeper.commit(OTHER_SET);
    }

    function test_MembersWithoutWeightOrKeyAreSkipped() public {
        source.setWeight(operatorAddress(0), 0);
        vm.prank(operatorAddress(1));
        registry.disableKey();
        (uint256 count,) = _headOf(keeper.commit(OPERATOR_SET));
        assertEq(count, OPERATORS - 2);
    }

    function test_RevertWhen_TooFewMembersHaveWeight() public {
        source.setMembers(operatorAddresses(0, MIN_OPERATORS - 1), WEIGHT);
        bytes4 refusal = IEpochKeeper.TooFewOperators.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, MIN_OPERATORS - 1, MIN_OPERATORS));
        keeper.commit(OPERATOR_SET);
        source.setMembers(operatorAddresses(0, MIN_OPERATORS), WEIGHT);
        keeper.commit(OPERATOR_SET);
    }

    function _headOf(EpochId epoch) private view returns (uint256 count, uint256 weight) {
        (address table,,,) = registry.epochs(epoch);
        (, weight, count,) = OperatorTable.readHead(table);
    }

    function _guardianRevokes(EpochId epoch) private {
        vm.prank(guardian);
        keeper.guardianRevoke(only(epoch));
    }
}

/// @dev An earlier owner's staged operators are never among those of the keeper.
contract EpochKeeperTakesOverTest is KeeperTestBase {
    EpochKeeper private second;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 200; ++i) {
            if (i >= OPERATORS) registerOperator(i, WEIGHT);
        }
        second = new EpochKeeper(keepersOwner, keeperSettings());
        bytes memory change = abi.encodeCall(Ownable.transferOwnership, (owner));
        vm.startPrank(keepersOwner);
        keeper.proposeChange(abi.encodeCall(keeper.changeRegistry, (change)));
        skip(NOTICE);
        keeper.changeRegistry(change);
        vm.stopPrank();
        vm.startPrank(owner);
        registry.acceptOwnership();
        source.setMembers(operatorAddresses(0, 200), WEIGHT);
        registry.stageOperators(OPERATOR_SET, operatorAddresses(0, 100));
        registry.transferOwnership(address(second));
        vm.stopPrank();
    }

    function test_OperatorsThatAnEarlierOwnerStagedAreDiscarded() public {
        assertEq(registry.stagedTables(OPERATOR_SET).length, 1);
        second.acceptRegistry();
        source.setMembers(operatorAddresses(100, 5), WEIGHT);
        EpochId epoch = second.commit(OPERATOR_SET);
        (address table,,,) = registry.epochs(epoch);
        (,, uint256 count, uint256 earlierTables) = OperatorTable.readHead(table);
        assertEq(count, 5);
        assertEq(earlierTables, 0);
    }

    function test_RevertWhen_TheRegistrysDelaysBecameTooLongBefore() public {
        KeeperSettings memory settings = keeperSettings();
        settings.interval = GRACE_PERIOD + 1;
        second = new EpochKeeper(keepersOwner, settings);
        vm.startPrank(owner);
        registry.transferOwnership(address(second));
        registry.setEpochLifetime(settings.interval + activationDelay());
        vm.stopPrank();
        vm.expectRevert(IEpochKeeper.InvalidKeeperSettings.selector);
        second.acceptRegistry();
        // Nothing is lost: its owner is still another, which raises it.
        assertEq(registry.owner(), owner);
    }

    function test_RevertWhen_TheKeeperDoesNotOwnTheRegistry() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, second));
        second.commit(OPERATOR_SET);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, keeper));
        keeper.acceptRegistry();
    }
}

/// @dev A commit before the interval is over, since an operator was lost.
contract EpochKeeperEarlyCommitTest is KeeperTestBase {
    uint256 private constant LOST = 3;

    function setUp() public override {
        super.setUp();
        current = keeper.commit(OPERATOR_SET);
        registry.approveEpoch(current, approve(current, 0, OPERATORS));
        vm.warp(keeper.nextEarlyCommit(OPERATOR_SET));
        assertLt(block.timestamp, keeper.nextCommit(OPERATOR_SET));
    }

    function test_RevertWhen_TheOperatorIsNotLost() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.NothingLost.selector, current, LOST));
        keeper.commitEarly(OPERATOR_SET, LOST);
        source.setWeight(operatorAddress(LOST), 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.NothingLost.selector, current, LOST));
        keeper.commitEarly(OPERATOR_SET, LOST);
    }

    function test_AnOperatorWithoutWeightIsReplacedEarly() public {
        source.setWeight(operatorAddress(LOST), 0);
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.NothingLost.selector, current, LOST + 1));
        keeper.commitEarly(OPERATOR_SET, LOST + 1);
        vm.expectCall(address(source), abi.encodeCall(source.weightsOf, (OPERATOR_SET, operatorAddresses(LOST, 1))));
        assertEq(keeper.commitEarly(OPERATOR_SET, LOST), EpochId.wrap(registry.epochCount()));
    }

    function test_AnOperatorThatDisabledItsKeyIsReplacedEarly() public {
        vm.prank(operatorAddress(LOST));
        registry.disableKey();
        keeper.commitEarly(OPERATOR_SET, LOST);
    }

    /// @dev It may have disabled a stolen key, and rotated to another at once.
    function test_AnOperatorThatRotatedItsKeyIsReplacedEarly() public {
        (bytes memory key, bytes memory proof) = newKey(1000, LOST);
        vm.prank(operatorAddress(LOST));
        registry.rotateKey(key, proof);
        keeper.commitEarly(OPERATOR_SET, LOST);
    }

    function test_AnOperatorThatDeregisteredIsReplacedEarly() public {
        vm.prank(operatorAddress(LOST));
        registry.deregisterOperator();
        keeper.commitEarly(OPERATOR_SET, LOST);
    }

    function test_RevertWhen_EarlyCommitsFollowTooFast() public {
        source.setWeight(operatorAddress(LOST), 0);
        uint256 from = keeper.nextEarlyCommit(OPERATOR_SET);
        assertEq(from, keeper.lastCommit(OPERATOR_SET) + EPOCH_LIFETIME / 32);
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.CommitTooEarly.selector, OPERATOR_SET, from));
        keeper.commitEarly(OPERATOR_SET, LOST);
        vm.warp(from);
        keeper.commitEarly(OPERATOR_SET, LOST);
    }

    function test_RevertWhen_TheEpochHasNoSuchOperator() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.NoSuchOperator.selector, current, OPERATORS));
        keeper.commitEarly(OPERATOR_SET, OPERATORS);
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.NoSuchOperator.selector, current, OPERATORS + 1));
        keeper.commitEarly(OPERATOR_SET, OPERATORS + 1);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 0));
        keeper.commitEarly(OTHER_SET, 0);
    }

    /// @dev As fast as possible for longer than a lifetime, each activated at once: the registry has room for all.
    function test_CommitsNeverUseUpTheRegistrysLiveEpochs() public {
        for (uint256 i = 0; i < 40; ++i) {
            (bytes memory key, bytes memory proof) = newKey(1000 + i, 0);
            vm.prank(operatorAddress(0));
            registry.rotateKey(key, proof);
            vm.warp(keeper.nextEarlyCommit(OPERATOR_SET));
            EpochId epoch = keeper.commitEarly(OPERATOR_SET, 0);
            registry.approveEpoch(epoch, approve(epoch, 1, OPERATORS));
        }
        assertEq(registry.liveEpochs(OPERATOR_SET).length, 32);
    }
}

/// @dev Who can revoke, and that they can do nothing else.
contract EpochKeeperRevocationTest is KeeperTestBase {
    function test_AHaltQuorumRevokesItsEpochByItsSignature() public {
        // Four of seven.
        bytes memory signature = signRevocation(current, 3, OPERATORS);
        assertInForce(current, OPERATORS);
        vm.expectEmit(address(keeper));
        emit IEpochKeeper.EpochHalted(current, 4 * WEIGHT, OPERATORS * WEIGHT);
        keeper.revoke(current, firstBits(3), signature);
        assertRevoked(current, OPERATORS);
        // Once more changes nothing.
        keeper.revoke(current, firstBits(3), signature);
        assertEq(validUntilOf(current), 0);
    }

    function test_APendingEpochIsRevokedByItsOwnOperators() public {
        EpochId epoch = keeper.commit(OPERATOR_SET);
        keeper.revoke(epoch, "", signRevocation(epoch, 0, OPERATORS));
        skip(activationDelay());
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochNotPending.selector, epoch));
        registry.activateEpoch(epoch);
        assertInForce(current, OPERATORS);
    }

    function test_RevertWhen_LessThanTheHaltQuorumSigned() public {
        bytes memory signature = signRevocation(current, 4, OPERATORS);
        vm.expectRevert(
            abi.encodeWithSelector(EpochSignature.EpochQuorumNotReached.selector, 3 * WEIGHT, 7 * WEIGHT / 2)
        );
        keeper.revoke(current, firstBits(4), signature);
    }

    /// @dev Exactly half is enough: as much can stop every call by not signing.
    function test_HalfOfTheWeightIsAHaltQuorum() public {
        source.setMembers(operatorAddresses(0, 4), WEIGHT);
        EpochId epoch = commitAndActivate();
        keeper.revoke(epoch, firstBits(2), signRevocation(epoch, 2, 4));
    }

    function test_RevertWhen_OthersSignedThanIsSaid() public {
        bytes memory signature = signRevocation(current, 2, OPERATORS);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        keeper.revoke(current, firstBits(3), signature);
    }

    function test_RevertWhen_ItIsTheRevocationOfAnotherEpoch() public {
        EpochId next = commitAndActivate();
        bytes memory signature = signRevocation(current, 0, OPERATORS);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        keeper.revoke(next, "", signature);
        keeper.revoke(current, "", signature);
    }

    function test_RevertWhen_ItIsSignedUnderTheTagOfAttestations() public {
        bytes32 digest = keeper.revocationDigest(current);
        bytes memory signature = signUnder(digest, 0, OPERATORS, OperatorKeys.SIGNATURE_TAG);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        keeper.revoke(current, "", signature);
        signature = signUnder(digest, 0, OPERATORS, OperatorKeys.EPOCH_APPROVAL_TAG);
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        keeper.revoke(current, "", signature);
    }

    function test_RevertWhen_ThereIsNoSuchEpoch() public {
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 99));
        keeper.revoke(EpochId.wrap(99), "", "");
    }

    function test_RevertWhen_TheSignatureIsMalformed() public {
        bytes memory offCurve = bytes.concat(bytes32(uint256(1)), new bytes(64));
        bytes memory tooLong = bytes.concat(signRevocation(current, 0, OPERATORS), hex"00");
        bytes[5] memory malformed = [bytes(""), new bytes(95), new bytes(96), offCurve, tooLong];
        for (uint256 i = 0; i < malformed.length; ++i) {
            vm.expectRevert(EpochSignature.MalformedEpochSignature.selector);
            keeper.revoke(current, "", malformed[i]);
        }
    }

    /// @dev Infinity is the signature of no signers on every message.
    function test_RevertWhen_NoOperatorSigned() public {
        vm.expectRevert(abi.encodeWithSelector(EpochSignature.EpochQuorumNotReached.selector, 0, 350));
        keeper.revoke(current, firstBits(OPERATORS), new bytes(96));
    }

    /// @dev EIP-712 without chain and contract in the domain.
    function test_TheRevocationNamesChainAndRegistry() public {
        bytes32 domain = keccak256(
            abi.encode(keccak256("EIP712Domain(string name,string version)"), keccak256("Assent"), keccak256("1"))
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("EpochRevocation(uint256 homeChain,address homeRegistry,uint32 epoch)"),
                block.chainid,
                registry,
                current
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, structHash));
        assertEq(keeper.revocationDigest(current), digest);
        assertEq(keeper.EPOCH_TAG(), "ASSENT_EPOCH_HANDOVER_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
        vm.chainId(block.chainid + 1);
        assertNotEq(keeper.revocationDigest(current), digest);
    }

    /* GUARDIAN */

    /// @dev Anyone commits after a revocation, and a thief the same keys again, unless they were disabled before.
    function test_OnlyKeysThatWereDisabledBeforeTheRevocationStayOut() public {
        uint256 snapshot = vm.snapshotState();
        vm.prank(guardian);
        keeper.guardianRevoke(only(current));
        EpochId again = keeper.commit(OPERATOR_SET);
        assertEq(_countOf(again), OPERATORS);
        vm.prank(operatorAddress(0));
        registry.disableKey();
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.EpochIsPending.selector, again));
        keeper.commit(OPERATOR_SET);

        vm.revertToState(snapshot);
        vm.prank(operatorAddress(0));
        registry.disableKey();
        vm.prank(guardian);
        keeper.guardianRevoke(only(current));
        assertEq(_countOf(keeper.commit(OPERATOR_SET)), OPERATORS - 1);
    }

    function _countOf(EpochId epoch) private view returns (uint256 count) {
        (address table,,,) = registry.epochs(epoch);
        (,, count,) = OperatorTable.readHead(table);
    }

    function test_TheGuardianRevokes() public {
        vm.expectEmit(address(keeper));
        emit IEpochKeeper.GuardianRevoked(only(current));
        vm.prank(guardian);
        keeper.guardianRevoke(only(current));
        assertRevoked(current, OPERATORS);
    }

    function test_RevertWhen_AnotherThanTheGuardianRevokes() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochKeeper.NotGuardian.selector, keepersOwner));
        vm.prank(keepersOwner);
        keeper.guardianRevoke(only(current));
    }

    function test_TheGuardianCanDoNothingElse() public {
        bytes memory change = abi.encodeCall(registry.setGracePeriod, (2 hours));
        bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, guardian);
        vm.startPrank(guardian);
        vm.expectRevert(refusal);
        keeper.proposeChange(abi.encodeCall(keeper.changeRegistry, (change)));
        vm.expectRevert(refusal);
        keeper.changeRegistry(change);
        vm.expectRevert(refusal);
        keeper.proposeToRegistry(change);
        vm.expectRevert(refusal);
        keeper.cancelAtRegistry(change);
        vm.expectRevert(refusal);
        keeper.setGuardian(guardian);
        vm.expectRevert(refusal);
        keeper.transferOwnership(guardian);
        vm.stopPrank();
    }
}

/// @dev What is left to an owner, after notice.
contract EpochKeeperOwnerTest is KeeperTestBase {
    function test_TheOwnerChangesTheRegistryAfterBothNotices() public {
        bytes[6] memory changes = [
            abi.encodeCall(registry.setStakeSource, (new OwnerStakeSource(owner))),
            abi.encodeCall(registry.addValidator, (deployTaskManager())),
            abi.encodeCall(registry.removeValidator, (taskManager)),
            abi.encodeCall(registry.setEpochLifetime, (EPOCH_LIFETIME + 1)),
            abi.encodeCall(registry.setActivationDelay, (12 hours)),
            abi.encodeCall(registry.setGracePeriod, (2 hours))
        ];
        for (uint256 i = 0; i < changes.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            _assertNeedsNotice(changes[i]);
            vm.revertToState(snapshot);
        }
    }

    function test_TheOwnerHandsTheRegistryOverAfterNotice() public {
        bytes memory change = abi.encodeCall(Ownable.transferOwnership, (owner));
        _propose(change);
        skip(NOTICE);
        vm.prank(keepersOwner);
        keeper.changeRegistry(change);
        vm.prank(owner);
        registry.acceptOwnership();
        assertEq(registry.owner(), owner);
    }

    /// @dev A lower lifetime needs no notice of the registry's owner. Here it needs the keeper's.
    function test_RevertWhen_TheOwnerLowersTheLifetimeWithoutNotice() public {
        bytes memory change = abi.encodeCall(registry.setEpochLifetime, (EPOCH_LIFETIME - 1));
        _assertRefused(change, _notProposed(change));
        _propose(change);
        skip(NOTICE);
        vm.prank(keepersOwner);
        keeper.changeRegistry(change);
        assertEq(registry.epochLifetime(), EPOCH_LIFETIME - 1);
    }

    /// @dev No epoch could follow another in time.
    function test_RevertWhen_TheRegistrysDelaysBecomeTooLong() public {
        bytes memory change = abi.encodeCall(registry.setGracePeriod, (0));
        _proposeBoth(change);
        skip(NOTICE);
        vm.prank(keepersOwner);
        keeper.changeRegistry(change);
        uint48 shortest = keeper.INTERVAL() + activationDelay();
        change = abi.encodeCall(registry.setEpochLifetime, (shortest));
        _propose(change);
        skip(NOTICE);
        _assertRefused(change, abi.encodeWithSelector(IEpochKeeper.InvalidKeeperSettings.selector));
        change = abi.encodeCall(registry.setEpochLifetime, (shortest + 1));
        _propose(change);
        skip(NOTICE);
        vm.prank(keepersOwner);
        keeper.changeRegistry(change);
        assertEq(registry.epochLifetime(), shortest + 1);
        change = abi.encodeCall(registry.setActivationDelay, (activationDelay() + 1));
        _proposeBoth(change);
        skip(NOTICE);
        _assertRefused(change, abi.encodeWithSelector(IEpochKeeper.InvalidKeeperSettings.selector));
    }

    /// @dev Whatever the registry's own delay has become.
    function test_RevertWhen_TheOwnerChangesTheRegistryWithoutItsDelay() public {
        bytes memory change = abi.encodeCall(registry.setActivationDelay, (0));
        _proposeBoth(change);
        skip(NOTICE);
        vm.prank(keepersOwner);
        keeper.changeRegistry(change);
        change = abi.encodeCall(registry.setGracePeriod, (2 hours));
        _assertRefused(change, _notProposed(change));
    }

    function test_RevertWhen_TheOwnerCommitsOrRevokes() public {
        bytes[7] memory forbidden = [
            abi.encodeCall(registry.commitEpoch, (OPERATOR_SET, operatorAddresses(0, 1))),
            abi.encodeCall(registry.stageOperators, (OPERATOR_SET, operatorAddresses(0, 100))),
            abi.encodeCall(registry.discardStagedOperators, (OPERATOR_SET)),
            abi.encodeCall(registry.revokeEpochs, (only(current))),
            abi.encodeCall(registry.revokeOperatorSet, (OPERATOR_SET)),
            abi.encodeCall(registry.proposeChange, ("")),
            bytes("")
        ];
        for (uint256 i = 0; i < forbidden.length; ++i) {
            bytes memory refusal = abi.encodeWithSelector(IEpochKeeper.ForbiddenChange.selector, bytes4(forbidden[i]));
            _propose(forbidden[i]);
            skip(NOTICE);
            _assertRefused(forbidden[i], refusal);
            vm.expectRevert(refusal);
            vm.prank(keepersOwner);
            keeper.proposeToRegistry(forbidden[i]);
        }
    }

    function test_TheOwnerCancelsAChangeAtTheRegistry() public {
        bytes memory change = abi.encodeCall(registry.setGracePeriod, (2 hours));
        _proposeBoth(change);
        assertNotEq(registry.proposedChanges(keccak256(change)), 0);
        vm.prank(keepersOwner);
        keeper.cancelAtRegistry(change);
        assertEq(registry.proposedChanges(keccak256(change)), 0);
        skip(NOTICE);
        _assertRefused(change, abi.encodeWithSelector(IProposedChanges.ChangeNotProposed.selector, keccak256(change)));
    }

    function test_TheOwnerReplacesTheGuardianAfterNotice() public {
        bytes memory change = abi.encodeCall(keeper.setGuardian, (address(0)));
        vm.startPrank(keepersOwner);
        vm.expectRevert(abi.encodeWithSelector(IProposedChanges.ChangeNotProposed.selector, keccak256(change)));
        keeper.setGuardian(address(0));
        keeper.proposeChange(change);
        skip(NOTICE);
        vm.expectEmit(address(keeper));
        emit IEpochKeeper.GuardianChanged(address(0));
        keeper.setGuardian(address(0));
        vm.stopPrank();
        assertEq(keeper.guardian(), address(0));
    }

    function test_RevertWhen_TheCallerIsNotTheKeepersOwner() public {
        bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this));
        vm.expectRevert(refusal);
        keeper.proposeToRegistry("");
        vm.expectRevert(refusal);
        keeper.cancelAtRegistry("");
        vm.expectRevert(refusal);
        keeper.changeRegistry("");
        vm.expectRevert(refusal);
        keeper.setGuardian(address(0));
    }

    /* SETTINGS */

    function test_RevertWhen_SettingsAreOutOfBounds() public {
        KeeperSettings[8] memory faulty;
        for (uint256 i = 0; i < faulty.length; ++i) {
            faulty[i] = keeperSettings();
        }
        new EpochKeeper(keepersOwner, faulty[0]);
        faulty[0].minOperators = 100;
        new EpochKeeper(keepersOwner, faulty[0]);
        faulty[0].operatorRegistry = IOperatorRegistry(address(1));
        faulty[1].notice = 0;
        faulty[2].haltQuorum = 0;
        faulty[3].haltQuorum = 10_001;
        faulty[4].minOperators = 0;
        faulty[5].minOperators = 101;
        faulty[6].interval = EPOCH_LIFETIME - activationDelay();
        faulty[7].interval = type(uint48).max;
        for (uint256 i = 0; i < faulty.length; ++i) {
            vm.expectRevert(IEpochKeeper.InvalidKeeperSettings.selector);
            new EpochKeeper(keepersOwner, faulty[i]);
        }
    }

    function _assertNeedsNotice(bytes memory change) private {
        _assertRefused(change, _notProposed(change));
        uint48 from = uint48(block.timestamp) + NOTICE;
        _propose(change);
        vm.warp(from - 1);
        bytes32 changeHash = keccak256(abi.encodeCall(keeper.changeRegistry, (change)));
        _assertRefused(change, abi.encodeWithSelector(IProposedChanges.ChangeTooEarly.selector, changeHash, from));
        vm.warp(from);
        // The registry wants its own notice.
        _assertRefused(change, abi.encodeWithSelector(IProposedChanges.ChangeNotProposed.selector, keccak256(change)));
        vm.prank(keepersOwner);
        keeper.proposeToRegistry(change);
        skip(activationDelay());
        vm.expectEmit(address(keeper));
        emit IEpochKeeper.RegistryChanged(change);
        vm.prank(keepersOwner);
        keeper.changeRegistry(change);
    }

    function _propose(bytes memory change) private {
        vm.prank(keepersOwner);
        keeper.proposeChange(abi.encodeCall(keeper.changeRegistry, (change)));
    }

    function _proposeBoth(bytes memory change) private {
        _propose(change);
        vm.prank(keepersOwner);
        keeper.proposeToRegistry(change);
    }

    function _assertRefused(bytes memory change, bytes memory refusal) private {
        vm.expectRevert(refusal);
        vm.prank(keepersOwner);
        keeper.changeRegistry(change);
    }

    function _notProposed(bytes memory change) private view returns (bytes memory) {
        bytes32 changeHash = keccak256(abi.encodeCall(keeper.changeRegistry, (change)));
        return abi.encodeWithSelector(IProposedChanges.ChangeNotProposed.selector, changeHash);
    }
}
