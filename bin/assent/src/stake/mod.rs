//! `assent stake`: operators' stake on EigenLayer or Symbiotic, and local chains with EigenLayer's contracts.

pub mod contract;
pub mod eigenlayer;
pub mod example;
pub mod keeper;
mod status;

use crate::{ExitStatus, output::Output};
use anyhow::Result;
use clap::Subcommand;

/// The end of `assent stake --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent stake status --stake $STAKE --operator-set 1
  assent operator join --help
  assent epoch status --help

Here, the environment variable ETH_RPC_URL names the node.";

/// The subcommands of `assent stake`.
#[derive(Subcommand)]
pub enum Command {
    /// Show the members of an operator set: their stake's weight, key, region and provider.
    Status(status::Arguments),
}

/// Runs `assent stake`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Status(arguments) => status::run(arguments, output),
    }
}
