//! Signatures with the operators' keys, for the calls that must be refused: operators do not sign most of them.

use crate::setup::{ExampleOperator, Setup};
use alloy::{
    primitives::{B256, U256, aliases::U48, keccak256},
    providers::Provider,
    rpc::types::BlockNumberOrTag,
};
use anyhow::{Context, Result};
use assent_policy::{PolicyInput, ReferenceBlock, evaluate, evaluator};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, Authorization, Intent,
    digest::{intent_hash, task_id},
};

/// The number of operators in the epoch.
pub const OPERATORS: usize = 7;
/// The number of operators that must sign, under the vault's quorum and equal weights.
pub const SIGNERS: usize = 5;

/// The lifetime of an attestation in seconds.
pub const LIFETIME: u64 = 600;

/// A question to the operators, with their answer.
#[derive(Clone)]
pub struct Question {
    /// The call.
    pub intent: Intent,
    /// The chain for which they sign.
    pub chain_id: U256,
    /// The vault's nonce.
    pub nonce: u64,
    /// The number of operators that sign.
    pub signers: usize,
}

/// The operators' answer.
pub struct Answer {
    /// The attestation document.
    pub document: AttestationDocument,
    /// The authorization for the calldata.
    pub authorization: Authorization,
    /// The aggregate signature.
    pub aggregate: Aggregate,
}

/// Returns keys derived from fixed text, so that every run is the same. The keys are public.
pub fn demo_keys() -> Result<Vec<SecretKey>> {
    let key = |index: usize| {
        let material: B256 = keccak256(format!("Assent demo, operator {index}: not a secret"));
        Ok(SecretKey::from_key_material(material.as_slice())?)
    };
    (0..OPERATORS).map(key).collect()
}

impl Setup {
    /// Returns the question whether a call is allowed, to as many operators as a quorum needs.
    pub fn question(&self, intent: Intent, nonce: u64) -> Question {
        Question { intent, chain_id: self.chain_id, nonce, signers: SIGNERS }
    }

    /// Has the vault's policy decide, signs with the first operators' keys, and aggregates the signatures.
    pub async fn attest(&self, question: Question) -> Result<Answer> {
        let Question { intent, chain_id, nonce, signers } = question;
        let (task_manager, nonce) = (self.deployment.task_manager.address, U256::from(nonce));
        let block = self.reference_block().await?;
        let input = PolicyInput { intent: intent.clone(), policy_client: self.vault, nonce, block };
        let evaluation = evaluate(evaluator()?, self.bundle.policy(), &input, "")?;
        let policy_id = self.policy.policyId;
        let issued_at = u64::try_from(block.timestamp)?;
        let attestation = Attestation {
            taskId: task_id(chain_id, task_manager, self.vault, policy_id, intent_hash(&intent), nonce),
            policyId: policy_id,
            policyClient: self.vault,
            nonce,
            issuedAt: U48::try_from(issued_at)?,
            expiration: U48::try_from(issued_at + LIFETIME)?,
            decision: evaluation.decision.into(),
            evidence: evaluation.evidence.hash(),
            intent,
        };
        let batch = AttestationBatch::new(vec![attestation], chain_id, task_manager)?;
        let sign =
            |operator: &ExampleOperator| PartialSignature::new(operator.address, operator.key.sign_batch(&batch));
        let partials = self.operators.iter().take(signers).map(sign).collect::<Vec<_>>();
        let aggregate = aggregate(&self.epoch, batch.root(), &partials)?;
        let document = aggregate.document(&batch, 0)?;
        let authorization = document.authorization()?;
        Ok(Answer { document, authorization, aggregate })
    }

    /// Returns the latest block.
    async fn reference_block(&self) -> Result<ReferenceBlock> {
        let latest = self.client.provider().get_block_by_number(BlockNumberOrTag::Latest).await?;
        let header = latest.context("the node has no latest block")?.header;
        Ok(ReferenceBlock {
            number: U256::from(header.number),
            hash: header.hash,
            timestamp: U256::from(header.timestamp),
        })
    }
}
