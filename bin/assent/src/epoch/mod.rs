//! `assent epoch`: the epochs of a registry.

mod approve;
mod commit;
mod keep;
mod keeper;
mod list;
mod revoke;

use crate::{ExitStatus, account::Account, arguments, connection::RegistryNode, output::Output};
use alloy::rpc::types::TransactionReceipt;
use alloy_primitives::B256;
use anyhow::Result;
use assent_client::{EpochRecord, EpochStatus};
use assent_verifier::EpochId;
use clap::{Args, Subcommand};
use serde_json::json;

/// The end of `assent epoch --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent epoch commit --registry $REGISTRY --operator-set 1 $OPERATOR $OTHER_OPERATOR --private-key-file owner.key
  assent epoch commit --keeper $KEEPER --operator-set 1 --private-key-file account.key
  assent epoch status --keeper $KEEPER --operator-set 1
  assent epoch list --registry $REGISTRY
  assent epoch approve --registry $REGISTRY --epoch 4 --key operator.json --private-key-file account.key
  assent epoch keep --registry $REGISTRY --operator-set 1 --private-key-file owner.key
  assent epoch revoke --registry $REGISTRY --operator-set 1 --private-key-file owner.key

Here, the environment variable ETH_RPC_URL names the node.";

/// The subcommands of `assent epoch`.
#[derive(Subcommand)]
pub enum Command {
    /// Commit operators with a key and weight as the set's next epoch.
    Commit(commit::Arguments),
    /// Activate a pending epoch whose delay is over.
    Activate(ActivateArguments),
    /// Activate a pending epoch at once, with the approval of the set's current operators.
    Approve(Box<approve::Arguments>),
    /// Sign the approval of a pending epoch, for `assent epoch approve --partial`.
    Sign(approve::SignArguments),
    /// Commit and activate a set's epochs in time, until it is stopped.
    Keep(keep::Arguments),
    /// List the epochs that are pending, or under which something can still be used.
    List(list::ListArguments),
    /// Revoke epochs at once: nothing that they signed is valid any more.
    Revoke(revoke::Arguments),
    /// Show the epochs of a set that anyone commits, and when the next can be committed.
    Status(keeper::StatusArguments),
    /// Show an epoch's operators, their keys and their weights.
    Show(list::ShowArguments),
}

/// The options of `assent epoch activate`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch activate --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --epoch 4 --private-key-file account.key

Any account can send this, once the registry's activation delay is over. Only then do TaskManagers know the epoch, and
the set's previous one ends after the grace period.")]
pub struct ActivateArguments {
    #[command(flatten)]
    at: RegistryNode,
    /// The epoch's number.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id())]
    epoch: EpochId,
    #[command(flatten)]
    payer: Account,
}

/// Runs `assent epoch`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Commit(arguments) => commit::run(arguments, output),
        Command::Activate(arguments) => activate(arguments, output),
        Command::Approve(arguments) => approve::run(*arguments, output),
        Command::Sign(arguments) => approve::sign(&arguments, output),
        Command::Keep(arguments) => keep::run(arguments, output),
        Command::List(arguments) => list::list(arguments, output),
        Command::Revoke(arguments) => revoke::run(arguments, output),
        Command::Status(arguments) => keeper::status(arguments, output),
        Command::Show(arguments) => list::show(arguments, output),
    }
}

fn activate(arguments: ActivateArguments, output: Output) -> Result<ExitStatus> {
    let ActivateArguments { at: RegistryNode { node, registry }, epoch, payer } = arguments;
    let (from, signer) = payer.open()?;
    let receipt =
        node.ask("Activating the epoch", signer, async |client| client.activate_epoch(registry, from, epoch).await)?;
    let gas = receipt.gas_used;
    output.result(
        format_args!("epoch {epoch} is in force, {gas} gas"),
        &json!({ "epoch": epoch, "transaction": transaction(&receipt), "gas": gas }),
    )?;
    Ok(ExitStatus::Success)
}

fn transaction(receipt: &TransactionReceipt) -> B256 {
    receipt.transaction_hash
}

/// Returns an epoch's status in words.
fn status(record: &EpochRecord) -> String {
    let time = |seconds: alloy_primitives::aliases::U48| crate::output::time(seconds.to::<u64>());
    match record.status {
        EpochStatus::Pending { activates_at } => format!("pending until {}", time(activates_at)),
        EpochStatus::InForce => format!("valid until {}", time(record.epoch.valid_until)),
        EpochStatus::Superseded => format!("superseded, recorded roots until {}", time(record.expires_at)),
        EpochStatus::Expired => "expired".to_owned(),
        EpochStatus::Revoked => "revoked".to_owned(),
    }
}
