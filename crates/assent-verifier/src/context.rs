//! What the chain would know and Rust must be told.

use crate::{
    Authorization, Epoch, Intent, Policy, RecordedRoots, SpentNonces,
    digest::{AttestedFields, intent_hash, task_id},
};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, U256};

/// Every fact that verification takes from elsewhere. Nothing is read from the environment: no clock, no network.
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
    /// The present, in Unix seconds (`block.timestamp`).
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
    pub fn trailing_intent(&self, value: U256, data: Bytes) -> Intent {
        Intent { from: self.caller, to: self.policy_client, value, data, chainId: self.chain_id }
    }

    /// The root under which an intent stands here, if an authorization is right: what must be recorded when it says so.
    /// `None` when no policy is set.
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
