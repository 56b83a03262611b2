// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {Epoch, IAttestationValidator, SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IStakeSource} from "../../../contracts/interfaces/IStakeSource.sol";
import {AttestedCall, ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {
    Attestation,
    EpochId,
    IRefusals,
    Intent,
    OperatorSetId,
    Policy
} from "../../../contracts/interfaces/Protocol.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {Signed} from "./Attesting.sol";
import {Digests} from "./Digests.sol";
import {Handler} from "./Handler.sol";
import {World} from "./World.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @title An attacker who goes past the vault: to the TaskManager, the registry, the records
contract IntruderHandler is Handler {
    constructor(World world_) Handler(world_) {
        _addAction(this.spendForTheVault.selector);
        _addAction(this.spendForItself.selector);
        _addAction(this.actAsOwner.selector);
        _addAction(this.actAsRegistry.selector);
        _addAction(this.recordWhatIsNotSigned.selector);
        _addAction(this.useWhatIsNotRecorded.selector);

        _addRefusal("spend for the vault", IRefusals.WrongTask.selector);
        _addRefusal("spend for the vault", IRefusals.AttestationAlreadySpent.selector);
        _addRefusal("spend for the vault", IRefusals.InvalidSignature.selector);
        _addSuccess("use unspent");
        _addSuccess("spend for itself");
        _addSuccess("burn for itself");
        _addRefusal("act as owner", Ownable.OwnableUnauthorizedAccount.selector);
        _addRefusal("act as registry", IAttestationValidator.NotOperatorRegistry.selector);
        _addRefusal("record what is not signed", IRefusals.UnknownEpoch.selector);
        _addRefusal("record what is not signed", IRefusals.EpochRevoked.selector);
        _addRefusal("record what is not signed", IRefusals.EpochExpired.selector);
        _addRefusal("record what is not signed", IRefusals.InvalidSignature.selector);
        _addRefusal("record swapped signatures", IRefusals.InvalidSignature.selector);
        _addRefusal("record one that is not signed", IRefusals.InvalidSignature.selector);
        _addRefusal("use what is not recorded", IRefusals.RootNotRecorded.selector);
    }

    /* ACTIONS */

    /// @dev The vault's authorization, spent by another account under its own terms.
    function spendForTheVault(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.fresh(vault, own);
        Attestation memory attestation = signed.attestation;
        (address attacker, bytes32 carried) = (world.attacker(), attestation.taskId);
        Policy memory terms = world.policyOf(client);
        (terms.quorum, terms.maxLifetime) = (0, type(uint48).max);
        bytes32 expected = world.taskIdOf(attacker, terms.policyId, attestation.intent, attestation.nonce);
        bytes memory refusal = abi.encodeWithSelector(IRefusals.WrongTask.selector, expected, carried);
        _mustNotSpend("spend for the vault", signed, terms, refusal);

        attestation.taskId = expected;
        refusal = world.isSpent(attacker, attestation.nonce)
            ? abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, attacker, attestation.nonce)
            : abi.encodeWithSelector(IRefusals.InvalidSignature.selector);
        _mustNotSpend("spend for the vault", signed, terms, refusal);
        attestation.taskId = carried;
        mustPass("use unspent", client, signed);
    }

    /// @dev Spends and burns its own nonces, with the numbers of a vault's.
    function spendForItself(uint256 seed) external reachesAnEnd {
        (uint256 vault,, uint256 own) = start(seed);
        address attacker = world.attacker();
        Policy memory terms = world.policyOf(address(world.vaults(vault)));
        Intent memory intent = world.intentOf(attacker, World.Payment(pick(own, "payment", 3)), 1);
        Attestation memory attestation = world.attest(attacker, terms, intent, own);
        uint32 epoch = world.epochInForce(OperatorSetId.unwrap(terms.operatorSet), own);
        Signed memory signed = world.signAlone(attestation, epoch, 0);
        (bool success, bytes memory returned) = _spend(signed, terms);
        assertTrue(success, "a client's own authorization was refused");
        assertEq(returned, abi.encode(attestation.taskId), "another task was spent");
        world.noteSpent(attacker, attestation.nonce);
        world.reach("spend for itself", 0);

        (uint256 word, uint256 mask) = (own % 3, own & pick(own, "mask", type(uint256).max));
        world.transact(attacker, address(world.manager()), abi.encodeCall(ITaskManager.burnNonces, (word, mask)));
        world.noteBurned(attacker, word, mask);
        world.reach("burn for itself", 0);
    }

    function actAsOwner(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        (address target, bytes memory data) = _ownersCall(own);
        bytes memory notOwner = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, world.attacker());
        mustFailCall("act as owner", world.attacker(), target, data, notOwner);
    }

    /// @dev Brings a revoked epoch back, or its own operators in, past the registry.
    function actAsRegistry(uint256 seed) external reachesAnEnd {
        (,, uint256 own) = start(seed);
        EpochId number = EpochId.wrap(uint32(1 + pick(own, "epoch", world.epochCount() + 1)));
        Epoch memory epoch = Epoch(world.frozenEpoch(1).table, OperatorSetId.wrap(1), 2 ** 47, 2 ** 47);
        mustFailCall(
            "act as registry",
            world.attacker(),
            address(world.manager()),
            abi.encodeCall(IAttestationValidator.updateEpoch, (number, epoch)),
            abi.encodeWithSelector(IAttestationValidator.NotOperatorRegistry.selector, world.attacker())
        );
    }

    /// @dev A single root of the attacker's, or two of which each has the other's signature.
    function recordWhatIsNotSigned(uint256 seed) external reachesAnEnd {
        (uint256 vault,, uint256 own) = start(seed);
        uint32 epoch = 1 + uint32(pick(own, "epoch", world.epochCount() + 1));
        if (pick(own, "expired", 2) == 0) epoch = _expiredOr(epoch);
        SignedRoot memory forged = SignedRoot(keccak256(abi.encode(own)), "", "");
        forged.signature = signedByTheAttacker(forged.root);
        bytes memory refusal = abi.encodeWithSelector(IRefusals.InvalidSignature.selector);
        bytes memory expected = refusal;
        if (!world.isInForce(epoch)) expected = world.refusalByEpochsEnd(epoch);
        _mustNotRecord(
            "record what is not signed",
            abi.encodeCall(IAttestationValidator.recordRoot, (EpochId.wrap(epoch), forged)),
            expected
        );

        if (own % 3 == 0) return;
        Signed memory first = world.fresh(vault, own);
        SignedRoot[] memory roots = new SignedRoot[](2);
        roots[0] = SignedRoot("one", world.signRoot("one", first.epoch, 0), "");
        roots[1] = SignedRoot("another", world.signRoot("another", first.epoch, 0), "");
        (roots[0].signature, roots[1].signature) = (roots[1].signature, roots[0].signature);
        if (own % 3 == 1) roots[1] = world.signedRootOf(first);
        bytes memory data = abi.encodeCall(IAttestationValidator.recordRoots, (EpochId.wrap(first.epoch), roots));
        _mustNotRecord(own % 3 == 1 ? "record one that is not signed" : "record swapped signatures", data, refusal);
    }

    /// @dev Returns an epoch that expired without being revoked, or `otherwise` if no epoch did.
    function _expiredOr(uint32 otherwise) private view returns (uint32) {
        for (uint32 epoch = 1; epoch <= world.epochCount(); ++epoch) {
            bytes4 refusal = bytes4(world.refusalByEpochsEnd(epoch));
            if (!world.isInForce(epoch) && refusal == IRefusals.EpochExpired.selector) return epoch;
        }
        return otherwise;
    }

    /// @dev An attestation of the attacker's with the proof of one under a recorded root, or with none.
    function useWhatIsNotRecorded(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Attestation[] memory batch = new Attestation[](2);
        uint32 epoch;
        (batch[0], epoch) = world.evaluate(vault, World.Payment.Trailing, own);
        (batch[1],) = world.evaluate(vault, World.Payment.Ether, own + 1);
        Signed memory signed = world.signTogether(batch, epoch, 0)[0];
        world.record(signed);

        Signed memory forged = Signed(batch[0], epoch, 0, "", signed.proof, 0, true);
        forged.attestation.intent = world.intentOf(client, World.Payment.Trailing, 1000 + own % 1000);
        forged.attestation.taskId =
            world.taskIdOf(client, forged.attestation.policyId, forged.attestation.intent, forged.attestation.nonce);
        if (own % 4 == 0) forged.proof = new bytes32[](0);
        if (own % 4 == 1) forged.proof = MerkleTree.append(forged.proof, signed.root);
        if (own % 4 == 2) forged.proof[0] = signed.root;
        forged.root = Digests.fold(world.digestOf(forged.attestation), forged.proof);
        bytes memory expected = abi.encodeWithSelector(IRefusals.RootNotRecorded.selector, epoch, forged.root);
        mustFail("use what is not recorded", client, forged, expected);
    }

    /* PRIVATE */

    function _spend(Signed memory signed, Policy memory terms) private returns (bool, bytes memory) {
        Intent memory intent = signed.attestation.intent;
        AttestedCall memory attested =
            AttestedCall(intent.from, intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId);
        bytes memory data = abi.encodeCall(ITaskManager.spend, (attested, terms, 0, world.authorizationOf(signed)));
        return world.transact(world.attacker(), address(world.manager()), data);
    }

    function _mustNotSpend(string memory action, Signed memory signed, Policy memory terms, bytes memory expected)
        private
    {
        (bool success, bytes memory returned) = _spend(signed, terms);
        assertFalse(success, action);
        assertEq(returned, expected, action);
        world.reach(action, bytes4(expected));
    }

    function _mustNotRecord(string memory action, bytes memory data, bytes memory expected) private {
        mustFailCall(action, world.attacker(), address(world.manager()), data, expected);
    }

    /// @dev Each call that only an owner may make.
    function _ownersCall(uint256 seed) private view returns (address target, bytes memory data) {
        uint256 call = pick(seed, "call", 13);
        OperatorSetId set = OperatorSetId.wrap(uint32(1 + pick(seed, "set", 2)));
        address[] memory operators = new address[](1);
        operators[0] = world.attacker();
        target = address(world.operatorRegistry());
        if (call == 0) return (target, abi.encodeCall(IOperatorRegistry.commitEpoch, (set, operators)));
        if (call == 1) return (target, abi.encodeCall(IOperatorRegistry.revokeEpochs, (new EpochId[](1))));
        if (call == 2) return (target, abi.encodeCall(IOperatorRegistry.stageOperators, (set, operators)));
        if (call == 3) return (target, abi.encodeCall(IOperatorRegistry.discardStagedOperators, (set)));
        if (call == 4) return (target, abi.encodeCall(IOperatorRegistry.setGracePeriod, (30 days)));
        if (call == 5) {
            return (target, abi.encodeCall(IOperatorRegistry.setStakeSource, (IStakeSource(address(this)))));
        }
        if (call == 6) return (target, abi.encodeCall(IOperatorRegistry.addValidator, (world.manager())));
        if (call == 7) {
            return
                (
                    address(world.weights()),
                    abi.encodeCall(world.weights().setWeights, (set, operators, new uint96[](1)))
                );
        }
        TreasuryVault vault = world.vaults(seed % 2);
        if (call == 8) return (address(vault), abi.encodeCall(vault.setAgent, (operators[0])));
        if (call == 9) return (address(vault), abi.encodeCall(vault.setAssentPolicy, (vault.assentPolicy())));
        if (call == 10) return (address(vault), abi.encodeCall(vault.burnAssentNonces, (0, 1)));
        if (call == 11) return (address(vault), abi.encodeCall(vault.voidAssentAttestations, (type(uint48).max)));
        return (address(vault), abi.encodeCall(vault.setAssentTaskManager, (world.otherTaskManager())));
    }
}
