// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, Intent} from "../../../contracts/interfaces/Protocol.sol";

/// @title What operators sign, written a second time from docs/protocol.md
/// @dev The TaskManager's own views would follow a fault of its hashing, and operators with them.
library Digests {
    bytes private constant INTENT_TYPE = "Intent(address from,address to,uint256 value,bytes data,uint256 chainId)";
    bytes private constant ATTESTATION_TYPE = "Attestation(bytes32 taskId,bytes32 policyId,address policyClient,"
        "uint256 nonce,uint48 issuedAt,uint48 expiration,uint8 decision,bytes32 evidence,Intent intent)";
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    function taskId(
        uint256 chainId,
        address taskManager,
        address client,
        bytes32 policyId,
        Intent memory intent,
        uint256 nonce
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(chainId, taskManager, client, policyId, _intentHash(intent), nonce));
    }

    function digest(uint256 chainId, address taskManager, Attestation memory attestation)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Assent"), keccak256("1"), chainId, taskManager));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(bytes.concat(ATTESTATION_TYPE, INTENT_TYPE)),
                attestation.taskId,
                attestation.policyId,
                attestation.policyClient,
                attestation.nonce,
                attestation.issuedAt,
                attestation.expiration,
                attestation.decision,
                attestation.evidence,
                _intentHash(attestation.intent)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// @dev A proof folded from the leaf up.
    function fold(bytes32 node, bytes32[] memory proof) internal pure returns (bytes32) {
        for (uint256 i = 0; i < proof.length; ++i) {
            node = node < proof[i] ? keccak256(abi.encode(node, proof[i])) : keccak256(abi.encode(proof[i], node));
        }
        return node;
    }

    function _intentHash(Intent memory intent) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(INTENT_TYPE), intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId
            )
        );
    }
}
