// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, Intent} from "../interfaces/Protocol.sol";

/// @notice Where a task is: its TaskManager, on this chain or on another with a mirror of the registry.
struct SigningDomain {
    uint256 chainId;
    address taskManager;
}

/// @title TaskStatements
/// @notice Computes what operators sign about a task, for any chain: EIP-712 digests under its TaskManager's domain.
library TaskStatements {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("Assent");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant INTENT_TYPEHASH =
        keccak256("Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(bytes32 taskId,bytes32 policyId,address policyClient,uint256 nonce,uint48 issuedAt,"
        "uint48 expiration,uint8 decision,bytes32 evidence,Intent intent)"
        "Intent(address from,address to,uint256 value,bytes data,uint256 chainId)"
    );
    bytes32 private constant OBSERVATION_TYPEHASH =
        keccak256("Observation(bytes32 taskId,bytes32 source,bytes32 referenceBlock,bytes32 output)");

    /// @notice Returns the digest of an attestation, as its TaskManager's `digestOf`.
    function digestOf(SigningDomain memory domain, Attestation memory attestation) internal pure returns (bytes32) {
        return _typedDigest(
            domain,
            keccak256(
                abi.encode(
                    ATTESTATION_TYPEHASH,
                    attestation.taskId,
                    attestation.policyId,
                    attestation.policyClient,
                    attestation.nonce,
                    attestation.issuedAt,
                    attestation.expiration,
                    attestation.decision,
                    attestation.evidence,
                    _hashIntent(attestation.intent)
                )
            )
        );
    }

    /// @notice Returns the digest of an observation.
    /// @param taskId The task.
    /// @param source keccak256 of the source's name.
    /// @param referenceBlock The hash of the block at which the source read the chain.
    /// @param output keccak256 of the output's canonical JSON.
    function observationDigest(
        SigningDomain memory domain,
        bytes32 taskId,
        bytes32 source,
        bytes32 referenceBlock,
        bytes32 output
    ) internal pure returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(OBSERVATION_TYPEHASH, taskId, source, referenceBlock, output));
        return _typedDigest(domain, structHash);
    }

    function _hashIntent(Intent memory intent) private pure returns (bytes32) {
        return keccak256(
            abi.encode(INTENT_TYPEHASH, intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId)
        );
    }

    function _typedDigest(SigningDomain memory domain, bytes32 structHash) private pure returns (bytes32) {
        bytes32 separator =
            keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, domain.chainId, domain.taskManager));
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }
}
