//! What is decided.

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
};
use assent_policy::{PolicyInput, ReferenceBlock};
use assent_types::{Attestation, Decision, Intent, digest};
use assent_verifier::{Epoch, EpochId, Operator, Policy};

/// The contract that attestations are for: a TaskManager on a chain.
// Complete: the EIP-712 domain has nothing else that varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain {
    /// The chain (EIP-155).
    pub chain_id: U256,
    /// The TaskManager.
    pub task_manager: Address,
}

/// A task as a gateway offers it: an intent under a policy with a nonce, and all that operators must agree on.
///
/// The task's id covers client, policy, intent and nonce. The rest is the gateway's proposal, which each operator
/// checks; operators that are offered different proposals sign different attestations, and none gets a quorum.
// Complete: the fields are those of the offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The contract that the decision is for.
    pub policy_client: Address,
    /// The policy.
    pub policy_id: B256,
    /// The nonce that the call will spend.
    pub nonce: U256,
    /// The call.
    pub intent: Intent,
    /// The first second at which the attestation is no longer valid (Unix time).
    pub expiration: u64,
    /// The epoch whose operators sign.
    pub epoch: EpochId,
    /// The number of the block at which all operators read the chain.
    pub block_number: u64,
    /// The block's hash.
    pub block_hash: B256,
    /// The block's timestamp, at which the attestation is issued (Unix time).
    pub block_timestamp: u64,
}

impl Task {
    /// Returns the task's id.
    pub fn id(&self, domain: Domain) -> B256 {
        let intent_hash = digest::intent_hash(&self.intent);
        digest::task_id(
            domain.chain_id,
            domain.task_manager,
            self.policy_client,
            self.policy_id,
            intent_hash,
            self.nonce,
        )
    }

    /// Returns what the policy decides about.
    pub fn input(&self) -> PolicyInput {
        PolicyInput {
            intent: self.intent.clone(),
            policy_client: self.policy_client,
            nonce: self.nonce,
            block: ReferenceBlock {
                number: U256::from(self.block_number),
                hash: self.block_hash,
                timestamp: U256::from(self.block_timestamp),
            },
        }
    }

    /// Returns the statement that operators sign of a decision on evidence.
    pub fn attestation(&self, domain: Domain, decision: Decision, evidence: B256) -> Attestation {
        Attestation {
            taskId: self.id(domain),
            policyId: self.policy_id,
            policyClient: self.policy_client,
            nonce: self.nonce,
            issuedAt: U48::saturating_from(self.block_timestamp),
            expiration: U48::saturating_from(self.expiration),
            decision: decision.into(),
            evidence,
            intent: self.intent.clone(),
        }
    }
}

/// Returns an operator's weight in an epoch.
pub(crate) fn weight_of(epoch: &Epoch, operator: Address) -> Option<U96> {
    find(epoch, operator).map(|operator| operator.weight)
}

/// Returns the weight of operators in an epoch.
pub(crate) fn weight(epoch: &Epoch, operators: impl Iterator<Item = Address>) -> U256 {
    let weights = operators.filter_map(|operator| weight_of(epoch, operator));
    weights.fold(U256::ZERO, |sum, weight| sum.saturating_add(U256::from(weight)))
}

/// Returns an operator of an epoch.
pub(crate) fn find(epoch: &Epoch, operator: Address) -> Option<&Operator> {
    let operators = epoch.operators.operators();
    let index = operators.binary_search_by_key(&operator, |known| known.address).ok()?;
    operators.get(index)
}

/// Returns the weight that must sign for a client's policy.
pub(crate) fn required_weight(epoch: &Epoch, policy: &Policy) -> U256 {
    epoch.operators.required_weight(policy.quorum)
}
