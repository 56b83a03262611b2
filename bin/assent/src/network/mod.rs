//! `assent network`: a whole decision network on this machine.

mod chain;
mod folder;
mod local;
mod up;

pub use chain::LocalChain;
pub use folder::Folder;
pub use local::LocalNetwork;

use crate::{ExitStatus, output::Output};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use std::net::SocketAddr;

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

/// Runs what has a local network in it, with threads for its parts.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("cannot start the runtime of the network")?.block_on(future)
}

/// Returns a port of this machine that others cannot reach; 0 is a free one.
pub fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
