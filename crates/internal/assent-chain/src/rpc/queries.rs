//! Blocks, events and fees.

use alloy::{
    eips::{BlockId, BlockNumberOrTag, RpcBlockHash},
    rpc::types::{FeeHistory, Filter, FilterBlockOption, Log},
};

use super::failure::Failure;
use crate::{
    block::MinedBlock,
    machine::{ExecutionBlock, Machine},
    state::WorldState,
};

/// geth's bound on one answer.
const LONGEST_FEE_HISTORY: u64 = 1024;
const MOST_PERCENTILES: usize = 100;

/// Blocks behind the latest that count as safe and as finalized, as on anvil: one and two epochs of 32 slots.
const SAFE_DISTANCE: u64 = 32;
const FINALIZED_DISTANCE: u64 = 64;

/// The block, if it is mined. `pending` is answered with the latest: there is no pool of waiting transactions.
pub(super) fn find_block(machine: &Machine, id: BlockId) -> Option<&MinedBlock> {
    match id {
        BlockId::Hash(RpcBlockHash { block_hash, .. }) => {
            machine.blocks().iter().rev().find(|block| block.hash == block_hash)
        }
        BlockId::Number(tag) => machine.blocks().get(usize::try_from(resolve(machine, tag)).ok()?),
    }
}

/// Returns the state after a block, if it is kept.
pub(super) fn state(machine: &Machine, id: Option<BlockId>) -> Result<&WorldState, Failure> {
    let block = require_kept(machine, id)?;
    machine.state_at(block).ok_or_else(|| Failure::internal("the block's state is not kept"))
}

/// Where a call at this block is executed. A block whose state is not kept is an error.
pub(super) fn require_kept(machine: &Machine, id: Option<BlockId>) -> Result<ExecutionBlock, Failure> {
    let id = id.unwrap_or_default();
    if id.is_pending() {
        return Ok(ExecutionBlock::Next);
    }
    let latest = machine.latest();
    match find_block(machine, id) {
        Some(block) if block.hash == latest.hash => Ok(ExecutionBlock::Latest),
        Some(block) => {
            let past = ExecutionBlock::Past(block.header.number);
            if machine.state_at(past).is_some() {
                return Ok(past);
            }
            let (latest, number) = (latest.header.number, block.header.number);
            Err(Failure::invalid_parameters(match machine.past_state_count() {
                0 => format!("only the state of the latest block, {latest}, is kept; block {number} was asked for"),
                count => format!(
                    "only the states of the latest block, {latest}, and of {count} before it are kept; block {number} \
                     was asked for"
                ),
            }))
        }
        None => {
            Err(Failure::invalid_parameters(format!("no such block: {id}; the latest is {}", latest.header.number)))
        }
    }
}

pub(super) fn logs(machine: &Machine, filter: &Filter) -> Result<Vec<Log>, Failure> {
    let blocks = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let block = find_block(machine, hash.into());
            std::slice::from_ref(block.ok_or_else(|| Failure::invalid_parameters(format!("no such block: {hash}")))?)
        }
        FilterBlockOption::Range { from_block, to_block } => {
            let first = resolve(machine, from_block.unwrap_or_default());
            let last = resolve(machine, to_block.unwrap_or_default()).min(machine.latest().header.number);
            let range = usize::try_from(first).ok().zip(usize::try_from(last).ok());
            range.and_then(|(first, last)| machine.blocks().get(first..=last)).unwrap_or_default()
        }
    };
    Ok(blocks.iter().flat_map(MinedBlock::logs).filter(|log| filter.matches(&log.inner)).collect())
}

pub(super) fn fee_history(
    machine: &Machine,
    count: u64,
    newest: BlockNumberOrTag,
    percentiles: Option<Vec<f64>>,
) -> Result<FeeHistory, Failure> {
    if percentiles.as_ref().is_some_and(|percentiles| percentiles.len() > MOST_PERCENTILES) {
        return Err(Failure::invalid_parameters(format!("at most {MOST_PERCENTILES} percentiles")));
    }
    let newest = resolve(machine, newest);
    let count = count.min(LONGEST_FEE_HISTORY).min(newest.saturating_add(1));
    let oldest = newest.saturating_add(1) - count;
    let range = usize::try_from(oldest).ok().zip(usize::try_from(newest).ok());
    let blocks = match range {
        _ if count == 0 => &[],
        Some((oldest, newest)) => machine.blocks().get(oldest..=newest).unwrap_or_default(),
        None => &[],
    };
    if blocks.is_empty() && count > 0 {
        return Err(Failure::invalid_parameters(format!("no such block: {newest}")));
    }
    // The one transaction of a block is every percentile of it.
    let rewards = percentiles.map(|percentiles| {
        let reward = |block: &MinedBlock| block.transaction.as_ref().map_or(0, |mined| mined.priority_fee(block));
        blocks.iter().map(|block| vec![reward(block); percentiles.len()]).collect()
    });
    let following = blocks.last().map(|last| match machine.blocks().get(last.header.number as usize + 1) {
        Some(next) => next.header.base_fee_per_gas.unwrap_or_default(),
        None => machine.next_base_fee(),
    });
    let base_fees = blocks.iter().map(|block| block.header.base_fee_per_gas.unwrap_or_default());
    Ok(FeeHistory {
        base_fee_per_gas: base_fees.chain(following).map(u128::from).collect(),
        gas_used_ratio: blocks
            .iter()
            .map(|block| block.header.gas_used as f64 / block.header.gas_limit as f64)
            .collect(),
        // No blobs: the price stays at its minimum of one wei (EIP-4844).
        base_fee_per_blob_gas: vec![1; blocks.len() + 1],
        blob_gas_used_ratio: vec![0.0; blocks.len()],
        oldest_block: oldest,
        reward: rewards,
    })
}

fn resolve(machine: &Machine, tag: BlockNumberOrTag) -> u64 {
    let latest = machine.latest().header.number;
    match tag {
        BlockNumberOrTag::Number(number) => number,
        BlockNumberOrTag::Earliest => 0,
        BlockNumberOrTag::Safe => latest.saturating_sub(SAFE_DISTANCE),
        BlockNumberOrTag::Finalized => latest.saturating_sub(FINALIZED_DISTANCE),
        BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => latest,
    }
}
