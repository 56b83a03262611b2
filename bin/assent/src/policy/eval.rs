//! `assent policy eval`: decides about a call.

use super::{
    decision::{Clock, RequestArguments, describe, json, write_evidence},
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
  assent policy eval --intent intent.json --time 1800000000
  assent policy eval treasury --intent intent.json --time 1800000000
  assent policy eval treasury.policy --parameters mine.json --intent intent.json --time 1800000000 \\
      --data data.json --evidence-out evidence.json
  assent policy eval treasury --intent intent.json --rpc-url http://127.0.0.1:8545 --block finalized \\
      --recordings-out recordings.json
  assent policy eval treasury --intent intent.json --data recordings.json

A policy with sources observes them: the chain at the reference block, and the hosts that the policy names. With --data,
{\"price\": {\"usd\": \"100\"}} is the answer of the source `price`, as one observer gives it.
Exit status 0 means allow, and 1 deny.")]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    request: RequestArguments,
    /// Write everything that repeats the decision to this file.
    #[arg(long, value_name = "FILE")]
    evidence_out: Option<PathBuf>,
    /// Write what the sources answered to this file; --data repeats it.
    #[arg(long, value_name = "FILE")]
    recordings_out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Runs `assent policy eval`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let loaded = arguments.policy.read()?;
    let request = arguments.request.read(&loaded, Clock::Absent)?;
    let (evaluation, file) = request.decide(loaded.policy)?;
    if let Some(path) = &arguments.evidence_out {
        write_evidence(path, &file, arguments.overwrite.force)?;
    }
    if let Some(path) = &arguments.recordings_out {
        request.data.recordings.write(path, arguments.overwrite.force)?;
    }
    output.result_of(|| describe(&evaluation, &file), || json(&evaluation, &file))?;
    Ok(match evaluation.decision {
        Decision::Allow => ExitStatus::Success,
        Decision::Deny => ExitStatus::Refused,
    })
}
