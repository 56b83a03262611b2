//! The mirrors of a registry on other chains, by a file that names them.

use crate::{
    connection, input,
    transaction::{event, send},
};
use alloy::{
    primitives::Address,
    providers::{DynProvider, Provider},
    rpc::types::{BlockNumberOrTag, TransactionReceipt},
    signers::local::PrivateKeySigner,
};
use anyhow::{Context as _, Result, anyhow, bail};
use assent_chain_view::{FinalHandover, HandoverFault, read_final_handover};
use assent_client::{AssentClient, ClientError};
use assent_contracts::EpochMirror;
use assent_verifier::{EpochId, MirrorState, OperatorSet, OperatorSetId};
use clap::{Args, ValueHint};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// The option that names the mirrors.
#[derive(Args)]
pub struct ChainsFile {
    /// The mirrors: a JSON file {"mirrors": [{"name": …, "rpcUrl": …, "mirror": ADDRESS}, …]}.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub chains: PathBuf,
}

/// The mirrors of a registry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chains {
    pub mirrors: Vec<MirrorAt>,
}

/// A mirror, and a node of its chain.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MirrorAt {
    /// What the chain is called here.
    pub name: String,
    rpc_url: String,
    pub mirror: Address,
}

/// A mirror as it was read.
pub struct ReadMirror {
    pub client: AssentClient<DynProvider>,
    pub state: MirrorState,
}

impl ChainsFile {
    /// Reads the file.
    pub fn read(&self) -> Result<Chains> {
        Chains::read(&self.chains)
    }
}

impl Chains {
    /// Reads a chains file.
    pub fn read(path: &Path) -> Result<Self> {
        let chains: Self = input::read_json("chains file", path)?;
        if chains.mirrors.is_empty() {
            bail!("chains file {} names no mirror; add {{\"name\", \"rpcUrl\", \"mirror\"}}", path.display());
        }
        Ok(chains)
    }
}

impl MirrorAt {
    /// Reads what the mirror knows: the latest epoch of a set, and another if it is there, or was revoked ahead.
    pub async fn read(
        &self,
        signer: Option<PrivateKeySigner>,
        operator_set: OperatorSetId,
        other: Option<EpochId>,
    ) -> Result<ReadMirror> {
        let client = AssentClient::new(connection::connect(&self.rpc_url, signer)?);
        let reading = async {
            client.require_contract(self.mirror).await?;
            let contract = EpochMirror::new(self.mirror, client.provider());
            let block = client.provider().get_block_by_number(BlockNumberOrTag::Latest).await?;
            let mut state = MirrorState {
                home_chain: contract.HOME_CHAIN().call().await?,
                home_registry: contract.HOME_REGISTRY().call().await?,
                quorum: contract.QUORUM().call().await?,
                halt_quorum: contract.HALT_QUORUM().call().await?,
                timestamp: block.context("the node has no latest block")?.header.timestamp,
                epochs: Vec::new(),
                revoked_ahead: BTreeSet::new(),
                stored_tables: BTreeMap::new(),
            };
            // A mirror answers about epochs as its registry does.
            state.epochs.extend(client.latest_epoch(self.mirror, operator_set).await?);
            if let Some(other) = other.filter(|other| state.epoch(*other).is_none()) {
                match client.read_epoch(self.mirror, other).await {
                    Err(ClientError::NoSuchEpoch { .. }) => {
                        let record = contract.epochs(other.into()).call().await?;
                        if !record.validUntil.is_zero() {
                            state.revoked_ahead.insert(other);
                        }
                    }
                    read => state.epochs.push(read?),
                }
            }
            Ok::<_, anyhow::Error>(state)
        };
        let state = reading.await.with_context(|| {
            format!("asking the node of {} at {} about the mirror {}", self.name, self.rpc_url, self.mirror)
        })?;
        Ok(ReadMirror { client, state })
    }
}

/// Stores the full tables of an epoch on a mirror's chain, which only sets of more than 100 operators have.
///
/// Returns their addresses, which the epoch's table names.
pub async fn store_tables(
    client: &AssentClient<DynProvider>,
    from: Address,
    mirror: Address,
    operators: &OperatorSet,
) -> Result<(Vec<Address>, Vec<TransactionReceipt>)> {
    let (mut stored, mut receipts) = (Vec::new(), Vec::new());
    for entries in operators.full_tables() {
        let receipt = send(client, from, mirror, &EpochMirror::storeTableCall { entries: entries.into() }).await?;
        let event = event::<EpochMirror::TableStored>(mirror, &receipt);
        stored.push(event.context("the mirror emitted no TableStored")?.table);
        receipts.push(receipt);
    }
    Ok((stored, receipts))
}

/// Reads a handover in a final block of the home chain, and says what to do about one that operators do not sign.
///
/// `signed_by` is the set's epoch before by default.
pub async fn read_final(
    client: &AssentClient<DynProvider>,
    registry: Address,
    epoch: EpochId,
    signed_by: Option<EpochId>,
) -> Result<FinalHandover> {
    client.require_contract(registry).await?;
    read_final_handover(client, registry, epoch, signed_by).await.map_err(|fault| {
        let next = next_step(&fault);
        match next {
            Some(next) => anyhow!("{fault}; {next}"),
            None => anyhow::Error::new(fault),
        }
    })
}

fn next_step(fault: &HandoverFault) -> Option<&'static str> {
    Some(match fault {
        HandoverFault::NotFinal { .. } => {
            "wait until its activation is final, which takes about 15 minutes on Ethereum"
        }
        HandoverFault::Revoked { .. } | HandoverFault::Expired { .. } => {
            "hand over to a later epoch, or give another --signed-by"
        }
        HandoverFault::First { .. } => "a mirror's owner sets it with setGenesis",
        HandoverFault::WrongSigner { .. } => "give another --signed-by",
        HandoverFault::SignerExpired { .. } => "have the mirror's owner set an epoch with setGenesis, after notice",
        HandoverFault::NotHome { .. } => "give the registry of the home chain, and a node of that chain",
        _ => return None,
    })
}
