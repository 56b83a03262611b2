//! The verification of one attestation.

use crate::{
    indexer::Indexer,
    signers::Signers,
    visible::{self, Visible},
};
use alloy::{
    hex,
    primitives::{Address, B256, U256},
    providers::Provider,
    rpc::types::Log,
};
use anyhow::{Context as _, Result};
use assent_client::with_causes;
use assent_contracts::TaskManager::AttestationSpent;
use assent_verifier::{
    Authorization, Context, EpochId, NonSigners, QuorumProof, Refusal, SpentLedger, SpentNonces, VerifiedAttestation,
    digest::attestation_digest, verify,
};
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
    /// The epoch whose operators signed, by the event.
    pub epoch: EpochId,
    /// The hash of what they evaluated, by the event.
    pub evidence: B256,
    /// Whether the verifier agrees with the chain.
    pub status: FindingStatus,
    /// Which operators signed; `None` unless it was verified, and if another contract recorded its root.
    pub signers: Option<Signers>,
}

/// Whether the verifier agrees with the chain.
#[derive(Debug)]
pub enum FindingStatus {
    /// The verifier accepts it too.
    Verified(Box<VerifiedAttestation>),
    /// It does not: the chain accepted what must be refused.
    Refused(Refusal),
    /// The authorization cannot be seen, for this reason.
    NotVisible(String),
    /// The chain state of that block is not known, for this reason.
    Undecided(String),
}

impl<P: Provider> Indexer<P> {
    pub(crate) async fn verify_event(&self, log: &Log, event: &AttestationSpent, spent: &Spent<'_>) -> Result<Finding> {
        let block = log.block_number.context("an event without a block")?;
        let transaction = log.transaction_hash.context("an event without a transaction")?;
        let chain_id = U256::from(self.client.chain_id().await.context("asking for the chain's id")?);
        let task_manager = self.settings.task_manager;
        let visible = visible::find_call(self.client.provider(), transaction, chain_id, task_manager, event).await?;
        let (status, signers) = match visible {
            Ok(visible) => self.status(block, event.policyClient, &visible, spent).await?,
            Err(reason) => (FindingStatus::NotVisible(reason), None),
        };
        let AttestationSpent { policyClient: policy_client, taskId: task_id, nonce, epoch, evidence } = *event;
        let epoch = EpochId(epoch);
        Ok(Finding { block, transaction, policy_client, task_id, nonce, epoch, evidence, status, signers })
    }

    async fn status(
        &self,
        block: u64,
        policy_client: Address,
        visible: &Visible,
        spent: &Spent<'_>,
    ) -> Result<(FindingStatus, Option<Signers>)> {
        let Visible { caller, intent, authorization, encoded } = visible;
        let mut refusal = None;
        let mut unknown = None;
        let timestamp = self.time(block).await?;
        for state in [block, block.saturating_sub(1)] {
            let context = self.client.read_context_for_at(state, policy_client, *caller, intent, authorization).await;
            let context = match context {
                Ok(context) => Context { timestamp, ..context.map_ledger(|_| spent) },
                Err(error) => {
                    unknown = Some(format!("cannot read the chain state of block {state}: {}", with_causes(&error)));
                    continue;
                }
            };
            match verify(&context, intent, encoded) {
                Ok(verified) => {
                    let non_signers = self.non_signers(block, authorization, &verified).await?;
                    let epoch = context.epoch(authorization.epoch);
                    let signers = non_signers.zip(epoch).map(|(absent, epoch)| Signers::of(&absent, epoch));
                    return Ok((FindingStatus::Verified(Box::new(verified)), signers));
                }
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        let status = match (refusal, unknown) {
            (Some(refusal), None) => FindingStatus::Refused(refusal),
            (Some(refusal), Some(unknown)) => {
                FindingStatus::Undecided(format!("{}: {refusal}; {unknown}", refusal.name()))
            }
            (None, unknown) => FindingStatus::Undecided(unknown.unwrap_or_default()),
        };
        Ok((status, None))
    }

    /// Returns the bitmap that came with the signature: of the call, or of the transaction that recorded the root.
    async fn non_signers(
        &self,
        block: u64,
        authorization: &Authorization,
        verified: &VerifiedAttestation,
    ) -> Result<Option<NonSigners>> {
        if let QuorumProof::Direct { non_signers, .. } = &authorization.quorum_proof {
            return Ok(Some(non_signers.clone()));
        }
        let chain_id = verified.attestation().intent.chainId;
        let digest = attestation_digest(verified.attestation(), chain_id, self.settings.task_manager);
        let root = authorization.merkle_proof.root(digest);
        self.recorded_non_signers(authorization.epoch, root, block).await
    }

    async fn time(&self, block: u64) -> Result<u64> {
        let header = self.client.provider().get_block_by_number(block.into()).await.context("asking for a block")?;
        Ok(header.with_context(|| format!("there is no block {block}"))?.header.timestamp)
    }
}

/// The nonces that the events have spent.
pub(crate) struct Spent<'a>(pub(crate) &'a SpentNonces);

impl SpentLedger for &Spent<'_> {
    fn is_spent(&self, policy_client: Address, nonce: U256) -> bool {
        self.0.is_spent(policy_client, nonce)
    }
}

impl Finding {
    /// Returns whether the verifier agrees.
    pub fn is_verified(&self) -> bool {
        matches!(self.status, FindingStatus::Verified(_))
    }

    /// Returns the finding as JSON.
    pub fn to_json(&self) -> Value {
        let Self { block, transaction, policy_client, task_id, nonce, epoch, evidence, ref status, ref signers } =
            *self;
        let mut json = json!({
            "block": block,
            "transaction": transaction,
            "policyClient": policy_client,
            "taskId": task_id,
            "nonce": nonce.to_string(),
            "epoch": epoch,
            "evidence": evidence,
        });
        let (name, details) = match status {
            FindingStatus::Verified(verified) => (
                "verified",
                json!({
                    "attestation": verified.attestation(),
                    "epoch": verified.epoch(),
                    "signedWeight": verified.signed_weight().to_string(),
                    "totalWeight": verified.total_weight().to_string(),
                    "nonSigners": signers.as_ref().map(|signers| signers.absent().collect::<Vec<_>>()),
                }),
            ),
            FindingStatus::Refused(refusal) => (
                "refused",
                json!({
                    "name": refusal.name(),
                    "message": refusal.to_string(),
                    "revertData": hex::encode_prefixed(refusal.revert_data()),
                }),
            ),
            FindingStatus::NotVisible(reason) => ("notVisible", json!({ "reason": reason })),
            FindingStatus::Undecided(reason) => ("undecided", json!({ "reason": reason })),
        };
        json["verdict"] = name.into();
        json[name] = details;
        json
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, transaction, policy_client, nonce, status, .. } = self;
        write!(f, "block {block}, transaction {transaction}, client {policy_client}, nonce {nonce}: ")?;
        match status {
            FindingStatus::Verified(verified) => write!(
                f,
                "verified, signed by weight {} of {} of epoch {}",
                verified.signed_weight(),
                verified.total_weight(),
                verified.epoch()
            ),
            FindingStatus::Refused(refusal) => {
                write!(f, "REFUSED, although the chain accepted it: {}: {refusal}", refusal.name())
            }
            FindingStatus::NotVisible(reason) => write!(f, "NOT VISIBLE: {reason}"),
            FindingStatus::Undecided(reason) => write!(f, "UNDECIDED: {reason}"),
        }
    }
}
