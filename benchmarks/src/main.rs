//! `cargo xtask report`.

use anyhow::Result;
use assent_performance::{page, sections};
use clap::{Parser, builder::PossibleValuesParser};
use std::path::PathBuf;

/// Measures Assent and updates docs/performance.md.
///
/// Runs the gas tests, which write snapshots/, the verifier's benchmarks, and the network with its soak. Writes their
/// figures into the page's tables and plots.
///
/// Takes about twenty minutes, ten of them for the soak, and longer the first time. The verifier's times are CPU time
/// of the working thread, so other programs disturb them little. The exit status is 0 only if everything was measured
/// and written.
#[derive(Parser)]
#[command(name = "cargo xtask report", bin_name = "cargo xtask report", after_help = EXAMPLES)]
struct Arguments {
    /// Also print all figures, as JSON and nothing else, to standard output
    #[arg(long)]
    json: bool,

    /// Measure only this part, and keep the other parts' last figures
    #[arg(long, value_name = "PART", value_parser = PossibleValuesParser::new(sections::ALL.map(|part| part.name)))]
    only: Option<String>,

    /// Measure nothing: write the page from the last figures
    #[arg(long, conflicts_with = "only")]
    render: bool,
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

    let is_selected = |name| !arguments.render && arguments.only.as_deref().is_none_or(|only| only == name);
    for section in sections::ALL.iter().filter(|section| is_selected(section.name)) {
        (section.measure)(&root)?;
    }
    page::write(&root)?;
    eprintln!("Written: docs/performance.md and docs/performance/");
    if arguments.json {
        println!("{:#}", sections::figures(&root)?);
    }
    Ok(())
}
