//! `cargo xtask fuzz`.

use anyhow::{Result, bail};
use assent_differential::{Campaign, Summary, Tally, regressions};
use clap::Parser;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{num::NonZero, thread};

/// Lets the contracts, in an EVM in the process, and the verifier with both of its backends decide about random cases.
/// They are authorizations valid and tampered with, batches, roots to be recorded, and keys to be registered. Each is
/// in a random world of operators, epochs and policies. They must agree on acceptance, on every byte of the revert
/// data, and on what is spent.
///
/// A case about which they differ is made as small as it can be and kept in tests/differential/campaign/regressions,
/// where `cargo test` tries it again. The exit status is 0 only when nothing differed and every error of the protocol
/// was reached.
#[derive(Parser)]
#[command(name = "cargo xtask fuzz", bin_name = "cargo xtask fuzz", after_help = EXAMPLES)]
struct Arguments {
    /// How many cases
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    cases: u64,

    /// The same seed gives the same cases
    #[arg(long, value_name = "N", default_value_t = 2_537)]
    seed: u64,

    /// How many threads; as many as there are cores if not given
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Print the summary as JSON and nothing else to standard output
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask fuzz                                  ten thousand cases, in about a minute
  cargo xtask fuzz --cases 1000000 --seed 7         a long campaign with other cases
  cargo xtask fuzz --cases 1000 --json | jq .byError";

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let Arguments { cases, seed, json, .. } = arguments;
    let cores = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let campaign = Campaign { cases, seed, threads: arguments.threads.unwrap_or(cores) };

    let bar = ProgressBar::new(cases).with_style(ProgressStyle::with_template(
        "{bar:32} {human_pos} of {human_len} cases, {per_sec}, {elapsed} so far, {eta} left",
    )?);
    let summary = campaign.run(|more| bar.inc(more));
    bar.finish_and_clear();

    if json {
        println!("{:#}", as_json(&summary, seed));
    } else {
        print(&summary, seed);
    }
    for (number, divergence) in summary.divergences.iter().enumerate() {
        let file = regressions::keep(&regressions::directory(), &format!("seed-{seed}-{number}"), divergence)?;
        eprintln!("differs: {}\n  kept in {}", divergence.reason, file.display());
    }
    if !summary.divergences.is_empty() {
        bail!("contracts and verifier differ in {} worlds", summary.divergences.len());
    }
    // Rare errors take some thousand cases to reach.
    let unreached = summary.tally.unreached();
    if cases >= 10_000 && !unreached.is_empty() {
        bail!("the generator never reached {}", unreached.join(", "));
    }
    Ok(())
}

fn as_json(summary: &Summary, seed: u64) -> Value {
    let Summary { cases, worlds, tally, divergences, time } = summary;
    json!({
        "cases": cases,
        "seed": seed,
        "worlds": worlds,
        "divergences": divergences.len(),
        "accepted": tally.accepted,
        "byError": tally.by_error,
        "seconds": (time.as_secs_f64() * 10.0).round() / 10.0,
    })
}

fn print(summary: &Summary, seed: u64) {
    let Summary { cases, worlds, tally, divergences, time } = summary;
    let total = tally.accepted + tally.by_error.values().sum::<u64>();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["outcome", "decisions", "share"]);
    let errors = Tally::errors().map(|error| (error, tally.by_error[error]));
    for (outcome, count) in [("accepted", tally.accepted)].into_iter().chain(errors) {
        let share = 100.0 * count as f64 / total as f64;
        table.add_row([outcome.to_owned(), HumanCount(count).to_string(), format!("{share:.1} %")]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    println!("{table}");
    println!(
        "{} cases in {} worlds with seed {seed}, in {:.0} s ({:.0} a second): {} divergences",
        HumanCount(*cases),
        HumanCount(*worlds),
        time.as_secs_f64(),
        *cases as f64 / time.as_secs_f64(),
        divergences.len()
    );
}
