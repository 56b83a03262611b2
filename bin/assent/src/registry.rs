//! `assent registry`: the settings and validators of an operator registry.

use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::RegistryNode,
    output::{self, Output},
    transaction::hashes,
};
use alloy::rpc::types::TransactionReceipt;
use alloy_primitives::{Address, aliases::U48};
use anyhow::{Result, bail};
use assent_client::{RegistryChange, RegistryChangeStatus, RegistrySettings};
use clap::{Args, Subcommand};
use serde_json::json;

/// The end of `assent registry --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent registry show --registry $REGISTRY
  assent registry propose --registry $REGISTRY --stake-source $STAKE_SOURCE --private-key-file owner.key
  assent registry apply --registry $REGISTRY --stake-source $STAKE_SOURCE --private-key-file owner.key

Here, the environment variable ETH_RPC_URL names the node.";

/// The subcommands of `assent registry`.
#[derive(Subcommand)]
pub enum Command {
    /// Show a registry's owner, stake source, delays and validators.
    Show(ShowArguments),
    /// Propose a change, which can be applied after the activation delay.
    Propose(ProposeArguments),
    /// Apply a change whose delay is over.
    Apply(ApplyArguments),
    /// Cancel a proposed change.
    Cancel(CancelArguments),
    /// Print the calldata of a change, for an owner that is a multisig or a timelock.
    Calldata(CalldataArguments),
}

/// The options of `assent registry show`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent registry show --rpc-url http://127.0.0.1:8545 --registry $REGISTRY")]
pub struct ShowArguments {
    #[command(flatten)]
    at: RegistryNode,
}

/// The options of `assent registry propose`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent registry propose --registry $REGISTRY --grace-period 3600 --private-key-file owner.key
  assent registry propose --registry $REGISTRY --remove-validator $TASK_MANAGER --account $OWNER

The registry's owner sends this. The change is applied with `assent registry apply` and the same option, from the
activation delay on and for seven days.")]
pub struct ProposeArguments {
    #[command(flatten)]
    sent: SentChange,
}

/// The options of `assent registry apply`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent registry apply --registry $REGISTRY --grace-period 3600 --private-key-file owner.key

The registry's owner sends this. No notice is needed before the first epoch is committed, without an activation delay,
or to shorten the epoch lifetime. Live epochs are published to a validator that is added.")]
pub struct ApplyArguments {
    #[command(flatten)]
    sent: SentChange,
}

/// The options of `assent registry cancel`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent registry cancel --registry $REGISTRY --grace-period 3600 --private-key-file owner.key")]
pub struct CancelArguments {
    #[command(flatten)]
    sent: SentChange,
}

/// The options of `assent registry calldata`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent registry calldata --stake-source $STAKE_SOURCE

The owner calls the registry with the first, and with the second after the activation delay.")]
pub struct CalldataArguments {
    #[command(flatten)]
    change: Change,
}

/// A change, and the owner who sends it.
#[derive(Args)]
struct SentChange {
    #[command(flatten)]
    at: RegistryNode,
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    owner: Account,
}

/// The options that select the change.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Change {
    /// Read operators' weights from this contract.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    stake_source: Option<Address>,
    /// Publish epochs to this TaskManager.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    add_validator: Option<Address>,
    /// Publish no more epochs to this TaskManager.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    remove_validator: Option<Address>,
    /// How long an epoch is valid at most, in seconds.
    #[arg(long, value_name = "SECONDS")]
    epoch_lifetime: Option<U48>,
    /// How long an epoch is pending, and how long before a change it must be proposed, in seconds.
    #[arg(long, value_name = "SECONDS")]
    activation_delay: Option<U48>,
    /// How long a superseded epoch stays valid, in seconds.
    #[arg(long, value_name = "SECONDS")]
    grace_period: Option<U48>,
}

/// Runs `assent registry`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Show(arguments) => show(&arguments.at, output),
        Command::Propose(arguments) => propose(arguments.sent, output),
        Command::Apply(arguments) => apply(arguments.sent, output),
        Command::Cancel(arguments) => cancel(arguments.sent, output),
        Command::Calldata(arguments) => calldata(&arguments.change, output),
    }
}

fn show(RegistryNode { node, registry }: &RegistryNode, output: Output) -> Result<ExitStatus> {
    let settings = node.ask("Reading the registry", None, async |client| client.read_settings(*registry).await)?;
    let RegistrySettings { owner, pending_owner, stake_source, delays, validators, epoch_count, .. } = &settings;
    let seconds = |seconds: U48| output::counted(seconds.to::<u64>(), "second", "seconds");
    let mut table = output::table(["setting", "value"]);
    table.add_row(["owner", &owner.to_string()]);
    if !pending_owner.is_zero() {
        table.add_row(["pending owner", &pending_owner.to_string()]);
    }
    table
        .add_row(["stake source", &stake_source.to_string()])
        .add_row(["epoch lifetime", &seconds(delays.epoch_lifetime)])
        .add_row(["activation delay", &seconds(delays.activation_delay)])
        .add_row(["grace period", &seconds(delays.grace_period)])
        .add_row(["epochs", &epoch_count.to_string()]);
    for validator in validators {
        table.add_row(["validator", &validator.to_string()]);
    }
    let pending_owner = (!pending_owner.is_zero()).then_some(pending_owner);
    output.result(
        &table,
        &json!({
            "owner": owner,
            "pendingOwner": pending_owner,
            "stakeSource": stake_source,
            "epochLifetime": delays.epoch_lifetime.to::<u64>(),
            "activationDelay": delays.activation_delay.to::<u64>(),
            "gracePeriod": delays.grace_period.to::<u64>(),
            "epochs": epoch_count,
            "validators": validators,
        }),
    )?;
    Ok(ExitStatus::Success)
}

fn propose(sent: SentChange, output: Output) -> Result<ExitStatus> {
    let SentChange { at: RegistryNode { node, registry }, change, owner } = sent;
    let change = change.read()?;
    let (owner, signer) = owner.open()?;
    let status = node.ask("Reading the registry", None, async |client| client.read_change(registry, &change).await)?;
    match status {
        RegistryChangeStatus::NotProposed => {}
        RegistryChangeStatus::NeedsNoNotice => {
            bail!("this change needs no notice, and nothing was sent; apply it with `assent registry apply`")
        }
        RegistryChangeStatus::Proposed { applies_from, .. } => bail!(
            "this change is already proposed, and nothing was sent; it can be applied from {}",
            output::time(applies_from)
        ),
        RegistryChangeStatus::Applicable { lapses_at } => bail!(
            "this change is already proposed, and nothing was sent; apply it with `assent registry apply` before {}",
            output::time(lapses_at)
        ),
    }
    let (applies_from, receipt) =
        node.ask("Proposing the change", signer, async |client| client.propose_change(registry, owner, &change).await)?;
    output.result(
        format_args!(
            "the change is proposed, {} gas; apply it with `assent registry apply` from {}",
            receipt.gas_used,
            output::time(applies_from)
        ),
        &json!({
            "appliesFrom": applies_from,
            "calldata": change.calldata(),
            "transaction": receipt.transaction_hash,
            "gas": receipt.gas_used,
        }),
    )?;
    Ok(ExitStatus::Success)
}

fn apply(sent: SentChange, output: Output) -> Result<ExitStatus> {
    let SentChange { at: RegistryNode { node, registry }, change, owner } = sent;
    let change = change.read()?;
    let (owner, signer) = owner.open()?;
    let status = node.ask("Reading the registry", None, async |client| client.read_change(registry, &change).await)?;
    match status {
        RegistryChangeStatus::NeedsNoNotice | RegistryChangeStatus::Applicable { .. } => {}
        RegistryChangeStatus::NotProposed => {
            bail!("this change is not proposed, or was not applied in time; propose it with `assent registry propose`")
        }
        RegistryChangeStatus::Proposed { applies_from, .. } => {
            bail!("this change can be applied from {}, and nothing was sent", output::time(applies_from))
        }
    }
    let receipts = node.ask("Applying the change", signer, async |client| {
        let mut receipts = vec![client.apply_change(registry, owner, &change).await?];
        if matches!(change, RegistryChange::AddValidator(_)) {
            receipts.extend(client.publish_live_epochs(registry, owner).await?);
        }
        Ok(receipts)
    })?;
    let gas = receipts.iter().map(|receipt| receipt.gas_used).sum::<u64>();
    report(format!("the change is applied, {gas} gas"), gas, &receipts, output)
}

fn cancel(sent: SentChange, output: Output) -> Result<ExitStatus> {
    let SentChange { at: RegistryNode { node, registry }, change, owner } = sent;
    let change = change.read()?;
    let (owner, signer) = owner.open()?;
    let receipt =
        node.ask("Canceling the change", signer, async |client| client.cancel_change(registry, owner, &change).await)?;
    let gas = receipt.gas_used;
    report(format!("the change is canceled, {gas} gas"), gas, &[receipt], output)
}

fn report(text: String, gas: u64, receipts: &[TransactionReceipt], output: Output) -> Result<ExitStatus> {
    output.result(text, &json!({ "transactions": hashes(receipts), "gas": gas }))?;
    Ok(ExitStatus::Success)
}

fn calldata(change: &Change, output: Output) -> Result<ExitStatus> {
    let change = change.read()?;
    let (propose, apply) = (change.proposal(), change.calldata());
    output
        .result(format_args!("propose: {propose}\napply:   {apply}"), &json!({ "propose": propose, "apply": apply }))?;
    Ok(ExitStatus::Success)
}

impl Change {
    fn read(&self) -> Result<RegistryChange> {
        let Self { stake_source, add_validator, remove_validator, epoch_lifetime, activation_delay, grace_period } =
            *self;
        let change = stake_source
            .map(RegistryChange::StakeSource)
            .or(add_validator.map(RegistryChange::AddValidator))
            .or(remove_validator.map(RegistryChange::RemoveValidator))
            .or(epoch_lifetime.map(RegistryChange::EpochLifetime))
            .or(activation_delay.map(RegistryChange::ActivationDelay))
            .or(grace_period.map(RegistryChange::GracePeriod));
        // The command line's rules require one of them.
        match change {
            Some(change) => Ok(change),
            None => bail!("give one change, such as --stake-source ADDRESS"),
        }
    }
}
