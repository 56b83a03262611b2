//! `assent handover status`.

use super::mirrors::{ChainsFile, MirrorAt};
use crate::{
    ExitStatus, arguments,
    connection::{self, RegistryNode},
    output::{self, Output},
};
use alloy::primitives::U256;
use anyhow::{Context as _, Result, bail};
use assent_client::AssentClient;
use assent_verifier::{Epoch, EpochId, MirrorState, OperatorSetId};
use clap::Args;
use serde_json::{Value, json};

/// The options of `assent handover status`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent handover status --registry $REGISTRY --operator-set 1 --chains chains.json
  assent handover status --registry $REGISTRY --operator-set 1 --chains chains.json --json | jq '.chains[].status'

A mirror's epoch hands over until it ends: later, only the mirror's owner can set another, after notice. Exit status 1
means that a mirror has no epoch in force, or that it could not be read.")]
pub struct Arguments {
    #[command(flatten)]
    at: RegistryNode,
    /// The operator set.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    operator_set: OperatorSetId,
    #[command(flatten)]
    chains: ChainsFile,
}

/// Where a mirror stands.
struct Standing {
    status: &'static str,
    epoch: Option<EpochId>,
    valid_until: Option<u64>,
    next: String,
}

/// Runs `assent handover status`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at: RegistryNode { node, registry }, operator_set, chains } = arguments;
    let chains = chains.read()?;
    let (home, standings) = connection::block_on(async {
        let client = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Reading the mirrors");
        let home = client.latest_epoch(registry, operator_set).await.with_context(|| node.asking())?;
        let Some(home) = home else {
            bail!("operator set {operator_set} has no epoch at home yet; commit one with `assent epoch commit`");
        };
        let chain_id = U256::from(client.chain_id().await.with_context(|| node.asking())?);
        let mut standings = Vec::new();
        for mirror in &chains.mirrors {
            let standing = match mirror.read(None, operator_set, Some(home.number)).await {
                Ok(read) if (read.state.home_chain, read.state.home_registry) != (chain_id, registry) => Standing {
                    status: "otherRegistry",
                    epoch: None,
                    valid_until: None,
                    next: format!(
                        "it mirrors the registry {} on chain {}",
                        read.state.home_registry, read.state.home_chain
                    ),
                },
                Ok(read) => Standing::of(&read.state, &home),
                Err(error) => {
                    Standing { status: "unreachable", epoch: None, valid_until: None, next: format!("{error:#}") }
                }
            };
            standings.push((mirror, standing));
        }
        Ok((home, standings))
    })?;
    let mut table = output::table(["chain", "status", "epoch", "valid until", "next"]);
    for (mirror, standing) in &standings {
        let epoch = standing.epoch.map_or_else(String::new, |epoch| epoch.to_string());
        let valid_until = standing.valid_until.map_or_else(String::new, output::time);
        table.add_row([mirror.name.as_str(), standing.status, &epoch, &valid_until, &standing.next]);
    }
    let is_bad = |standing: &Standing| !matches!(standing.status, "current" | "behind");
    let failed = standings.iter().any(|(_, standing)| is_bad(standing));
    output.result(
        format_args!("at home, operator set {operator_set} has epoch {}\n{table}", home.number),
        &json!({
            "operatorSet": operator_set,
            "homeEpoch": home.number,
            "chains": standings.iter().map(|(mirror, standing)| to_json(mirror, standing)).collect::<Vec<_>>(),
        }),
    )?;
    Ok(if failed { ExitStatus::Refused } else { ExitStatus::Success })
}

impl Standing {
    fn of(state: &MirrorState, home: &Epoch) -> Self {
        let Some(latest) = state.latest_epoch(home.operator_set) else {
            let next = "have the mirror's owner set the first epoch with setGenesis".to_owned();
            return Self { status: "empty", epoch: None, valid_until: None, next };
        };
        let number = latest.number;
        let (status, next) = if latest.is_revoked() {
            ("revoked", "have the mirror's owner set an epoch with setGenesis, after notice".to_owned())
        } else if !latest.is_in_force(state.timestamp) {
            ("expired", "have the mirror's owner set an epoch with setGenesis, after notice".to_owned())
        } else if number >= home.number {
            ("current", String::new())
        } else if state.revoked_ahead.contains(&home.number) {
            ("behind", format!("it refuses epoch {}, which was revoked there: hand over to a later one", home.number))
        } else {
            let next = format!("`assent handover request --epoch {} --signed-by {number}`, then send", home.number);
            ("behind", next)
        };
        Self { status, epoch: Some(number), valid_until: Some(latest.valid_until.to()), next }
    }
}

fn to_json(mirror: &MirrorAt, standing: &Standing) -> Value {
    json!({
        "name": mirror.name,
        "mirror": mirror.mirror,
        "status": standing.status,
        "epoch": standing.epoch,
        "validUntil": standing.valid_until,
        "next": standing.next,
    })
}
