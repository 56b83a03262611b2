//! Recorded offences: how they are made, read and punished.

use crate::transaction::{event, send};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    providers::Provider,
    rpc::types::TransactionReceipt,
};
use anyhow::{Context as _, Result, bail};
use assent_client::AssentClient;
use assent_contracts::EigenLayerSlasher;
use assent_verifier::{EpochId, NonSigners, OperatorSetId};

/// A recorded offence.
pub struct Record {
    /// The offence, by which its reward is claimed.
    pub id: B256,
    /// The account that reported it.
    pub reporter: Address,
    /// The epoch whose operators did it.
    pub epoch: EpochId,
    /// Their operator set.
    pub operator_set: OperatorSetId,
    /// The share of its stake that each loses, of 1e18.
    pub wad: u64,
    /// Who did it.
    pub offenders: Vec<Offender>,
}

/// An operator that did what was recorded.
pub struct Offender {
    /// Its index in the epoch.
    pub index: usize,
    /// Its address.
    pub operator: Address,
    /// Its punishment for it, if it was punished.
    pub punishment: Option<Punished>,
}

/// An operator's punishment for an offence.
pub struct Punished {
    /// The account whose record it was punished by, and which is rewarded.
    pub reporter: Address,
    /// When its stake was slashed (Unix time), if it was while stake was certain.
    pub slashed_at: Option<u64>,
}

impl Offender {
    /// Returns whether it was punished for it.
    pub fn is_punished(&self) -> bool {
        self.punishment.is_some()
    }
}

/// Proves an offence, and returns its record.
pub async fn make(
    client: &AssentClient<impl Provider>,
    from: Address,
    slasher: Address,
    fault: Address,
    proof: Bytes,
) -> Result<(B256, TransactionReceipt)> {
    let receipt = send(client, from, slasher, &EigenLayerSlasher::recordOffenceCall { fault, proof }).await?;
    let recorded = event::<EigenLayerSlasher::OffenceRecorded>(slasher, &receipt);
    Ok((recorded.context("the slasher emitted no OffenceRecorded")?.record, receipt))
}

/// Reads a recorded offence.
pub async fn read(client: &AssentClient<impl Provider>, slasher: Address, record: B256) -> Result<Record> {
    client.require_contract(slasher).await?;
    // Every slasher has these functions.
    let contract = EigenLayerSlasher::new(slasher, client.provider());
    let registry = contract.OPERATOR_REGISTRY().call().await;
    let registry = registry.with_context(|| format!("{slasher} does not answer as a slasher"))?;
    let offence = contract.offenceOf(record).call().await?;
    if offence.wad == 0 {
        bail!("the slasher {slasher} has no record {record}; `assent offence report` prints the record that it makes");
    }
    let epoch = client.read_epoch(registry, EpochId(offence.epoch)).await?;
    let non_signers = NonSigners::from_bytes(&trimmed(&offence.nonSigners)).context("reading who did it")?;
    let innocent: Vec<_> = non_signers.indices().map(usize::from).collect();
    let mut offenders = Vec::new();
    for (index, operator) in epoch.operators.operators().iter().enumerate() {
        if innocent.binary_search(&index).is_err() {
            let found = contract.punishmentOf(offence.id, operator.address).call().await?;
            let slashed_at = Some(found.slashedAt.to()).filter(|time| *time != 0);
            let punished = Punished { reporter: found.reporter, slashed_at };
            let punishment = (!found.reporter.is_zero()).then_some(punished);
            offenders.push(Offender { index, operator: operator.address, punishment });
        }
    }
    Ok(Record {
        id: offence.id,
        reporter: offence.reporter,
        epoch: epoch.number,
        operator_set: epoch.operator_set,
        wad: offence.wad,
        offenders,
    })
}

/// Punishes operators of an epoch by their indices, as many as fit in a transaction.
pub async fn punish(
    client: &AssentClient<impl Provider>,
    from: Address,
    slasher: Address,
    record: B256,
    indices: impl IntoIterator<Item = usize>,
) -> Result<TransactionReceipt> {
    let indices = indices.into_iter().map(U256::from).collect();
    send(client, from, slasher, &EigenLayerSlasher::punishCall { record, indices }).await
}

/// Removes zero bytes at the end, which a canonical bitmap does not have and a recorded one may.
fn trimmed(bitmap: &[u8]) -> Vec<u8> {
    let length = bitmap.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bitmap.iter().copied().take(length).collect()
}
