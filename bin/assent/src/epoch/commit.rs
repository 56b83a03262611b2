//! `assent epoch commit`.

use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::Node,
    output::{self, Output},
    transaction::hashes,
};
use alloy_primitives::Address;
use anyhow::{Context as _, Result};
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
  assent epoch commit --keeper $KEEPER --operator-set 1 --private-key-file account.key

The registry's owner sends this, in one transaction for every 100 operators. Only the named operators are in the
epoch, and of these only operators with a key (`assent operator register`) and weight in the set (`assent weights
set`). The set's first epoch is in force at once. A later one is pending: `assent epoch approve` activates it at once,
and `assent epoch activate` after the registry's activation delay. The previous epoch then stays valid for the grace
period.

If a keeper owns the registry, anyone sends this with --keeper, and names no operators: all members of the set are in
the epoch. `assent epoch status --keeper` says when it is possible.")]
pub struct Arguments {
    #[command(flatten)]
    node: Node,
    /// The OperatorRegistry.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address, required_unless_present = "keeper")]
    registry: Option<Address>,
    /// The EpochKeeper that owns the registry.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address, conflicts_with = "registry")]
    keeper: Option<Address>,
    /// Commit early: this operator of the current epoch lost its weight, or no longer uses its key.
    #[arg(long, value_name = "OPERATOR", value_parser = arguments::address, requires = "keeper")]
    lost: Option<Address>,
    /// The operator set.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    operator_set: OperatorSetId,
    /// The operators, in any order.
    #[arg(
        value_name = "OPERATOR",
        required_unless_present = "keeper",
        conflicts_with = "keeper",
        value_parser = arguments::address
    )]
    operators: Vec<Address>,
    #[command(flatten)]
    owner: Account,
}

/// Runs `assent epoch commit`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { node, registry, keeper, lost, operator_set, operators, owner } = arguments;
    if let Some(keeper) = keeper {
        return super::keeper::commit(&node, keeper, operator_set, lost, &owner, output);
    }
    // The command line's rules require one of them.
    let registry = registry.context("give --registry or --keeper")?;
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
            "transactions": hashes(&committed.receipts),
            "gas": gas,
        }),
    )?;
    Ok(ExitStatus::Success)
}
