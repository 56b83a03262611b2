//! Runs many histories, or one again: `cargo xtask network-simulate`.

use std::{process::ExitCode, time::Instant};

use assent_network_simulator::{Options, Sabotage, run_many, run_one};
use clap::{Parser, ValueEnum};

/// Runs operators and gateways in virtual time, with faults and liars, and checks what must always hold
///
/// The first history that violates an invariant ends the run, and its seed is printed.
#[derive(Parser)]
#[command(name = "cargo xtask network-simulate", bin_name = "cargo xtask network-simulate")]
struct Arguments {
    /// The number of histories
    #[arg(long, default_value_t = 10_000)]
    histories: u64,
    /// The seed of the first history; the others follow
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// Runs only the history of this seed
    #[arg(long)]
    seed: Option<u64>,
    /// Breaks a part on purpose, to see that the invariants find it
    #[arg(long)]
    sabotage: Option<SabotageArgument>,
}

#[derive(Clone, Copy, ValueEnum)]
enum SabotageArgument {
    ForgetfulJournal,
    ForgetfulTaskLog,
    WrongDecision,
    UnseenLeaf,
    IgnoredLease,
    HastyHandover,
}

fn main() -> ExitCode {
    let Arguments { histories, first_seed, seed, sabotage } = Arguments::parse();
    let sabotage = sabotage.map(|sabotage| match sabotage {
        SabotageArgument::ForgetfulJournal => Sabotage::ForgetfulJournal,
        SabotageArgument::ForgetfulTaskLog => Sabotage::ForgetfulTaskLog,
        SabotageArgument::WrongDecision => Sabotage::WrongDecision,
        SabotageArgument::UnseenLeaf => Sabotage::UnseenLeaf,
        SabotageArgument::IgnoredLease => Sabotage::IgnoredLease,
        SabotageArgument::HastyHandover => Sabotage::HastyHandover,
    });
    let start = Instant::now();
    let result = match seed {
        Some(seed) => run_one(Options { seed, sabotage }).map_err(|violation| (seed, violation)),
        None => run_many(first_seed, histories, sabotage),
    };
    match result {
        Ok(summary) => {
            println!("{summary:#?}");
            println!("{:.1} seconds", start.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err((seed, violation)) => {
            eprintln!("error: {} (after {} ms of virtual time)", violation.what, violation.at_millis);
            eprintln!("next: cargo xtask network-simulate --seed {seed}");
            ExitCode::FAILURE
        }
    }
}
