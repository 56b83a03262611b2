// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OperatorRegistry} from "../../../contracts/OperatorRegistry.sol";
import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {EpochId, IRefusals, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
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
        _addAction(this.revokeEpoch.selector);
        _addAction(this.publishEpoch.selector);
        _addAction(this.setGracePeriod.selector);
        _addAction(this.changePolicy.selector);
        _addAction(this.burnNonces.selector);
        _addAction(this.commitByMistake.selector);

        _addSuccess("commit an epoch");
        _addRefusal("use under a revoked epoch", IRefusals.EpochRevoked.selector);
        _addSuccess("publish an epoch");
        _addRefusal("publish no epoch", IOperatorRegistry.NoSuchEpoch.selector);
        _addSuccess("set the grace period");
        _addSuccess("change a policy");
        _addRefusal("use a burned nonce", IRefusals.AttestationAlreadySpent.selector);
        _addRefusal("commit an operator twice", IOperatorRegistry.OperatorsNotAscending.selector);
        _addRefusal("commit an operator that has no part", IOperatorRegistry.OperatorWithoutWeight.selector);
        _addRefusal("commit an operator that has no part", IOperatorRegistry.OperatorNotRegistered.selector);
        _addSuccess("use under a changed policy");
        _addRefusal("use under a changed policy", IRefusals.WrongTask.selector);
        _addRefusal("use under a changed policy", IRefusals.LifetimeTooLong.selector);
        _addRefusal("use under a changed policy", IRefusals.UnknownEpoch.selector);
        _addRefusal("use under a changed policy", IRefusals.QuorumNotReached.selector);
    }

    /* ACTIONS */

    function commitEpoch(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        world.commit(uint32(1 + pick(own, "set", 2)), own);
        world.reach("commit an epoch", 0);
    }

    /// @dev Under what was signed but not used, direct and recorded. Then everything is done that might bring the epoch
    /// back.
    function revokeEpoch(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory recorded = world.fresh(vault, own);
        world.record(recorded);
        recorded.recorded = true;
        world.keepPending(recorded);
        world.revoke(recorded.epoch);
        if (pick(own, "again", 2) == 0) world.commit(OperatorSetId.unwrap(world.policyOf(client).operatorSet), own);
        world.operatorRegistry().publishEpoch(EpochId.wrap(recorded.epoch));
        bytes memory expected = abi.encodeWithSelector(IRefusals.EpochRevoked.selector, recorded.epoch);
        mustFail("use under a revoked epoch", client, recorded, expected);
        recorded.recorded = false;
        mustFail("use under a revoked epoch", client, recorded, expected);
    }

    /// @dev Publishing an epoch again is permissionless.
    function publishEpoch(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        world.operatorRegistry().publishEpoch(EpochId.wrap(uint32(1 + pick(own, "epoch", world.epochCount()))));
        world.reach("publish an epoch", 0);
        uint32 unknown = world.epochCount() + 1;
        mustFailCall(
            "publish no epoch",
            world.attacker(),
            address(world.operatorRegistry()),
            abi.encodeCall(IOperatorRegistry.publishEpoch, (EpochId.wrap(unknown))),
            abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, unknown)
        );
    }

    function setGracePeriod(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        world.setGracePeriod(uint48(pick(own, "grace", 4) == 0 ? 0 : pick(own, "period", 3 days)));
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

    /// @dev What would make the sum of an epoch something else than that of its operators.
    function commitByMistake(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint32 set = uint32(1 + pick(own, "set", 2));
        address[] memory operators = new address[](2);
        (operators[0], operators[1]) = (_operator(1), _operator(own % 2));
        bytes memory expected =
            abi.encodeWithSelector(IOperatorRegistry.OperatorsNotAscending.selector, operators[0], operators[1]);
        _mustNotCommit("commit an operator twice", set, operators, expected);

        uint256 index = _withoutPart(set);
        operators[1] = _operator(index);
        bool registered = world.operator(index).registered;
        expected = registered
            ? abi.encodeWithSelector(IOperatorRegistry.OperatorWithoutWeight.selector, set, operators[1])
            : abi.encodeWithSelector(IOperatorRegistry.OperatorNotRegistered.selector, operators[1]);
        _mustNotCommit("commit an operator that has no part", set, operators, expected);
    }

    /* PRIVATE */

    function _mustNotCommit(string memory action, uint32 set, address[] memory operators, bytes memory expected)
        private
    {
        OperatorRegistry registry = world.operatorRegistry();
        bytes memory data = abi.encodeCall(registry.commitEpoch, (OperatorSetId.wrap(set), operators));
        mustFailCall(action, _OWNER, address(registry), data, expected);
    }

    /// @dev An operator without key or weight; the last is deprived of its weight if all have both.
    function _withoutPart(uint32 set) private returns (uint256 index) {
        uint256 count = world.operatorCount();
        for (index = world.STAYING_OPERATORS(); index < count; ++index) {
            OperatorSets.Operator memory candidate = world.operator(index);
            if (!candidate.registered || candidate.weights[set] == 0) return index;
        }
        world.weigh(set, --index, 0);
    }

    function _operator(uint256 index) private pure returns (address) {
        return address(uint160(0x1000000 + index));
    }
}
