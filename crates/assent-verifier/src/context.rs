//! Chain state that offline verification takes as input.

use crate::{
    Authorization, Epoch, Intent, Policy, RecordedRoots, SpentNonces,
    digest::{AttestedFields, intent_hash, task_id},
};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, U256};

/// Every fact that verification takes from elsewhere. Nothing is read from the environment: no clock, no network.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let operators = assent_verifier::OperatorSet::new(attested::operators())?;
/// use alloy_primitives::{B256, U256, address, aliases::U48};
/// use assent_verifier::{Context, Epoch, Policy, RecordedRoots, SpentNonces};
///
/// // `operators` is an `OperatorSet`.
/// let context = Context {
///     chain_id: U256::from(1),
///     task_manager: address!("0x1111111111111111111111111111111111111111"),
///     policy_client: address!("0x2222222222222222222222222222222222222222"),
///     policy: Some(Policy {
///         policyId: B256::repeat_byte(0x33),
///         operatorSet: 1,
///         quorum: 6700,                 // 67 %, in basis points
///         maxLifetime: U48::from(3600), // seconds
///     }),
///     caller: address!("0x4444444444444444444444444444444444444444"),
///     timestamp: 1_700_000_000,
///     epochs: vec![Epoch { number: 8, operator_set: 1, valid_until: U48::MAX, operators }],
///     recorded_roots: RecordedRoots::default(),
///     spent: SpentNonces::default(),
/// };
/// assert!(context.epoch(8).is_some());
/// assert!(context.epoch(9).is_none());
/// # Ok::<(), assent_verifier::OperatorSetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context<L = SpentNonces> {
    /// The chain on which the client runs (EIP-155).
    pub chain_id: U256,
    /// The client's TaskManager; zero when it has none.
    pub task_manager: Address,
    /// The contract that is protected.
    pub policy_client: Address,
    /// What the client demands; `None` (or a zero `policyId`) when nothing is set.
    pub policy: Option<Policy>,
    /// Who calls (`msg.sender`).
    pub caller: Address,
    /// The current time, in Unix seconds (`block.timestamp`).
    pub timestamp: u64,
    /// The epochs that the TaskManager knows, as far as they matter; the first of a number counts.
    pub epochs: Vec<Epoch>,
    /// The roots that are recorded, as far as they matter.
    pub recorded_roots: RecordedRoots,
    /// Which nonces are spent.
    pub spent: L,
}

impl<L> Context<L> {
    /// The epoch of a number.
    pub fn epoch(&self, number: u32) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.number == number)
    }

    /// The intent of a trailing call: the caller calls the client, on this chain.
    ///
    /// `value` is in wei; `data` is the calldata without the authorization (see
    /// [`split_trailing`](crate::split_trailing)).
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let context = attested::context();
    /// use alloy_primitives::{U256, bytes};
    ///
    /// let intent = context.trailing_intent(U256::ZERO, bytes!("0xa9059cbb"));
    /// assert_eq!((intent.from, intent.to), (context.caller, context.policy_client));
    /// assert_eq!(intent.chainId, context.chain_id);
    /// ```
    pub fn trailing_intent(&self, value: U256, data: Bytes) -> Intent {
        Intent { from: self.caller, to: self.policy_client, value, data, chainId: self.chain_id }
    }

    /// The root under which an intent stands here, if an authorization is right: what must be recorded when it says so.
    /// `None` when no policy is set.
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let (mut context, intent, document) = attested::example();
    /// use alloy_primitives::aliases::U96;
    /// use assent_verifier::{RecordedRoot, verify};
    ///
    /// let authorization = document.recorded_authorization()?;
    /// assert_eq!(context.root(&intent, &authorization), Some(document.root()));
    ///
    /// // Once a root of this epoch is recorded, the authorization needs no signature.
    /// let recorded = RecordedRoot { signed_weight: U96::from(200), total_weight: U96::from(300) };
    /// context.recorded_roots.record(1, document.root(), recorded);
    /// assert!(verify(&context, &intent, &authorization.encode()).is_ok());
    /// # Ok::<(), assent_verifier::UnknownDecision>(())
    /// ```
    pub fn root(&self, intent: &Intent, authorization: &Authorization) -> Option<B256> {
        let attested = AttestedFields {
            task_id: authorization.task_id,
            policy_id: self.policy.as_ref()?.policyId,
            policy_client: self.policy_client,
            nonce: authorization.nonce,
            expiration: authorization.expiration,
            decision: authorization.decision.into(),
            evidence: authorization.evidence,
            intent_hash: intent_hash(intent),
        };
        Some(authorization.merkle_proof.root(attested.digest(self.chain_id, self.task_manager)))
    }

    /// The id of the task that an intent of this hash is here, under a policy and with a nonce.
    pub(crate) fn task_id(&self, policy_id: B256, intent_hash: B256, nonce: U256) -> B256 {
        task_id(self.chain_id, self.task_manager, self.policy_client, policy_id, intent_hash, nonce)
    }
}
