//! `assent epoch commit`.

use super::transaction;
use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::RegistryNode,
    output::{self, Output},
};
use alloy_primitives::Address;
use anyhow::Result;
use assent_verifier::OperatorSetId;
use clap::Args;
use serde_json::json;

/// The options of `assent epoch commit`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent epoch commit --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --operator-set 1 \\
      $OPERATOR $OTHER_OPERATOR --private-key-file owner.key
  xargs assent epoch commit --registry $REGISTRY --operator-set 1 --account $OWNER < operators.txt

The registry's owner sends this, in one transaction for every 100 operators. Only the named operators are in the
epoch, and of these only operators with a key (`assent operator register`) and weight in the set (`assent weights
set`). The set's first epoch is in force at once. A later one is pending: `assent epoch approve` activates it at once,
and `assent epoch activate` after the registry's activation delay. The previous epoch then stays valid for the grace
period.")]
pub struct Arguments {
    #[command(flatten)]
    at: RegistryNode,
    /// The operator set.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    operator_set: OperatorSetId,
    /// The operators, in any order.
    #[arg(value_name = "OPERATOR", required = true, value_parser = arguments::address)]
    operators: Vec<Address>,
    #[command(flatten)]
    owner: Account,
}

/// Runs `assent epoch commit`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at: RegistryNode { node, registry }, operator_set, operators, owner } = arguments;
    let (owner, signer) = owner.open()?;
    let committed = node.ask("Committing the epoch", signer, async |client| {
        client.commit_epoch(registry, owner, operator_set, &operators).await
    })?;
    for skipped in &committed.skipped {
        output::remark(format_args!(
            "warning: left out {skipped}, which has no valid key or no weight in operator set {operator_set}"
        ));
    }
    let count = operators.len().saturating_sub(committed.skipped.len());
    let gas = committed.receipts.iter().map(|receipt| receipt.gas_used).sum::<u64>();
    let status = committed
        .activates_at
        .map_or_else(|| "in force".to_owned(), |time| format!("pending until {}", output::time(time.to::<u64>())));
    output.result(
        format_args!(
            "epoch {} of operator set {operator_set} is {status}: {count} operators, {gas} gas",
            committed.number
        ),
        &json!({
            "epoch": committed.number,
            "operatorSet": operator_set,
            "operators": count,
            "skipped": committed.skipped,
            "activatesAt": committed.activates_at.map(|time| time.to::<u64>()),
            "transactions": committed.receipts.iter().map(transaction).collect::<Vec<_>>(),
            "gas": gas,
        }),
    )?;
    Ok(ExitStatus::Success)
}
