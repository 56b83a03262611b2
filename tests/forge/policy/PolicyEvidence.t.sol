// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Intent} from "../../../contracts/interfaces/Protocol.sol";
import {Evidence} from "../../../contracts/policy/Evidence.sol";
import {
    EVIDENCE_TYPE_HASH,
    EvidenceOpening,
    POLICY_TYPE_HASH,
    PolicyEvidence,
    RESULT_HEIGHT,
    RULES_TYPE_HASH,
    ZERO_SUBTREE_15,
    ZERO_SUBTREE_19,
    ZERO_SUBTREE_20
} from "../../../contracts/policy/PolicyEvidence.sol";
import {PolicyInput} from "../../../contracts/policy/PolicyInput.sol";
import {PolicyEvidenceCaller} from "../utils/PolicyEvidenceCaller.sol";
import {Test} from "forge-std/Test.sol";

/// @dev evidence.json has openings that the crate assent-policy made; its own test keeps the file.
contract PolicyEvidenceTest is Test {
    string private constant OPENINGS = "tests/forge/policy/evidence.json";

    PolicyEvidenceCaller private caller = new PolicyEvidenceCaller();
    string private json;

    function setUp() public {
        json = vm.readFile(OPENINGS);
    }

    function test_OpensAsTheRustCrateDoes() public view {
        uint256 count = vm.parseJsonUint(json, ".count");
        assertGt(count, 10);
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".openings[", vm.toString(i), "]");
            EvidenceOpening memory opening = caller.open(_evidence(at), _word(at, "firstLeaf"), _siblings(at));
            assertEq(opening.evidence, _word(at, "evidence"), at);
            assertEq(opening.policyId, _word(at, "policyId"), at);
            assertEq(opening.initialState, _word(at, "initialState"), at);
            assertEq(opening.decision, vm.parseJsonUint(json, string.concat(at, ".decision")), at);
        }
    }

    function test_EncodesInputsAsTheRustCrateDoes() public view {
        uint256 count = vm.parseJsonUint(json, ".count");
        for (uint256 i = 0; i < count; ++i) {
            string memory at = string.concat(".openings[", vm.toString(i), "]");
            bytes memory encoded = vm.parseJsonBytes(json, string.concat(at, ".policyInput"));
            PolicyInput memory input = abi.decode(encoded, (PolicyInput));
            assertEq(abi.encode(input), encoded, at);
            assertEq(input.nonce, vm.parseJsonUint(json, string.concat(at, ".nonce")), at);
            assertEq(input.intent.chainId, 1, at);
        }
    }

    function test_OnlyADecisionByteOfOneAllows() public view {
        for (uint256 value = 0; value < 256; ++value) {
            // Length 1, then the decision byte.
            bytes32 leaf = bytes32((uint256(1) << 248) | (value << 216));
            Evidence memory evidence = _evidence(".openings[0]");
            bytes32[RESULT_HEIGHT] memory siblings = _siblings(".openings[0]");
            evidence.result = _rootOf(leaf, siblings);
            assertEq(caller.open(evidence, leaf, siblings).decision, value == 1 ? 1 : 0);
        }
    }

    function test_RevertWhen_TheLeafOrASiblingDiffersByOneBit(uint8 bit, uint256 index) public {
        Evidence memory evidence = _evidence(".openings[0]");
        bytes32 leaf = _word(".openings[0]", "firstLeaf");
        bytes32[RESULT_HEIGHT] memory siblings = _siblings(".openings[0]");
        caller.open(evidence, leaf, siblings);

        index = bound(index, 0, RESULT_HEIGHT);
        bytes32 flipped = bytes32(uint256(1) << bit);
        if (index == RESULT_HEIGHT) leaf ^= flipped;
        else siblings[index] ^= flipped;
        bytes32 actual = _rootOf(leaf, siblings);
        vm.expectRevert(abi.encodeWithSelector(PolicyEvidence.WrongResultLeaf.selector, evidence.result, actual));
        caller.open(evidence, leaf, siblings);
    }

    function test_EveryFieldChangesTheEvidence() public view {
        Evidence memory evidence = _evidence(".openings[0]");
        bytes32 original = PolicyEvidence.hash(evidence);
        for (uint256 field = 0; field < 7; ++field) {
            Evidence memory other = _evidence(".openings[0]");
            if (field == 0) other.image ^= bytes32(uint256(1));
            if (field == 1) other.rules ^= bytes32(uint256(1));
            if (field == 2) other.stepLimit ^= 1;
            if (field == 3) other.parameters ^= bytes32(uint256(1));
            if (field == 4) other.input ^= bytes32(uint256(1));
            if (field == 5) other.data ^= bytes32(uint256(1));
            if (field == 6) other.result ^= bytes32(uint256(1));
            assertNotEq(PolicyEvidence.hash(other), original);
        }
    }

    function test_ZeroSubtreesAreHashesOverZeros() public pure {
        bytes32 node;
        for (uint256 height = 1; height <= 20; ++height) {
            node = keccak256(abi.encode(node, node));
            if (height == 15) assertEq(node, ZERO_SUBTREE_15);
            if (height == 19) assertEq(node, ZERO_SUBTREE_19);
        }
        assertEq(node, ZERO_SUBTREE_20);
    }

    /// @dev The hash is EIP-712's hashStruct: forge works it out from the type's text.
    function test_HashesAreThoseOfEip712() public view {
        Evidence memory evidence = _evidence(".openings[0]");
        string memory evidenceType = string.concat(
            "Evidence(bytes32 image,bytes32 rules,uint64 stepLimit,bytes32 parameters,bytes32 input,",
            "bytes32 data,bytes32 result)"
        );
        assertEq(PolicyEvidence.hash(evidence), vm.eip712HashStruct(evidenceType, abi.encode(evidence)));
        assertEq(EVIDENCE_TYPE_HASH, keccak256(bytes(evidenceType)));
        assertEq(
            PolicyEvidence.rulesHash(evidence.image, evidence.rules, evidence.stepLimit),
            vm.eip712HashStruct(
                "Rules(bytes32 image,bytes32 content,uint64 stepLimit)",
                abi.encode(evidence.image, evidence.rules, evidence.stepLimit)
            )
        );
        assertEq(
            PolicyEvidence.policyId(evidence.rules, evidence.parameters),
            vm.eip712HashStruct(
                "Policy(bytes32 rules,bytes32 parameters)", abi.encode(evidence.rules, evidence.parameters)
            )
        );
        assertNotEq(RULES_TYPE_HASH, POLICY_TYPE_HASH);
    }

    /// @dev What a challenge contract rebuilds: the input of an intent.
    function test_AnInputCanBeRebuiltFromItsIntent() public view {
        Intent memory intent = Intent(address(1), address(2), 3, hex"04", 1);
        PolicyInput memory input = PolicyInput(intent, address(2), 5, 6, bytes32(uint256(7)), 8);
        assertEq(abi.encode(input), vm.parseJsonBytes(json, ".exampleInput"));
    }

    function _evidence(string memory at) private view returns (Evidence memory) {
        return Evidence({
            image: _word(at, "image"),
            rules: _word(at, "rules"),
            stepLimit: uint64(vm.parseJsonUint(json, string.concat(at, ".stepLimit"))),
            parameters: _word(at, "parameters"),
            input: _word(at, "input"),
            data: _word(at, "data"),
            result: _word(at, "result")
        });
    }

    function _siblings(string memory at) private view returns (bytes32[RESULT_HEIGHT] memory siblings) {
        bytes32[] memory words = vm.parseJsonBytes32Array(json, string.concat(at, ".siblings"));
        assertEq(words.length, RESULT_HEIGHT);
        for (uint256 i = 0; i < RESULT_HEIGHT; ++i) {
            siblings[i] = words[i];
        }
    }

    function _word(string memory at, string memory name) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, string.concat(at, ".", name));
    }

    function _rootOf(bytes32 leaf, bytes32[RESULT_HEIGHT] memory siblings) private pure returns (bytes32 root) {
        root = leaf;
        for (uint256 i = 0; i < RESULT_HEIGHT; ++i) {
            root = keccak256(abi.encode(root, siblings[i]));
        }
    }
}
