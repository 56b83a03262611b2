//! `assent epoch`: operator sets as a registry has frozen them.

use crate::{
    Outcome, connection,
    output::{self, Output, short_address},
};
use alloy_primitives::Address;
use anyhow::{Context, Result};
use assent_client::AssentClient;
use assent_verifier::Epoch;
use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment, Table};

/// The subcommands of `assent epoch`.
#[derive(Subcommand)]
pub enum Command {
    /// Show an epoch's operators, their keys and their weights.
    Show(ShowArguments),
}

/// The options of `assent epoch show`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch show --rpc-url http://127.0.0.1:8545 --registry 0x… --operator-set 1
  assent epoch show --rpc-url http://127.0.0.1:8545 --registry 0x… --epoch 3 --json > epoch.json

The JSON is what `assent attest --epoch` and `assent verify --epoch` take.")]
pub struct ShowArguments {
    /// The node to ask.
    #[arg(long, value_name = "URL")]
    rpc_url: String,
    /// The OperatorRegistry.
    #[arg(long, value_name = "ADDRESS")]
    registry: Address,
    #[command(flatten)]
    which: Which,
}

/// One of two ways to name an epoch.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The epoch's number.
    #[arg(long, value_name = "NUMBER")]
    epoch: Option<u32>,
    /// The newest epoch of this operator set.
    #[arg(long, value_name = "NUMBER")]
    operator_set: Option<u32>,
}

/// Runs `assent epoch`.
pub fn run(Command::Show(arguments): Command, output: Output) -> Result<Outcome> {
    let ShowArguments { rpc_url, registry, which } = arguments;
    let epoch = connection::block_on(async {
        let client = AssentClient::new(connection::connect(&rpc_url, None)?);
        let _spinner = output::spinner("Reading the epoch");
        let epoch = match (which.epoch, which.operator_set) {
            (Some(number), _) => client.read_epoch(registry, number).await.map(Some),
            (None, set) => client.latest_epoch(registry, set.unwrap_or_default()).await,
        };
        epoch
            .with_context(|| {
                format!("{} about {registry}, which must be an OperatorRegistry", connection::asking(&rpc_url))
            })?
            .with_context(|| format!("the registry {registry} has no epoch of that operator set yet"))
    })?;
    output.result(describe(&epoch), &epoch)?;
    Ok(Outcome::Success)
}

fn describe(epoch: &Epoch) -> String {
    let operators = &epoch.operators;
    let until = match epoch.valid_until.to::<u64>() {
        0 => "retired".to_owned(),
        never if never == (1 << 48) - 1 => "in force until there is a next one".to_owned(),
        seconds => format!("good until {}", output::time(seconds)),
    };
    format!(
        "epoch {} of operator set {}: {} operators, weight {} in all, {until}\n{}",
        epoch.number,
        epoch.operator_set,
        operators.operators().len(),
        operators.total_weight(),
        table(epoch)
    )
}

fn table(epoch: &Epoch) -> Table {
    let mut table = output::table(["place", "operator", "key", "weight"]);
    for (place, operator) in epoch.operators.operators().iter().enumerate() {
        table.add_row([
            Cell::new(place),
            Cell::new(short_address(operator.address)),
            Cell::new(output::shortened(operator.public_key)),
            Cell::new(operator.weight).set_alignment(CellAlignment::Right),
        ]);
    }
    table
}
