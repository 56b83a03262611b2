//! What an indexer follows, and how far it is.

use alloy::{
    primitives::{Address, B256},
    providers::Provider,
};
use assent_client::AssentClient;
use assent_verifier::SpentNonces;

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
    /// The last processed block, and its hash.
    pub(crate) last: Option<(u64, B256)>,
}

impl<P: Provider> Indexer<P> {
    /// Returns an indexer that starts at the first block.
    pub fn new(provider: P, settings: Settings) -> Self {
        let client = AssentClient::new(provider);
        Self { client, settings, spent: SpentNonces::default(), next: settings.from_block, last: None }
    }

    /// Sets the nonces that were spent or burned before the first block.
    pub fn with_spent(self, spent: SpentNonces) -> Self {
        Self { spent, ..self }
    }

    /// Returns the spent and burned nonces, for [`with_spent`](Self::with_spent) when resuming.
    pub fn spent(&self) -> &SpentNonces {
        &self.spent
    }

    /// Returns the first block that is not processed, from which to resume.
    pub fn next_block(&self) -> u64 {
        self.next
    }
}
