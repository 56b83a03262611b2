//! `assent deploy`: deploys the contracts at addresses that follow from their owner.

use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::Node,
    output::{self, Output},
};
use alloy::rpc::types::TransactionReceipt;
use alloy_primitives::{Address, aliases::U48};
use anyhow::Result;
use assent_client::{DeploymentReport, ValidatorState};
use assent_contracts::deployment::{Delays, Deployment};
use clap::Args;
use comfy_table::Table;
use serde_json::{Value, json};

/// The options of `assent deploy`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent deploy --rpc-url http://127.0.0.1:8545 --owner $OWNER --private-key-file account.key
  assent deploy --rpc-url http://127.0.0.1:8545 --owner $OWNER --account $OWNER --grace-period 3600
  assent deploy --rpc-url http://127.0.0.1:8545 --owner $OWNER --private-key-file account.key --without-proxy
  assent deploy --policy-registry --rpc-url http://127.0.0.1:8545 --private-key-file account.key

Deploys OwnerStakeSource, OperatorRegistry and TaskManager. Their addresses follow from the owner and the
delays, and are the same on every chain. Deployed contracts are left unchanged, so the command can be repeated. The
TaskManager knows no epoch until the OperatorRegistry's owner adds it: when the owner deploys, this command also
does that.")]
pub struct Arguments {
    #[command(flatten)]
    node: Node,
    /// The account that will set weights, and commit and revoke epochs.
    #[arg(
        long,
        value_name = "ADDRESS",
        value_parser = arguments::address,
        required_unless_present = "policy_registry"
    )]
    owner: Option<Address>,
    /// Deploy only the PolicyRegistry, with which policies are published. It has no owner, and one address on every
    /// chain.
    #[arg(long, conflicts_with_all = ["owner", "without_proxy"])]
    policy_registry: bool,
    /// How long an epoch is valid at most, in seconds; at most 30 days.
    #[arg(long, value_name = "SECONDS", default_value = "604800")]
    epoch_lifetime: U48,
    /// How long an epoch is pending, and how long before a change it must be proposed, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "86400")]
    activation_delay: U48,
    /// How long a superseded epoch stays valid, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "86400")]
    grace_period: U48,
    /// Deploy without the deterministic deployment proxy, on a chain that lacks it. The addresses then depend on the
    /// sending account and its nonce, and each run deploys new contracts.
    #[arg(long)]
    without_proxy: bool,
    #[command(flatten)]
    payer: Account,
}

/// Runs `assent deploy`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { node, owner, epoch_lifetime, activation_delay, grace_period, without_proxy, payer, .. } = arguments;
    // Without an owner the command line's rules require --policy-registry.
    let Some(owner) = owner else { return deploy_policy_registry(&node, &payer, output) };
    let delays = Delays { epoch_lifetime, activation_delay, grace_period };
    let (from, signer) = payer.open()?;
    let report = node.ask("Deploying", signer, async |client| {
        if without_proxy {
            client.deploy_without_proxy(from, owner, delays).await
        } else {
            client.deploy(from, owner, delays).await
        }
    })?;
    output.result(format_args!("{}\n{}", table(&report), next_step(&report)), &to_json(&report))?;
    if output.is_json() && matches!(report.validator, ValidatorState::LeftToOwner) {
        output::remark(next_step(&report));
    }
    Ok(ExitStatus::Success)
}

fn deploy_policy_registry(node: &Node, payer: &Account, output: Output) -> Result<ExitStatus> {
    let (from, signer) = payer.open()?;
    let contract = node.ask("Deploying", signer, async |client| client.deploy_policy_registry(from).await)?;
    let gas = contract.receipt.as_ref().map(|receipt| receipt.gas_used);
    let text = || {
        let mut table = output::table(["contract", "address", "gas"]);
        let gas = gas.map_or_else(|| "already deployed".to_owned(), |gas| gas.to_string());
        table.add_row([contract.name, &contract.address.to_string(), &gas]);
        format!("{table}\nnext: assent policy publish")
    };
    let transaction = contract.receipt.as_ref().map(|receipt| receipt.transaction_hash);
    let value =
        || json!({ "name": contract.name, "address": contract.address, "gas": gas, "transaction": transaction });
    output.result_of(text, value)?;
    Ok(ExitStatus::Success)
}

fn next_step(report: &DeploymentReport) -> String {
    let Deployment { owner, operator_registry, task_manager, .. } = &report.deployment;
    match &report.validator {
        ValidatorState::WasAdded => "the OperatorRegistry already publishes epochs to the TaskManager".to_owned(),
        ValidatorState::Added(receipts) => {
            format!("the OperatorRegistry publishes epochs to the TaskManager, {} gas", gas(receipts))
        }
        ValidatorState::Proposed { applies_from } => format!(
            "it is proposed to add the TaskManager to the OperatorRegistry: repeat the command after {}",
            output::time(*applies_from)
        ),
        ValidatorState::LeftToOwner => format!(
            "next: {owner} must run the same command, or call addValidator({}) of the OperatorRegistry {}; until then \
             every attestation is refused",
            task_manager.address, operator_registry.address
        ),
    }
}

fn gas(receipts: &[TransactionReceipt]) -> u64 {
    receipts.iter().map(|receipt| receipt.gas_used).sum()
}

fn table(report: &DeploymentReport) -> Table {
    let mut table = output::table(["contract", "address", "gas"]);
    for contract in &report.contracts {
        let gas = contract.receipt.as_ref().map(|receipt| receipt.gas_used.to_string());
        let gas = gas.unwrap_or_else(|| "already deployed".to_owned());
        table.add_row([contract.name, &contract.address.to_string(), &gas]);
    }
    table
}

fn to_json(report: &DeploymentReport) -> Value {
    let contracts = report.contracts.iter().map(|contract| {
        json!({
            "name": contract.name,
            "address": contract.address,
            "transaction": contract.receipt.as_ref().map(|receipt| receipt.transaction_hash),
            "gas": contract.receipt.as_ref().map(|receipt| receipt.gas_used),
        })
    });
    json!({
        "owner": report.deployment.owner,
        "epochLifetime": report.deployment.delays.epoch_lifetime.to::<u64>(),
        "activationDelay": report.deployment.delays.activation_delay.to::<u64>(),
        "gracePeriod": report.deployment.delays.grace_period.to::<u64>(),
        "contracts": contracts.collect::<Vec<_>>(),
        "validator": match &report.validator {
            ValidatorState::WasAdded => json!({ "added": true, "gas": null }),
            ValidatorState::Added(receipts) => json!({ "added": true, "gas": gas(receipts) }),
            ValidatorState::Proposed { applies_from } => {
                json!({ "added": false, "gas": null, "appliesFrom": applies_from })
            }
            ValidatorState::LeftToOwner => json!({ "added": false, "gas": null }),
        },
    })
}
