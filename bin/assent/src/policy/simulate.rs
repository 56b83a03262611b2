//! `assent policy simulate`: tries a policy on a call, as operators would decide.

use super::{
    check,
    decision::{Clock, RequestArguments, describe, json},
    files::{PolicyArguments, image_of},
};
use crate::{
    ExitStatus, input,
    output::{self, Output, shortened},
    output_file::{OutputFile, Overwrite, require_distinct},
};
use anyhow::Result;
use assent_policy::EvidenceFile;
use assent_verifier::Decision;
use clap::Args;
use serde_json::json as value;
use std::path::{Path, PathBuf};

/// The options of `assent policy simulate`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy simulate treasury --intent intent.json
  assent policy simulate treasury --intent intent.json --rpc-url http://127.0.0.1:8545
  assent policy simulate treasury.policy --parameters mine.json --intent intent.json --data recordings.json

With a node, the reference block is its latest one, and sources read the chain at that block. Without one, the time is
this machine's. What the sources answered is written beside the evidence, and --data repeats it offline.
Exit status 0 means allow, and 1 deny.")]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    request: RequestArguments,
    /// Write everything that repeats the decision to this file. The evidence of an earlier simulation is replaced.
    #[arg(long, value_name = "FILE", default_value = "evidence.json")]
    evidence_out: PathBuf,
    /// Write what the sources answered to this file; --data repeats it. An earlier one is replaced. Default:
    /// recordings.json beside the evidence.
    #[arg(long, value_name = "FILE")]
    recordings_out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Runs `assent policy simulate`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let source = arguments.policy.local()?;
    for finding in check::findings(&source)? {
        output::remark(format_args!("warning: {finding}"));
    }
    let loaded = source.load(arguments.policy.parameters.as_deref())?;
    // Before anything is waited for.
    image_of(&loaded.policy)?;
    let inputs = arguments.request.inputs();
    let evidence = [("--evidence-out", arguments.evidence_out.as_path())];
    let recordings = arguments.recordings_out.iter().map(|path| ("--recordings-out", path.as_path()));
    require_distinct(&evidence.into_iter().chain(recordings).collect::<Vec<_>>(), &inputs)?;
    let beside = arguments.evidence_out.with_file_name("recordings.json");
    let recordings_out = match &arguments.recordings_out {
        // Recordings that were repeated need not be written again.
        None => Some(&beside).filter(|beside| require_distinct(&[("", beside)], &inputs).is_ok()),
        named => named.as_ref(),
    };
    let evidence_out = arguments.evidence_file()?;

    let request = arguments.request.read(&loaded, Clock::Machine)?;
    let (evaluation, file) = request.decide(loaded.policy)?;
    evidence_out.write(file.to_json() + "\n")?;
    let recordings = &request.data.recordings;
    if let Some(path) = recordings_out.filter(|_| recordings.is_observed()) {
        recordings.replace(path, arguments.overwrite.force)?;
    }
    let evidence = arguments.evidence_out.display();
    let block = file_block(&request.input.block);
    let text = || {
        format!(
            "{}\nblock {block}\nevidence {} is in {evidence}\nnext: assent evidence replay {evidence}",
            describe(&evaluation, &file),
            shortened(file.evidence)
        )
    };
    let json = || {
        let mut object = json(&evaluation, &file);
        object["evidenceFile"] = value!(arguments.evidence_out);
        object["block"] = value!({
            "number": request.input.block.number.to_string(),
            "hash": request.input.block.hash,
            "timestamp": request.input.block.timestamp.to_string(),
        });
        object
    };
    output.result_of(text, json)?;
    Ok(match evaluation.decision {
        Decision::Allow => ExitStatus::Success,
        Decision::Deny => ExitStatus::Refused,
    })
}

impl Arguments {
    /// Returns the file for the evidence. What an earlier simulation wrote can be computed again, and is replaced.
    fn evidence_file(&self) -> Result<OutputFile<'_>> {
        let force = self.overwrite.force || is_simulated(&self.evidence_out);
        OutputFile::new("evidence", &self.evidence_out, force)
    }
}

/// Returns whether a file is evidence without an attestation.
fn is_simulated(path: &Path) -> bool {
    let text = input::read_file("evidence", path, input::LONGEST_JSON);
    let file = text.ok().and_then(|text| EvidenceFile::parse(&text).ok());
    file.is_some_and(|file| file.attestation.is_none())
}

fn file_block(block: &assent_policy::ReferenceBlock) -> String {
    if block.hash.is_zero() {
        return format!("{} without a hash, at {}", block.number, block.timestamp);
    }
    format!("{} ({}), at {}", block.number, shortened(block.hash), block.timestamp)
}
