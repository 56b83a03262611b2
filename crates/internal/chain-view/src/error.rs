//! Why a read gave nothing.

use alloy::{primitives::Address, transports::TransportError};
use assent_client::{ClientError, with_causes};

/// JSON-RPC's code for a call that reverted.
const EXECUTION_REVERTED: i64 = 3;

/// The reason why the chain could not be read.
///
/// Its text can contain the node's URL, and so a key. It is for the log of the program that has the node, not for those
/// whom the program serves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainViewError {
    /// The node did not answer, or does not have the block's state.
    #[error("the node did not answer: {0}")]
    Node(String),
    /// The node has no latest block.
    #[error("the node has no latest block")]
    NoBlock,
    /// The node has no final block.
    #[error("the node has no final block")]
    NoFinalBlock,
    /// The contract at an address does not answer as it should.
    #[error("the contract at {address} does not answer as a contract {expected} does: {detail}")]
    WrongContract {
        /// The address.
        address: Address,
        /// The contract that it should be.
        expected: &'static str,
        /// What it answered.
        detail: String,
    },
}

impl ChainViewError {
    /// Returns the error for a read of a contract that must be there.
    pub(crate) fn of_read(address: Address, expected: &'static str, error: ClientError) -> Self {
        match error {
            ClientError::Transport(error) => error.into(),
            other => Self::WrongContract { address, expected, detail: with_causes(&other) },
        }
    }

    /// Returns the error for a call of a contract that must be there.
    pub(crate) fn of_call(address: Address, expected: &'static str, error: &alloy::contract::Error) -> Self {
        match error {
            alloy::contract::Error::TransportError(error) if !is_revert(error) => Self::Node(with_causes(error)),
            other => Self::WrongContract { address, expected, detail: with_causes(other) },
        }
    }

    /// Returns the error for a read that no contract can make fail.
    pub(crate) fn of_node(error: ClientError) -> Self {
        Self::Node(with_causes(&error))
    }
}

/// Returns whether a node says that a call reverted.
fn is_revert(error: &TransportError) -> bool {
    let answer = error.as_error_resp();
    answer.is_some_and(|answer| answer.code == EXECUTION_REVERTED || answer.as_revert_data().is_some())
}

impl From<TransportError> for ChainViewError {
    fn from(error: TransportError) -> Self {
        Self::Node(with_causes(&error))
    }
}
