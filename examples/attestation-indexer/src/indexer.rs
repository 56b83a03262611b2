//! What an indexer follows, and how far it is.

use alloy::{
    primitives::{Address, B256, U256},
    providers::Provider,
    transports::TransportError,
};
use anyhow::{Context as _, Result, bail};
use assent_client::{AssentClient, ClientError};
use assent_contracts::TaskManager;
use assent_verifier::SpentNonces;
use std::{collections::VecDeque, fmt};

/// The number of processed blocks whose hashes are kept, to find where a replaced chain begins.
const MOST_CHECKPOINTS: usize = 256;

/// The settings of an indexer.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The TaskManager whose events are followed.
    pub task_manager: Address,
    /// If set, only this client's events are followed.
    pub policy_client: Option<Address>,
    /// The first block.
    pub from_block: u64,
    /// The number of confirmations that a block needs.
    pub confirmations: u64,
}

/// Follows one TaskManager.
pub struct Indexer<P> {
    pub(crate) client: AssentClient<P>,
    pub(crate) settings: Settings,
    /// The nonces spent since the first block.
    pub(crate) spent: SpentNonces,
    /// The first block that is not processed.
    pub(crate) next: u64,
    /// The latest block, when it was last asked for.
    pub(crate) head: Option<u64>,
    /// The last processed block of each step, and its hash, in order.
    pub(crate) checkpoints: VecDeque<(u64, B256)>,
}

/// Processed blocks were replaced after they had enough confirmations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlocksReplaced {
    /// The last processed block, which was replaced.
    pub block: u64,
    /// The confirmations that it had.
    pub confirmations: u64,
    /// The block after the last one that is known not to be replaced. Findings from it on may be wrong.
    pub from: u64,
}

impl fmt::Display for BlocksReplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "block {} was replaced after it had {} confirmations, and findings from block {} on may be wrong; begin \
             again with --from-block {} and more --confirmations",
            self.block, self.confirmations, self.from, self.from
        )
    }
}

impl std::error::Error for BlocksReplaced {}

/// Returns whether an error is of the node or the connection to it, so that the same request can succeed later.
pub fn is_temporary(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.is::<TransportError>() || matches!(cause.downcast_ref(), Some(ClientError::Transport(_))))
}

impl<P: Provider> Indexer<P> {
    /// Returns an indexer that starts at the first block.
    pub fn new(provider: P, settings: Settings) -> Self {
        let client = AssentClient::new(provider);
        Self {
            client,
            settings,
            spent: SpentNonces::default(),
            next: settings.from_block,
            head: None,
            checkpoints: VecDeque::new(),
        }
    }

    /// Checks that there is a TaskManager at the address: without one, there would never be a finding.
    ///
    /// # Errors
    ///
    /// When there is no TaskManager, or the node does not answer.
    pub async fn require_task_manager(&self) -> Result<()> {
        let address = self.settings.task_manager;
        self.client
            .require_contract(address)
            .await
            .with_context(|| format!("looking for the TaskManager {address}"))?;
        let manager = TaskManager::new(address, self.client.provider());
        let spent = manager.spentNonces(Address::ZERO, U256::ZERO).call().await;
        let registry = manager.OPERATOR_REGISTRY().call().await;
        match spent.err().or(registry.err()) {
            None => Ok(()),
            Some(alloy::contract::Error::TransportError(error)) if error.is_transport_error() => {
                Err(error).context("asking the TaskManager")
            }
            Some(_) => bail!("the contract at {address} is not a TaskManager; `assent deploy` prints its address"),
        }
    }

    /// Remembers the last block of a step.
    pub(crate) fn remember(&mut self, block: u64, hash: B256) {
        if self.checkpoints.len() == MOST_CHECKPOINTS {
            self.checkpoints.pop_front();
        }
        self.checkpoints.push_back((block, hash));
    }

    /// Sets the nonces that were spent or burned before the first block.
    pub fn with_spent(self, spent: SpentNonces) -> Self {
        Self { spent, ..self }
    }

    /// Returns the spent and burned nonces, for [`with_spent`](Self::with_spent) when resuming.
    pub fn spent(&self) -> &SpentNonces {
        &self.spent
    }

    /// Returns the latest block, as of the last step.
    pub fn head(&self) -> Option<u64> {
        self.head
    }

    /// Returns the first block that is not processed, from which to resume.
    pub fn next_block(&self) -> u64 {
        self.next
    }
}
