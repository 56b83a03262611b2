//! Transactions that call a contract, and what they left.

use alloy::{
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::TransactionReceipt,
    sol_types::{SolCall, SolEvent},
};
use anyhow::Result;
use assent_client::{AssentClient, PreparedCall};

/// Sends a call, and waits until it is mined.
pub async fn send(
    client: &AssentClient<impl Provider>,
    from: Address,
    to: Address,
    call: &impl SolCall,
) -> Result<TransactionReceipt> {
    Ok(client.send(&PreparedCall::new(from, to, call.abi_encode())).await?)
}

/// Returns the first event of its kind that a contract emitted in a transaction.
pub fn event<E: SolEvent>(contract: Address, receipt: &TransactionReceipt) -> Option<E> {
    let mut logs = receipt.inner.logs().iter().filter(|log| log.address() == contract);
    logs.find_map(|log| Some(log.log_decode::<E>().ok()?.inner.data))
}

/// Returns transactions by their hashes.
pub fn hashes(receipts: &[TransactionReceipt]) -> Vec<B256> {
    receipts.iter().map(|receipt| receipt.transaction_hash).collect()
}
