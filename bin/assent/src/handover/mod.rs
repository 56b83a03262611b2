//! `assent handover`: epochs on other chains.

pub mod mirrors;
mod request;
mod send;
#[cfg(feature = "network")]
mod sign;
mod status;

use crate::{ExitStatus, output::Output};
use anyhow::Result;
use clap::Subcommand;

/// The end of `assent handover --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent handover status --registry $REGISTRY --operator-set 1 --chains chains.json
  assent handover request --gateway https://gateway.example --epoch 5 --out handover.json
  assent handover send --registry $REGISTRY --signed handover.json --chains chains.json --account $ANYONE

Here, the environment variable ETH_RPC_URL names a node of the registry's chain. The operators of an epoch hand over to
a later one; the chains file names the mirrors: {\"mirrors\": [{\"name\": …, \"rpcUrl\": …, \"mirror\": ADDRESS}, …]}.";

/// The subcommands of `assent handover`.
#[derive(Subcommand)]
pub enum Command {
    /// Have the operators of a running network sign the handover to an epoch.
    Request(Box<request::Arguments>),
    /// Sign the handover to an epoch with an operator's key, after its journal has recorded it.
    #[cfg(feature = "network")]
    Sign(sign::Arguments),
    /// Send a handover to the mirrors that wait for it.
    Send(Box<send::Arguments>),
    /// Show which epoch each mirror has, and what it waits for.
    Status(status::Arguments),
}

/// Runs `assent handover`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Request(arguments) => request::run(&arguments, output),
        #[cfg(feature = "network")]
        Command::Sign(arguments) => sign::run(&arguments, output),
        Command::Send(arguments) => send::run(*arguments, output),
        Command::Status(arguments) => status::run(arguments, output),
    }
}
