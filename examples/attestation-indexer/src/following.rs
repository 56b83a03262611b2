//! Blocks in order, once they have enough confirmations.

use crate::{
    indexer::{BlocksReplaced, Indexer},
    verification::{Finding, Spent},
};
use alloy::{
    eips::BlockNumberOrTag,
    primitives::B256,
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
};
use anyhow::{Context as _, Result, bail};
use assent_contracts::TaskManager::{AttestationSpent, NoncesBurned};
use assent_verifier::SpentNonces;

/// The number of blocks in one request, below the limit of nodes.
const BLOCKS_AT_ONCE: u64 = 1000;

impl<P: Provider> Indexer<P> {
    /// Looks at the next blocks that are deep enough, and not past `last`, in order. `None` if there is no such block
    /// yet.
    ///
    /// # Errors
    ///
    /// When the node does not answer, or when processed blocks were replaced. Then no block was
    /// processed, and the same blocks are next.
    pub async fn step(&mut self, last: u64) -> Result<Option<Vec<Finding>>> {
        let head = self.client.provider().get_block_number().await.context("asking for the latest block")?;
        self.head = Some(head);
        let Some(deep_enough) = head.checked_sub(self.settings.confirmations) else { return Ok(None) };
        let to = deep_enough.min(last).min(self.next.saturating_add(BLOCKS_AT_ONCE - 1));
        if to < self.next {
            return Ok(None);
        }
        self.require_same_chain().await?;
        let hash = self.hash(to).await?;
        let logs = self.logs(to).await?;
        // What was read in between may have been of another chain.
        if self.hash(to).await? != hash {
            bail!("block {to} was replaced while it was read; raise --confirmations");
        }

        let mut spent = self.spent.clone();
        let mut findings = Vec::new();
        for log in &logs {
            self.take(log, &mut spent, &mut findings).await?;
        }
        self.remember(to, hash);
        (self.spent, self.next) = (spent, to + 1);
        Ok(Some(findings))
    }

    async fn take(&self, log: &Log, spent: &mut SpentNonces, findings: &mut Vec<Finding>) -> Result<()> {
        match log.topic0() {
            Some(&AttestationSpent::SIGNATURE_HASH) => {
                let event = log.log_decode_validate::<AttestationSpent>().context("an event AttestationSpent")?;
                findings.push(self.verify_event(log, event.data(), &Spent(spent)).await?);
                let AttestationSpent { policyClient, nonce, .. } = *event.data();
                // Twice is for the verifier to say.
                let _ = spent.spend(policyClient, nonce);
            }
            Some(&NoncesBurned::SIGNATURE_HASH) => {
                let event = log.log_decode_validate::<NoncesBurned>().context("an event NoncesBurned")?;
                let NoncesBurned { policyClient, word, mask } = *event.data();
                spent.burn(policyClient, word, mask);
            }
            _ => {}
        }
        Ok(())
    }

    async fn logs(&self, to: u64) -> Result<Vec<Log>> {
        let events = vec![AttestationSpent::SIGNATURE_HASH, NoncesBurned::SIGNATURE_HASH];
        let filter = Filter::new().address(self.settings.task_manager).event_signature(events);
        let filter = filter.from_block(self.next).to_block(to);
        let filter = match self.settings.policy_client {
            Some(policy_client) => filter.topic1(policy_client.into_word()),
            None => filter,
        };
        let mut logs = self.client.provider().get_logs(&filter).await.context("asking for events")?;
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        Ok(logs)
    }

    async fn require_same_chain(&self) -> Result<()> {
        let Some(&(block, hash)) = self.checkpoints.back() else { return Ok(()) };
        if self.hash_if_any(block).await? == Some(hash) {
            return Ok(());
        }
        let mut from = self.settings.from_block;
        for &(number, hash) in self.checkpoints.iter().rev().skip(1) {
            if self.hash_if_any(number).await? == Some(hash) {
                from = number + 1;
                break;
            }
        }
        Err(BlocksReplaced { block, confirmations: self.settings.confirmations, from }.into())
    }

    async fn hash(&self, number: u64) -> Result<B256> {
        self.hash_if_any(number).await?.with_context(|| format!("there is no block {number}"))
    }

    async fn hash_if_any(&self, number: u64) -> Result<Option<B256>> {
        let block = self.client.provider().get_block_by_number(BlockNumberOrTag::Number(number)).await;
        Ok(block.with_context(|| format!("asking for block {number}"))?.map(|block| block.header.hash))
    }
}
