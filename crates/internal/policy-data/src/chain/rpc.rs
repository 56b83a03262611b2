//! A chain behind a node's JSON-RPC.

use super::{ChainReadError, ChainReader};
use crate::{
    exchange::{Header, Log, LogFilter, size_of_logs},
    limits,
    request::BlockReference,
};
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    network::{Ethereum, TransactionBuilder},
    providers::Provider,
    rpc::types::{Filter, TransactionRequest},
    transports::{RpcError, TransportError},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use std::future::IntoFuture;
use tokio::{runtime::Handle, time::timeout};

/// JSON-RPC's code for a call that reverted.
const REVERTED: i64 = 3;

/// A chain behind a node's JSON-RPC.
///
/// State is read by block hash (EIP-1898), and only while that block is canonical.
/// Logs and headers are read by number, between two checks that the block is canonical.
///
/// The functions of [`ChainReader`] block their thread.
/// In an asynchronous program, call them from `tokio::task::spawn_blocking`.
#[derive(Debug, Clone)]
pub struct RpcChain<P> {
    provider: P,
    runtime: Handle,
}

impl<P: Provider<Ethereum>> RpcChain<P> {
    /// Returns the chain behind a provider, whose requests a tokio runtime sends.
    pub const fn new(provider: P, runtime: Handle) -> Self {
        Self { provider, runtime }
    }

    /// Returns a block as a reference. Blocks its thread.
    ///
    /// # Errors
    /// If the node does not answer, or does not have the block.
    pub fn reference_block(&self, block: BlockNumberOrTag) -> Result<BlockReference, ChainReadError> {
        let found = self.wait("eth_getBlockByNumber", self.provider.get_block_by_number(block))?;
        let header = found.ok_or_else(|| ChainReadError::UnknownBlock { block: block.to_string() })?.header;
        Ok(Header { number: header.number, hash: header.hash, timestamp: header.timestamp })
    }

    /// Checks that the reference block is canonical.
    fn check_canonical(&self, block: &BlockReference) -> Result<(), ChainReadError> {
        let BlockReference { number, hash, .. } = *block;
        match self.reference_block(number.into()) {
            Ok(found) if found == *block => Ok(()),
            Ok(_) | Err(ChainReadError::UnknownBlock { .. }) => Err(ChainReadError::NotCanonical { number, hash }),
            Err(error) => Err(error),
        }
    }

    /// Waits for an answer that is no error.
    fn wait<T>(
        &self,
        method: &'static str,
        request: impl IntoFuture<Output = Result<T, TransportError>>,
    ) -> Result<T, ChainReadError> {
        self.ask(method, request)?.map_err(|error| node_error(method, &error))
    }

    fn ask<T>(
        &self,
        method: &'static str,
        request: impl IntoFuture<Output = Result<T, TransportError>>,
    ) -> Result<Result<T, TransportError>, ChainReadError> {
        let answer = async { timeout(limits::ANSWER_TIME, request.into_future()).await };
        self.runtime.block_on(answer).map_err(|_elapsed| ChainReadError::Timeout { method })
    }
}

impl<P: Provider<Ethereum>> ChainReader for RpcChain<P> {
    fn call(&self, block: &BlockReference, to: Address, data: &Bytes) -> Result<Result<Bytes, Bytes>, ChainReadError> {
        const METHOD: &str = "eth_call";
        let call = TransactionRequest::default()
            .with_from(Address::ZERO)
            .with_to(to)
            .with_input(data.clone())
            .with_gas_limit(limits::CALL_GAS);
        let outcome = match self.ask(METHOD, self.provider.call(call).block(pinned(block)))? {
            Ok(returned) => Ok(returned),
            Err(error) => Err(revert_data(&error).ok_or_else(|| node_error(METHOD, &error))?),
        };
        check_length(METHOD, outcome.as_ref().unwrap_or_else(|reverted| reverted).len())?;
        Ok(outcome)
    }

    fn storage(&self, block: &BlockReference, account: Address, slot: B256) -> Result<B256, ChainReadError> {
        let request = self.provider.get_storage_at(account, slot.into()).block_id(pinned(block));
        self.wait("eth_getStorageAt", request).map(B256::from)
    }

    fn code(&self, block: &BlockReference, account: Address) -> Result<Bytes, ChainReadError> {
        const METHOD: &str = "eth_getCode";
        let code = self.wait(METHOD, self.provider.get_code_at(account).block_id(pinned(block)))?;
        check_length(METHOD, code.len())?;
        Ok(code)
    }

    fn balance(&self, block: &BlockReference, account: Address) -> Result<U256, ChainReadError> {
        self.wait("eth_getBalance", self.provider.get_balance(account).block_id(pinned(block)))
    }

    fn logs(&self, block: &BlockReference, filter: &LogFilter) -> Result<Vec<Log>, ChainReadError> {
        const METHOD: &str = "eth_getLogs";
        let mut query =
            Filter::new().from_block(filter.from_block).to_block(filter.to_block).address(filter.addresses.clone());
        for (topic, permitted) in query.topics.iter_mut().zip(&filter.topics) {
            *topic = permitted.clone().into();
        }
        self.check_canonical(block)?;
        let found = self.wait(METHOD, self.provider.get_logs(&query))?;
        self.check_canonical(block)?;

        let logs = found.into_iter().map(|log| convert(log, filter)).collect::<Result<Vec<_>, _>>();
        let logs = logs.and_then(in_order).map_err(|detail| ChainReadError::Inconsistent { method: METHOD, detail })?;
        check_length(METHOD, size_of_logs(&logs))?;
        Ok(logs)
    }

    fn header(&self, block: &BlockReference, number: u64) -> Result<Header, ChainReadError> {
        let header = self.reference_block(number.into())?;
        self.check_canonical(block)?;
        Ok(header)
    }
}

/// EIP-1898: by hash, and only if the block is canonical.
const fn pinned(block: &BlockReference) -> BlockId {
    BlockId::hash_canonical(block.hash)
}

/// Returns the revert data, if the error is that of a call that reverted.
///
/// Nodes have other words and codes for calls that end otherwise. Those are no answer.
fn revert_data(error: &TransportError) -> Option<Bytes> {
    let RpcError::ErrorResp(response) = error else { return None };
    if response.code != REVERTED {
        return None;
    }
    Some(response.as_revert_data().unwrap_or_default())
}

fn node_error(method: &'static str, error: &TransportError) -> ChainReadError {
    let detail = error.to_string();
    match error {
        RpcError::ErrorResp(_) => ChainReadError::Node { method, detail },
        _ => ChainReadError::Unreachable { method, detail },
    }
}

fn check_length(method: &'static str, length: usize) -> Result<(), ChainReadError> {
    if length > limits::ANSWER_BYTES {
        return Err(ChainReadError::TooLong { method, length });
    }
    Ok(())
}

/// Converts a log, and checks that the filter selects it.
fn convert(log: alloy::rpc::types::Log, filter: &LogFilter) -> Result<Log, String> {
    let log_index = log.log_index.and_then(|index| u32::try_from(index).ok());
    let (Some(block_number), Some(log_index), Some(transaction_hash)) =
        (log.block_number, log_index, log.transaction_hash)
    else {
        return Err("a log without its position".to_owned());
    };
    let (address, topics) = (log.address(), log.topics().to_vec());
    let log = Log { address, topics, data: log.inner.data.data, block_number, log_index, transaction_hash };
    if !filter.selects(&log) {
        return Err(format!("log {log_index} of block {block_number} is not one that the filter selects"));
    }
    Ok(log)
}

fn in_order(logs: Vec<Log>) -> Result<Vec<Log>, String> {
    let mut previous = None;
    for log in &logs {
        let position = (log.block_number, log.log_index);
        if previous.is_some_and(|previous| previous >= position) {
            return Err(format!("log {} of block {} is out of order", log.log_index, log.block_number));
        }
        previous = Some(position);
    }
    Ok(logs)
}
