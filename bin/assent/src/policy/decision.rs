//! What is decided about, and the result.

use super::files::{image_of, parse_json};
use crate::{
    arguments, input,
    output::{self, shortened},
    output_file::OutputFile,
};
use alloy_primitives::{Address, B256, U256};
use anyhow::{Result, bail};
use assent_policy::{Evaluation, EvidenceFile, Observations, Policy, PolicyInput, ReferenceBlock, Rules, evaluate};
use assent_verifier::{Decision, Intent};
use clap::Args;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The maximum length of a file with data, in bytes.
const LONGEST_DATA: u64 = 256 * 1024;

/// The options for what is decided about.
#[derive(Args)]
pub struct RequestArguments {
    /// The call, as JSON; `assent intent` prints one.
    #[arg(long, value_name = "FILE")]
    intent: PathBuf,
    /// The protected contract; by default the contract that is called.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    client: Option<Address>,
    /// The client's nonce that the call will spend.
    #[arg(long, value_name = "NUMBER", default_value = "0", value_parser = arguments::whole_number)]
    nonce: U256,
    #[command(flatten)]
    block: BlockArguments,
    /// The time of the reference block.
    #[arg(long, value_name = "UNIX_SECONDS", value_parser = arguments::whole_number)]
    time: U256,
    #[command(flatten)]
    data: DataArguments,
}

/// The options for the reference block, without its time.
#[derive(Args)]
pub struct BlockArguments {
    /// The number of the reference block.
    #[arg(long, value_name = "NUMBER", default_value = "0", value_parser = arguments::whole_number)]
    block: U256,
    /// The hash of the reference block.
    #[arg(long, value_name = "HASH", value_parser = arguments::hash)]
    block_hash: Option<B256>,
}

/// The options for what sources answer.
#[derive(Args)]
pub struct DataArguments {
    /// What each source answers, as a JSON object by the sources' names.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
}

/// What is decided about.
pub struct Request {
    /// The call and its task.
    pub input: PolicyInput,
    /// The content of the data region.
    pub data: String,
}

impl RequestArguments {
    /// Reads the files, for a decision of a policy.
    pub fn read(&self, policy: &Policy) -> Result<Request> {
        let intent: Intent = input::read_json("intent file", &self.intent)?;
        let policy_client = self.client.unwrap_or(intent.to);
        let input = PolicyInput { intent, policy_client, nonce: self.nonce, block: self.block.at(self.time) };
        Ok(Request { input, data: self.data.read(policy)? })
    }
}

impl BlockArguments {
    /// Returns the reference block with its time.
    pub fn at(&self, timestamp: U256) -> ReferenceBlock {
        ReferenceBlock { number: self.block, hash: self.block_hash.unwrap_or_default(), timestamp }
    }
}

impl DataArguments {
    /// Returns the file that is read.
    pub fn file(&self) -> Option<&PathBuf> {
        self.data.as_ref()
    }

    /// Returns the content of the data region of a policy: what one observer saw, or nothing.
    pub fn read(&self, policy: &Policy) -> Result<String> {
        let Some(path) = &self.data else { return Ok(String::new()) };
        read_data(path, &Rules::parse(policy.rules())?)
    }
}

fn read_data(path: &Path, rules: &Rules) -> Result<String> {
    let text = input::read_file("data", path, LONGEST_DATA)?;
    let outputs = parse_json("data", path, &text)?;
    let Rules::All(members) = rules else {
        return Ok(Observations::of_one(answers(path, outputs)?)?.to_canonical()?);
    };
    let mut observations = BTreeMap::new();
    for (index, outputs) in answers(path, outputs)? {
        let Some(index) = index.parse().ok().filter(|index| *index < members.len()) else {
            bail!(
                "data {}: {index:?} is not the index of a policy; write the answers of the first one's sources as \
                 {{\"0\": {{…}}}}",
                path.display()
            );
        };
        observations.insert(index, Observations::of_one(answers(path, outputs)?)?);
    }
    Ok(Observations::all_to_canonical(&observations)?)
}

fn answers(path: &Path, value: assent_json::Value) -> Result<assent_json::Object> {
    let assent_json::Value::Object(outputs) = value else {
        bail!("data {} must be an object with the answer of each source", path.display());
    };
    Ok(outputs)
}

impl Request {
    /// Evaluates a policy, and returns the result with its evidence.
    pub fn decide(&self, policy: Policy) -> Result<(Evaluation, EvidenceFile)> {
        let evaluation = evaluate(image_of(&policy)?, &policy, &self.input, &self.data)?;
        let file = EvidenceFile::new(policy, &self.input, self.data.clone(), &evaluation);
        Ok((evaluation, file))
    }
}

/// Returns a decision as text: the decision, a line for each reason, and what it took.
pub fn describe(evaluation: &Evaluation, file: &EvidenceFile) -> String {
    let mut lines = vec![verb(evaluation.decision).to_uppercase()];
    lines.extend(reasons(evaluation, &file.policy).into_iter().map(|reason| format!("  {reason}")));
    lines.push(format!(
        "{} steps; policy {}, evidence {}",
        evaluation.steps,
        shortened(file.policy_id),
        shortened(file.evidence)
    ));
    lines.join("\n")
}

/// Returns the reasons of a denial as text. In a conjunction, each names its policy.
pub fn reasons(evaluation: &Evaluation, policy: &Policy) -> Vec<String> {
    let packages = packages(policy);
    let reasons = evaluation.reasons.iter().map(|reason| {
        let of_policy = reason.policy.as_ref().map(|index| {
            let package = packages.get(index).map(|package| format!(" ({package})")).unwrap_or_default();
            format!("policy {index}{package}: ")
        });
        format!("{}{}: {}", of_policy.unwrap_or_default(), reason.kind, reason.message)
    });
    reasons.collect()
}

/// Returns a decision as JSON.
pub fn json(evaluation: &Evaluation, file: &EvidenceFile) -> Value {
    let packages = packages(&file.policy);
    let reasons = evaluation.reasons.iter().map(|reason| {
        let mut object = json!({ "kind": reason.kind, "message": reason.message });
        if let Some(policy) = &reason.policy {
            object["policy"] = json!(policy);
            object["package"] = json!(packages.get(policy));
        }
        object
    });
    json!({
        "decision": verb(evaluation.decision),
        "reasons": reasons.collect::<Vec<_>>(),
        "steps": evaluation.steps,
        "stepLimit": file.policy.step_limit(),
        "policyId": file.policy_id,
        "evidence": file.evidence,
    })
}

/// Returns the package of each policy of a conjunction, by its index as reasons name it.
fn packages(policy: &Policy) -> BTreeMap<String, String> {
    let Ok(Rules::All(members)) = Rules::parse(policy.rules()) else { return BTreeMap::new() };
    members.into_iter().enumerate().map(|(index, member)| (index.to_string(), member.entrypoint)).collect()
}

/// Writes an evidence file.
pub fn write_evidence(path: &Path, file: &EvidenceFile, force: bool) -> Result<()> {
    OutputFile::new("evidence", path, force)?.write(file.to_json() + "\n")?;
    output::remark(format_args!("evidence {} is in {}", shortened(file.evidence), path.display()));
    Ok(())
}

fn verb(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    }
}
