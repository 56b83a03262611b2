// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, IRefusals, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {Signed} from "./Attesting.sol";
import {Digests} from "./Digests.sol";
import {Handler} from "./Handler.sol";
import {World} from "./World.sol";

/// @title An attacker who uses valid authorizations elsewhere
/// @dev Everything offered was signed by a quorum, for another client, chain, policy, TaskManager or epoch. The task id
/// gives that away; so it is offered once more under the task id that is expected, which the signature gives away.
contract ConfusionHandler is Handler {
    constructor(World world_) Handler(world_) {
        _addAction(this.useAtAnotherClient.selector);
        _addAction(this.useUnderAnotherPolicy.selector);
        _addAction(this.useOnAnotherChain.selector);
        _addAction(this.useAtAnotherTaskManager.selector);
        _addAction(this.useAnEpochOfAnotherSet.selector);
        _addAction(this.useAnEpochThatDidNotSign.selector);

        _addRefusal("use at another client", IRefusals.WrongTask.selector);
        _addRefusal("use at another client", IRefusals.UnknownEpoch.selector);
        _addRefusal("use at another client", IRefusals.InvalidSignature.selector);
        _addRefusal("use under another policy", IRefusals.WrongTask.selector);
        _addRefusal("use under another policy", IRefusals.InvalidSignature.selector);
        _addRefusal("use on another chain", IRefusals.WrongChain.selector);
        _addRefusal("use on another chain", IRefusals.WrongTask.selector);
        _addRefusal("use on another chain", IRefusals.InvalidSignature.selector);
        _addRefusal("use at another TaskManager", IRefusals.WrongTask.selector);
        _addRefusal("use at another TaskManager", IRefusals.InvalidSignature.selector);
        _addRefusal("use an epoch of another set", IRefusals.UnknownEpoch.selector);
        _addRefusal("use an epoch that did not sign", IRefusals.InvalidSignature.selector);
        _addRefusal("use an epoch that did not sign", IRefusals.RootNotRecorded.selector);
        _addSuccess("use where it is valid");
    }

    /* ACTIONS */

    /// @dev The vaults have one agent.
    function useAtAnotherClient(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        address other = address(world.vaults(1 - vault));
        // In half of the cases nothing but the address differs.
        if (pick(own, "same", 2) == 0) world.setPolicy(world.vaults(1 - vault), world.policyOf(client));
        Signed memory signed = world.freshPayment(vault, World.Payment(1 + pick(own, "payment", 2)), own);
        mustFailForged("use at another client", other, signed);
        mustFailForged("use at another client", other, _underTheExpectedTask(other, signed));
        mustPass("use where it is valid", client, signed);
    }

    function useUnderAnotherPolicy(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (Attestation memory attestation, uint32 epoch) = _evaluate(vault, own);
        attestation.policyId = keccak256(abi.encode(attestation.policyId));
        attestation.taskId = world.taskIdOf(client, attestation.policyId, attestation.intent, attestation.nonce);
        Signed memory signed = world.signAlone(attestation, epoch, 0);
        mustFailForged("use under another policy", client, signed);
        mustFailForged("use under another policy", client, _underTheExpectedTask(client, signed));
    }

    /// @dev What was signed here there, or what was signed there here.
    function useOnAnotherChain(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (uint256 home, uint256 away) = (block.chainid, 1 + pick(own, "chain", 2 ** 32));
        bool isSignedAway = own % 3 == 0;
        if (isSignedAway) vm.chainId(away);
        Signed memory signed = world.fresh(vault, own);
        vm.chainId(isSignedAway ? home : away);
        bytes memory wrongChain = abi.encodeWithSelector(
            IRefusals.WrongChain.selector, isSignedAway ? home : away, isSignedAway ? away : home
        );
        if (signed.attestation.intent.to != client) mustFail("use on another chain", client, signed, wrongChain);

        Signed memory bent = copyOf(signed);
        bent.attestation.intent.chainId = isSignedAway ? home : away;
        mustFailForged("use on another chain", client, bent);
        mustFailForged("use on another chain", client, _underTheExpectedTask(client, bent));
        vm.chainId(isSignedAway ? away : home);
        mustPass("use where it is valid", client, signed);
        vm.chainId(home);
    }

    function useAtAnotherTaskManager(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (Attestation memory attestation, uint32 epoch) = _evaluate(vault, own);
        address other = address(world.otherTaskManager());
        attestation.taskId =
            Digests.taskId(block.chainid, other, client, attestation.policyId, attestation.intent, attestation.nonce);
        bytes32 root = Digests.digest(block.chainid, other, attestation);
        bytes memory signature = world.signRoot(root, epoch, 0);
        Signed memory signed = Signed(attestation, epoch, 0, signature, new bytes32[](0), root, false);
        mustFailForged("use at another TaskManager", client, signed);
        mustFailForged("use at another TaskManager", client, _underTheExpectedTask(client, signed));
    }

    /// @dev Operators whom the client does not trust, in force and unanimous.
    function useAnEpochOfAnotherSet(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (Attestation memory attestation,) = _evaluate(vault, own);
        uint32 epoch = world.epochInForce(3 - OperatorSetId.unwrap(world.policyOf(client).operatorSet), own);
        Signed memory signed = world.signAlone(attestation, epoch, 0);
        bytes memory unknown = abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, epoch);
        mustFail("use an epoch of another set", client, signed, unknown);
        world.record(signed);
        signed.recorded = true;
        mustFail("use an epoch of another set", client, signed, unknown);
    }

    /// @dev A later epoch of the same set, in which an operator has another key.
    function useAnEpochThatDidNotSign(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        (Attestation memory attestation, uint32 epoch) = _evaluate(vault, own);
        Signed memory signed = world.signAlone(attestation, epoch, 0);
        world.record(signed);
        // Operator 0 is in every epoch.
        world.rotateKey(0);
        Signed memory bent = copyOf(signed);
        bent.epoch = world.commitApproved(OperatorSetId.unwrap(world.policyOf(client).operatorSet), own);
        mustFailForged("use an epoch that did not sign", client, bent);
        bent.recorded = true;
        mustFailForged("use an epoch that did not sign", client, bent);
        signed.recorded = true;
        mustPass("use where it is valid", client, signed);
    }

    /* PRIVATE */

    function _evaluate(uint256 vault, uint256 seed) private returns (Attestation memory, uint32 epoch) {
        return world.evaluate(vault, World.Payment(pick(seed, "payment", 3)), seed);
    }

    function _underTheExpectedTask(address client, Signed memory signed) private view returns (Signed memory bent) {
        bent = copyOf(signed);
        Policy memory terms = world.policyOf(client);
        bent.attestation.taskId =
            world.taskIdOf(client, terms.policyId, bent.attestation.intent, bent.attestation.nonce);
    }
}
