//! The chain on which the demo runs: embedded, or a development node.

use crate::connection;
use alloy::{
    primitives::U256,
    providers::{DynProvider, Provider},
};
use anyhow::{Context, Result, bail};
use assent_chain::{DEVELOPMENT_CHAIN_ID, EmbeddedChain};

/// A chain whose accounts are unlocked and whose clock can be moved.
pub struct Node {
    /// The provider.
    pub provider: DynProvider,
    /// Its description.
    pub description: String,
    snapshot: U256,
}

impl Node {
    /// Connects to the node at `url`, or starts an embedded chain.
    pub async fn start(url: Option<&str>) -> Result<Self> {
        let (provider, description) = match url {
            None => (EmbeddedChain::new(DEVELOPMENT_CHAIN_ID).provider(), "embedded (revm in this process)".to_owned()),
            Some(url) => (connection::connect(url, None)?, format!("the node at {url}")),
        };
        // The state is restored at the end, so that the demo can run again on the same node.
        let snapshot = provider.raw_request::<_, U256>("evm_snapshot".into(), ()).await;
        let snapshot = match (snapshot, url) {
            (Ok(snapshot), _) => snapshot,
            (Err(error), Some(url)) if error.is_transport_error() => {
                return Err(error).with_context(|| {
                    format!("the node at {url} cannot be reached; start one with `anvil --hardfork osaka`")
                });
            }
            (Err(error), _) => {
                return Err(error).context(
                    "the node does not support evm_snapshot: the demo needs a development node, to set the clock and \
                     send from unlocked accounts; start one with `anvil --hardfork osaka`",
                );
            }
        };
        Ok(Self { provider, description, snapshot })
    }

    /// Advances the node's clock by `seconds`.
    pub async fn advance_clock(&self, seconds: u64) -> Result<()> {
        // Some nodes return a number, others a string.
        let answer = self.provider.raw_request::<_, serde_json::Value>("evm_increaseTime".into(), [seconds]).await;
        answer.map(drop).context("the node did not advance its clock")
    }

    /// Restores the state before the demo.
    pub async fn restore(&self) -> Result<()> {
        match self.provider.raw_request::<_, bool>("evm_revert".into(), [self.snapshot]).await {
            Ok(true) => Ok(()),
            Ok(false) => bail!("the node did not return to its state before the demo"),
            Err(error) => Err(error).context("the node did not return to its state before the demo"),
        }
    }
}
