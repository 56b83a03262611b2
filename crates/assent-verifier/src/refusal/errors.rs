// Generated from contracts/interfaces/errors.json by xtask/tests/errors.rs.

refusals! {
    /// The client has no TaskManager or no policy.
    #[error("the client has no TaskManager or no policy")]
    PolicyNotSet => "have the client's owner set both with `setAssentTaskManager` and `setAssentPolicy`",
    /// The authorization does not parse or is followed by other bytes.
    #[error("the authorization does not parse")]
    MalformedAuthorization => "send the authorization's bytes unchanged: something on the way may have dropped or \
        appended some",
    /// The intent is for another chain.
    #[error("the intent is for chain {actual}, but this is chain {expected}")]
    WrongChain {
        /// The chain of this contract.
        expected: U256,
        /// The chain that the intent names.
        actual: U256,
    } => "send to a node of the intent's chain, or have the call attested for this one",
    /// The intent is from another account than the caller.
    #[error("the intent is from {actual}, but the caller is {expected}")]
    WrongSender {
        /// The caller.
        expected: Address,
        /// The intent's `from`.
        actual: Address,
    } => "send from the account that the intent names, or have the call attested for the caller",
    /// The call, its chain, its contracts or its policy differ from what was attested.
    #[error("the authorization is for task {actual}, but this call under this policy is task \
        {expected}")]
    WrongTask {
        /// The task id of the call as it is made.
        expected: B256,
        /// The task id that the authorization carries.
        actual: B256,
    } => "compare the call with what was attested: caller, contract, value, calldata, nonce, chain \
        or policy differs",
    /// The attestation was issued after the current time.
    #[error("the attestation was issued at {issuedAt} (Unix seconds); the time is {timestamp}")]
    AttestationNotYetValid {
        /// When the attestation was issued (Unix time).
        issuedAt: U48,
        /// The current time (Unix time).
        timestamp: U256,
    } => "send the call once that time has come: the operators issued it ahead of this chain",
    /// The attestation is no longer valid.
    #[error("the attestation expired at {expiration} (Unix seconds); the time is {timestamp}")]
    AttestationExpired {
        /// First second at which it was no longer valid (Unix time).
        expiration: U48,
        /// The current time (Unix time).
        timestamp: U256,
    } => "have the call attested again, and send it before it expires",
    /// The attestation is valid for longer than the policy allows.
    #[error("the attestation expires at {expiration} (Unix seconds); issued when it was, the policy \
        accepts {latest} at most")]
    LifetimeTooLong {
        /// First second at which it is no longer valid (Unix time).
        expiration: U48,
        /// The latest expiration that the policy accepts of an attestation issued then (Unix time).
        latest: U256,
    } => "have the call attested with an expiration within the policy's `maxLifetime`",
    /// The client voided the attestation, with all others issued before the same time.
    #[error("the attestation was issued at {issuedAt} (Unix seconds), and the client voided all \
        issued before {floor}")]
    AttestationVoided {
        /// When the attestation was issued (Unix time).
        issuedAt: U48,
        /// The first issuance time that the client accepts (Unix time).
        floor: U48,
    } => "have the call attested again, at that time or later",
    /// The nonce was used or burned.
    #[error("nonce {nonce} of client {policyClient} was used or burned")]
    AttestationAlreadySpent {
        /// The client whose nonce it is.
        policyClient: Address,
        /// The nonce.
        nonce: U256,
    } => "an attestation can be used only once: have the call attested with a new nonce",
    /// The policy's operator set has no such epoch.
    #[error("epoch {epoch} is not an epoch of the policy's operator set")]
    UnknownEpoch {
        /// The epoch that the authorization names.
        epoch: EpochId,
    } => "have the call attested by the policy's operators. If the OperatorRegistry has this \
        epoch, publish it to the TaskManager with `addValidator` and `publishEpoch`",
    /// The epoch is no longer in force: its lifetime or its grace period is over.
    #[error("epoch {epoch} expired at {validUntil} (Unix seconds): its lifetime is over, or it was \
        superseded and its grace period is over")]
    EpochExpired {
        /// The epoch that the authorization names.
        epoch: EpochId,
        /// First second at which the epoch was no longer in force (Unix time).
        validUntil: U48,
    } => "have the call attested under the current epoch",
    /// The owner of the registry revoked the epoch.
    #[error("epoch {epoch} was revoked")]
    EpochRevoked {
        /// The epoch that the authorization names.
        epoch: EpochId,
    } => "have the call attested under the current epoch",
    /// The root of a recorded authorization is not recorded under the epoch.
    #[error("root {root} is not recorded under epoch {epoch}")]
    RootNotRecorded {
        /// The epoch that the authorization names.
        epoch: EpochId,
        /// The root, computed from the attestation and the Merkle proof.
        root: B256,
    } => "record the root, or send the authorization that carries the signature",
    /// A recorded authorization's attestation outlives the epoch that signed it.
    #[error("the attestation expires at {expiration} (Unix seconds), after its epoch's end at \
        {epochEnd}")]
    ExpirationBeyondEpoch {
        /// First second at which the attestation is no longer valid (Unix time).
        expiration: U48,
        /// The epoch's end, recorded with the root (Unix time).
        epochEnd: U48,
    } => "send the authorization that carries the signature while the epoch is in force, or have \
        the call attested with an expiration within the epoch",
    /// The bitmap of non-signers names an operator that is not in the epoch.
    #[error("the bitmap of non-signers names an operator that is not in the epoch")]
    NonSignerOutOfRange => "aggregate the signatures again, with the indices and the number of the epoch whose \
        operators signed",
    /// The operators that signed have too little weight.
    #[error("operators with weight {signed} signed, but the quorum is {required}")]
    QuorumNotReached {
        /// The weight of the operators that signed.
        signed: U256,
        /// The least weight that must sign.
        required: U256,
    } => "have more operators sign",
    /// The signature is not the canonical encoding of a point of G1's prime-order subgroup other than infinity.
    #[error("the signature does not encode a point of G1's prime-order subgroup other than infinity")]
    MalformedSignature => "use the signature as it was aggregated: 96 bytes, uncompressed, without flag bits",
    /// The operators that the authorization names as signers did not sign this attestation.
    #[error("the operators that the authorization names as signers did not sign this attestation")]
    InvalidSignature => "use the nonce, expiration, decision, evidence, epoch and non-signers that the operators \
        signed with: one was changed, or the signature is forged",
    /// The operators found that the policy forbids the call.
    #[error("the operators found that the policy forbids task {taskId}")]
    PolicyDenied {
        /// The task that they denied.
        taskId: B256,
    } => "change the call so that the policy allows it, and have it attested",
}
