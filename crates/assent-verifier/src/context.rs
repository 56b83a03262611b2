//! What the chain would know and Rust must be told.

use crate::{Epoch, Intent, Policy, SpentNonces, digest::task_id};
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
    /// The epochs that the registry has committed, as far as they matter; the first of a number counts.
    pub epochs: Vec<Epoch>,
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

    /// The id of the task that an intent of this hash is here, under a policy and with a nonce.
    pub(crate) fn task_id(&self, policy_id: B256, intent_hash: B256, nonce: U256) -> B256 {
        task_id(self.chain_id, self.task_manager, self.policy_client, policy_id, intent_hash, nonce)
    }
}
