//! `assent evidence`: shows what a decision was computed from, and repeats it.

use crate::{
    ExitStatus, input,
    output::{self, Output},
    policy::files::image_of,
};
use alloy_primitives::{B256, Bytes};
use anyhow::{Context as _, Result};
use assent_inspection::{EvidenceReplay, EvidenceReport};
use assent_machine::{Image, Region};
use assent_policy::{EvidenceFile, PolicyInput, Rules};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The maximum length of an evidence file, in bytes: twice the contents of the regions, in hex, with an attestation.
const LONGEST_EVIDENCE: u64 = 4 * 1024 * 1024;

/// The end of `assent evidence --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent evidence show evidence.json
  assent evidence replay evidence.json

An evidence file has everything that a decision was computed from; `assent policy eval --evidence-out` writes one.";

/// The subcommands of `assent evidence`.
#[derive(Subcommand)]
pub enum Command {
    /// Show what was decided, about which call, by which policy.
    Show(ShowArguments),
    /// Compute the decision again, and tell whether it follows from the file.
    Replay(ReplayArguments),
}

/// The options of `assent evidence show`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent evidence show evidence.json
  assent evidence show evidence.json --json

It shows what the file claims; `assent evidence replay` computes it again.")]
pub struct ShowArguments {
    /// The evidence file; - for standard input.
    file: PathBuf,
}

/// The options of `assent evidence replay`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent evidence replay evidence.json
  assent evidence replay evidence.json --evidence $EVIDENCE

Nothing else is needed: no network, no account, no trust in who made the file. Give --evidence with the hash of an
attestation to know that the file is of that attestation.
Exit status 0 means that the decision follows.")]
pub struct ReplayArguments {
    /// The evidence file; - for standard input.
    file: PathBuf,
    /// The hash that the attestation carries.
    #[arg(long, value_name = "HASH", value_parser = crate::arguments::hash)]
    evidence: Option<B256>,
    /// The evaluator's image that the evidence names, if this version does not have it.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
}

/// Runs `assent evidence`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Show(arguments) => show(&arguments, output),
        Command::Replay(arguments) => replay(&arguments, output),
    }
}

fn read(path: &Path) -> Result<EvidenceFile> {
    let text = input::read_file("evidence", path, LONGEST_EVIDENCE)?;
    EvidenceFile::parse(&text).with_context(|| format!("{} is not an evidence file", path.display()))
}

/// Reads an image. Its root is computed of its bytes, so that the file need not be trusted.
fn read_image(path: &Path) -> Result<Image> {
    let bytes = input::read_file("image", path, u64::from(Region::Image.size()))?;
    Image::new(&bytes).with_context(|| format!("{} is not an image of the evaluator", path.display()))
}

fn show(arguments: &ShowArguments, output: Output) -> Result<ExitStatus> {
    let file = read(&arguments.file)?;
    let input = file.policy_input().context("the file's input")?;
    let rules = Rules::parse(file.policy.rules())?;
    let function = called_function(&rules, &input);
    let decision = file.claimed_decision().as_str();
    let PolicyInput { intent, policy_client, nonce, block, .. } = &input;
    let text = || {
        let entrypoints = rules.members().iter().map(|member| member.entrypoint.as_str()).collect::<Vec<_>>();
        let mut table = output::table(["fact", "value"]);
        table
            .add_row(["decision", decision])
            .add_row(["policy", &format!("{} (package {})", file.policy_id, entrypoints.join(", "))])
            .add_row(["evidence", &file.evidence.to_string()])
            .add_row(["from", &intent.from.to_string()])
            .add_row(["to", &intent.to.to_string()])
            .add_row(["value", &intent.value.to_string()])
            .add_row(["function", &function])
            .add_row(["chain", &intent.chainId.to_string()])
            .add_row(["client", &policy_client.to_string()])
            .add_row(["nonce", &nonce.to_string()])
            .add_row(["time", &output::time(u64::try_from(block.timestamp).unwrap_or(u64::MAX))])
            .add_row(["block", &format!("{} {}", block.number, block.hash)])
            .add_row(["parameters", file.policy.parameters()])
            .add_row(["data", if file.data.is_empty() { "none" } else { &file.data }])
            .add_row(["result", &String::from_utf8_lossy(file.result.get(1..).unwrap_or_default())]);
        format!("{table}\nthis is what the file claims; `assent evidence replay` computes it again")
    };
    let value = || {
        json!({
            "decision": decision,
            "policyId": file.policy_id,
            "evidence": file.evidence,
            "image": file.policy.image(),
            "intent": intent,
            "function": function,
            "policyClient": policy_client,
            "nonce": nonce.to_string(),
            "block": {
                "number": block.number.to_string(), "hash": block.hash, "timestamp": block.timestamp.to_string(),
            },
            "rules": file.policy.rules(),
            "parameters": file.policy.parameters(),
            "data": file.data,
            "result": Bytes::copy_from_slice(&file.result),
        })
    };
    output.result_of(text, value)?;
    Ok(ExitStatus::Success)
}

fn replay(arguments: &ReplayArguments, output: Output) -> Result<ExitStatus> {
    let file = read(&arguments.file)?;
    let given = arguments.image.as_deref().map(read_image).transpose()?;
    let image = given.as_ref().map_or_else(|| image_of(&file.policy), Ok)?;
    let spinner = output::spinner("Deciding again");
    let report = EvidenceReplay::on_image(file, image, arguments.evidence)?.finish();
    drop(spinner);
    output.result_of(|| sentences(&report), || json!(report))?;
    Ok(if report.follows { ExitStatus::Success } else { ExitStatus::Refused })
}

fn sentences(report: &EvidenceReport) -> String {
    if let Some(difference) = &report.difference {
        return format!("DOES NOT FOLLOW: {}", difference.message);
    }
    let decision = report.decision.unwrap_or_default();
    let steps = report.steps.unwrap_or_default();
    let reasons = report.reasons.iter().map(|reason| {
        let of_policy = reason.policy.as_ref().map(|index| {
            let package = reason.package.as_ref().map(|package| format!(" ({package})")).unwrap_or_default();
            format!("policy {index}{package}: ")
        });
        format!("\n  {}{}: {}", of_policy.unwrap_or_default(), reason.kind, reason.message)
    });
    let attested = if report.is_attestation_compared { ", and the attestation says the same" } else { "" };
    format!(
        "FOLLOWS: the decision is to {decision}, in {steps} steps{attested}{}\npolicy {}\nevidence {}",
        reasons.collect::<String>(),
        report.policy_id,
        report.evidence.unwrap_or_default()
    )
}

/// Returns the signature of the function that a call names, or its selector.
fn called_function(rules: &Rules, input: &PolicyInput) -> String {
    let data = &input.intent.data;
    let functions = rules.members().iter().flat_map(|member| &member.functions);
    let mut functions = functions.filter(|function| match function.selector() {
        Some(selector) => data.starts_with(selector.as_slice()),
        None => data.is_empty(),
    });
    functions.next().map_or_else(
        || format!("unknown: {}", Bytes::copy_from_slice(data.get(..4).unwrap_or_default())),
        |function| function.signature(),
    )
}
