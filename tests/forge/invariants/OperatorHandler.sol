// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {Attestation, EpochId, IRefusals, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {IOwnedRegistry} from "../utils/IOwnedRegistry.sol";
import {Signed} from "./Attesting.sol";
import {Handler} from "./Handler.sol";
import {OperatorSets} from "./OperatorSets.sol";
import {World} from "./World.sol";

/// @title Operators, who come and go, replace their keys, deny, and do not always reach a quorum
contract OperatorHandler is Handler {
    constructor(World world_) Handler(world_) {
        _addAction(this.joinOrLeave.selector);
        _addAction(this.rotateKey.selector);
        _addAction(this.changeWeight.selector);
        _addAction(this.deny.selector);
        _addAction(this.missTheQuorum.selector);
        _addAction(this.recordWithMoreAndThenLess.selector);
        _addAction(this.signForTheLongestLifetime.selector);
        _addAction(this.takeAKeyThatIsNotFree.selector);
        _addAction(this.disableKey.selector);

        _addSuccess("join");
        _addSuccess("leave");
        _addSuccess("come back");
        _addSuccess("rotate a key");
        _addSuccess("change a weight");
        _addRefusal("deny", IRefusals.PolicyDenied.selector);
        _addRefusal("deny under a recorded root", IRefusals.PolicyDenied.selector);
        _addRefusal("miss the quorum", IRefusals.QuorumNotReached.selector);
        _addRefusal("record below the floor", IRefusals.QuorumNotReached.selector);
        _addRefusal("use what few recorded", IRefusals.QuorumNotReached.selector);
        _addSuccess("use what all recorded");
        _addRefusal("use beyond the end of an epoch", IRefusals.ExpirationBeyondEpoch.selector);
        _addRefusal("use after the end of an epoch", IRefusals.EpochExpired.selector);
        _addSuccess("use for the longest lifetime");
        _addRefusal("register another's key", IOperatorRegistry.InvalidProofOfPossession.selector);
        _addRefusal("register a used key", IOperatorRegistry.KeyAlreadyUsed.selector);
        _addSuccess("disable a key");
        _addRefusal("disable no key", IOperatorRegistry.KeyAlreadyDisabled.selector);
        _addRefusal("disable no key", IOperatorRegistry.OperatorNotRegistered.selector);
    }

    /* ACTIONS */

    /// @dev A new operator, until there are enough; then one leaves, or comes back.
    function joinOrLeave(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        if (world.operatorCount() < world.MOST_OPERATORS() && own % 3 == 0) {
            uint256 joined = world.join();
            world.weigh(uint32(1 + pick(own, "set", 2)), joined, _weight(own));
            return world.reach("join", 0);
        }
        uint256 index = pick(own, "operator", world.operatorCount());
        if (index < world.STAYING_OPERATORS()) index = world.STAYING_OPERATORS();
        // An operator that has left mostly comes back.
        for (uint256 i = world.STAYING_OPERATORS(); i < world.operatorCount() && own % 4 != 0; ++i) {
            if (!world.operator(i).registered) index = i;
        }
        bool registered = world.operator(index).registered;
        registered ? world.stepDown(index) : world.comeBack(index);
        world.reach(registered ? "leave" : "come back", 0);
    }

    function rotateKey(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint256 index = pick(own, "operator", world.operatorCount());
        if (!world.operator(index).registered) index = 0;
        world.rotateKey(index);
        world.reach("rotate a key", 0);
    }

    /// @dev Later epochs skip it, until it rotates its key. Some operators stay.
    function disableKey(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint256 index = pick(own, "operator", world.operatorCount());
        if (index < world.STAYING_OPERATORS()) index = world.STAYING_OPERATORS();
        OperatorSets.Operator memory operator = world.operator(index);
        if (operator.registered && !operator.disabled) {
            world.disableKey(index);
            return world.reach("disable a key", 0);
        }
        bytes memory expected = abi.encodeWithSelector(
            operator.registered
                ? IOperatorRegistry.KeyAlreadyDisabled.selector
                : IOperatorRegistry.OperatorNotRegistered.selector,
            address(uint160(0x1000000 + index))
        );
        bytes memory data = abi.encodeCall(IOperatorRegistry.disableKey, ());
        mustFailCall(
            "disable no key", address(uint160(0x1000000 + index)), address(world.operatorRegistry()), data, expected
        );
    }

    /// @dev Reaches attestations only through the next epoch.
    function changeWeight(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        uint256 index = pick(own, "operator", world.operatorCount());
        uint96 weight = _weight(own);
        if (index < world.STAYING_OPERATORS() && weight == 0) weight = 1;
        world.weigh(uint32(1 + pick(own, "set", 2)), index, weight);
        world.reach("change a weight", 0);
    }

    /// @dev Refused with its signature and under a recorded root alike.
    function deny(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (Attestation memory denial, uint32 epoch) = world.evaluate(vault, World.Payment(pick(own, "payment", 3)), own);
        denial.decision = 0;
        Signed memory signed = world.signAlone(denial, epoch, 0);
        mustFail("deny", client, signed, abi.encodeWithSelector(IRefusals.PolicyDenied.selector, denial.taskId));
        world.record(signed);
        signed.recorded = true;
        perform("deny under a recorded root", client, signed);
    }

    function missTheQuorum(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (Attestation memory attestation, uint32 epoch) =
            world.evaluate(vault, World.Payment(pick(own, "payment", 3)), own);
        uint256 absent = world.tooManyAbsentees(epoch, world.policyOf(client).quorum, pick(own, "absent", 12));
        perform("miss the quorum", client, world.signAlone(attestation, epoch, absent));

        Signed memory signed = world.signAlone(attestation, epoch, world.tooManyAbsentees(epoch, 0, own));
        bytes memory expected = abi.encodeWithSelector(
            IRefusals.QuorumNotReached.selector,
            world.weightWithout(epoch, signed.absent),
            world.requiredWeight(epoch, 0)
        );
        bytes memory data =
            abi.encodeCall(IAttestationValidator.recordRoot, (EpochId.wrap(epoch), world.signedRootOf(signed)));
        mustFailCall("record below the floor", world.attacker(), address(world.manager()), data, expected);
    }

    /// @dev Just over half have signed, then all, then just over half once more, which must change nothing.
    function recordWithMoreAndThenLess(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (Attestation memory attestation, uint32 epoch) =
            world.evaluate(vault, World.Payment(pick(own, "payment", 3)), own);
        Signed memory few = world.signAlone(attestation, epoch, world.absentees(epoch, 0, type(uint256).max));
        few.recorded = true;
        world.record(few);
        if (bytes4(world.refusalOf(client, few)) == IRefusals.QuorumNotReached.selector) {
            perform("use what few recorded", client, few);
        }
        world.record(world.signAlone(attestation, epoch, 0));
        world.record(few);
        mustPass("use what all recorded", client, few);
    }

    /// @dev What outlives its epoch cannot be used as recorded, but with its signature, until the epoch's end. Its last
    /// second comes only now and then, because by then most of what is pending has expired.
    function signForTheLongestLifetime(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Policy memory terms = world.policyOf(client);
        if (pick(own, "last second", 4) == 0) {
            vm.warp(world.frozenEpoch(world.latestInForce(OperatorSetId.unwrap(terms.operatorSet))).expiresAt - 1);
        }
        (Attestation memory attestation, uint32 epoch) =
            world.evaluate(vault, World.Payment(pick(own, "payment", 3)), own);
        attestation.expiration = uint48(block.timestamp) + terms.maxLifetime;
        Signed memory signed = world.signAlone(attestation, epoch, 0);
        world.record(signed);
        signed.recorded = true;
        uint48 end = world.frozenEpoch(epoch).expiresAt;
        if (attestation.expiration > end) {
            bytes memory expected =
                abi.encodeWithSelector(IRefusals.ExpirationBeyondEpoch.selector, attestation.expiration, end);
            mustFail("use beyond the end of an epoch", client, signed, expected);
            signed.recorded = false;
            if (pick(own, "too late", 2) == 0) {
                vm.warp(world.frozenEpoch(epoch).validUntil);
                return perform("use after the end of an epoch", client, signed);
            }
        }
        mustPass("use for the longest lifetime", client, signed);
    }

    /// @dev No operator enters with another's key, or one used before.
    function takeAKeyThatIsNotFree(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        OperatorSets.Operator memory victim = world.operator(pick(own, "victim", world.operatorCount()));
        IOwnedRegistry registry = world.operatorRegistry();
        bytes memory key = OperatorKeys.publicKey(victim.secret);
        bytes memory stolen = OperatorKeys.proofOfPossession(victim.secret, registry, address(this), key);
        mustFailCall(
            "register another's key",
            world.attacker(),
            address(registry),
            abi.encodeCall(registry.registerOperator, (key, stolen)),
            abi.encodeWithSelector(IOperatorRegistry.InvalidProofOfPossession.selector)
        );
        if (own % 2 == 0) return;
        bytes memory proof = OperatorKeys.proofOfPossession(victim.secret, registry, world.attacker(), key);
        mustFailCall(
            "register a used key",
            world.attacker(),
            address(registry),
            abi.encodeCall(registry.registerOperator, (key, proof)),
            abi.encodeWithSelector(IOperatorRegistry.KeyAlreadyUsed.selector, keccak256(key))
        );
    }

    /* PRIVATE */

    /// @dev Mostly ordinary; now and then nothing, or close to what 96 bits hold for a dozen operators.
    function _weight(uint256 seed) private view returns (uint96) {
        uint256 kind = pick(seed, "kind of weight", 8);
        if (kind == 0) return 0;
        return uint96(1 + pick(seed, "weight", kind == 1 ? 2 ** 92 : 1000));
    }
}
