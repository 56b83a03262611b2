//! Blocks, transactions and receipts as they were mined.

use alloy::{
    consensus::{
        Eip658Value, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, Transaction as _, TxEnvelope, TxReceipt,
        constants::EMPTY_WITHDRAWALS,
        proofs::{calculate_receipt_root, calculate_transaction_root},
        transaction::Recovered,
    },
    eips::eip7685::EMPTY_REQUESTS_HASH,
    primitives::{Address, B256, Log, keccak256},
    rpc::types,
};

use crate::{BLOCK_GAS_LIMIT, Execution};

/// Base fee of the first block in wei per gas, as on anvil.
const INITIAL_BASE_FEE: u64 = 1_000_000_000;

/// At most one transaction is in a block, since every transaction is mined when it arrives.
#[derive(Debug)]
pub(crate) struct MinedBlock {
    pub(crate) header: Header,
    pub(crate) hash: B256,
    pub(crate) transaction: Option<MinedTransaction>,
}

#[derive(Debug)]
pub(crate) struct MinedTransaction {
    pub(crate) envelope: Recovered<TxEnvelope>,
    receipt: ReceiptEnvelope,
    gas_used: u64,
}

impl MinedBlock {
    pub(crate) fn genesis(timestamp: u64) -> Self {
        Self::seal(Header { timestamp, base_fee_per_gas: Some(INITIAL_BASE_FEE), ..empty_header() }, None)
    }

    /// The block after `parent`, with what was executed in it.
    pub(crate) fn after(
        parent: &Self,
        timestamp: u64,
        base_fee: u64,
        executed: Option<(Recovered<TxEnvelope>, &Execution)>,
    ) -> Self {
        let number = parent.header.number + 1;
        let mut header = Header {
            parent_hash: parent.hash,
            number,
            timestamp,
            base_fee_per_gas: Some(base_fee),
            mix_hash: randomness(number),
            ..empty_header()
        };
        let transaction = executed.map(|(envelope, execution)| MinedTransaction::new(envelope, execution));
        if let Some(transaction) = &transaction {
            header.gas_used = transaction.gas_used;
            header.logs_bloom = transaction.receipt.bloom();
            header.transactions_root = calculate_transaction_root(&[transaction.envelope.inner()]);
            header.receipts_root = calculate_receipt_root(&[&transaction.receipt]);
        }
        Self::seal(header, transaction)
    }

    /// The block as JSON-RPC gives it; with the whole transactions when `full`, else with their hashes.
    pub(crate) fn to_rpc(&self, full: bool) -> types::Block {
        let transactions = match &self.transaction {
            None if full => types::BlockTransactions::Full(Vec::new()),
            Some(transaction) if full => types::BlockTransactions::Full(vec![transaction.to_rpc(self)]),
            transaction => types::BlockTransactions::Hashes(
                transaction.iter().map(|transaction| *transaction.envelope.tx_hash()).collect(),
            ),
        };
        types::Block {
            header: types::Header::from_consensus(
                alloy::consensus::Sealed::new_unchecked(self.header.clone(), self.hash),
                None,
                None,
            ),
            uncles: Vec::new(),
            transactions,
            withdrawals: Some(Default::default()),
        }
    }

    /// The block's events with their positions.
    pub(crate) fn logs(&self) -> impl Iterator<Item = types::Log> {
        self.transaction.iter().flat_map(|transaction| transaction.logs(self))
    }

    fn seal(header: Header, transaction: Option<MinedTransaction>) -> Self {
        Self { hash: header.hash_slow(), header, transaction }
    }
}

impl MinedTransaction {
    fn new(envelope: Recovered<TxEnvelope>, execution: &Execution) -> Self {
        let receipt = Receipt {
            status: Eip658Value::Eip658(execution.is_success()),
            cumulative_gas_used: execution.gas_used,
            logs: execution.logs.clone(),
        };
        let receipt = ReceiptEnvelope::from_typed(envelope.tx_type(), ReceiptWithBloom::from(receipt));
        Self { envelope, receipt, gas_used: execution.gas_used }
    }

    pub(crate) fn to_rpc(&self, block: &MinedBlock) -> types::Transaction {
        types::Transaction {
            inner: self.envelope.clone(),
            block_hash: Some(block.hash),
            block_number: Some(block.header.number),
            transaction_index: Some(0),
            effective_gas_price: Some(self.effective_gas_price(block)),
            block_timestamp: Some(block.header.timestamp),
        }
    }

    pub(crate) fn receipt(&self, block: &MinedBlock) -> types::TransactionReceipt {
        let receipt = Receipt {
            status: Eip658Value::Eip658(self.receipt.status()),
            cumulative_gas_used: self.gas_used,
            logs: self.logs(block).collect(),
        };
        let receipt = ReceiptWithBloom { receipt, logs_bloom: self.receipt.bloom() };
        types::TransactionReceipt {
            inner: ReceiptEnvelope::from_typed(self.envelope.tx_type(), receipt),
            transaction_hash: *self.envelope.tx_hash(),
            transaction_index: Some(0),
            block_hash: Some(block.hash),
            block_number: Some(block.header.number),
            gas_used: self.gas_used,
            effective_gas_price: self.effective_gas_price(block),
            blob_gas_used: None,
            blob_gas_price: None,
            from: self.envelope.signer(),
            to: self.envelope.to(),
            contract_address: self.contract_address(),
        }
    }

    /// Fee above the base fee, in wei per gas.
    pub(crate) fn priority_fee(&self, block: &MinedBlock) -> u128 {
        let base_fee = u128::from(block.header.base_fee_per_gas.unwrap_or_default());
        self.effective_gas_price(block).saturating_sub(base_fee)
    }

    fn effective_gas_price(&self, block: &MinedBlock) -> u128 {
        self.envelope.effective_gas_price(block.header.base_fee_per_gas)
    }

    /// Named for every creation, also a failed one, as geth and anvil do.
    fn contract_address(&self) -> Option<Address> {
        self.envelope.is_create().then(|| self.envelope.signer().create(self.envelope.nonce()))
    }

    fn logs(&self, block: &MinedBlock) -> impl Iterator<Item = types::Log> {
        let (hash, number, timestamp) = (block.hash, block.header.number, block.header.timestamp);
        let logs: &[Log] = self.receipt.logs();
        logs.iter().zip(0u64..).map(move |(log, index)| types::Log {
            inner: log.clone(),
            block_hash: Some(hash),
            block_number: Some(number),
            block_timestamp: Some(timestamp),
            transaction_hash: Some(*self.envelope.tx_hash()),
            transaction_index: Some(0),
            log_index: Some(index),
            removed: false,
        })
    }
}

/// What all headers share. The state root stays that of an empty trie: the chain makes no proofs of its state.
fn empty_header() -> Header {
    Header {
        gas_limit: BLOCK_GAS_LIMIT,
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

/// Returns the PREVRANDAO of a block. It is not secret, and the same in every run.
pub(crate) fn randomness(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}
