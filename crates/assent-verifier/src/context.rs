//! Chain state that offline verification takes as input.

use crate::{
    Authorization, Epoch, EpochId, Intent, Policy, RecordedRoots, Refusal, SpendLedger, SpentNonces,
    VerifiedAttestation,
    digest::{AttestedFields, intent_hash, task_id},
};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U48};

/// Chain state that offline verification takes as input. Nothing is read from a clock or a network.
///
/// Every field is trusted: an authorization is only as valid as the context is true.
/// [`builder`](Self::builder) names each field, and what an invalid value of it allows.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (Context { policy, epochs, .. }, now) = (attested::context(), 1_700_000_000);
/// use alloy_primitives::{U256, address, aliases::U48};
/// use assent_verifier::{Context, EpochId, SpentNonces};
///
/// let context = Context::builder(SpentNonces::default())
///     .chain_id(U256::from(1))
///     .task_manager(address!("0x1111111111111111111111111111111111111111"))
///     .policy_client(address!("0x2222222222222222222222222222222222222222"))
///     .policy(policy)
///     .issuance_floor(U48::ZERO) // The client has voided nothing.
///     .caller(address!("0x4444444444444444444444444444444444444444"))
///     .timestamp(now)
///     .epochs(epochs)
///     .build();
/// assert!(context.epoch(EpochId(1)).is_some());
/// ```
// Complete: a new field would be an input of a check, which every caller must then give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context<L = SpentNonces> {
    /// The client's chain (EIP-155).
    pub chain_id: U256,
    /// The client's TaskManager; zero if the client has none.
    pub task_manager: Address,
    /// The protected contract.
    pub policy_client: Address,
    /// The client's policy; `None` (or a zero `policyId`) if none is set.
    pub policy: Option<Policy>,
    /// The client's issuance floor: attestations that were issued before it are void.
    pub issuance_floor: U48,
    /// The caller (`msg.sender`).
    pub caller: Address,
    /// The current time in Unix seconds (`block.timestamp`).
    pub timestamp: u64,
    /// The epochs that the TaskManager knows. If two have the same number, the first counts.
    pub epochs: Vec<Epoch>,
    /// The recorded roots.
    pub recorded_roots: RecordedRoots,
    /// The ledger of spent nonces.
    pub spent: L,
}

/// Builds a [`Context`].
///
/// With an input left out, verification refuses every call; without recorded roots, it refuses only calls under them.
#[derive(Debug, Clone)]
#[must_use]
pub struct ContextBuilder<L>(Context<L>);

impl<L> ContextBuilder<L> {
    /// Sets the client's chain.
    ///
    /// Trusted: attestations for another chain become valid under that chain's id.
    pub fn chain_id(mut self, chain_id: U256) -> Self {
        self.0.chain_id = chain_id;
        self
    }

    /// Sets the TaskManager, which the client's `assentTaskManager` returns.
    ///
    /// Trusted: attestations for another TaskManager become valid, whose nonces are spent separately.
    pub fn task_manager(mut self, task_manager: Address) -> Self {
        self.0.task_manager = task_manager;
        self
    }

    /// Sets the protected contract.
    ///
    /// Trusted: attestations for another client become valid.
    pub fn policy_client(mut self, policy_client: Address) -> Self {
        self.0.policy_client = policy_client;
        self
    }

    /// Sets the client's policy.
    ///
    /// Trusted: it decides which operators may sign, and how many must.
    pub fn policy(mut self, policy: impl Into<Option<Policy>>) -> Self {
        self.0.policy = policy.into();
        self
    }

    /// Sets the client's issuance floor.
    ///
    /// Trusted: a floor that is too low makes attestations valid again that the client voided.
    pub fn issuance_floor(mut self, issuance_floor: U48) -> Self {
        self.0.issuance_floor = issuance_floor;
        self
    }

    /// Sets the caller.
    ///
    /// Trusted: an attested call is valid only from its sender, so the caller must have been authenticated.
    pub fn caller(mut self, caller: Address) -> Self {
        self.0.caller = caller;
        self
    }

    /// Sets the current time in Unix seconds.
    ///
    /// Trusted: an earlier time makes expired attestations and epochs valid again.
    pub fn timestamp(mut self, timestamp: u64) -> Self {
        self.0.timestamp = timestamp;
        self
    }

    /// Adds epochs.
    ///
    /// Trusted: their operators may sign. A stale `valid_until` keeps a revoked epoch in force.
    pub fn epochs(mut self, epochs: impl IntoIterator<Item = Epoch>) -> Self {
        self.0.epochs.extend(epochs);
        self
    }

    /// Sets the recorded roots.
    ///
    /// Trusted: attestations under a recorded root are valid without a signature.
    pub fn recorded_roots(mut self, recorded_roots: RecordedRoots) -> Self {
        self.0.recorded_roots = recorded_roots;
        self
    }

    /// Returns the context.
    pub fn build(self) -> Context<L> {
        self.0
    }
}

impl<L: SpendLedger> Context<L> {
    /// Spends the nonce of a verified attestation.
    ///
    /// Calls of [`spend`](crate::spend) do this. Call it for the results of
    /// [`verify_batch`](crate::verify_batch), and make a call only after it succeeded.
    ///
    /// # Errors
    ///
    /// [`Refusal::AttestationAlreadySpent`] if the nonce was spent since the verification.
    pub fn spend(&mut self, verified: &VerifiedAttestation) -> Result<(), Refusal> {
        let (policy_client, nonce) = (verified.policy_client(), verified.nonce());
        if !self.spent.spend(policy_client, nonce) {
            return Err(Refusal::AttestationAlreadySpent { policyClient: policy_client, nonce });
        }
        Ok(())
    }
}

impl<L> Context<L> {
    /// Returns a builder of a context with a ledger of spent nonces.
    ///
    /// The ledger is trusted: a nonce that it does not know as spent can be used again.
    pub fn builder(spent: L) -> ContextBuilder<L> {
        ContextBuilder(Self {
            chain_id: U256::ZERO,
            task_manager: Address::ZERO,
            policy_client: Address::ZERO,
            policy: None,
            // Everything is void.
            issuance_floor: U48::MAX,
            caller: Address::ZERO,
            // Everything has expired.
            timestamp: u64::MAX,
            epochs: Vec::new(),
            recorded_roots: RecordedRoots::default(),
            spent,
        })
    }

    /// Returns the same context with another ledger of spent nonces, made of this one.
    ///
    /// The ledger is trusted: a nonce that it does not know as spent can be used again.
    pub fn map_ledger<M>(self, make: impl FnOnce(L) -> M) -> Context<M> {
        let Self {
            chain_id,
            task_manager,
            policy_client,
            policy,
            issuance_floor,
            caller,
            timestamp,
            epochs,
            recorded_roots,
            spent,
        } = self;
        Context {
            chain_id,
            task_manager,
            policy_client,
            policy,
            issuance_floor,
            caller,
            timestamp,
            epochs,
            recorded_roots,
            spent: make(spent),
        }
    }

    /// Returns the epoch of a number.
    pub fn epoch(&self, number: EpochId) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.number == number)
    }

    /// Returns the intent of a trailing call: the caller calls the client, on this chain.
    ///
    /// `value` is in wei. `data` is the calldata without the authorization, as
    /// [`split_trailing`](crate::split_trailing) returns it.
    pub fn trailing_intent(&self, value: U256, data: Bytes) -> Intent {
        Intent { from: self.caller, to: self.policy_client, value, data, chainId: self.chain_id }
    }

    /// Returns the Merkle root that an intent and an authorization lead to, or `None` if no policy is set.
    ///
    /// An authorization without signature is valid only if this root is recorded.
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let (mut context, intent, document) = attested::example();
    /// use alloy_primitives::aliases::{U48, U96};
    /// use assent_verifier::{RecordedRoot, verify};
    ///
    /// let authorization = document.recorded_authorization()?;
    /// assert_eq!(context.root(&intent, &authorization), Some(document.root()));
    ///
    /// let recorded = RecordedRoot {
    ///     signed_weight: U96::from(200),
    ///     total_weight: U96::from(300),
    ///     epoch_end: U48::from(context.timestamp + 86_400),
    /// };
    /// context.recorded_roots.record(document.epoch, document.root(), recorded);
    /// assert!(verify(&context, &intent, &authorization.encode()).is_ok());
    /// # Ok::<(), assent_verifier::UnknownDecision>(())
    /// ```
    pub fn root(&self, intent: &Intent, authorization: &Authorization) -> Option<B256> {
        let attested = AttestedFields {
            task_id: authorization.task_id,
            policy_id: self.policy.as_ref()?.policyId,
            policy_client: self.policy_client,
            nonce: authorization.nonce,
            issued_at: authorization.issued_at,
            expiration: authorization.expiration,
            decision: authorization.decision.into(),
            evidence: authorization.evidence,
            intent_hash: intent_hash(intent),
        };
        Some(authorization.merkle_proof.root(attested.digest(self.chain_id, self.task_manager)))
    }

    /// Returns the task id of an intent's hash, under a policy and with a nonce.
    pub(crate) fn task_id(&self, policy_id: B256, intent_hash: B256, nonce: U256) -> B256 {
        task_id(self.chain_id, self.task_manager, self.policy_client, policy_id, intent_hash, nonce)
    }
}
