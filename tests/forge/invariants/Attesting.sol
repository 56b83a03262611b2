// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Attestation, EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {Digests} from "./Digests.sol";
import {OperatorSets} from "./OperatorSets.sol";

/// @dev An attestation that operators have signed, and how it will be offered.
struct Signed {
    Attestation attestation;
    uint32 epoch;
    uint256 absent;
    bytes signature;
    bytes32[] proof;
    bytes32 root;
    bool recorded;
}

/// @title Operators who sign, and every signature and record there should be
abstract contract Attesting is OperatorSets {
    struct RootOfEpoch {
        uint32 epoch;
        bytes32 root;
    }

    /// @dev The greatest weight with which the operators of an epoch have signed a root.
    mapping(uint32 epoch => mapping(bytes32 root => uint256)) internal signedWeights;
    /// @dev The weight that should be recorded.
    mapping(uint32 epoch => mapping(bytes32 root => uint256)) public recordedWeights;
    RootOfEpoch[] internal recordedRoots;
    /// @dev Tasks that a quorum has allowed, by the digest's taskId; a denial does not count.
    mapping(bytes32 taskId => bool) internal allowed;

    /* SIGNING */

    function signAlone(Attestation memory attestation, uint32 epoch, uint256 absent) public returns (Signed memory) {
        Attestation[] memory batch = new Attestation[](1);
        batch[0] = attestation;
        return signTogether(batch, epoch, absent)[0];
    }

    /// @dev One signature for all.
    function signTogether(Attestation[] memory batch, uint32 epoch, uint256 absent)
        public
        returns (Signed[] memory signed)
    {
        signed = new Signed[](batch.length);
        bytes32[] memory leaves = new bytes32[](batch.length);
        bool isQuorum = weightWithout(epoch, absent) >= requiredWeight(epoch, 0);
        for (uint256 i = 0; i < batch.length; ++i) {
            leaves[i] = digestOf(batch[i]);
            if (isQuorum && batch[i].decision == 1) allowed[batch[i].taskId] = true;
        }
        bytes32 root = MerkleTree.rootOf(leaves);
        bytes memory signature = signRoot(root, epoch, absent);
        for (uint256 i = 0; i < batch.length; ++i) {
            bytes32[] memory proof = MerkleTree.proofOf(leaves, i);
            signed[i] = Signed(batch[i], epoch, absent, signature, proof, root, false);
        }
    }

    /// @dev The aggregate signature of an epoch's operators but those of `absent`.
    function signRoot(bytes32 root, uint32 epoch, uint256 absent) public returns (bytes memory) {
        FrozenEpoch storage epoch_ = frozen[epoch];
        uint256 sum = 0;
        for (uint256 i = 0; i < epoch_.secrets.length; ++i) {
            if ((absent >> i) & 1 == 0) sum = addmod(sum, epoch_.secrets[i], OperatorKeys.ORDER);
        }
        uint256 weight = weightWithout(epoch, absent);
        if (weight > signedWeights[epoch][root]) signedWeights[epoch][root] = weight;
        return OperatorKeys.sign(sum, root);
    }

    function digestOf(Attestation memory attestation) public view returns (bytes32) {
        return Digests.digest(block.chainid, address(taskManager), attestation);
    }

    function authorizationOf(Signed memory signed) public pure returns (bytes memory) {
        return signed.recorded
            ? encodeRecorded(signed.attestation, EpochId.wrap(signed.epoch), signed.proof)
            : encode(
                signed.attestation, EpochId.wrap(signed.epoch), signed.signature, bitmapOf(signed.absent), signed.proof
            );
    }

    /// @dev The shortest.
    function bitmapOf(uint256 absent) public pure returns (bytes memory bitmap) {
        for (; absent != 0; absent >>= 8) {
            bitmap = bytes.concat(bitmap, bytes1(uint8(absent)));
        }
    }

    function signedRootOf(Signed memory signed) public pure returns (SignedRoot memory) {
        return SignedRoot(signed.root, signed.signature, bitmapOf(signed.absent));
    }

    /* RECORDING */

    /// @dev By a passer-by. The epoch must be in force and the weight at least the floor.
    function record(Signed memory signed) external {
        _mustSucceed(abi.encodeCall(taskManager.recordRoot, (EpochId.wrap(signed.epoch), signedRootOf(signed))));
        _noteRecord(signed);
    }

    /// @dev All of one epoch.
    function recordMany(Signed[] memory signed) external {
        SignedRoot[] memory roots = new SignedRoot[](signed.length);
        for (uint256 i = 0; i < signed.length; ++i) {
            roots[i] = signedRootOf(signed[i]);
        }
        _mustSucceed(abi.encodeCall(taskManager.recordRoots, (EpochId.wrap(signed[0].epoch), roots)));
        for (uint256 i = 0; i < signed.length; ++i) {
            _noteRecord(signed[i]);
        }
    }

    /// @dev Everything that could spend or record is called here and watched.
    function transact(address caller, address target, bytes memory data)
        public
        virtual
        returns (bool success, bytes memory returned);

    function _mustSucceed(bytes memory data) private {
        (bool success, bytes memory returned) = transact(makeAddr("passer-by"), address(taskManager), data);
        assertEq(returned, "", "a good root was not recorded");
        assertTrue(success);
    }

    function _noteRecord(Signed memory signed) private {
        uint256 weight = weightWithout(signed.epoch, signed.absent);
        uint256 before = recordedWeights[signed.epoch][signed.root];
        if (before == 0) recordedRoots.push(RootOfEpoch(signed.epoch, signed.root));
        if (weight > before) recordedWeights[signed.epoch][signed.root] = weight;
    }
}
