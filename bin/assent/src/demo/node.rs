//! The chain on which the demo runs: embedded, or a development node that is left as it was.

use crate::{
    connection,
    network::{LocalChain, local},
};
use alloy::{
    primitives::U256,
    providers::{DynProvider, Provider},
};
use anyhow::{Context, Result, bail};

/// A chain whose accounts are unlocked and whose clock can be moved.
pub struct Node {
    provider: DynProvider,
    /// Its description.
    pub description: String,
    /// The state that is restored at the end, so that the demo can run again on the same node.
    snapshot: Option<U256>,
}

impl Node {
    /// Starts an embedded chain, or takes a snapshot of the node at `url`. Returns the chain for a network, too.
    pub async fn start(url: Option<&str>) -> Result<(Self, LocalChain)> {
        let Some(url) = url else {
            let chain = LocalChain::serve(local(0)).await?;
            let description = chain.description.to_owned();
            return Ok((Self { provider: chain.provider.clone(), description, snapshot: None }, chain));
        };
        let provider = connection::connect(url, None)?;
        let snapshot = match provider.raw_request::<_, U256>("evm_snapshot".into(), ()).await {
            Ok(snapshot) => Some(snapshot),
            Err(error) if error.is_transport_error() => {
                return Err(error).with_context(|| {
                    format!("the node at {url} cannot be reached; start one with `anvil --hardfork osaka`")
                });
            }
            Err(error) => {
                return Err(error).context(
                    "the node does not support evm_snapshot: the demo needs a development node, to set the clock and \
                     send from unlocked accounts; start one with `anvil --hardfork osaka`",
                );
            }
        };
        Ok((Self { provider, description: format!("the node at {url}"), snapshot }, LocalChain::connect(url)?))
    }

    /// Advances the node's clock by `seconds`.
    pub async fn advance_clock(&self, seconds: u64) -> Result<()> {
        // Some nodes return a number, others a string.
        let answer = self.provider.raw_request::<_, serde_json::Value>("evm_increaseTime".into(), [seconds]).await;
        answer.map(drop).context("the node did not advance its clock")
    }

    /// Restores the state before the demo.
    pub async fn restore(&self) -> Result<()> {
        let Some(snapshot) = self.snapshot else { return Ok(()) };
        match self.provider.raw_request::<_, bool>("evm_revert".into(), [snapshot]).await {
            Ok(true) => Ok(()),
            Ok(false) => bail!("the node did not return to its state before the demo"),
            Err(error) => Err(error).context("the node did not return to its state before the demo"),
        }
    }
}
