//! `assent policy check`: refuses rules that evaluate, but not to what they seem to say.

use super::files::read_folder;
use crate::{ExitStatus, output::Output};
use alloy_primitives::{Address, B256, U256};
use anyhow::Result;
use assent_policy::{Finding, PolicyFolder, PolicyInput, ReferenceBlock, check, evaluate, evaluator};
use assent_verifier::Intent;
use clap::{Args, ValueHint};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The kinds of reasons that are about the policy, whatever the call is.
const KINDS: [&str; 4] = ["rules", "parameters", "trap", "limit"];

/// The options of `assent policy check`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy check treasury
  assent policy check . --json

Refused are, among others: strings compared with numbers, addresses with capital letters, functions that know the
time or the network, recursion, fractions, names that nothing defines, and calls that policy.json does not name.
Exit status 0 means that the policy can be built.")]
pub struct Arguments {
    /// The policy's folder.
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    policy: PathBuf,
}

/// Runs `assent policy check`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let folder = read_folder(&arguments.policy)?;
    let findings = findings(&folder)?;
    let text = || match findings.as_slice() {
        [] => format!("{} {} can be built", folder.manifest.name, folder.manifest.version),
        findings => describe(findings),
    };
    output.result_of(text, || json!({ "valid": findings.is_empty(), "findings": to_json(&findings) }))?;
    Ok(if findings.is_empty() { ExitStatus::Success } else { ExitStatus::Refused })
}

/// Returns what must be changed. What the check lets stand is loaded into the evaluator too.
pub fn findings(folder: &PolicyFolder) -> Result<Vec<Finding>> {
    let findings = check(folder);
    if findings.is_empty() { loaded(folder) } else { Ok(findings) }
}

/// Returns findings as text, one on each line.
pub fn describe(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

fn to_json(findings: &[Finding]) -> Vec<Value> {
    let findings = findings.iter();
    let finding = findings.map(|Finding { file, line, column, message, .. }| {
        json!({ "file": file, "line": line, "column": column, "message": message })
    });
    finding.collect()
}

/// Decides about a call of the first function with zeros, and returns what is wrong with rules or parameters.
fn loaded(folder: &PolicyFolder) -> Result<Vec<Finding>> {
    let mut folder = folder.clone();
    for name in folder.manifest.sources.keys() {
        folder.components.entry(name.clone()).or_default();
    }
    let image = evaluator()?;
    let policy = folder.policy(image.root())?;
    let calldata = folder.manifest.functions.first().map(|function| function.zero_calldata()).unwrap_or_default();
    let intent =
        Intent { from: Address::ZERO, to: Address::ZERO, value: U256::ZERO, data: calldata.into(), chainId: U256::ONE };
    let block = ReferenceBlock { number: U256::ZERO, hash: B256::ZERO, timestamp: U256::ZERO };
    let input = PolicyInput { intent, policy_client: Address::ZERO, nonce: U256::ZERO, block };
    let evaluation = evaluate(image, &policy, &input, "")?;
    let about_policy = evaluation.reasons.into_iter().filter(|reason| KINDS.contains(&reason.kind.as_str()));
    Ok(about_policy.map(|reason| located(&reason.kind, &reason.message)).collect())
}

/// Returns a reason of the evaluator as a finding: `FILE:LINE:COLUMN: message`, if it says where.
fn located(kind: &str, message: &str) -> Finding {
    let file = if kind == "parameters" { "parameters.json" } else { "policy.json" };
    let place = message.split_once(": ").and_then(|(place, rest)| {
        let mut parts = place.rsplitn(3, ':');
        let (column, line, file) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        Some(Finding::new(file, line, column, rest))
    });
    place.unwrap_or_else(|| Finding::new(file, 1, 1, message))
}
