//! `assent weights`: sets operators' weights.

use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::Node,
    output::{Output, counted},
};
use alloy_primitives::{Address, aliases::U96};
use anyhow::Result;
use assent_verifier::OperatorSetId;
use clap::{Args, Subcommand};
use serde_json::json;

/// The end of `assent weights --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent weights set --stake-source $OWNER_STAKE_SOURCE --operator-set 1 $OPERATOR=100 --private-key-file owner.key";

/// The subcommands of `assent weights`.
#[derive(Subcommand)]
pub enum Command {
    /// Set operators' weights in an operator set.
    Set(SetArguments),
}

/// The options of `assent weights set`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent weights set --rpc-url http://127.0.0.1:8545 --stake-source $OWNER_STAKE_SOURCE --operator-set 1 \\
      $OPERATOR=100 $OTHER_OPERATOR=150 --private-key-file owner.key
  assent weights set --stake-source $OWNER_STAKE_SOURCE --operator-set 1 $OPERATOR=0 --account $OWNER

The OwnerStakeSource's owner sends this. Weight 0 removes an operator from the set. Weights take effect in the next
epoch: see `assent epoch commit`.")]
pub struct SetArguments {
    #[command(flatten)]
    node: Node,
    /// The OwnerStakeSource.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    stake_source: Address,
    /// The operator set.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    operator_set: OperatorSetId,
    /// An operator and its weight.
    #[arg(value_name = "ADDRESS=WEIGHT", required = true, value_parser = arguments::weight)]
    weights: Vec<(Address, U96)>,
    #[command(flatten)]
    owner: Account,
}

/// Runs `assent weights`.
pub fn run(Command::Set(arguments): Command, output: Output) -> Result<ExitStatus> {
    let SetArguments { node, stake_source, operator_set, weights, owner } = arguments;
    let (owner, signer) = owner.open()?;
    let receipt = node.ask("Setting weights", signer, async |client| {
        client.set_weights(stake_source, owner, operator_set, &weights).await
    })?;
    let listed = weights.iter().map(|(operator, weight)| json!({ "operator": operator, "weight": weight.to_string() }));
    output.result(
        format_args!(
            "{} set in operator set {operator_set}, from its next epoch on, {} gas",
            counted(weights.len(), "weight", "weights"),
            receipt.gas_used
        ),
        &json!({
            "operatorSet": operator_set,
            "weights": listed.collect::<Vec<_>>(),
            "transaction": receipt.transaction_hash,
            "gas": receipt.gas_used,
        }),
    )?;
    Ok(ExitStatus::Success)
}
