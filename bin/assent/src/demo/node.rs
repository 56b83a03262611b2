//! The chain that the demo runs on: embedded, or a development node.

use crate::connection;
use alloy::{
    primitives::{Address, U256},
    providers::{DynProvider, Provider},
};
use anyhow::{Context, Result, bail};
use assent_chain::{DEVELOPMENT_CHAIN_ID, EmbeddedChain};

/// An owner, two agents, seven operators.
pub const ACCOUNTS: usize = 10;

/// A chain whose accounts are unlocked and whose clock can be moved.
pub struct Node {
    /// The way to it.
    pub provider: DynProvider,
    /// What it is, for people.
    pub description: String,
    snapshot: U256,
}

impl Node {
    /// The node at `url`, or an embedded chain.
    pub async fn start(url: Option<&str>) -> Result<Self> {
        let (provider, description) = match url {
            None => (EmbeddedChain::new(DEVELOPMENT_CHAIN_ID).provider(), "embedded (revm in this process)".to_owned()),
            Some(url) => (connection::connect(url, None)?, format!("the node at {url}")),
        };
        // Everything is undone in the end, so that the demo can run again on the same node.
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
                    "the node takes no evm_snapshot, so it is no development node: the demo moves the clock and sends from \
                     unlocked accounts, which only such a node allows; start one with `anvil --hardfork osaka`",
                );
            }
        };
        Ok(Self { provider, description, snapshot })
    }

    /// The accounts that the node signs for.
    pub async fn accounts(&self) -> Result<[Address; ACCOUNTS]> {
        let accounts = self.provider.get_accounts().await.context("the node does not name its accounts")?;
        match accounts.first_chunk() {
            Some(accounts) => Ok(*accounts),
            None => bail!(
                "the demo needs {ACCOUNTS} unlocked accounts and the node has {}; start one with `anvil --hardfork osaka`",
                accounts.len()
            ),
        }
    }

    /// Lets the next block be `seconds` later.
    pub async fn advance_clock(&self, seconds: u64) -> Result<()> {
        // The answer is a number from some nodes and a string from others.
        let answer = self.provider.raw_request::<_, serde_json::Value>("evm_increaseTime".into(), [seconds]).await;
        answer.map(drop).context("the node does not move its clock")
    }

    /// Undoes everything since the start.
    pub async fn restore(&self) -> Result<()> {
        match self.provider.raw_request::<_, bool>("evm_revert".into(), [self.snapshot]).await {
            Ok(true) => Ok(()),
            Ok(false) => bail!("the node did not return to its state before the demo"),
            Err(error) => Err(error).context("the node did not return to its state before the demo"),
        }
    }
}
