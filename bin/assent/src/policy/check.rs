//! `assent policy check`: refuses rules that evaluate, but not to what they seem to say.

use super::{
    files::LocalPolicy,
    observing,
    parameters::{Violation, violations},
};
use crate::{ExitStatus, output::Output};
use alloy_primitives::{Address, B256, U256};
use anyhow::Result;
use assent_policy::{
    ExecutablePolicy, Finding, Function, Member, PolicyFolder, PolicyInput, ReferenceBlock, Rules, check,
    check_conjunction, evaluate, evaluator,
};
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
    let source = LocalPolicy::read_folder(&arguments.policy)?;
    let findings = findings(&source)?;
    let text = || match findings.as_slice() {
        [] => format!("{} {} can be built", source.name(), source.version()),
        findings => describe(findings),
    };
    output.result_of(text, || json!({ "valid": findings.is_empty(), "findings": to_json(&findings) }))?;
    Ok(if findings.is_empty() { ExitStatus::Success } else { ExitStatus::Refused })
}

/// Returns what must be changed. What the check lets stand is loaded into the evaluator too.
pub fn findings(source: &LocalPolicy) -> Result<Vec<Finding>> {
    let findings = match source {
        LocalPolicy::Folder(folder) => {
            let mut findings = check(folder);
            findings.extend(observing::findings(folder));
            findings
        }
        LocalPolicy::Conjunction(conjunction) => check_conjunction(conjunction),
        LocalPolicy::Bundle(_) => Vec::new(),
    };
    if findings.is_empty() { loaded(source) } else { Ok(findings) }
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
fn loaded(source: &LocalPolicy) -> Result<Vec<Finding>> {
    let image = evaluator()?;
    let policy = without_components(source)?;
    let violations = violations(&policy)?;
    if !violations.is_empty() {
        return Ok(violations.iter().map(violated).collect());
    }
    let rules = Rules::parse(policy.rules())?;
    let functions = rules.members().first().map(|member| member.functions.as_slice()).unwrap_or_default();
    let Some(calldata) = functions.iter().find_map(Function::zero_calldata) else {
        let message = "functions: every one has arguments of more than 64 KiB, so that no call of them can be tried; \
                       shorten the fixed arrays";
        return Ok(vec![Finding::new("policy.json", 1, 1, message)]);
    };
    let intent =
        Intent { from: Address::ZERO, to: Address::ZERO, value: U256::ZERO, data: calldata.into(), chainId: U256::ONE };
    let block = ReferenceBlock { number: U256::ZERO, hash: B256::ZERO, timestamp: U256::ZERO };
    let input = PolicyInput { intent, policy_client: Address::ZERO, nonce: U256::ZERO, block };
    let evaluation = evaluate(image, &policy, &input, "")?;
    let about_policy = evaluation.reasons.into_iter().filter(|reason| KINDS.contains(&reason.kind.as_str()));
    Ok(about_policy
        .map(|reason| {
            let mut finding = located(&reason.kind, &reason.message);
            if let Some(policy) = &reason.policy {
                finding.message.insert_str(0, &format!("policy {policy}: "));
            }
            finding
        })
        .collect())
}

fn violated(violation: &Violation) -> Finding {
    let file = match violation {
        Violation::Schema(_) => "parameters.schema.json",
        Violation::Value { .. } => "parameters.json",
    };
    Finding::new(file, 1, 1, violation.to_string())
}

/// Returns a policy whose sources need not be built: loading it runs none of them.
fn without_components(source: &LocalPolicy) -> Result<ExecutablePolicy> {
    let image = evaluator()?.root();
    let empty = |folder: &mut PolicyFolder| {
        for name in folder.manifest.sources.keys() {
            folder.components.entry(name.clone()).or_default();
        }
    };
    match source {
        LocalPolicy::Folder(folder) => {
            let mut folder = folder.clone();
            empty(&mut folder);
            Ok(folder.policy(image)?)
        }
        LocalPolicy::Conjunction(conjunction) => {
            let mut conjunction = conjunction.clone();
            for member in &mut conjunction.members {
                if let Member::Folder(folder) = member {
                    empty(folder);
                }
            }
            Ok(conjunction.policy(image)?)
        }
        LocalPolicy::Bundle(bundle) => Ok(bundle.policy().clone()),
    }
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
