// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator} from "./IAttestationValidator.sol";
import {Attestation, EpochId, Intent, Policy} from "./Protocol.sol";

/// @notice A call as a client sees it: an intent with its data hashed, and the actual caller.
struct AttestedCall {
    /// @dev The account that called the client.
    address caller;
    /// @dev The intent's `from`.
    address from;
    /// @dev The intent's `to`.
    address to;
    /// @dev The intent's `value`, in wei.
    uint256 value;
    /// @dev keccak256 of the intent's `data`.
    bytes32 dataHash;
    /// @dev The intent's `chainId`.
    uint256 chainId;
}

/// @title ITaskManager
/// @notice Decides whether an authorization authorizes a call, and that it does so only once.
/// @dev Reverts with the errors of `IRefusals`: the error of the first check that fails.
interface ITaskManager is IAttestationValidator {
    /// @notice Emitted when a client uses an attestation.
    /// @param policyClient The client.
    /// @param taskId The task that was attested.
    /// @param nonce The nonce that was spent.
    /// @param epoch The epoch whose operators signed.
    /// @param evidence Commits to all that the operators evaluated.
    event AttestationSpent(
        address indexed policyClient, bytes32 indexed taskId, uint256 nonce, EpochId epoch, bytes32 evidence
    );
    /// @notice Emitted when a client revokes attestations by burning their nonces.
    /// @param policyClient The client.
    /// @param word The word of nonces: nonces `word · 256` to `word · 256 + 255`.
    /// @param mask The nonces of the word that were burned, a bit each.
    event NoncesBurned(address indexed policyClient, uint256 indexed word, uint256 mask);

    /// @notice Checks an authorization of the calling client and spends it.
    /// @dev The caller is the client, so no one can spend what is attested to another client.
    /// @param attestedCall The call that the client is about to execute.
    /// @param policy What the client demands.
    /// @param issuanceFloor The first issuance time that the client accepts (Unix time).
    /// @param authorization The authorization's bytes (docs/protocol.md).
    /// @return taskId The attested task.
    function spend(
        AttestedCall calldata attestedCall,
        Policy calldata policy,
        uint48 issuanceFloor,
        bytes calldata authorization
    ) external returns (bytes32 taskId);

    /// @notice Checks an authorization as `spend` would, without spending it.
    /// @param policyClient The client that would spend it.
    function check(
        address policyClient,
        AttestedCall calldata attestedCall,
        Policy calldata policy,
        uint48 issuanceFloor,
        bytes calldata authorization
    ) external view returns (bytes32 taskId);

    /// @notice Spends nonces of the caller without a call, which revokes the attestations under them.
    /// @param word The word of nonces.
    /// @param mask The nonces of the word, a bit each.
    function burnNonces(uint256 word, uint256 mask) external;

    /// @notice Returns the nonces of one word that a client has spent or burned, a bit each.
    function spentNonces(address policyClient, uint256 word) external view returns (uint256 mask);

    /// @notice Returns whether a client's nonce is spent or burned.
    function isSpent(address policyClient, uint256 nonce) external view returns (bool);

    /// @notice Returns the id of a task on this chain and under this TaskManager.
    function taskIdOf(address policyClient, bytes32 policyId, Intent calldata intent, uint256 nonce)
        external
        view
        returns (bytes32);

    /// @notice Returns the EIP-712 digest of an attestation: what operators sign, or a leaf of the tree whose root they
    /// sign.
    function digestOf(Attestation calldata attestation) external view returns (bytes32);
}
