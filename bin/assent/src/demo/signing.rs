//! The operators' signatures.

use super::setup::{SIGNERS, Setup};
use alloy::{
    primitives::{Bytes, U256, aliases::U48, utils::parse_ether},
    providers::Provider,
    rpc::types::BlockNumberOrTag,
    sol_types::SolCall,
};
use anyhow::{Context, Result};
use assent_examples::TreasuryVault;
use assent_policy::{PolicyInput, ReferenceBlock, evaluate, evaluator};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, Authorization, Intent,
    digest::{intent_hash, task_id},
};

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
    /// Why the policy denies; empty if it allows.
    pub reasons: Vec<String>,
}

impl Setup {
    /// Returns the calldata of a payment in whole tokens.
    pub fn payment(&self, tokens: &str) -> Result<Bytes> {
        let amount = parse_ether(tokens)?;
        let pay = TreasuryVault::payCall { token: self.token, recipient: self.recipient, amount };
        Ok(pay.abi_encode().into())
    }

    /// Returns the intent of a call of the vault by the agent.
    pub fn intent(&self, data: Bytes) -> Intent {
        Intent { from: self.agent, to: self.vault, value: U256::ZERO, data, chainId: self.chain_id }
    }

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
        let evaluation = evaluate(evaluator()?, &self.rules, &input, "")?;
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
        let sign = |operator: &super::setup::DemoOperator| {
            PartialSignature::new(operator.address, operator.key.sign_batch(&batch))
        };
        let partials = self.operators.iter().take(signers).map(sign).collect::<Vec<_>>();
        let aggregate = aggregate(&self.epoch, batch.root(), &partials)?;
        let document = aggregate.document(&batch, 0)?;
        let authorization = document.authorization()?;
        let reasons = evaluation.reasons.into_iter().map(|reason| reason.message).collect();
        Ok(Answer { document, authorization, aggregate, reasons })
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
