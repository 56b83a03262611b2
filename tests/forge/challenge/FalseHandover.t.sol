// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FalseHandover} from "../../../contracts/challenge/FalseHandover.sol";
import {EpochSignature} from "../../../contracts/crosschain/EpochSignature.sol";
import {Handover} from "../../../contracts/interfaces/IEpochMirror.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {MirrorTestBase} from "../crosschain/MirrorTestBase.sol";

/// @dev A handover that the registry's record contradicts proves an offence, and a true one never does.
contract FalseHandoverTest is MirrorTestBase {
    FalseHandover private fault;
    EpochId private second;

    function setUp() public override {
        super.setUp();
        fault = new FalseHandover(registry);
        second = commitNext(0, OPERATORS - 1);
    }

    function test_AnyFalseFieldIsAnOffence() public view {
        for (uint256 i = 0; i < 8; ++i) {
            Handover memory handover = handoverTo(second, FIRST_EPOCH);
            if (i == 0) handover.operatorSet = OTHER_SET;
            if (i == 1) handover.epoch = EpochId.wrap(99);
            if (i == 2) handover.expiresAt += 1;
            if (i == 3) handover.expiresAt -= 1;
            if (i == 4) handover.contentHash = ~handover.contentHash;
            if (i == 5) handover.epoch = FIRST_EPOCH;
            if (i == 6) handover.committedAt += 1;
            if (i == 7) handover.committedAt -= 1;
            (EpochId epoch, bytes32 id, bytes memory nonSigners) = fault.prove(_signed(handover, 0));
            assertEq(epoch, FIRST_EPOCH);
            assertEq(id, mirror.handoverDigest(handover));
            assertEq(nonSigners, "");
        }
    }

    /// @dev One signer is enough: it lied, whatever a mirror demands.
    function test_OneSignerIsEnough() public view {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        handover.expiresAt += 1;
        (,, bytes memory nonSigners) = fault.prove(_signed(handover, OPERATORS - 1));
        assertEq(nonSigners, firstBits(OPERATORS - 1));
    }

    function test_AnEpochHandsOverToNoEarlierOne() public view {
        Handover memory handover = handoverTo(FIRST_EPOCH, second);
        (EpochId epoch,,) = fault.prove(abi.encode(handover, bytes(""), signHandover(handover, 0, OPERATORS - 1)));
        assertEq(epoch, second);
    }

    function test_AnEpochHandsOverToNoneOfAnotherSet() public {
        uint96[] memory weights = new uint96[](1);
        weights[0] = WEIGHT;
        vm.prank(owner);
        ownerStakeSource.setWeights(OTHER_SET, operatorAddresses(0, 1), weights);
        Handover memory handover = handoverTo(commit(OTHER_SET, 0, 1), FIRST_EPOCH);
        // As an epoch of the signers' set, too.
        (EpochId epoch,,) = fault.prove(_signed(handover, 0));
        assertEq(epoch, FIRST_EPOCH);
        handover.operatorSet = OTHER_SET;
        (epoch,,) = fault.prove(_signed(handover, 0));
        assertEq(epoch, FIRST_EPOCH);
    }

    function test_AnEpochDoesNotHandOverToItself() public view {
        (EpochId epoch,,) = fault.prove(_signed(handoverTo(FIRST_EPOCH, FIRST_EPOCH), 0));
        assertEq(epoch, FIRST_EPOCH);
    }

    /// @dev The registry records set 0 and no times of an epoch that it does not have.
    function test_NoSetHandsOverToAnEpochThatDoesNotExist() public {
        OperatorSetId zero = OperatorSetId.wrap(0);
        uint96[] memory weights = new uint96[](1);
        weights[0] = WEIGHT;
        vm.prank(owner);
        ownerStakeSource.setWeights(zero, operatorAddresses(0, 1), weights);
        EpochId signer = commit(zero, 0, 1);
        Handover memory handover = handoverTo(second, signer);
        (handover.operatorSet, handover.epoch) = (zero, EpochId.wrap(99));
        (handover.committedAt, handover.expiresAt) = (0, 0);
        (EpochId epoch,,) = fault.prove(abi.encode(handover, bytes(""), signHandover(handover, 0, 1)));
        assertEq(epoch, signer);
    }

    /* NO OFFENCE */

    function test_RevertWhen_TheHandoverIsTrue() public {
        bytes memory proof = _signed(handoverTo(second, FIRST_EPOCH), 0);
        vm.expectRevert(abi.encodeWithSelector(FalseHandover.HandoverIsTrue.selector, second));
        fault.prove(proof);
    }

    /// @dev Superseded, expired or revoked: what was true when it was signed stays true.
    function test_ATrueHandoverStaysTrue() public {
        bytes memory proof = _signed(handoverTo(second, FIRST_EPOCH), 0);
        bytes memory refusal = abi.encodeWithSelector(FalseHandover.HandoverIsTrue.selector, second);
        commitNext(1, OPERATORS - 1);
        vm.expectRevert(refusal);
        fault.prove(proof);
        revoke(second);
        revoke(FIRST_EPOCH);
        vm.expectRevert(refusal);
        fault.prove(proof);
        vm.prank(owner);
        registry.revokeOperatorSet(OPERATOR_SET);
        skip(60 days);
        vm.expectRevert(refusal);
        fault.prove(proof);
    }

    function test_RevertWhen_ItIsOfAnotherHome() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        handover.homeChain = AWAY_CHAIN;
        bytes memory proof = _signed(handover, 0);
        vm.expectRevert(abi.encodeWithSelector(FalseHandover.OtherHome.selector, AWAY_CHAIN, registry));
        fault.prove(proof);
        handover.homeChain = homeChain;
        handover.homeRegistry = address(mirror);
        proof = _signed(handover, 0);
        vm.expectRevert(abi.encodeWithSelector(FalseHandover.OtherHome.selector, homeChain, mirror));
        fault.prove(proof);
    }

    function test_RevertWhen_AnOperatorIsSaidToHaveSignedThatDidNot() public {
        Handover memory handover = handoverTo(second, FIRST_EPOCH);
        handover.expiresAt += 1;
        bytes memory proof = abi.encode(handover, bytes(""), signHandover(handover, 1, OPERATORS));
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        fault.prove(proof);
    }

    function test_RevertWhen_TheSignersEpochDoesNotExist() public {
        bytes memory proof = _signed(handoverTo(second, EpochId.wrap(99)), 0);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 99));
        fault.prove(proof);
    }

    /// @dev By all operators of the first epoch but the first `absent`.
    function _signed(Handover memory handover, uint256 absent) private view returns (bytes memory) {
        return abi.encode(handover, firstBits(absent), signHandover(handover, absent, OPERATORS));
    }
}
