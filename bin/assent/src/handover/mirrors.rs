//! The mirrors of a registry on other chains, by a file that names them.

use crate::{connection, input};
use alloy::{
    primitives::{Address, U256},
    providers::{DynProvider, Provider},
    rpc::types::{BlockId, BlockNumberOrTag},
    signers::local::PrivateKeySigner,
};
use anyhow::{Context as _, Result, bail};
use assent_client::{AssentClient, ClientError};
use assent_contracts::{EpochMirror, OperatorRegistry};
use assent_verifier::{Epoch, EpochHandover, EpochId, MirrorState, OperatorSet, OperatorSetId};
use clap::{Args, ValueHint};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
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
    /// Reads what the mirror knows: the latest epoch of a set, and another if it is there.
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
                stored_tables: BTreeMap::new(),
            };
            // A mirror answers about epochs as its registry does.
            state.epochs.extend(client.latest_epoch(self.mirror, operator_set).await?);
            if let Some(other) = other.filter(|other| state.epochs.iter().all(|epoch| epoch.number != *other)) {
                match client.read_epoch(self.mirror, other).await {
                    Err(ClientError::NoSuchEpoch { .. }) => {}
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

/// A handover to an epoch, as a final block of the home chain has it.
pub struct FinalHandover {
    pub handover: EpochHandover,
    /// The epoch whose operators sign.
    pub signing: Epoch,
    /// The operators of the epoch that is handed over to.
    pub next: OperatorSet,
}

/// Reads a handover in a final block. `signed_by` is the set's epoch before by default.
///
/// A handover to an epoch that a reorganization then replaces would be an offence.
pub async fn read_final(
    client: &AssentClient<DynProvider>,
    registry: Address,
    epoch: EpochId,
    signed_by: Option<EpochId>,
) -> Result<FinalHandover> {
    let contract = OperatorRegistry::new(registry, client.provider());
    client.require_contract(registry).await?;
    let stored = contract.epochs(epoch.into()).block(BlockId::finalized()).call().await;
    let stored = stored.context("reading a final block")?;
    if stored.table.is_zero() || stored.validUntil.is_zero() {
        bail!(
            "no final block of the home chain has epoch {epoch} in force; wait until its activation is final, which \
             takes about 15 minutes on Ethereum"
        );
    }
    let committed_at = contract.committedAt(epoch.into()).block(BlockId::finalized()).call().await;
    let committed_at = committed_at.context("reading a final block")?;
    let operator_set = OperatorSetId(stored.operatorSet);
    let current = client.read_epoch(registry, epoch).await?;
    if current.is_revoked() {
        bail!("epoch {epoch} is revoked; hand over to a later one");
    }
    let signed_by = match signed_by {
        Some(number) => number,
        None => previous(client, registry, operator_set, epoch).await?,
    };
    let signing = client.read_epoch(registry, signed_by).await?;
    if signing.operator_set != operator_set || signed_by >= epoch {
        bail!("epoch {signed_by} is no earlier epoch of operator set {operator_set}; give another --signed-by");
    }
    let next = current.operators;
    let handover = EpochHandover {
        home_chain: U256::from(client.chain_id().await?),
        home_registry: registry,
        operator_set,
        signed_by,
        epoch,
        committed_at,
        expires_at: stored.expiresAt,
        content_hash: next.content_hash(),
    };
    Ok(FinalHandover { handover, signing, next })
}

/// Returns the set's epoch before another.
async fn previous(
    client: &AssentClient<DynProvider>,
    registry: Address,
    operator_set: OperatorSetId,
    epoch: EpochId,
) -> Result<EpochId> {
    let contract = OperatorRegistry::new(registry, client.provider());
    for number in (1..epoch.0).rev() {
        if contract.epochs(number).call().await?.operatorSet == u32::from(operator_set) {
            return Ok(EpochId(number));
        }
    }
    bail!("epoch {epoch} is the first of operator set {operator_set}: a mirror's owner sets it with setGenesis")
}
