//! Membership of a set of EigenLayer: its AllocationManager asks the stake source.

use super::{Departure, Membership};
use crate::{stake::contract::OnEigenLayer, transaction::send};
use alloy::{primitives::Bytes, providers::Provider, rpc::types::TransactionReceipt};
use anyhow::{Context as _, Result};
use assent_contracts::bindings::eigenlayer::IAllocationManagerCore::{
    self, AllocateParams, DeregisterParams, RegisterParams, deregisterFromOperatorSetsCall, modifyAllocationsCall,
    registerForOperatorSetsCall,
};
use serde_json::json;

/// One percent of what an operator can allocate.
const PERCENT: u64 = 10_000_000_000_000_000;

/// Allocates a share of the operator's stake to the set if asked to, and joins it.
pub async fn join(
    membership: &Membership<'_>,
    system: &OnEigenLayer,
    allocate: Option<u64>,
) -> Result<Vec<TransactionReceipt>> {
    let Membership { client, operator_set, operator, .. } = *membership;
    let mut receipts = Vec::new();
    if let Some(percent) = allocate {
        let params = vec![AllocateParams {
            operatorSet: system.set(operator_set),
            strategies: system.strategies.clone(),
            newMagnitudes: vec![percent * PERCENT; system.strategies.len()],
        }];
        let allocate = modifyAllocationsCall { operator, params };
        let sent = send(client, operator, system.allocation_manager, &allocate).await;
        receipts.push(sent.context(
            "allocating the stake; an operator of EigenLayer can allocate once its allocation delay applies",
        )?);
    }
    let operator_sets = vec![operator_set.into()];
    let params = RegisterParams { avs: system.avs, operatorSetIds: operator_sets, data: Bytes::new() };
    let join = registerForOperatorSetsCall { operator, params };
    let sent = send(client, operator, system.allocation_manager, &join).await;
    receipts.push(sent.context(
        "joining; with too little stake, allocate more of it with --allocate, or have stakers delegate more",
    )?);
    Ok(receipts)
}

/// Leaves the set. EigenLayer can slash the stake for its delay.
pub async fn leave(membership: &Membership<'_>, system: &OnEigenLayer) -> Result<Departure> {
    let Membership { client, operator_set, operator, .. } = *membership;
    let manager = IAllocationManagerCore::new(system.allocation_manager, client.provider());
    let delay = manager.DEALLOCATION_DELAY().call().await?;
    let operator_sets = vec![operator_set.into()];
    let params = DeregisterParams { operator, avs: system.avs, operatorSetIds: operator_sets };
    let leave = deregisterFromOperatorSetsCall { params };
    let receipt = send(client, operator, system.allocation_manager, &leave).await.context("leaving")?;
    let block = match receipt.block_number {
        Some(block) => block,
        None => client.provider().get_block_number().await?,
    };
    let until = block.saturating_add(delay.into());
    Ok(Departure {
        receipt,
        slashable_until: format!("block {until}"),
        slashable_until_json: ("slashableUntilBlock", json!(until)),
    })
}
