//! `assent policy eval`: decides about a call.

use super::{
    decision::{RequestArguments, describe, json, write_evidence},
    files::PolicyArguments,
};
use crate::{ExitStatus, output::Output, output_file::Overwrite};
use anyhow::Result;
use assent_verifier::Decision;
use clap::Args;
use std::path::PathBuf;

/// The options of `assent policy eval`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy eval treasury --intent intent.json --time 1800000000
  assent policy eval treasury.policy --parameters mine.json --intent intent.json --time 1800000000 \\
      --data data.json --evidence-out evidence.json

Data: {\"price\": {\"usd\": \"100\"}} is the answer of the source `price`, as one observer gives it.
Exit status 0 means allow, and 1 deny.")]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    request: RequestArguments,
    /// Write everything that repeats the decision to this file.
    #[arg(long, value_name = "FILE")]
    evidence_out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Runs `assent policy eval`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let policy = arguments.policy.read()?;
    let (evaluation, file) = arguments.request.read(&policy)?.decide(policy)?;
    if let Some(path) = &arguments.evidence_out {
        write_evidence(path, &file, arguments.overwrite.force)?;
    }
    output.result_of(|| describe(&evaluation, &file), || json(&evaluation, &file))?;
    Ok(match evaluation.decision {
        Decision::Allow => ExitStatus::Success,
        Decision::Deny => ExitStatus::Refused,
    })
}
