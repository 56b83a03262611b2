//! `assent epoch`: the epochs of a registry.

use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::{self, Node},
    output::{self, Output, short_address},
};
use alloy::rpc::types::TransactionReceipt;
use alloy_primitives::{Address, B256};
use anyhow::{Context, Result};
use assent_client::AssentClient;
use assent_verifier::Epoch;
use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::json;

/// The end of `assent epoch --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent epoch commit --registry $REGISTRY --operator-set 1 $OPERATOR $OTHER_OPERATOR --private-key-file owner.key
  assent epoch show --registry $REGISTRY --operator-set 1
  assent epoch revoke --registry $REGISTRY --epoch 3 --private-key-file owner.key

Here, the environment variable ETH_RPC_URL names the node.";

/// The subcommands of `assent epoch`.
#[derive(Subcommand)]
pub enum Command {
    /// Commit registered operators with weight as the set's next epoch.
    Commit(CommitArguments),
    /// Revoke an epoch at once: its attestations are no longer valid.
    Revoke(RevokeArguments),
    /// Show an epoch's operators, their keys and their weights.
    Show(ShowArguments),
}

/// The options of `assent epoch commit`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch commit --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --operator-set 1 \\
      $OPERATOR $OTHER_OPERATOR --private-key-file owner.key
  xargs assent epoch commit --registry $REGISTRY --operator-set 1 --account $OWNER < operators.txt

The registry's owner sends this, in one transaction for every 100 operators. Only the named operators are in the
epoch. Each needs a key (`assent operator register`) and weight in the set (`assent weights set`). The previous
epoch stays valid for the registry's grace period.")]
pub struct CommitArguments {
    #[command(flatten)]
    node: Node,
    /// The OperatorRegistry.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    registry: Address,
    /// The operator set.
    #[arg(long, value_name = "NUMBER")]
    operator_set: u32,
    /// The operators, in any order.
    #[arg(value_name = "OPERATOR", required = true, value_parser = arguments::address)]
    operators: Vec<Address>,
    #[command(flatten)]
    owner: Account,
}

/// The options of `assent epoch revoke`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch revoke --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --epoch 3 --private-key-file owner.key

The registry's owner sends this. It cannot be undone: the set needs a new epoch, from `assent epoch commit`.")]
pub struct RevokeArguments {
    #[command(flatten)]
    node: Node,
    /// The OperatorRegistry.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    registry: Address,
    /// The epoch's number.
    #[arg(long, value_name = "NUMBER")]
    epoch: u32,
    #[command(flatten)]
    owner: Account,
}

/// The options of `assent epoch show`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch show --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --operator-set 1
  assent epoch show --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --epoch 3 --json > epoch.json

The JSON is what `assent attest --epoch` and `assent verify --epoch` take.")]
pub struct ShowArguments {
    #[command(flatten)]
    node: Node,
    /// The OperatorRegistry.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    registry: Address,
    #[command(flatten)]
    which: Which,
}

/// The options that select an epoch.
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
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Commit(arguments) => commit(arguments, output),
        Command::Revoke(arguments) => revoke(arguments, output),
        Command::Show(arguments) => show(arguments, output),
    }
}

fn commit(arguments: CommitArguments, output: Output) -> Result<ExitStatus> {
    let CommitArguments { node, registry, operator_set, operators, owner } = arguments;
    let (owner, signer) = owner.open()?;
    let committed = node.ask("Committing the epoch", signer, async |client| {
        client.commit_epoch(registry, owner, operator_set, &operators).await
    })?;
    let gas = committed.receipts.iter().map(|receipt| receipt.gas_used).sum::<u64>();
    output.result(
        format_args!(
            "epoch {} of operator set {operator_set} is in force: {} operators, {gas} gas",
            committed.number,
            operators.len()
        ),
        &json!({
            "epoch": committed.number,
            "operatorSet": operator_set,
            "operators": operators.len(),
            "transactions": committed.receipts.iter().map(transaction).collect::<Vec<_>>(),
            "gas": gas,
        }),
    )?;
    Ok(ExitStatus::Success)
}

fn transaction(receipt: &TransactionReceipt) -> B256 {
    receipt.transaction_hash
}

fn revoke(arguments: RevokeArguments, output: Output) -> Result<ExitStatus> {
    let RevokeArguments { node, registry, epoch, owner } = arguments;
    let (owner, signer) = owner.open()?;
    let receipt =
        node.ask("Revoking the epoch", signer, async |client| client.revoke_epoch(registry, owner, epoch).await)?;
    let gas = receipt.gas_used;
    output.result(
        format_args!("epoch {epoch} is revoked: its attestations are no longer valid, {gas} gas"),
        &json!({ "epoch": epoch, "transaction": transaction(&receipt), "gas": gas }),
    )?;
    Ok(ExitStatus::Success)
}

fn show(arguments: ShowArguments, output: Output) -> Result<ExitStatus> {
    let ShowArguments { node, registry, which } = arguments;
    let epoch = connection::block_on(async {
        let client = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Reading the epoch");
        let epoch = match (which.epoch, which.operator_set) {
            (Some(number), _) => client.read_epoch(registry, number).await.map(Some),
            (None, set) => client.latest_epoch(registry, set.unwrap_or_default()).await,
        };
        epoch
            .with_context(|| format!("{} about {registry}, which must be an OperatorRegistry", node.asking()))?
            .with_context(|| {
                format!(
                    "the registry {registry} has no epoch of that operator set yet; its owner commits one with \
                     `assent epoch commit`"
                )
            })
    })?;
    output.result(describe(&epoch), &epoch)?;
    Ok(ExitStatus::Success)
}

fn describe(epoch: &Epoch) -> String {
    let operators = &epoch.operators;
    let until = match epoch.valid_until.to::<u64>() {
        0 => "revoked".to_owned(),
        never if never == (1 << 48) - 1 => "valid until the next epoch is committed".to_owned(),
        seconds => format!("valid until {}", output::time(seconds)),
    };
    format!(
        "epoch {} of operator set {}: {} operators, total weight {}, {until}\n{}",
        epoch.number,
        epoch.operator_set,
        operators.operators().len(),
        operators.total_weight(),
        table(epoch)
    )
}

fn table(epoch: &Epoch) -> Table {
    let mut table = output::table(["index", "operator", "key", "weight"]);
    for (index, operator) in epoch.operators.operators().iter().enumerate() {
        table.add_row([
            Cell::new(index),
            Cell::new(short_address(operator.address)),
            Cell::new(output::shortened(operator.public_key)),
            Cell::new(operator.weight).set_alignment(CellAlignment::Right),
        ]);
    }
    table
}
