// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {EpochApproval, IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {EpochId, IRefusals, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {IOwnedRegistry} from "../utils/IOwnedRegistry.sol";
import {Signed} from "./Attesting.sol";
import {Handler} from "./Handler.sol";
import {OperatorSets} from "./OperatorSets.sol";
import {World} from "./World.sol";

/// @title The owners of registry and vaults, who may change nearly everything at any time, and err at times
contract OwnerHandler is Handler {
    address private immutable _OWNER;

    constructor(World world_) Handler(world_) {
        _OWNER = world_.operatorRegistry().owner();

        _addAction(this.commitEpoch.selector);
        _addAction(this.activateEpoch.selector);
        _addAction(this.revokeEpoch.selector);
        _addAction(this.publishEpoch.selector);
        _addAction(this.setGracePeriod.selector);
        _addAction(this.changePolicy.selector);
        _addAction(this.burnNonces.selector);
        _addAction(this.voidAttestations.selector);
        _addAction(this.commitByMistake.selector);

        _addSuccess("commit an epoch");
        _addSuccess("approve an epoch");
        _addRefusal("approve with another's signature", IOperatorRegistry.InvalidApproval.selector);
        _addRefusal("activate too early", IOperatorRegistry.ActivationTooEarly.selector);
        _addSuccess("activate an epoch");
        _addRefusal("activate again", IOperatorRegistry.EpochNotPending.selector);
        _addRefusal("use under a revoked epoch", IRefusals.EpochRevoked.selector);
        _addSuccess("publish an epoch");
        _addRefusal("publish a pending epoch", IOperatorRegistry.EpochIsPending.selector);
        _addRefusal("publish no epoch", IOperatorRegistry.NoSuchEpoch.selector);
        _addSuccess("set the grace period");
        _addSuccess("change a policy");
        _addRefusal("use a burned nonce", IRefusals.AttestationAlreadySpent.selector);
        _addRefusal("use a void attestation", IRefusals.AttestationVoided.selector);
        _addRefusal("commit an operator twice", IOperatorRegistry.OperatorsNotAscending.selector);
        _addRefusal("commit an operator that has no part", IOperatorRegistry.WrongOperatorCount.selector);
        _addSuccess("use under a changed policy");
        _addRefusal("use under a changed policy", IRefusals.WrongTask.selector);
        _addRefusal("use under a changed policy", IRefusals.LifetimeTooLong.selector);
        _addRefusal("use under a changed policy", IRefusals.UnknownEpoch.selector);
        _addRefusal("use under a changed policy", IRefusals.QuorumNotReached.selector);
    }

    /* ACTIONS */

    /// @dev It stays pending, or its set's operators approve it.
    function commitEpoch(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint32 set = uint32(1 + pick(own, "set", 2));
        uint32 epoch = world.commit(set, own);
        world.reach("commit an epoch", 0);
        if (pick(own, "approve", 4) == 0 || !world.isInForce(world.latestEpoch(set))) return;
        _mustNotApprove(set, epoch);
        world.approve(epoch);
        world.reach("approve an epoch", 0);
    }

    /// @dev Anyone may, once the delay is over.
    function activateEpoch(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint32 set = uint32(1 + pick(own, "set", 2));
        uint32 epoch = world.pendingEpoch(set);
        OperatorSets.FrozenEpoch memory pending = world.frozenEpoch(epoch);
        if (epoch == 0 || block.timestamp >= pending.expiresAt) {
            epoch = world.commit(set, own);
            pending = world.frozenEpoch(epoch);
        }
        bytes memory data = abi.encodeCall(IOperatorRegistry.activateEpoch, (EpochId.wrap(epoch)));
        if (block.timestamp < pending.activatesAt) {
            bytes memory expected =
                abi.encodeWithSelector(IOperatorRegistry.ActivationTooEarly.selector, epoch, pending.activatesAt);
            mustFailCall("activate too early", world.attacker(), address(world.operatorRegistry()), data, expected);
            vm.warp(pending.activatesAt);
        }
        world.activate(epoch);
        world.reach("activate an epoch", 0);
        bytes memory notPending = abi.encodeWithSelector(IOperatorRegistry.EpochNotPending.selector, epoch);
        mustFailCall("activate again", world.attacker(), address(world.operatorRegistry()), data, notPending);
    }

    /// @dev Under what was signed but not used, direct and recorded. Then everything is done that might bring the epoch
    /// back.
    function revokeEpoch(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory recorded = world.fresh(vault, own);
        world.record(recorded);
        recorded.recorded = true;
        world.keepPending(recorded);
        uint32 set = OperatorSetId.unwrap(world.policyOf(client).operatorSet);
        // With a next epoch that was approved before, the set stays in force.
        bool isSucceeded = pick(own, "succeeded", 2) == 0;
        if (isSucceeded) world.commitApproved(set, own);
        if (!isSucceeded && pick(own, "whole set", 2) == 0) world.revokeSet(set);
        else world.revoke(recorded.epoch);
        if (pick(own, "again", 2) == 0) world.commit(set, own);
        world.publish(recorded.epoch);
        bytes memory expected = abi.encodeWithSelector(IRefusals.EpochRevoked.selector, recorded.epoch);
        mustFail("use under a revoked epoch", client, recorded, expected);
        recorded.recorded = false;
        mustFail("use under a revoked epoch", client, recorded, expected);
    }

    /// @dev Publishing an epoch again is permissionless.
    function publishEpoch(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint32 epoch = uint32(1 + pick(own, "epoch", world.epochCount() + 1));
        bytes memory data = abi.encodeCall(IOperatorRegistry.publishEpoch, (EpochId.wrap(epoch)));
        address registry = address(world.operatorRegistry());
        if (epoch > world.epochCount()) {
            bytes memory unknown = abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, epoch);
            mustFailCall("publish no epoch", world.attacker(), registry, data, unknown);
        } else if (world.frozenEpoch(epoch).activatesAt != 0) {
            bytes memory pending = abi.encodeWithSelector(IOperatorRegistry.EpochIsPending.selector, epoch);
            mustFailCall("publish a pending epoch", world.attacker(), registry, data, pending);
        } else {
            world.publish(epoch);
            world.reach("publish an epoch", 0);
        }
    }

    function setGracePeriod(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        world.setGracePeriod(uint48(pick(own, "grace", 4) != 0 ? 0 : pick(own, "period", 3 days)));
        world.reach("set the grace period", 0);
    }

    /// @dev The vaults may come to have one policy, or trust one operator set. Pending attestations are judged by the
    /// new one.
    function changePolicy(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory underWay = world.fresh(vault, own);
        TreasuryVault changed = world.vaults(vault);
        Policy memory terms = world.policyOf(address(changed));
        uint256 field = pick(own, "field", 4);
        if (field == 0) terms.policyId = keccak256(abi.encode("policy", uint32(pick(own, "policy", 2))));
        if (field == 1) terms.operatorSet = OperatorSetId.wrap(uint32(1 + pick(own, "set", 2)));
        if (field == 2) terms.quorum = [5001, 6667, 10_000][pick(own, "quorum", 3)];
        if (field == 3) terms.maxLifetime = [uint48(10 minutes), 1 hours, 1 days][pick(own, "lifetime", 3)];
        world.setPolicy(changed, terms);
        world.reach("change a policy", 0);
        perform("use under a changed policy", client, underWay);
    }

    /// @dev The nonce of something good, a few others, or the rest of a word.
    function burnNonces(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory revoked = world.fresh(vault, own);
        uint256 nonce = revoked.attestation.nonce;
        uint256 mask = pick(own, "others", type(uint256).max) & pick(own, "other others", type(uint256).max);
        if (own % 4 < 3) mask &= pick(own, "few", type(uint256).max) & pick(own, "fewer", type(uint256).max);
        if (pick(own, "whole word", 16) == 0) mask = type(uint256).max;
        mask |= 1 << (nonce & 0xff);
        TreasuryVault vault_ = world.vaults(vault);
        vm.prank(_OWNER);
        vault_.burnAssentNonces(nonce >> 8, mask);
        world.noteBurned(client, nonce >> 8, mask);
        bytes memory expected = abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, client, nonce);
        mustFail("use a burned nonce", client, revoked, expected);
    }

    /// @dev All that was issued until now, the pending ones too. Time goes on, so that others can be issued.
    function voidAttestations(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory revoked = world.fresh(vault, own);
        uint48 floor = revoked.attestation.issuedAt + 1;
        world.voidAttestations(world.vaults(vault), floor);
        bytes memory expected =
            abi.encodeWithSelector(IRefusals.AttestationVoided.selector, revoked.attestation.issuedAt, floor);
        mustFail("use a void attestation", client, revoked, expected);
        vm.warp(floor);
    }

    /// @dev What would make the sum of an epoch something else than that of its operators.
    function commitByMistake(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint32 set = uint32(1 + pick(own, "set", 2));
        address[] memory operators = new address[](2);
        (operators[0], operators[1]) = (_operator(1), _operator(own % 2));
        world.endPending(set);
        bytes memory expected =
            abi.encodeWithSelector(IOperatorRegistry.OperatorsNotAscending.selector, operators[0], operators[1]);
        _mustNotCommit("commit an operator twice", set, operators, expected);

        // Who has no part is skipped, and then no one is left.
        operators = new address[](1);
        operators[0] = _operator(_withoutPart(set));
        expected = abi.encodeWithSelector(IOperatorRegistry.WrongOperatorCount.selector, 0, 1, 100);
        _mustNotCommit("commit an operator that has no part", set, operators, expected);
    }

    /* PRIVATE */

    /// @dev The attacker signs for all of the set's operators.
    function _mustNotApprove(uint32 set, uint32 epoch) private {
        address registry = address(world.operatorRegistry());
        EpochApproval memory forged = world.approvalBy(uint256(keccak256(abi.encode("attacker", set))), epoch);
        mustFailCall(
            "approve with another's signature",
            world.attacker(),
            registry,
            abi.encodeCall(IOperatorRegistry.approveEpoch, (EpochId.wrap(epoch), forged)),
            abi.encodeWithSelector(IOperatorRegistry.InvalidApproval.selector)
        );
    }

    function _mustNotCommit(string memory action, uint32 set, address[] memory operators, bytes memory expected)
        private
    {
        IOwnedRegistry registry = world.operatorRegistry();
        bytes memory data = abi.encodeCall(registry.commitEpoch, (OperatorSetId.wrap(set), operators));
        mustFailCall(action, _OWNER, address(registry), data, expected);
    }

    /// @dev An operator without key or weight; the last is deprived of its weight if all have both.
    function _withoutPart(uint32 set) private returns (uint256 index) {
        uint256 count = world.operatorCount();
        for (index = world.STAYING_OPERATORS(); index < count; ++index) {
            OperatorSets.Operator memory candidate = world.operator(index);
            if (!candidate.registered || candidate.disabled || candidate.weights[set] == 0) return index;
        }
        world.weigh(set, --index, 0);
    }

    function _operator(uint256 index) private pure returns (address) {
        return address(uint160(0x1000000 + index));
    }
}
