// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {MerkleTree} from "../../../contracts/testing/MerkleTree.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @dev One signature for many attestations: operators sign the root, each authorization carries its proof.
contract BatchTest is TrailingPath {
    function test_EveryAttestationOfABatchPasses() public {
        uint256[6] memory sizes = [uint256(1), 2, 3, 5, 8, 33];
        for (uint256 i = 0; i < sizes.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            _assertBatchPasses(sizes[i]);
            vm.revertToState(snapshot);
        }
    }

    function test_RevertWhen_AttestationOfABatchIsUsedTwice() public {
        (Attestation[] memory batch, bytes32[] memory leaves, bytes memory signature) = _signBatch(5);
        bytes memory authorization = encode(batch[2], FIRST_EPOCH, signature, "", MerkleTree.proofOf(leaves, 2));
        assertPasses(batch[2].intent, authorization);
        assertRefused(
            batch[2].intent,
            authorization,
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), 2)
        );
    }

    function test_RevertWhen_ProofIsOfAnotherLeaf() public {
        (Attestation[] memory batch, bytes32[] memory leaves, bytes memory signature) = _signBatch(8);
        for (uint256 other = 1; other < 8; ++other) {
            _assertInvalid(batch[0], signature, MerkleTree.proofOf(leaves, other));
        }
        assertPasses(batch[0].intent, encode(batch[0], FIRST_EPOCH, signature, "", MerkleTree.proofOf(leaves, 0)));
    }

    function test_RevertWhen_AnyHashOfTheProofIsWrong() public {
        (Attestation[] memory batch, bytes32[] memory leaves, bytes memory signature) = _signBatch(8);
        for (uint256 i = 0; i < 3; ++i) {
            bytes32[] memory proof = MerkleTree.proofOf(leaves, 0);
            proof[i] ^= bytes32(uint256(1));
            _assertInvalid(batch[0], signature, proof);
        }
    }

    function test_RevertWhen_ProofIsTooShortOrTooLong() public {
        (Attestation[] memory batch, bytes32[] memory leaves, bytes memory signature) = _signBatch(8);
        bytes32[] memory proof = MerkleTree.proofOf(leaves, 0);
        _assertInvalid(batch[0], signature, new bytes32[](0));
        _assertInvalid(batch[0], signature, MerkleTree.append(proof, bytes32(0)));
        _assertInvalid(batch[0], signature, MerkleTree.append(proof, MerkleTree.rootOf(leaves)));
    }

    function test_RevertWhen_LeafIsPutInTheNodesPlace() public {
        // The proof of the node above leaves 0 and 1, offered for leaf 0.
        (Attestation[] memory batch, bytes32[] memory leaves, bytes memory signature) = _signBatch(4);
        bytes32[] memory proofOfNode = new bytes32[](1);
        proofOfNode[0] = MerkleTree.proofOf(leaves, 0)[1];
        _assertInvalid(batch[0], signature, proofOfNode);
    }

    function test_RevertWhen_OperatorsSignedAnInnerNodeOnly() public {
        (Attestation[] memory batch, bytes32[] memory leaves,) = _signBatch(4);
        bytes32[] memory pair = new bytes32[](2);
        (pair[0], pair[1]) = (leaves[0], leaves[1]);
        bytes memory signatureOfPair = sign(MerkleTree.rootOf(pair), 0, OPERATORS);
        _assertInvalid(batch[0], signatureOfPair, MerkleTree.proofOf(leaves, 0));
        assertPasses(batch[0].intent, encode(batch[0], FIRST_EPOCH, signatureOfPair, "", MerkleTree.proofOf(pair, 0)));
    }

    function test_RevertWhen_AttestationIsNotInTheBatch() public {
        (, bytes32[] memory leaves, bytes memory signature) = _signBatch(8);
        _assertInvalid(_attestation(8), signature, MerkleTree.proofOf(leaves, 0));
    }

    function test_LongestProofPassesAndALongerOneDoesNotParse() public {
        Attestation memory attestation = _attestation(0);
        bytes32 root = taskManager.digestOf(attestation);
        bytes32[] memory proof = new bytes32[](32);
        for (uint256 i = 0; i < 32; ++i) {
            proof[i] = keccak256(abi.encode(i));
        }
        root = MerkleProof.processProof(proof, root);
        bytes memory longer =
            encode(attestation, FIRST_EPOCH, sign(root, 0, OPERATORS), "", MerkleTree.append(proof, bytes32(0)));
        assertRefused(attestation.intent, longer, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        assertPasses(attestation.intent, encode(attestation, FIRST_EPOCH, sign(root, 0, OPERATORS), "", proof));
    }

    function test_NonSignersAndProofGoTogether() public {
        (Attestation[] memory batch, bytes32[] memory leaves,) = _signBatch(5);
        bytes memory signature = sign(MerkleTree.rootOf(leaves), 2, OPERATORS);
        assertPasses(batch[4].intent, encode(batch[4], FIRST_EPOCH, signature, hex"03", MerkleTree.proofOf(leaves, 4)));
    }

    /// @dev The tree of the tests is not its own judge: OpenZeppelin's verifier must find the same roots.
    function testFuzz_RootsAreOpenZeppelins(bytes32[] memory leaves, uint256 index) public pure {
        vm.assume(leaves.length > 0);
        index %= leaves.length;
        assertTrue(MerkleProof.verify(MerkleTree.proofOf(leaves, index), MerkleTree.rootOf(leaves), leaves[index]));
    }

    function _assertBatchPasses(uint256 size) private {
        (Attestation[] memory batch, bytes32[] memory leaves, bytes memory signature) = _signBatch(size);
        for (uint256 i = 0; i < size; ++i) {
            bytes32[] memory proof = MerkleTree.proofOf(leaves, i);
            assertEq(MerkleProof.processProof(proof, leaves[i]), MerkleTree.rootOf(leaves));
            assertPasses(batch[i].intent, encode(batch[i], FIRST_EPOCH, signature, "", proof));
        }
        assertEq(taskManager.spentNonces(address(counter), 0), (1 << size) - 1);
    }

    function _assertInvalid(Attestation memory attestation, bytes memory signature, bytes32[] memory proof) private {
        assertRefused(
            attestation.intent,
            encode(attestation, FIRST_EPOCH, signature, "", proof),
            abi.encodeWithSelector(IRefusals.InvalidSignature.selector)
        );
    }

    /// @dev Attestation i has nonce i.
    function _signBatch(uint256 size)
        private
        view
        returns (Attestation[] memory batch, bytes32[] memory leaves, bytes memory signature)
    {
        batch = new Attestation[](size);
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            batch[i] = _attestation(i);
            leaves[i] = taskManager.digestOf(batch[i]);
        }
        signature = sign(MerkleTree.rootOf(leaves), 0, OPERATORS);
    }

    function _attestation(uint256 nonce) private view returns (Attestation memory) {
        Intent memory intent = protectedCall();
        intent.value = nonce;
        return attestationOf(address(counter), intent, nonce);
    }
}
