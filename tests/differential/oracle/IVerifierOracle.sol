// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title What forge tests ask the Rust verifier
/// @notice The calldata of one of these functions goes in, its ABI-encoded return values come out. No contract
/// implements it: the program `assent-oracle` takes its types from this file, as the tests do.
/// @dev An argument named after a struct of `Protocol.sol` holds that struct's `abi.encode`, so that the verifier's own
/// type decodes it. Both curve backends work out each answer; if they differ, the program fails.
interface IVerifierOracle {
    /// @notice The fields of an authorization.
    struct Fields {
        bytes32 taskId;
        uint256 nonce;
        uint48 issuedAt;
        uint48 expiration;
        uint8 decision;
        bytes32 evidence;
        uint32 epoch;
        /// @dev Whether the root is recorded: then there is neither a signature nor a bitmap.
        bool isRecorded;
        bytes signature;
        bytes nonSigners;
        bytes32[] proof;
    }

    /// @notice The operator tables of an epoch: runtime code, as the chain has it.
    struct OperatorTables {
        bytes head;
        bytes[] earlier;
    }

    /// @notice An epoch, as the TaskManager knows it.
    struct Epoch {
        uint32 number;
        uint32 operatorSet;
        uint48 validUntil;
        /// @dev Which of the operator tables that are handed over.
        uint256 tables;
    }

    /// @notice A root, as the TaskManager has recorded it.
    struct RecordedRoot {
        uint32 epoch;
        bytes32 root;
        uint96 signedWeight;
        uint96 totalWeight;
        uint48 epochEnd;
    }

    /// @notice 256 nonces of a client, a bit each.
    struct SpentWord {
        address policyClient;
        uint256 word;
        uint256 mask;
    }

    /// @notice All that a contract would see.
    struct Circumstances {
        uint256 chainId;
        address taskManager;
        address policyClient;
        bytes policy;
        uint48 issuanceFloor;
        address caller;
        uint64 timestamp;
        Epoch[] epochs;
        RecordedRoot[] recordedRoots;
        SpentWord[] spentWords;
    }

    /// @notice A call with its authorization, on one of the two ways.
    struct Call {
        /// @dev Whether the authorization is appended to the calldata; then `intent` and `authorization` are empty.
        bool isTrailing;
        uint256 value;
        bytes data;
        bytes intent;
        bytes authorization;
    }

    /// @notice A call, and the circumstances in which it is made.
    struct Case {
        Circumstances circumstances;
        Call call;
    }

    /// @notice What became of a call.
    struct Verdict {
        /// @dev The attested task; zero if the call is refused.
        bytes32 taskId;
        /// @dev What the contracts must revert with; empty if the call succeeds.
        bytes refusal;
    }

    /// @notice RFC 9380 `hash_to_curve` to G1, the point in 96 bytes.
    function hashToCurve(bytes calldata message, bytes calldata tag) external view returns (bytes memory point);

    /// @notice The hashes of an attestation under a TaskManager, and the root to which a Merkle proof leads from its
    /// digest.
    function hashes(uint256 chainId, address taskManager, bytes calldata attestation, bytes32[] calldata proof)
        external
        view
        returns (bytes32 intentHash, bytes32 taskId, bytes32 digest, bytes32 root);

    /// @notice What a proof of possession signs.
    function proofOfPossessionDigest(
        uint256 chainId,
        address operatorRegistry,
        address operator,
        bytes calldata publicKey
    ) external view returns (bytes32 digest);

    /// @notice What an operator signs of a source's output.
    function observationDigest(
        uint256 chainId,
        address taskManager,
        bytes32 taskId,
        bytes32 source,
        bytes32 referenceBlock,
        bytes32 output
    ) external view returns (bytes32 digest);

    /// @notice What an operator signs when it connects to a gateway.
    function connectionDigest(
        uint256 chainId,
        address taskManager,
        bytes32 challenge,
        address operator,
        string calldata gateway
    ) external view returns (bytes32 digest);

    /// @notice Parses an authorization, and writes again what was read.
    /// @return isWellFormed Whether the bytes parse. If not, the rest is empty.
    function parse(bytes calldata authorization)
        external
        view
        returns (bool isWellFormed, Fields memory fields, bytes memory encoded);

    /// @notice Decides about calls by every check, each on its own.
    function verify(OperatorTables[] calldata tables, Case[] calldata cases)
        external
        view
        returns (Verdict[] memory verdicts);
}
