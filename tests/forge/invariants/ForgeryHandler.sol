// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {Attestation, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {Authorization} from "../../../contracts/libraries/Authorization.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {Signed} from "./Attesting.sol";
import {Handler} from "./Handler.sol";
import {World} from "./World.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @title An attacker who bends what operators signed
/// @dev Now and then what was bent is used unbent in the end, so it was the bend that was refused.
contract ForgeryHandler is Handler {
    using LibBytes for bytes;

    constructor(World world_) Handler(world_) {
        _addAction(this.bendTheAttestation.selector);
        _addAction(this.bendTheProof.selector);
        _addAction(this.bendTheBytes.selector);
        _addAction(this.bendTheCall.selector);
        _addAction(this.callAsAnother.selector);

        _addRefusal("bend the attestation", IRefusals.WrongTask.selector);
        _addRefusal("bend the attestation", IRefusals.AttestationNotYetValid.selector);
        _addRefusal("bend the attestation", IRefusals.AttestationExpired.selector);
        _addRefusal("bend the attestation", IRefusals.LifetimeTooLong.selector);
        _addRefusal("bend the attestation", IRefusals.UnknownEpoch.selector);
        _addRefusal("bend the attestation", IRefusals.InvalidSignature.selector);
        _addRefusal("bend the proof", IRefusals.QuorumNotReached.selector);
        _addRefusal("bend the proof", IRefusals.InvalidSignature.selector);
        _addRefusal("bend the proof", IRefusals.MalformedSignature.selector);
        _addRefusal("bend the bytes", IRefusals.MalformedAuthorization.selector);
        _addRefusal("bend the bytes", IRefusals.NonSignerOutOfRange.selector);
        _addRefusal("bend the call", IRefusals.WrongTask.selector);
        _addRefusal("call as another", TreasuryVault.NotAgent.selector);
        _addRefusal("call for another", IRefusals.WrongSender.selector);
        _addSuccess("use unbent");
    }

    /* ACTIONS */

    /// @dev A field of what is attested, and everything that would go on were it not signed.
    function bendTheAttestation(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.fresh(vault, own);
        Signed memory bent = copyOf(signed);
        Attestation memory attestation = bent.attestation;
        uint256 field = pick(own, "field", 10);
        uint48 lifetime = world.policyOf(client).maxLifetime;
        if (field == 0) attestation.taskId ^= bytes32(1 << pick(own, "bit", 256));
        if (field == 1) attestation.nonce ^= 1 << pick(own, "bit", 256);
        if (field == 2) attestation.expiration = _otherTimelyExpiration(attestation.expiration, lifetime);
        if (field == 3) attestation.expiration = uint48(block.timestamp - pick(own, "late", 2));
        if (field == 4) attestation.expiration = uint48(block.timestamp + lifetime + 1);
        if (field == 5) attestation.decision = 0;
        if (field == 6) attestation.evidence ^= bytes32(1 << pick(own, "bit", 256));
        if (field == 8) attestation.issuedAt -= 1;
        if (field == 9) attestation.issuedAt = uint48(block.timestamp + 1);
        if (field == 7) bent.epoch = world.epochCount() + 1;
        mustFailForged("bend the attestation", client, bent);
        _useUnbent(client, signed, own);
    }

    /// @dev The proof that is carried: signature, bitmap, Merkle proof.
    function bendTheProof(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.fresh(vault, own);
        Signed memory bent = copyOf(signed);
        uint256 part = pick(own, "part", 5);
        if (part == 0) bent.signature = signedByTheAttacker(bent.root);
        if (part == 1) bent.signature = world.signRoot(keccak256(abi.encode(own)), bent.epoch, bent.absent);
        if (part == 2) bent.absent ^= 1 << pick(own, "operator", world.frozenEpoch(bent.epoch).members.length);
        if (part == 3) bent.proof = MerkleTree.append(bent.proof, keccak256(abi.encode(own)));
        if (part < 4) {
            mustFailForged("bend the proof", client, bent);
        } else {
            bent.signature = own % 2 == 0 ? new bytes(96) : _flipped(bent.signature, 95);
            bytes memory expected = abi.encodeWithSelector(IRefusals.MalformedSignature.selector);
            mustFail("bend the proof", client, bent, expected);
        }
        _useUnbent(client, signed, own);
    }

    /// @dev Bytes that do not parse, leave something over, are a second spelling, or name an unknown operator.
    function bendTheBytes(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.fresh(vault, own);
        bytes memory good = world.authorizationOf(signed);
        uint256 kind = pick(own, "kind of bytes", 8);
        bytes memory bad = _malformed(signed, good, kind, own);
        bytes4 refusal = kind == 6 ? IRefusals.NonSignerOutOfRange.selector : IRefusals.MalformedAuthorization.selector;
        Intent memory intent = signed.attestation.intent;
        mustFail("bend the bytes", client, world.agent(), intent, bad, abi.encodeWithSelector(refusal));
        _useUnbent(client, signed, own);
    }

    /// @dev Another call than the attested one.
    function bendTheCall(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.fresh(vault, own);
        Signed memory bent = copyOf(signed);
        Intent memory intent = bent.attestation.intent;
        uint256 part = pick(own, "part", 5);
        // The amount, or the recipient: 20 bytes of either, since dirty bytes before an address fail to decode.
        uint256 place = own % 20 + (pick(own, "argument", 2) == 0 ? 1 : 33);
        if (part == 0 && intent.data.length != 0) intent.data = _flipped(intent.data, intent.data.length - place);
        if (part == 0 && intent.to == world.recipient()) intent.value ^= 1 << (own % 80);
        if (part == 1) intent.value ^= 1;
        if (part == 2) intent.to = world.attacker();
        if (part == 3) intent = world.intentOf(client, World.Payment.Ether, 1000 + own % 1000);
        if (part == 4) intent = world.intentOf(client, World.Payment.Trailing, 1000 + own % 1000);
        bent.attestation.intent = intent;
        // As a trailing call it would carry ether, or have a value that `offer` does not send.
        bool asCall = intent.to == client && intent.value == 0;
        if (asCall || intent.to != client) mustFailForged("bend the call", client, bent);
        else _mustFailAsIntent(client, bent);
        _useUnbent(client, signed, own);
    }

    /// @dev Only the agent, and the agent only for itself.
    function callAsAnother(uint256 seed) external reachesAnEnd {
        (uint256 vault, address client, uint256 own) = start(seed);
        Signed memory signed = world.fresh(vault, own);
        (address agent, address attacker) = (world.agent(), world.attacker());
        (Intent memory intent, bytes memory good) = (signed.attestation.intent, world.authorizationOf(signed));
        bytes memory notAgent = abi.encodeWithSelector(TreasuryVault.NotAgent.selector, attacker);
        mustFail("call as another", client, attacker, intent, good, notAgent);

        (Attestation memory attestation, uint32 epoch) = world.evaluate(vault, World.Payment.Ether, own);
        attestation.intent.from = attacker;
        attestation.taskId = world.taskIdOf(client, attestation.policyId, attestation.intent, attestation.nonce);
        Signed memory ofAttacker = world.signAlone(attestation, epoch, 0);
        bytes memory wrongSender = abi.encodeWithSelector(IRefusals.WrongSender.selector, agent, attacker);
        mustFail("call for another", client, ofAttacker, wrongSender);
        _useUnbent(client, signed, own);
    }

    /* PRIVATE */

    /// @dev In half of the cases, which is enough to show it.
    function _useUnbent(address client, Signed memory signed, uint256 seed) private {
        if (pick(seed, "unbent", 2) == 0) mustPass("use unbent", client, signed);
    }

    /// @dev Everything that check 2 is about.
    function _malformed(Signed memory signed, bytes memory good, uint256 kind, uint256 seed)
        private
        view
        returns (bytes memory bad)
    {
        uint256 operators = world.frozenEpoch(signed.epoch).members.length;
        bad = bytes.concat(good);
        if (kind == 0) return good.slice(0, pick(seed, "length", good.length));
        if (kind == 1) return bytes.concat(good, new bytes(1 + pick(seed, "length", 64)));
        if (kind == 2) bad[Authorization.DECISION_OFFSET] = bytes1(uint8(2 + pick(seed, "decision", 254)));
        if (kind == 3) bad[Authorization.KIND_OFFSET] = bytes1(uint8(1 + pick(seed, "kind", 255)));
        if (kind == 4) bad[bad.length - 1] = bytes1(uint8(1 + pick(seed, "proof length", 255)));
        bytes memory bitmap = world.bitmapOf(signed.absent);
        // A zero behind the bitmap; an operator that the epoch does not have; a proof longer than any tree is high.
        if (kind == 5) return _withBitmap(signed, bytes.concat(bitmap, hex"00"), 0);
        if (kind == 6) return _withBitmap(signed, world.bitmapOf(signed.absent | (1 << operators)), 0);
        if (kind == 7) return _withBitmap(signed, bitmap, 33);
    }

    function _withBitmap(Signed memory signed, bytes memory bitmap, uint8 proofLength)
        private
        view
        returns (bytes memory)
    {
        bytes memory good = world.authorizationOf(signed);
        bytes memory head = good.slice(0, good.length - 2 - world.bitmapOf(signed.absent).length);
        return abi.encodePacked(head, uint8(bitmap.length), bitmap, proofLength, new bytes32[](proofLength));
    }

    /// @dev As an intent although it is to the vault itself.
    function _mustFailAsIntent(address client, Signed memory bent) private {
        mustFailCall(
            "bend the call",
            world.agent(),
            client,
            abi.encodeCall(TreasuryVault.execute, (bent.attestation.intent, world.authorizationOf(bent))),
            world.refusalBeforeSignature(client, bent)
        );
    }

    function _otherTimelyExpiration(uint48 expiration, uint48 lifetime) private view returns (uint48) {
        return expiration == block.timestamp + lifetime ? expiration - 1 : expiration + 1;
    }

    function _flipped(bytes memory data, uint256 index) private pure returns (bytes memory flipped) {
        flipped = bytes.concat(data);
        flipped[index] ^= 0x01;
    }
}
