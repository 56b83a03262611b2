//! What is found about one attestation.

use crate::{
    Indexer,
    visible::{self, Visible},
};
use alloy::{
    hex,
    primitives::{Address, B256, U256},
    providers::Provider,
    rpc::types::Log,
};
use anyhow::{Context as _, Result};
use assent_client::ClientError;
use assent_contracts::TaskManager::AttestationSpent;
use assent_verifier::{Context, Refusal, SpentLedger, SpentNonces, VerifiedAttestation, verify};
use serde_json::{Value, json};
use std::fmt;

/// An attestation that a chain accepted.
#[derive(Debug)]
pub struct Finding {
    /// The block.
    pub block: u64,
    /// The transaction.
    pub transaction: B256,
    /// The client that spent it.
    pub policy_client: Address,
    /// The task.
    pub task_id: B256,
    /// The nonce.
    pub nonce: U256,
    /// Whether the verifier agrees.
    pub verdict: Verdict,
}

/// Whether the verifier agrees with the chain.
#[derive(Debug)]
pub enum Verdict {
    /// It does.
    Verified(Box<VerifiedAttestation>),
    /// It does not: the chain accepted what must be refused.
    Refused(Refusal),
    /// The authorization cannot be seen, for this reason.
    NotVisible(String),
    /// What the chain knew in that block is not known, for this reason.
    Undecided(String),
}

impl<P: Provider> Indexer<P> {
    pub(crate) async fn judge(&self, log: &Log, event: &AttestationSpent, spent: &Spent<'_>) -> Result<Finding> {
        let block = log.block_number.context("an event without a block")?;
        let transaction = log.transaction_hash.context("an event without a transaction")?;
        let chain_id = U256::from(self.client.chain_id().await.context("asking for the chain's id")?);
        let task_manager = self.settings.task_manager;
        let visible = visible::find(self.client.provider(), transaction, chain_id, task_manager, event).await?;
        let verdict = match visible {
            Ok(visible) => self.verdict(block, event.policyClient, &visible, spent).await?,
            Err(reason) => Verdict::NotVisible(reason),
        };
        let AttestationSpent { policyClient: policy_client, taskId: task_id, nonce } = *event;
        Ok(Finding { block, transaction, policy_client, task_id, nonce, verdict })
    }

    async fn verdict(
        &self,
        block: u64,
        policy_client: Address,
        visible: &Visible,
        spent: &Spent<'_>,
    ) -> Result<Verdict> {
        let Visible { caller, intent, authorization, encoded } = visible;
        let mut refusal = None;
        let mut unknown = None;
        let timestamp = self.time(block).await?;
        for state in [block, block.saturating_sub(1)] {
            let context = self.client.read_context_for_at(state, policy_client, *caller, intent, authorization).await;
            let context = match context {
                Ok(Context {
                    chain_id, task_manager, policy_client, policy, caller, epochs, recorded_roots, ..
                }) => Context {
                    chain_id,
                    task_manager,
                    policy_client,
                    policy,
                    caller,
                    timestamp,
                    epochs,
                    recorded_roots,
                    spent,
                },
                Err(error) => {
                    unknown = Some(format!("what the chain knew in block {state} cannot be read: {}", all_of(error)));
                    continue;
                }
            };
            match verify(&context, intent, encoded) {
                Ok(verified) => return Ok(Verdict::Verified(Box::new(verified))),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        Ok(match (refusal, unknown) {
            (Some(refusal), None) => Verdict::Refused(refusal),
            (Some(refusal), Some(unknown)) => Verdict::Undecided(format!("{}: {refusal}; {unknown}", refusal.name())),
            (None, unknown) => Verdict::Undecided(unknown.unwrap_or_default()),
        })
    }

    async fn time(&self, block: u64) -> Result<u64> {
        let header = self.client.provider().get_block_by_number(block.into()).await.context("asking for a block")?;
        Ok(header.with_context(|| format!("there is no block {block}"))?.header.timestamp)
    }
}

/// What the events have shown to be spent.
pub(crate) struct Spent<'a>(pub(crate) &'a SpentNonces);

impl SpentLedger for &Spent<'_> {
    fn is_spent(&self, policy_client: Address, nonce: U256) -> bool {
        self.0.is_spent(policy_client, nonce)
    }
}

impl Finding {
    /// Whether the verifier agrees.
    pub fn is_verified(&self) -> bool {
        matches!(self.verdict, Verdict::Verified(_))
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let Self { block, transaction, policy_client, task_id, nonce, ref verdict } = *self;
        let mut json = json!({
            "block": block,
            "transaction": transaction,
            "policyClient": policy_client,
            "taskId": task_id,
            "nonce": nonce.to_string(),
        });
        let (name, details) = match verdict {
            Verdict::Verified(verified) => (
                "verified",
                json!({
                    "attestation": verified.attestation(),
                    "epoch": verified.epoch(),
                    "signedWeight": verified.signed_weight().to_string(),
                    "totalWeight": verified.total_weight().to_string(),
                }),
            ),
            Verdict::Refused(refusal) => (
                "refused",
                json!({
                    "name": refusal.name(),
                    "message": refusal.to_string(),
                    "revertData": hex::encode_prefixed(refusal.revert_data()),
                }),
            ),
            Verdict::NotVisible(reason) => ("notVisible", json!({ "reason": reason })),
            Verdict::Undecided(reason) => ("undecided", json!({ "reason": reason })),
        };
        json["verdict"] = name.into();
        json[name] = details;
        json
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, transaction, policy_client, nonce, verdict, .. } = self;
        write!(f, "block {block}, transaction {transaction}, client {policy_client}, nonce {nonce}: ")?;
        match verdict {
            Verdict::Verified(verified) => write!(
                f,
                "verified, signed by weight {} of {} of epoch {}",
                verified.signed_weight(),
                verified.total_weight(),
                verified.epoch()
            ),
            Verdict::Refused(refusal) => {
                write!(f, "REFUSED, although the chain accepted it: {}: {refusal}", refusal.name())
            }
            Verdict::NotVisible(reason) => write!(f, "NOT VISIBLE: {reason}"),
            Verdict::Undecided(reason) => write!(f, "UNDECIDED: {reason}"),
        }
    }
}

/// An error with its causes.
fn all_of(error: ClientError) -> String {
    format!("{:#}", anyhow::Error::new(error))
}
