// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Attestation, IRefusals} from "../../../contracts/interfaces/Protocol.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";

/// @dev Trees bent so that an unattested leaf is under a signed root. Each is tried with its signature and
/// under the recorded root.
contract AttackMerkleProofsTest is TrailingPath {
    uint256 private constant BATCH = 4;

    /// @dev Of 4 attestations, and of 4 others, each under its own root that was signed and recorded.
    Attestation[] private batch;
    bytes32[] private leaves;
    bytes32[] private otherLeaves;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 2 * BATCH; ++i) {
            Attestation memory attestation = attestationOf(address(counter), protectedCall(), i);
            batch.push(attestation);
            (i < BATCH ? leaves : otherLeaves).push(taskManager.digestOf(attestation));
        }
        _record(MerkleTree.rootOf(leaves));
        _record(MerkleTree.rootOf(otherLeaves));
    }

    /// @dev No field holds a leaf: it is worked out from the call. So a node can only stand where a field of 32 bytes
    /// does.
    function test_RevertWhen_MerkleNodeIsOfferedAsALeaf() public {
        bytes32[] memory proofOfNode = new bytes32[](1);
        proofOfNode[0] = MerkleTree.proofOf(leaves, 0)[1];
        bytes32[] memory pair = new bytes32[](2);
        (pair[0], pair[1]) = (leaves[0], leaves[1]);
        bytes32 node = MerkleTree.rootOf(pair);
        pair[0] = node;
        pair[1] = proofOfNode[0];
        assertEq(MerkleTree.rootOf(pair), MerkleTree.rootOf(leaves), "not a proof of the node");

        Attestation memory forged = batch[0];
        forged.taskId = node;
        assertRefused(
            forged.intent,
            encode(forged, FIRST_EPOCH, _signature(leaves), "", proofOfNode),
            abi.encodeWithSelector(IRefusals.WrongTask.selector, batch[0].taskId, node)
        );
        forged = batch[0];
        forged.evidence = node;
        _assertNotUnder(forged, leaves, proofOfNode);
    }

    function test_RevertWhen_LeafIsOfAnotherTree() public {
        for (uint256 i = 0; i < BATCH; ++i) {
            for (uint256 j = 0; j < BATCH; ++j) {
                _assertNotUnder(batch[BATCH + i], leaves, MerkleTree.proofOf(leaves, j));
            }
            // Its own proof, with the other root's signature.
            assertRefused(
                batch[BATCH + i].intent,
                encode(batch[BATCH + i], FIRST_EPOCH, _signature(leaves), "", MerkleTree.proofOf(otherLeaves, i)),
                abi.encodeWithSelector(IRefusals.InvalidSignature.selector)
            );
        }
        bytes32[] memory ownProof = MerkleTree.proofOf(otherLeaves, 0);
        assertPasses(batch[BATCH].intent, encodeRecorded(batch[BATCH], FIRST_EPOCH, ownProof));
    }

    /// @dev A proof that continues past the root, to the unsigned root of a tree of the two roots.
    function test_RevertWhen_OverlongProofLeadsToARootNobodySigned() public {
        bytes32[] memory proof = MerkleTree.append(MerkleTree.proofOf(leaves, 0), MerkleTree.rootOf(otherLeaves));
        _assertNotUnder(batch[0], leaves, proof);
        assertPasses(batch[0].intent, encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0)));
    }

    function test_RevertWhen_OverlongProofHasMoreHashesThanItSays() public {
        bytes memory good = encodeRecorded(batch[0], FIRST_EPOCH, MerkleTree.proofOf(leaves, 0));
        bytes memory malformed = abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector);
        assertRefused(batch[0].intent, bytes.concat(good, MerkleTree.rootOf(leaves)), malformed);
        good = encode(batch[0], FIRST_EPOCH, _signature(leaves), "", MerkleTree.proofOf(leaves, 0));
        assertRefused(batch[0].intent, bytes.concat(good, MerkleTree.rootOf(leaves)), malformed);
        assertPasses(batch[0].intent, good);
    }

    /// @dev Documented: an operator signs the root of a tree whose leaves it worked out itself. A "leaf" taken on trust
    /// may be the root of a tree, and the signature is valid for every leaf under it.
    function test_RootOfATreeTakenForALeafAttestsAllUnderIt() public {
        bytes32[] memory trusted = new bytes32[](2);
        (trusted[0], trusted[1]) = (keccak256("an honest leaf"), MerkleTree.rootOf(leaves));
        bytes32[] memory proof = MerkleTree.append(MerkleTree.proofOf(leaves, 2), trusted[0]);
        assertPasses(batch[2].intent, encode(batch[2], FIRST_EPOCH, _signature(trusted), "", proof));
    }

    /// @dev Neither with the root's signature nor under any recorded root.
    function _assertNotUnder(Attestation memory attestation, bytes32[] memory tree, bytes32[] memory proof) private {
        assertRefused(
            attestation.intent,
            encode(attestation, FIRST_EPOCH, _signature(tree), "", proof),
            abi.encodeWithSelector(IRefusals.InvalidSignature.selector)
        );
        bytes memory refusal = attempt(attestation.intent, agent, encodeRecorded(attestation, FIRST_EPOCH, proof));
        assertEq(bytes4(refusal), IRefusals.RootNotRecorded.selector);
    }

    function _record(bytes32 root) private {
        taskManager.recordRoot(FIRST_EPOCH, SignedRoot(root, sign(root, 0, OPERATORS), ""));
    }

    function _signature(bytes32[] memory tree) private view returns (bytes memory) {
        return sign(MerkleTree.rootOf(tree), 0, OPERATORS);
    }
}
