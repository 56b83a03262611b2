//! Rounds of kill -9 under load, with an operator and a gateway that lie.

mod book;
mod callers;
mod outcome;
mod rogue_gateway;
mod rogue_operator;
mod rounds;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

pub(crate) use outcome::{CheckReport, table};

/// Kills operators and gateways under load, with liars among them, and checks that nothing is lost or signed twice
///
/// Each round has two seconds of load. Operators and gateways are killed in it, and all of them at its end. Then the
/// journals are compared with each other, with those of the round before, and with what was signed. Every accepted
/// task must be answered. The exit status is 0 only if all holds.
#[derive(Debug, Clone, Args)]
pub(crate) struct CheckArguments {
    /// The number of rounds
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub(crate) rounds: u64,
    /// What decides who is killed, when, and how liars lie; the time of other processes does, too [default: random]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Where gateways keep accepted tasks: a file of one gateway, or NATS, which two share and which is killed, too
    #[arg(long, value_enum, default_value_t = Log::Redb)]
    pub(crate) log: Log,
    /// Prints the results as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Breaks something on purpose, to see that the check finds it
    #[arg(long, value_enum)]
    pub(crate) sabotage: Option<Sabotage>,
}

/// What is broken on purpose, at the end of the second round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sabotage {
    /// An operator's journal is as it was a round before.
    Journal,
    /// The gateway's task log is as it was a round before.
    TaskLog,
}

/// Where gateways keep accepted tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// A file, which one gateway opens.
    Redb,
    /// A stream of NATS, which two gateways share.
    Nats,
}

impl Log {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Redb => "redb",
            Self::Nats => "nats",
        }
    }
}

/// Runs the rounds. `program` is this program.
pub(crate) async fn run(arguments: &CheckArguments, program: PathBuf) -> Result<CheckReport> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let seed = arguments.seed.unwrap_or(u64::from(u32::from_be_bytes([seed[0], seed[1], seed[2], seed[3]])));
    rounds::run(arguments, seed, program).await
}
