//! What the operators sign.

use super::stage::{SIGNERS, Stage};
use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U48, keccak256, utils::parse_ether},
    providers::Provider,
    rpc::types::BlockNumberOrTag,
    sol_types::SolCall,
};
use anyhow::{Context, Result};
use assent_contracts::TreasuryVault;
use assent_signer::{Aggregate, AttestationBatch, PartialSignature, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, Authorization, Decision, Intent,
    digest::{intent_hash, task_id},
};

/// Seconds for which the operators' answers are good.
pub const LIFETIME: u64 = 600;

/// What is put before the operators, and how they answer.
#[derive(Clone)]
pub struct Question {
    /// The call.
    pub intent: Intent,
    /// The chain in whose name they sign.
    pub chain_id: U256,
    /// The vault's nonce.
    pub nonce: u64,
    /// How many sign.
    pub signers: usize,
    /// What they find.
    pub decision: Decision,
}

/// The operators' answer.
pub struct Answer {
    /// In full.
    pub document: AttestationDocument,
    /// What travels with the call.
    pub authorization: Authorization,
    /// What the signatures came to.
    pub aggregate: Aggregate,
}

impl Stage {
    /// The calldata of a payment of so many whole tokens.
    pub fn payment(&self, tokens: &str) -> Result<Bytes> {
        let amount = parse_ether(tokens)?;
        let pay = TreasuryVault::payCall { token: self.token, recipient: self.recipient, amount };
        Ok(pay.abi_encode().into())
    }

    /// The intent of a call of the vault by the agent.
    pub fn intent(&self, data: Bytes) -> Intent {
        Intent { from: self.agent, to: self.vault, value: U256::ZERO, data, chainId: self.chain_id }
    }

    /// Whether a call may be made, on this chain, allowed by as many operators as must sign.
    pub fn question(&self, intent: Intent, nonce: u64) -> Question {
        Question { intent, chain_id: self.chain_id, nonce, signers: SIGNERS, decision: Decision::Allow }
    }

    /// Has the first operators sign, and puts their signatures together.
    pub async fn ask(&self, question: Question) -> Result<Answer> {
        let Question { intent, chain_id, nonce, signers, decision } = question;
        let (task_manager, nonce) = (self.deployment.task_manager.address, U256::from(nonce));
        let policy_id = self.policy.policyId;
        let attestation = Attestation {
            taskId: task_id(chain_id, task_manager, self.vault, policy_id, intent_hash(&intent), nonce),
            policyId: policy_id,
            policyClient: self.vault,
            nonce,
            expiration: U48::try_from(self.present().await? + LIFETIME)?,
            decision: decision.into(),
            evidence: evidence(self.vault, nonce),
            intent,
        };
        let batch = AttestationBatch::new(vec![attestation], chain_id, task_manager)?;
        let sign = |operator: &super::stage::DemoOperator| {
            PartialSignature::new(operator.address, operator.key.sign_batch(&batch))
        };
        let partials = self.operators.iter().take(signers).map(sign).collect::<Vec<_>>();
        let aggregate = aggregate(&self.epoch, batch.root(), &partials)?;
        let document = aggregate.document(&batch, 0)?;
        let authorization = document.authorization()?;
        Ok(Answer { document, authorization, aggregate })
    }

    /// The latest block's time, in Unix seconds.
    pub async fn present(&self) -> Result<u64> {
        let latest = self.client.provider().get_block_by_number(BlockNumberOrTag::Latest).await?;
        Ok(latest.context("the node has no latest block")?.header.timestamp)
    }
}

/// Stands for what real operators would commit to: rules, parameters, data and result.
fn evidence(vault: Address, nonce: U256) -> B256 {
    keccak256([b"Assent demo evidence".as_slice(), vault.as_slice(), &nonce.to_be_bytes::<32>()].concat())
}
