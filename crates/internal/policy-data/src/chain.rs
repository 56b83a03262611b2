//! Reads of the chain, pinned to a block.

mod rpc;

pub use rpc::RpcChain;

use crate::{
    exchange::{Header, Header as BlockReference, Log, LogFilter},
    limits,
};
use alloy_primitives::{Address, B256, Bytes, U256};

/// Reads of a chain as of a block.
///
/// Every honest implementation gives the same answers for one block: they follow from its hash.
/// A read that fails is an error, never an answer.
pub trait ChainReader: Send + Sync {
    /// Calls a contract with [`limits::CALL_GAS`] and the zero address as caller. The inner error is the revert data.
    ///
    /// # Errors
    /// If the node does not answer, or does not have the block.
    fn call(&self, block: &BlockReference, to: Address, data: &Bytes) -> Result<Result<Bytes, Bytes>, ChainReadError>;

    /// Returns a word of an account's storage.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    fn storage(&self, block: &BlockReference, account: Address, slot: B256) -> Result<B256, ChainReadError>;

    /// Returns an account's code.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    fn code(&self, block: &BlockReference, account: Address) -> Result<Bytes, ChainReadError>;

    /// Returns an account's balance.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    fn balance(&self, block: &BlockReference, account: Address) -> Result<U256, ChainReadError>;

    /// Returns logs of the block and its ancestors, in the order of the chain.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    fn logs(&self, block: &BlockReference, filter: &LogFilter) -> Result<Vec<Log>, ChainReadError>;

    /// Returns the header of the block, or of an ancestor.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    fn header(&self, block: &BlockReference, number: u64) -> Result<Header, ChainReadError>;
}

/// No chain: every read fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoChain;

impl ChainReader for NoChain {
    fn call(&self, _: &BlockReference, _: Address, _: &Bytes) -> Result<Result<Bytes, Bytes>, ChainReadError> {
        Err(ChainReadError::NoNode)
    }

    fn storage(&self, _: &BlockReference, _: Address, _: B256) -> Result<B256, ChainReadError> {
        Err(ChainReadError::NoNode)
    }

    fn code(&self, _: &BlockReference, _: Address) -> Result<Bytes, ChainReadError> {
        Err(ChainReadError::NoNode)
    }

    fn balance(&self, _: &BlockReference, _: Address) -> Result<U256, ChainReadError> {
        Err(ChainReadError::NoNode)
    }

    fn logs(&self, _: &BlockReference, _: &LogFilter) -> Result<Vec<Log>, ChainReadError> {
        Err(ChainReadError::NoNode)
    }

    fn header(&self, _: &BlockReference, _: u64) -> Result<Header, ChainReadError> {
        Err(ChainReadError::NoNode)
    }
}

impl ChainReadError {
    /// Returns whether the same read may succeed later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Unreachable { .. })
    }
}

/// Why the chain could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainReadError {
    /// There is no node to ask.
    #[error("the source reads the chain, and there is no node to ask")]
    NoNode,
    /// The node did not answer in time.
    #[error("the node did not answer {method} within {} s", limits::ANSWER_TIME.as_secs())]
    Timeout {
        /// The method of JSON-RPC.
        method: &'static str,
    },
    /// The node cannot be reached, or its answer is not one of JSON-RPC. It may answer later.
    #[error("the node does not answer {method}: {detail}")]
    Unreachable {
        /// The method of JSON-RPC.
        method: &'static str,
        /// What failed.
        detail: String,
    },
    /// The node answered with an error.
    #[error("the node answered {method} with an error: {detail}")]
    Node {
        /// The method of JSON-RPC.
        method: &'static str,
        /// The node's words.
        detail: String,
    },
    /// The reference block is not on the node's canonical chain.
    #[error("block {number} is not {hash} on the node's canonical chain; the task needs another reference block")]
    NotCanonical {
        /// The number of the reference block.
        number: u64,
        /// The hash of the reference block.
        hash: B256,
    },
    /// The node does not have a block.
    #[error("the node does not have block {block}")]
    UnknownBlock {
        /// The number or tag.
        block: String,
    },
    /// An answer has too many bytes.
    #[error("the node's answer to {method} has {length} bytes; the most are {}", limits::ANSWER_BYTES)]
    TooLong {
        /// The method of JSON-RPC.
        method: &'static str,
        /// The bytes that it has.
        length: usize,
    },
    /// An answer contradicts the question.
    #[error("the node's answer to {method} is not one: {detail}")]
    Inconsistent {
        /// The method of JSON-RPC.
        method: &'static str,
        /// What contradicts.
        detail: String,
    },
}
