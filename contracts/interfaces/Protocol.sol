// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice The number of an epoch. Epochs of all operator sets are numbered together from 1.
type EpochId is uint32;

/// @notice The number of an operator set, which the registry's owner chooses.
type OperatorSetId is uint32;

/// @dev The longest epoch lifetime, in seconds. Nothing is signed for longer, so no policy's lifetime is longer either,
/// and no client voids what is issued further ahead.
uint48 constant MAX_EPOCH_LIFETIME = 30 days;

/// @notice A call that its sender wants to make.
/// @dev EIP-712 type `Intent(address from,address to,uint256 value,bytes data,uint256 chainId)`.
struct Intent {
    /// @dev The account that makes the call.
    address from;
    /// @dev The called contract.
    address to;
    /// @dev Value of the call, in wei.
    uint256 value;
    /// @dev The whole calldata, without the appended authorization.
    bytes data;
    /// @dev The chain on which the call is made (EIP-155).
    uint256 chainId;
}

/// @notice The operators' statement about one task.
/// @dev EIP-712 type `Attestation(bytes32 taskId,bytes32 policyId,address policyClient,uint256 nonce,
/// uint48 issuedAt,uint48 expiration,uint8 decision,bytes32 evidence,Intent intent)` followed by the type of `Intent`.
struct Attestation {
    /// @dev keccak256(abi.encode(chainId, taskManager, policyClient, policyId, intentHash, nonce)).
    bytes32 taskId;
    /// @dev The policy the operators evaluated: commits to rules and parameters.
    bytes32 policyId;
    /// @dev The contract the attestation is for, and the only one that can spend it.
    address policyClient;
    /// @dev Bit `nonce & 0xff` of word `nonce >> 8` of the client's spent nonces.
    uint256 nonce;
    /// @dev When the operators decided (Unix time): the timestamp of a recent block. Not valid before.
    uint48 issuedAt;
    /// @dev First second at which the attestation is no longer valid (Unix time).
    uint48 expiration;
    /// @dev 0 denies, 1 allows; other values do not parse.
    uint8 decision;
    /// @dev Commits to all that the operators evaluated.
    bytes32 evidence;
    /// @dev The call the statement is about.
    Intent intent;
}

/// @notice What a client demands of an attestation.
struct Policy {
    /// @dev The policy the operators must have evaluated; zero means that no policy is set.
    bytes32 policyId;
    /// @dev The operator set whose epochs may sign.
    OperatorSetId operatorSet;
    /// @dev Least share of an epoch's weight that must have signed, in basis points.
    uint16 quorum;
    /// @dev How long after `issuedAt` an attestation may expire, in seconds.
    uint48 maxLifetime;
}

/// @title IRefusals
/// @notice Every reason for which an authorization is refused, in the order of the checks.
/// @dev In every error `expected` is what the chain and the call demand, and `actual` is what the intent or the
/// authorization says. The Rust verifier generates its errors from this interface; errors.json explains them.
interface IRefusals {
    /// @notice Thrown when the client has no TaskManager or no policy.
    error PolicyNotSet();
    /// @notice Thrown when the authorization does not parse or is followed by other bytes.
    error MalformedAuthorization();
    /// @notice Thrown when the intent is for another chain.
    /// @param expected The chain of this contract.
    /// @param actual The chain that the intent names.
    error WrongChain(uint256 expected, uint256 actual);
    /// @notice Thrown when the intent is from another account than the caller.
    /// @param expected The caller.
    /// @param actual The intent's `from`.
    error WrongSender(address expected, address actual);
    /// @notice Thrown when the call, its chain, its contracts or its policy differ from what was attested.
    /// @param expected The task id of the call as it is made.
    /// @param actual The task id that the authorization carries.
    error WrongTask(bytes32 expected, bytes32 actual);
    /// @notice Thrown when the attestation was issued after the current time.
    /// @param issuedAt When the attestation was issued (Unix time).
    /// @param timestamp The current time (Unix time).
    error AttestationNotYetValid(uint48 issuedAt, uint256 timestamp);
    /// @notice Thrown when the attestation is no longer valid.
    /// @param expiration First second at which it was no longer valid (Unix time).
    /// @param timestamp The current time (Unix time).
    error AttestationExpired(uint48 expiration, uint256 timestamp);
    /// @notice Thrown when the attestation is valid for longer than the policy allows.
    /// @param expiration First second at which it is no longer valid (Unix time).
    /// @param latest The latest expiration that the policy accepts of an attestation issued then (Unix time).
    error LifetimeTooLong(uint48 expiration, uint256 latest);
    /// @notice Thrown when the client voided the attestation, with all others issued before the same time.
    /// @param issuedAt When the attestation was issued (Unix time).
    /// @param floor The first issuance time that the client accepts (Unix time).
    error AttestationVoided(uint48 issuedAt, uint48 floor);
    /// @notice Thrown when the nonce was used or burned.
    /// @param policyClient The client whose nonce it is.
    /// @param nonce The nonce.
    error AttestationAlreadySpent(address policyClient, uint256 nonce);
    /// @notice Thrown when the policy's operator set has no such epoch.
    /// @param epoch The epoch that the authorization names.
    error UnknownEpoch(EpochId epoch);
    /// @notice Thrown when the epoch is no longer in force: its lifetime or its grace period is over.
    /// @param epoch The epoch that the authorization names.
    /// @param validUntil First second at which the epoch was no longer in force (Unix time).
    error EpochExpired(EpochId epoch, uint48 validUntil);
    /// @notice Thrown when the owner of the registry revoked the epoch.
    /// @param epoch The epoch that the authorization names.
    error EpochRevoked(EpochId epoch);
    /// @notice Thrown when the root of a recorded authorization is not recorded under the epoch.
    /// @param epoch The epoch that the authorization names.
    /// @param root The root, computed from the attestation and the Merkle proof.
    error RootNotRecorded(EpochId epoch, bytes32 root);
    /// @notice Thrown when a recorded authorization's attestation outlives the epoch that signed it.
    /// @param expiration First second at which the attestation is no longer valid (Unix time).
    /// @param epochEnd The epoch's end, recorded with the root (Unix time).
    error ExpirationBeyondEpoch(uint48 expiration, uint48 epochEnd);
    /// @notice Thrown when the bitmap of non-signers names an operator that is not in the epoch.
    error NonSignerOutOfRange();
    /// @notice Thrown when the operators that signed have too little weight.
    /// @param signed The weight of the operators that signed.
    /// @param required The least weight that must sign.
    error QuorumNotReached(uint256 signed, uint256 required);
    /// @notice Thrown when the signature is not the canonical encoding of a point of G1's prime-order subgroup other
    /// than infinity.
    error MalformedSignature();
    /// @notice Thrown when the operators that the authorization names as signers did not sign this attestation.
    error InvalidSignature();
    /// @notice Thrown when the operators found that the policy forbids the call.
    /// @param taskId The task that they denied.
    error PolicyDenied(bytes32 taskId);
}
