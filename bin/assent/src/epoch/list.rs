//! `assent epoch list` and `assent epoch show`.

use super::status;
use crate::{
    ExitStatus,
    arguments::{self, KeySource},
    connection::{self, RegistryNode},
    output::{self, Output, counted, short_address},
    stake::contract::{Declaration, declarations},
};
use anyhow::{Context, Result};
use assent_client::{AssentClient, EpochRecord, EpochStatus};
use assent_verifier::{EpochId, OperatorSetId, PublicKey};
use clap::Args;
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::{Value, json};

/// The options of `assent epoch list`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch list --rpc-url http://127.0.0.1:8545 --registry $REGISTRY
  assent epoch list --registry $REGISTRY --holding operator.json

Epochs of all operator sets, the newest first. A superseded epoch is listed until it expires: roots recorded under it
can still be used.")]
pub struct ListArguments {
    #[command(flatten)]
    at: RegistryNode,
    /// List only epochs that hold this key: a public key in hex, or a key file.
    #[arg(long, value_name = "KEY", value_parser = arguments::key_source)]
    holding: Option<KeySource>,
}

/// The options of `assent epoch show`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch show --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --operator-set 1
  assent epoch show --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --epoch 3 --json > epoch.json

The JSON is what `assent attest --epoch` and `assent verify --epoch` take. Regions and providers are what operators
declared when an allowlist admitted them.")]
pub struct ShowArguments {
    #[command(flatten)]
    at: RegistryNode,
    #[command(flatten)]
    which: Which,
}

/// The options that select an epoch.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The epoch's number.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id())]
    epoch: Option<EpochId>,
    /// The epoch of this operator set that was activated last.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    operator_set: Option<OperatorSetId>,
}

/// Runs `assent epoch list`.
pub fn list(arguments: ListArguments, output: Output) -> Result<ExitStatus> {
    let ListArguments { at: RegistryNode { node, registry }, holding } = arguments;
    let holding = holding.map(|key| key.read()).transpose()?;
    let mut records = node.ask("Reading the epochs", None, async |client| client.list_epochs(registry).await)?;
    if let Some(key) = holding {
        records.retain(|record| holds(record, &key));
    }
    let text = if records.is_empty() { "no such epoch".to_owned() } else { summary(&records).to_string() };
    output.result(text, &records.iter().map(to_json).collect::<Vec<_>>())?;
    Ok(ExitStatus::Success)
}

/// Returns whether an operator of the epoch has this key.
pub fn holds(record: &EpochRecord, key: &PublicKey) -> bool {
    record.epoch.operators.operators().iter().any(|operator| operator.public_key == *key)
}

/// Runs `assent epoch show`.
pub fn show(arguments: ShowArguments, output: Output) -> Result<ExitStatus> {
    let ShowArguments { at: RegistryNode { node, registry }, which } = arguments;
    let (record, declared) = connection::block_on(async {
        let client = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Reading the epoch");
        let record = match (which.epoch, which.operator_set) {
            (Some(number), _) => client.read_epoch_record(registry, number).await.map(Some),
            (None, set) => client.latest_epoch_record(registry, set.unwrap_or_default()).await,
        };
        let record = record
            .with_context(|| format!("{} about {registry}, which must be an OperatorRegistry", node.asking()))?
            .with_context(|| {
                format!(
                    "the registry {registry} has no epoch of that operator set yet; its owner commits one with \
                     `assent epoch commit`"
                )
            })?;
        let operators = record.epoch.operators.operators().iter().map(|operator| operator.address);
        let declared = declarations(&client, registry, record.epoch.operator_set, operators).await;
        Ok((record, declared))
    })?;
    output.result(describe(&record, &declared), &record.epoch)?;
    Ok(ExitStatus::Success)
}

fn describe(record: &EpochRecord, declared: &[Option<Declaration>]) -> String {
    let operators = &record.epoch.operators;
    format!(
        "epoch {} of operator set {}: {}, total weight {}, {}\nset hash {}\n{}",
        record.epoch.number,
        record.epoch.operator_set,
        counted(operators.operators().len(), "operator", "operators"),
        operators.total_weight(),
        status(record),
        operators.set_hash(),
        table(record, declared)
    )
}

fn table(record: &EpochRecord, declared: &[Option<Declaration>]) -> Table {
    let mut head = vec!["index", "operator", "key", "weight"];
    let declares = declared.iter().any(Option::is_some);
    if declares {
        head.extend(["region", "provider"]);
    }
    let mut table = output::table(head);
    for (index, (operator, declared)) in record.epoch.operators.operators().iter().zip(declared).enumerate() {
        let mut row = vec![
            Cell::new(index),
            Cell::new(short_address(operator.address)),
            Cell::new(output::shortened(operator.public_key)),
            Cell::new(operator.weight).set_alignment(CellAlignment::Right),
        ];
        if declares {
            let Declaration { region, provider } = declared.clone().unwrap_or_default();
            row.extend([Cell::new(region), Cell::new(provider)]);
        }
        table.add_row(row);
    }
    table
}

fn summary(records: &[EpochRecord]) -> Table {
    let mut table = output::table(["epoch", "set", "operators", "weight", "status"]);
    for record in records {
        let operators = &record.epoch.operators;
        table.add_row([
            Cell::new(record.epoch.number),
            Cell::new(record.epoch.operator_set),
            Cell::new(operators.operators().len()),
            Cell::new(operators.total_weight()).set_alignment(CellAlignment::Right),
            Cell::new(status(record)),
        ]);
    }
    table
}

fn to_json(record: &EpochRecord) -> Value {
    let (status, activates_at) = match record.status {
        EpochStatus::Pending { activates_at } => ("pending", Some(activates_at.to::<u64>())),
        EpochStatus::InForce => ("inForce", None),
        EpochStatus::Superseded => ("superseded", None),
        EpochStatus::Expired => ("expired", None),
        EpochStatus::Revoked => ("revoked", None),
    };
    json!({
        "epoch": record.epoch.number,
        "operatorSet": record.epoch.operator_set,
        "operators": record.epoch.operators.operators().len(),
        "totalWeight": record.epoch.operators.total_weight().to_string(),
        "setHash": record.epoch.operators.set_hash(),
        "status": status,
        "activatesAt": activates_at,
        "validUntil": record.epoch.valid_until.to::<u64>(),
        "expiresAt": record.expires_at.to::<u64>(),
    })
}
