// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Evidence} from "./Evidence.sol";

/// @notice What an evidence says.
struct EvidenceOpening {
    /// @dev The hash that the attestation carries.
    bytes32 evidence;
    /// @dev The policy that was evaluated.
    bytes32 policyId;
    /// @dev Hash of the machine's state before the first step.
    bytes32 initialState;
    /// @dev 0 denies, 1 allows.
    uint8 decision;
}

bytes32 constant RULES_TYPE_HASH = keccak256("Rules(bytes32 image,bytes32 content,uint64 stepLimit)");
bytes32 constant POLICY_TYPE_HASH = keccak256("Policy(bytes32 rules,bytes32 parameters)");
bytes32 constant EVIDENCE_TYPE_HASH = keccak256(
    "Evidence(bytes32 image,bytes32 rules,uint64 stepLimit,bytes32 parameters,bytes32 input,bytes32 data,"
    "bytes32 result)"
);

/// @dev Height of the result region's subtree: 2^11 leaves of 32 bytes.
uint256 constant RESULT_HEIGHT = 11;

// Roots of subtrees over zeros, by height.
bytes32 constant ZERO_SUBTREE_15 = 0xda7bce9f4e8618b6bd2f4132ce798cdc7a60e7e1460a7299e3c6342a579626d2;
bytes32 constant ZERO_SUBTREE_19 = 0xb46a28b6f55540f89444f63de0378e3d121be09e06cc9ded1c20e65876d36aa0;
bytes32 constant ZERO_SUBTREE_20 = 0xc65e9645644786b620e2dd2ad648ddfcbf4a7e5b1a3a4ecfe7f64667a3f0b7e2;

/// @title PolicyEvidence
/// @notice Hashes of policies and evidence, and the opening of an evidence.
/// @dev docs/machine.md specifies regions, trees and states.
library PolicyEvidence {
    /// @notice Thrown when the leaf and its siblings do not lead to the result's root.
    /// @param expected The root that the evidence names.
    /// @param actual The root that leaf and siblings lead to.
    error WrongResultLeaf(bytes32 expected, bytes32 actual);

    /// @notice Returns what an evidence says.
    /// @dev Warning: it shows what was claimed, not that the decision follows from it.
    /// @param evidence The evidence.
    /// @param firstLeaf The result region's first 32 bytes: the length, the decision byte, the first reasons.
    /// @param siblings The first leaf's siblings in the result region, from the leaf up.
    function open(Evidence memory evidence, bytes32 firstLeaf, bytes32[RESULT_HEIGHT] memory siblings)
        internal
        pure
        returns (EvidenceOpening memory)
    {
        return EvidenceOpening({
            evidence: hash(evidence),
            policyId: policyId(rulesHash(evidence.image, evidence.rules, evidence.stepLimit), evidence.parameters),
            initialState: initialStateHash(evidence),
            decision: decision(evidence.result, firstLeaf, siblings)
        });
    }

    /// @notice Returns the hash that an attestation carries as its evidence.
    function hash(Evidence memory evidence) internal pure returns (bytes32) {
        return keccak256(abi.encode(EVIDENCE_TYPE_HASH, evidence));
    }

    /// @notice Returns the hash of rules: of the image that evaluates them, their region's root, and the step limit.
    function rulesHash(bytes32 image, bytes32 content, uint64 stepLimit) internal pure returns (bytes32) {
        return keccak256(abi.encode(RULES_TYPE_HASH, image, content, stepLimit));
    }

    /// @notice Returns the id of the policy with these rules and parameters.
    /// @param rules The hash of the rules.
    /// @param parameters The root of the parameters' region.
    function policyId(bytes32 rules, bytes32 parameters) internal pure returns (bytes32) {
        return keccak256(abi.encode(POLICY_TYPE_HASH, rules, parameters));
    }

    /// @notice Returns the hash of the machine's state before the first step.
    function initialStateHash(Evidence memory evidence) internal pure returns (bytes32) {
        bytes32 contents = _node(_node(evidence.rules, evidence.parameters), _node(evidence.input, ZERO_SUBTREE_15));
        bytes32 readOnly = _node(_node(evidence.image, contents), evidence.data);
        bytes32 memoryRoot = _node(_node(readOnly, ZERO_SUBTREE_19), ZERO_SUBTREE_20);
        // x0 to x31 and the program counter, four bytes each, are zero.
        return keccak256(abi.encodePacked(memoryRoot, new bytes(132)));
    }

    /// @notice Returns the decision: 1 if the decision byte is 1, otherwise 0.
    /// @param result The root of the result region.
    /// @param firstLeaf The region's first 32 bytes.
    /// @param siblings The first leaf's siblings, from the leaf up.
    function decision(bytes32 result, bytes32 firstLeaf, bytes32[RESULT_HEIGHT] memory siblings)
        internal
        pure
        returns (uint8)
    {
        bytes32 root = firstLeaf;
        for (uint256 height = 0; height < RESULT_HEIGHT; ++height) {
            root = _node(root, siblings[height]);
        }
        require(root == result, WrongResultLeaf(result, root));
        // The decision byte follows the four bytes of the length.
        return firstLeaf[4] == 0x01 ? 1 : 0;
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encode(left, right));
    }
}
