//! Who signed a root that was recorded before its attestations were spent.

use alloy::{
    consensus::Transaction as _,
    eips::BlockNumberOrTag,
    primitives::B256,
    providers::Provider,
    rpc::types::Filter,
    sol_types::{SolCall, SolEvent},
};
use anyhow::{Context as _, Result};
use assent_contracts::TaskManager::{RootRecorded, SignedRoot, recordRootCall, recordRootsCall};
use assent_verifier::{EpochId, NonSigners};

use crate::indexer::Indexer;

impl<P: Provider> Indexer<P> {
    /// Finds the transaction that recorded a root, and returns the bitmap in its calldata.
    ///
    /// `None` if another contract called the TaskManager there: its calldata is not the transaction's.
    pub(crate) async fn recorded_non_signers(
        &self,
        epoch: EpochId,
        root: B256,
        until: u64,
    ) -> Result<Option<NonSigners>> {
        let (task_manager, provider) = (self.settings.task_manager, self.client.provider());
        let filter = Filter::new()
            .address(task_manager)
            .event_signature(RootRecorded::SIGNATURE_HASH)
            .topic1(B256::left_padding_from(&u32::from(epoch).to_be_bytes()))
            .topic2(root)
            .from_block(BlockNumberOrTag::Earliest)
            .to_block(until);
        let logs = provider.get_logs(&filter).await.context("asking when a root was recorded")?;
        let Some(transaction) = logs.last().and_then(|log| log.transaction_hash) else { return Ok(None) };
        let found = provider.get_transaction_by_hash(transaction).await.context("asking for a transaction")?;
        let found = found.with_context(|| format!("the node does not have transaction {transaction}"))?;
        if found.to() != Some(task_manager) {
            return Ok(None);
        }
        let recorded = signed_roots(found.input()).into_iter().find(|signed| signed.root == root);
        Ok(recorded.and_then(|signed| NonSigners::from_bytes(&signed.nonSigners).ok()))
    }
}

fn signed_roots(input: &[u8]) -> Vec<SignedRoot> {
    if let Ok(call) = recordRootCall::abi_decode_validate(input) {
        return vec![call.signedRoot];
    }
    recordRootsCall::abi_decode_validate(input).map_or_else(|_| Vec::new(), |call| call.signedRoots)
}
