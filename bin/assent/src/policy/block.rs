//! The reference block of a decision: a node's, or what the caller gives.

use crate::{
    arguments,
    connection::{self, Node, OptionalNode},
    output,
};
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    providers::{DynProvider, Provider},
    rpc::types::Block,
};
use alloy_primitives::{B256, U256};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_policy::ReferenceBlock;
use clap::Args;

/// The options for the reference block, without its time.
#[derive(Args)]
pub struct BlockArguments {
    #[command(flatten)]
    pub node: OptionalNode,
    /// The reference block: with a node `latest` (the default), `finalized`, `safe`, a number or a hash; without one, a
    /// number.
    #[arg(long, value_name = "BLOCK", value_parser = selected)]
    block: Option<Selected>,
    /// The hash of the reference block, which must be a node's if there is one. Default without a node: zero.
    #[arg(long, value_name = "HASH", value_parser = arguments::hash)]
    block_hash: Option<B256>,
}

/// How a block is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selected {
    /// By a node's word for it.
    Tag(BlockNumberOrTag),
    /// By its number.
    Number(U256),
    /// By its hash.
    Hash(B256),
}

/// Reads a word, a number or a hash.
pub fn selected(text: &str) -> Result<Selected, String> {
    match text {
        "latest" => Ok(Selected::Tag(BlockNumberOrTag::Latest)),
        "finalized" => Ok(Selected::Tag(BlockNumberOrTag::Finalized)),
        "safe" => Ok(Selected::Tag(BlockNumberOrTag::Safe)),
        _ if text.len() == 66 => arguments::hash(text).map(Selected::Hash),
        _ => arguments::whole_number(text)
            .map(Selected::Number)
            .map_err(|_| "expected latest, finalized, safe, a number, or a hash of 32 bytes".to_owned()),
    }
}

impl BlockArguments {
    /// Returns whether the caller says which block it is.
    pub fn is_given(&self) -> bool {
        self.block.is_some() || self.block_hash.is_some()
    }

    /// Returns the block that the caller gives, with its time.
    pub fn given(&self, timestamp: U256) -> Result<ReferenceBlock> {
        let number = match self.block {
            None => U256::ZERO,
            Some(Selected::Number(number)) => number,
            Some(Selected::Tag(tag)) => bail!("only a node has a {tag} block; give --rpc-url, or --block NUMBER"),
            Some(Selected::Hash(hash)) => bail!(
                "only a node knows the number of block {hash}; give --rpc-url, or --block NUMBER with --block-hash \
                 {hash}"
            ),
        };
        Ok(ReferenceBlock { number, hash: self.block_hash.unwrap_or_default(), timestamp })
    }

    /// Returns the block of a node, which must be on the chain of the call.
    pub fn of_node(&self, node: &Node, chain_id: U256) -> Result<ReferenceBlock> {
        let selected = self.block.unwrap_or(Selected::Tag(BlockNumberOrTag::Latest));
        let block = connection::block_on(async {
            let provider = node.connect(None)?;
            let _spinner = output::spinner("Reading the reference block");
            let actual = provider.get_chain_id().await.with_context(|| node.asking())?;
            node.require_chain("the call is", chain_id, actual)?;
            read(&provider, selected).await.with_context(|| node.asking())
        })?;
        match self.block_hash {
            Some(hash) if hash != block.hash => {
                bail!(
                    "block {} has the hash {}, not {hash}; give the other block, or leave out --block-hash",
                    block.number,
                    block.hash
                )
            }
            _ => Ok(block),
        }
    }
}

async fn read(provider: &DynProvider, selected: Selected) -> Result<ReferenceBlock> {
    let id = match selected {
        Selected::Tag(tag) => BlockId::Number(tag),
        Selected::Hash(hash) => BlockId::hash(hash),
        Selected::Number(number) => {
            let number = u64::try_from(number).map_err(|_| anyhow!("the number {number} is no block's"))?;
            BlockId::number(number)
        }
    };
    let found = provider.get_block(id).await?;
    let found = found.ok_or_else(|| anyhow!("the node has no block {}; give another --block", named(selected)))?;
    let block = reference(&found);
    if let Selected::Hash(hash) = selected {
        // Nodes also keep blocks that the chain has dropped.
        let canonical = provider.get_block(BlockId::number(found.header.number)).await?;
        if canonical.is_none_or(|canonical| canonical.header.hash != hash) {
            bail!("block {hash} is not on the node's canonical chain; give another --block");
        }
    }
    Ok(block)
}

fn named(selected: Selected) -> String {
    match selected {
        Selected::Tag(tag) => tag.to_string(),
        Selected::Number(number) => number.to_string(),
        Selected::Hash(hash) => hash.to_string(),
    }
}

fn reference(block: &Block) -> ReferenceBlock {
    let header = &block.header;
    ReferenceBlock { number: U256::from(header.number), hash: header.hash, timestamp: U256::from(header.timestamp) }
}
