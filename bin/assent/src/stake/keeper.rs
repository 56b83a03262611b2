//! Commits through an `EpochKeeper`, which owns a registry.

use crate::transaction::{event, send};
use alloy::{
    primitives::{Address, U256},
    providers::DynProvider,
    rpc::types::TransactionReceipt,
};
use anyhow::{Context as _, Result};
use assent_client::AssentClient;
use assent_contracts::EpochKeeper;
use assent_verifier::{EpochId, OperatorSetId};

/// Returns the registry that a keeper owns.
pub async fn registry_of(client: &AssentClient<DynProvider>, keeper: Address) -> Result<Address> {
    client.require_contract(keeper).await?;
    let registry = EpochKeeper::new(keeper, client.provider()).OPERATOR_REGISTRY().call().await;
    registry.with_context(|| {
        format!("{keeper} does not answer as an EpochKeeper; `assent registry show` prints the registry's owner")
    })
}

/// Commits all members of a set, early if the operator with an index of the current epoch is lost. Returns the epoch.
pub async fn commit(
    client: &AssentClient<DynProvider>,
    from: Address,
    keeper: Address,
    operator_set: OperatorSetId,
    lost: Option<U256>,
) -> Result<(EpochId, TransactionReceipt)> {
    let operator_set = operator_set.into();
    let receipt = match lost {
        None => send(client, from, keeper, &EpochKeeper::commitCall { operatorSet: operator_set }).await,
        Some(index) => {
            let commit = EpochKeeper::commitEarlyCall { operatorSet: operator_set, index };
            send(client, from, keeper, &commit).await
        }
    }?;
    let committed = event::<EpochKeeper::MembersCommitted>(keeper, &receipt);
    Ok((EpochId(committed.context("the keeper emitted no MembersCommitted")?.epoch), receipt))
}
