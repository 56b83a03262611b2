// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Attestation, EpochId, Intent, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {ClientTestBase} from "../../forge/utils/ClientTestBase.sol";
import {ProtectedCounter} from "../../forge/utils/ProtectedCounter.sol";
import {AuthorizationBytes} from "./AuthorizationBytes.sol";
import {Dice} from "./Dice.sol";

/// @dev A call, who makes it, and with what.
struct Attempt {
    Intent intent;
    address caller;
    bytes authorization;
    bytes32 root;
    uint256 nonce;
    /// @dev Of the weight, in basis points, rounded down.
    uint256 signedShare;
}

/// @title Deployed contracts with several epochs, valid authorizations, and ways to tamper with them
/// @dev Epoch 1 is in its grace period, epoch 2 of another operator set, epoch 3 in force. Weights differ.
abstract contract DifferentialWorld is ClientTestBase {
    using AuthorizationBytes for bytes;
    using Dice for Dice.Cup;

    uint32 internal constant SUPERSEDED = 1;
    uint32 internal constant FOREIGN = 2;
    uint32 internal constant CURRENT = 3;

    uint256 private endOfGracePeriod;
    uint256 private endOfEpochs;

    function setUp() public virtual override {
        super.setUp();
        uint256 count = operatorCount(CURRENT);
        for (uint256 i = OPERATORS; i < count; ++i) {
            registerOperator(i, WEIGHT);
        }
        for (uint256 i = 0; i < count; ++i) {
            setWeight(i, _weight(CURRENT, i));
        }
        address[] memory operators = operatorAddresses(0, operatorCount(FOREIGN));
        uint96[] memory weights = new uint96[](operators.length);
        for (uint256 i = 0; i < weights.length; ++i) {
            weights[i] = _weight(FOREIGN, i);
        }
        vm.startPrank(owner);
        ownerStakeSource.setWeights(OperatorSetId.wrap(OperatorSetId.unwrap(OTHER_SET)), operators, weights);
        registry.commitEpoch(OperatorSetId.wrap(OperatorSetId.unwrap(OTHER_SET)), operators);
        vm.stopPrank();
        commitEpoch(0, count);
        endOfGracePeriod = block.timestamp + GRACE_PERIOD;
        (,,, endOfEpochs) = taskManager.epochs(EpochId.wrap(CURRENT));
    }

    function operatorCount(uint32 epoch) internal view virtual returns (uint256) {
        return epoch == SUPERSEDED ? OPERATORS : epoch == FOREIGN ? 4 : 10;
    }

    /// @dev A call that succeeds if it is attested.
    function randomIntent(Dice.Cup memory dice) internal view virtual returns (Intent memory);

    /// @dev Where a call of this way can still be made as the intent says.
    function mutateIntent(Attempt memory attempted, Dice.Cup memory dice) internal virtual;

    /// @dev Brings it about that this is demanded.
    function demand(Policy memory newPolicy) internal virtual {
        counter.setAssentPolicy(newPolicy);
    }

    /// @dev Brings it about that what was issued before is void, where that can be.
    function voidAttestations(uint48 newFloor) internal virtual {
        try counter.voidAssentAttestations(newFloor) {} catch {}
    }

    /* VALID AUTHORIZATIONS */

    function randomAttempt(Dice.Cup memory dice) internal returns (Attempt memory attempted) {
        // On both sides of the moment at which epoch 1 ends.
        if (dice.oneIn(3)) vm.warp(endOfGracePeriod + dice.below(3) - 1);
        // So late that some attestations, of which some are recorded, expire after their epoch.
        else if (dice.oneIn(6)) vm.warp(endOfEpochs - 1 - dice.below(MAX_LIFETIME));
        Attestation memory attestation = _randomAttestation(dice);
        bytes32[] memory leaves = _randomLeaves(dice, dice.oneIn(3) ? 1 + dice.below(5) : 1);
        uint256 place = dice.below(leaves.length);
        leaves[place] = taskManager.digestOf(attestation);
        attempted.root = MerkleTree.rootOf(leaves);
        attempted.intent = attestation.intent;
        attempted.caller = agent;
        attempted.nonce = attestation.nonce;
        attempted.authorization = _randomSigned(dice, attestation, attempted, MerkleTree.proofOf(leaves, place));
    }

    /// @dev In one of eight something is attested that the call, the policy or the time then does not bear out.
    function _randomAttestation(Dice.Cup memory dice) private view returns (Attestation memory attestation) {
        uint256 nonce = dice.oneIn(4) ? dice.roll() : dice.below(600);
        attestation = attestationOf(address(counter), randomIntent(dice), nonce);
        attestation.evidence = bytes32(dice.roll());
        attestation.decision = dice.oneIn(8) ? 0 : 1;
        attestation.issuedAt = uint48(block.timestamp - dice.below(3));
        attestation.expiration = uint48(block.timestamp + 1 + dice.below(MAX_LIFETIME - 2));
        if (!dice.oneIn(8)) return attestation;
        uint256 field = dice.below(6);
        if (field == 0) attestation.taskId = bytes32(dice.roll());
        if (field == 1) attestation.policyId = bytes32(dice.roll());
        if (field == 2) attestation.policyClient = address(uint160(dice.roll()));
        if (field == 3) attestation.expiration = uint48(block.timestamp - 1 + dice.below(3));
        if (field == 4) attestation.expiration = uint48(attestation.issuedAt + MAX_LIFETIME - 1 + dice.below(3));
        if (field == 5) attestation.issuedAt = uint48(block.timestamp + dice.below(3));
    }

    function _randomSigned(
        Dice.Cup memory dice,
        Attestation memory attestation,
        Attempt memory attempted,
        bytes32[] memory proof
    ) private returns (bytes memory) {
        uint32 epoch = dice.oneIn(12) ? FOREIGN : dice.oneIn(3) ? SUPERSEDED : CURRENT;
        (bytes memory signature, bytes memory nonSigners) = _randomSigners(dice, epoch, attempted);
        if (!dice.oneIn(3)) return encode(attestation, EpochId.wrap(epoch), signature, nonSigners, proof);
        // Where that is refused, the root is not recorded, and the use must be refused as well.
        SignedRoot memory signedRoot = SignedRoot(attempted.root, signature, nonSigners);
        if (!dice.oneIn(6)) try taskManager.recordRoot(EpochId.wrap(epoch), signedRoot) {} catch {}
        return encodeRecorded(attestation, EpochId.wrap(epoch), proof);
    }

    /// @dev Mostly few are absent, and sometimes any number. In one of 16, an operator did not sign that the bitmap
    /// names as a signer. One of 24 bitmaps names an operator that the epoch does not have.
    function _randomSigners(Dice.Cup memory dice, uint32 epoch, Attempt memory attempted)
        private
        view
        returns (bytes memory signature, bytes memory nonSigners)
    {
        uint256 count = operatorCount(epoch);
        uint256 share = dice.oneIn(4) ? 2 : 2 * count;
        uint256 secret = dice.oneIn(16) ? 1 : 0;
        uint256 signed = 0;
        uint256 total = 0;
        for (uint256 i = 0; i < count; ++i) {
            total += _weight(epoch, i);
            if (dice.oneIn(share)) {
                nonSigners = _withNonSigner(nonSigners, i);
            } else {
                secret = addmod(secret, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
                signed += _weight(epoch, i);
            }
        }
        attempted.signedShare = signed * 10_000 / total;
        signature = OperatorKeys.sign(secret, attempted.root);
        if (dice.oneIn(24)) nonSigners = _withNonSigner(nonSigners, count + dice.below(16));
    }

    function _withNonSigner(bytes memory bitmap, uint256 index) private pure returns (bytes memory longer) {
        uint256 length = index / 8 + 1;
        longer = bitmap.length < length ? bytes.concat(bitmap, new bytes(length - bitmap.length)) : bitmap;
        longer[index / 8] |= bytes1(uint8(1 << (index % 8)));
    }

    /// @dev Those of the other set sum up to nearly all that 96 bits hold.
    function _weight(uint32 epoch, uint256 operator) private view returns (uint96) {
        if (epoch == SUPERSEDED) return WEIGHT;
        return epoch == FOREIGN ? type(uint96).max / uint96(operatorCount(FOREIGN)) : uint96(operator * operator + 1);
    }

    function _randomLeaves(Dice.Cup memory dice, uint256 count) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = bytes32(dice.roll());
        }
    }

    /* WHAT CAN GO WRONG */

    function mutate(Attempt memory attempted, Dice.Cup memory dice) internal {
        uint256 part = dice.below(3);
        if (part == 0) attempted.authorization = attempted.authorization.mutate(dice);
        else if (part == 1) mutateIntent(attempted, dice);
        else _mutateCircumstances(attempted, dice);
    }

    function _mutateCircumstances(Attempt memory attempted, Dice.Cup memory dice) private {
        uint256 way = dice.below(9);
        uint256 bit = 1 << (attempted.nonce & 0xff);
        if (way == 0) _moveTime(attempted.authorization, dice);
        else if (way == 1) _changePolicy(attempted, dice);
        else if (way == 2) _burn(attempted.nonce >> 8, bit);
        else if (way == 3) _burn(attempted.nonce >> 8, ~bit);
        else if (way == 4) _revoke(dice.oneIn(3) ? uint32(1 + dice.below(CURRENT)) : CURRENT);
        else if (way == 5) commitEpoch(0, 1 + dice.below(operatorCount(CURRENT)));
        else if (way == 6) vm.chainId(1 + dice.below(type(uint64).max - 1));
        else if (way == 7) _void(attempted.authorization, dice);
        else forgetPolicy(dice);
    }

    /// @dev To one second before the expiration, to it, and to one after.
    function _moveTime(bytes memory authorization, Dice.Cup memory dice) private {
        if (authorization.length <= AuthorizationBytes.DECISION) return;
        vm.warp(authorization.secondsAt(AuthorizationBytes.EXPIRATION) + dice.below(3));
        if (block.timestamp > 0) vm.warp(block.timestamp - 1);
    }

    /// @dev All that was issued before the attestation, or one second more.
    function _void(bytes memory authorization, Dice.Cup memory dice) private {
        if (authorization.length <= AuthorizationBytes.EXPIRATION) return;
        voidAttestations(uint48(authorization.secondsAt(AuthorizationBytes.ISSUED_AT) + dice.below(2)));
    }

    function _changePolicy(Attempt memory attempted, Dice.Cup memory dice) private {
        Policy memory changed = policy();
        uint256 field = dice.below(5);
        if (field == 0) changed.policyId = bytes32(dice.roll());
        if (field == 1) changed.operatorSet = OperatorSetId.wrap(uint32(dice.below(4)));
        if (field == 2) changed.maxLifetime = uint48(1 + dice.below(MAX_LIFETIME));
        // The weight that signed, or one unit more.
        uint256 quorum = attempted.signedShare + dice.below(2);
        if (field > 2 && 5001 <= quorum && quorum <= 10_000) changed.quorum = uint16(quorum);
        demand(changed);
    }

    /// @dev A client that was given neither, or only one of TaskManager and policy.
    function forgetPolicy(Dice.Cup memory dice) internal virtual {
        counter = new ProtectedCounter();
        vm.deal(address(counter), 100 ether);
        uint256 given = dice.below(3);
        if (given == 1) counter.setAssentPolicy(policy());
        if (given == 2) counter.setAssentTaskManager(taskManager);
    }

    function _burn(uint256 word, uint256 mask) private {
        vm.prank(address(counter));
        taskManager.burnNonces(word, mask);
    }

    function _revoke(uint32 epoch) private {
        vm.prank(owner);
        registry.revokeEpochs(only(EpochId.wrap(epoch)));
    }
}
