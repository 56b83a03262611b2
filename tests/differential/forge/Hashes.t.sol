// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestBase} from "../../forge/utils/AssentTestBase.sol";
import {AuthorizationReader} from "../../forge/utils/AuthorizationReader.sol";
import {VerifierOracle} from "./VerifierOracle.sol";

contract HashesDifferentialTest is AssentTestBase, VerifierOracle {
    AuthorizationReader private reader = new AuthorizationReader();

    function setUp() public {
        deployAssent(1);
    }

    /// @dev Under any chain's id, and with any values at all: the task id too is carried, and need not be right.
    function testFuzz_TaskIdDigestAndRootAgree(Attestation memory attestation, bytes32[] memory proof, uint64 chainId)
        public
    {
        vm.chainId(bound(chainId, 1, type(uint64).max - 1));
        if (proof.length > 32) proof = new bytes32[](32);
        (, bytes32 taskId, bytes32 digest, bytes32 root) =
            askHashes(address(taskManager), abi.encode(attestation), proof);
        assertEq(_taskId(attestation), taskId, "task id");
        assertEq(taskManager.digestOf(attestation), digest, "digest");
        attestation.decision %= 2; // Nothing else parses; the root does not depend on it, given the digest.
        assertEq(reader.root(encodeRecorded(attestation, FIRST_EPOCH, proof), digest), root, "root");
    }

    /// @dev The contracts show no intent hash, but take one in: the task id is a hash over it.
    function testFuzz_IntentHashAgrees(Intent memory intent, address policyClient, bytes32 policyId, uint256 nonce)
        public
    {
        Attestation memory attestation;
        attestation.intent = intent;
        (bytes32 intentHash,,,) = askHashes(address(taskManager), abi.encode(attestation), new bytes32[](0));
        assertEq(
            taskManager.taskIdOf(policyClient, policyId, intent, nonce),
            keccak256(abi.encode(block.chainid, taskManager, policyClient, policyId, intentHash, nonce))
        );
    }

    function testFuzz_ProofOfPossessionDigestAgrees(address operator, bytes32[6] memory publicKey, uint64 chainId)
        public
    {
        vm.chainId(bound(chainId, 1, type(uint64).max - 1));
        bytes memory key = abi.encode(publicKey);
        bytes32 digest = askProofOfPossessionDigest(address(registry), operator, key);
        assertEq(registry.proofOfPossessionDigest(operator, key), digest);
    }

    function _taskId(Attestation memory attestation) private view returns (bytes32) {
        return
            taskManager.taskIdOf(attestation.policyClient, attestation.policyId, attestation.intent, attestation.nonce);
    }
}
