// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestBase} from "../../forge/utils/AssentTestBase.sol";
import {AuthorizationReader} from "../../forge/utils/AuthorizationReader.sol";
import {VerifierOracle} from "./VerifierOracle.sol";

contract HashesDifferentialTest is AssentTestBase, VerifierOracle {
    /// @dev As `docs/protocol.md` has it.
    struct Connection {
        bytes32 challenge;
        address operator;
        string gateway;
    }

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

    /// @dev No contract hashes these yet: forge's own EIP-712 does, from the protocol's type strings.
    function testFuzz_ObservationDigestAgrees(bytes32[4] memory words, uint64 chainId) public {
        vm.chainId(bound(chainId, 1, type(uint64).max - 1));
        string memory typeString = "Observation(bytes32 taskId,bytes32 source,bytes32 referenceBlock,bytes32 output)";
        bytes32 digest = _inTaskManagersDomain(vm.eip712HashStruct(typeString, abi.encode(words)));
        assertEq(askObservationDigest(address(taskManager), words), digest);
    }

    function testFuzz_ConnectionDigestAgrees(bytes32 challenge, address operator, bytes memory gateway, uint64 chainId)
        public
    {
        vm.chainId(bound(chainId, 1, type(uint64).max - 1));
        for (uint256 i = 0; i < gateway.length; ++i) {
            gateway[i] &= 0x7f; // Any bytes below 0x80 are a string.
        }
        string memory typeString = "Connection(bytes32 challenge,address operator,string gateway)";
        Connection memory connection = Connection(challenge, operator, string(gateway));
        bytes32 hash = vm.eip712HashStruct(typeString, abi.encode(connection));
        assertEq(
            askConnectionDigest(address(taskManager), challenge, operator, string(gateway)), _inTaskManagersDomain(hash)
        );
    }

    function _inTaskManagersDomain(bytes32 structHash) private view returns (bytes32) {
        bytes memory domain = abi.encode(keccak256("Assent"), keccak256("1"), block.chainid, address(taskManager));
        bytes32 typeHash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 separator = keccak256(abi.encodePacked(typeHash, domain));
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function _taskId(Attestation memory attestation) private view returns (bytes32) {
        return
            taskManager.taskIdOf(attestation.policyClient, attestation.policyId, attestation.intent, attestation.nonce);
    }
}
