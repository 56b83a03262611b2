//! `assent network`: a whole decision network on this machine.

mod chain;
mod folder;
mod local;
mod up;

use crate::{ExitStatus, output::Output};
use anyhow::Result;
use clap::Subcommand;

pub const EXAMPLES: &str = "\
Examples:
  assent network up
  assent network up --help";

/// The commands of `assent network`.
#[derive(Subcommand)]
pub enum Command {
    /// Run a local network in one process: a chain, operators, a gateway, a treasury and its policy.
    Up(up::Arguments),
}

/// Runs a command of `assent network`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Up(arguments) => up::run(arguments, output),
    }
}
