//! `assent offence`: what operators may never do, reported and punished.

mod punish;
pub mod record;
mod report;
mod reward;
mod status;

use crate::{ExitStatus, arguments, connection::Node, output::Output};
use alloy::primitives::{Address, B256};
use anyhow::Result;
use clap::{Args, Subcommand};

/// The end of `assent offence --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent offence report --slasher $SLASHER allowed.json denied.json --private-key-file account.key
  assent offence punish --slasher $SLASHER --record $RECORD --private-key-file account.key
  assent offence status --slasher $SLASHER --record $RECORD --reward $REPORTER_REWARD

Report first, then punish: any account can send both. Here, the environment variable ETH_RPC_URL names the node.
The account that reports is the reporter, whom a ReporterReward pays, if the network has one.";

/// The subcommands of `assent offence`.
#[derive(Subcommand)]
pub enum Command {
    /// Report two attestations of one task that operators signed both: prove and record the offence.
    Report(report::Arguments),
    /// Punish the operators of a recorded offence.
    Punish(punish::Arguments),
    /// Show a recorded offence: who did it, who reported it, who is punished, and what was rewarded.
    Status(status::Arguments),
}

/// Runs `assent offence`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Report(arguments) => report::run(&arguments, output),
        Command::Punish(arguments) => punish::run(&arguments, output),
        Command::Status(arguments) => status::run(&arguments, output),
    }
}

/// The recorded offence that a command is about, and its node.
#[derive(Args)]
struct RecordNode {
    #[command(flatten)]
    node: Node,
    /// The EigenLayerSlasher or SymbioticSlasher.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    slasher: Address,
    /// The record, as `assent offence report` prints it.
    #[arg(long, value_name = "HASH")]
    record: B256,
}
