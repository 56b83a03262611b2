//! `cargo xtask report`.

use anyhow::Result;
use assent_performance::{figures, gas::Gas, measure, page, times::Times};
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Measures Assent and updates docs/performance.md.
///
/// Runs the gas tests, which write snapshots/, and the verifier's benchmarks, and writes their figures into the page's
/// tables and plots.
///
/// Takes about four minutes, longer the first time. Times are CPU time of the working thread, so other programs disturb
/// them little. The exit status is 0 only if everything was measured and written.
#[derive(Parser)]
#[command(name = "cargo xtask report", bin_name = "cargo xtask report", after_help = EXAMPLES)]
struct Arguments {
    /// Also print all figures, as JSON and nothing else, to standard output
    #[arg(long)]
    json: bool,

    /// Measure only one half, and keep the other's last figures
    #[arg(long, value_name = "HALF")]
    only: Option<Half>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Half {
    /// The gas tests
    Gas,
    /// The benchmarks
    Time,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask report              measure everything and write docs/performance.md
  cargo xtask report --only gas   after a change of the contracts: seconds instead of minutes
  cargo xtask report --json | jq '.gas.protectedCall[\"100\"][\"0\"]'";

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // cargo names this package's directory when it runs the binary, wherever the clone has moved.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("benchmarks"), PathBuf::from);
    let root = package.join("..");

    if arguments.only != Some(Half::Time) {
        measure::gas(&root)?;
    }
    let gas = Gas::read(&root.join("snapshots"))?;
    if arguments.only != Some(Half::Gas) {
        measure::times(&root)?.write(&root)?;
    }
    let times = Times::read(&root)?;
    page::write(&root, &gas, &times)?;
    eprintln!("Written: docs/performance.md and docs/performance/");
    if arguments.json {
        println!("{:#}", figures::json(&gas, &times)?);
    }
    Ok(())
}
