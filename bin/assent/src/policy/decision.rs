//! What is decided about, and the result.

use super::{
    block::BlockArguments,
    data::{Data, DataArguments},
    files::{Loaded, image_of},
};
use crate::{
    arguments, input,
    output::{self, shortened},
    output_file::OutputFile,
};
use alloy_primitives::{Address, U256};
use anyhow::{Context as _, Result, bail};
use assent_policy::{Evaluation, EvidenceFile, ExecutablePolicy, PolicyInput, Rules, evaluate};
use assent_verifier::Intent;
use clap::Args;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The options for what is decided about.
#[derive(Args)]
pub struct RequestArguments {
    /// The call, as JSON; `assent intent` prints one.
    #[arg(long, value_name = "FILE")]
    intent: PathBuf,
    /// The protected contract; by default the contract that is called.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    client: Option<Address>,
    /// The client's nonce that the call will spend. Default: 0.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::whole_number)]
    nonce: Option<U256>,
    #[command(flatten)]
    block: BlockArguments,
    /// The time of the reference block, if no node gives it.
    #[arg(long, value_name = "UNIX_SECONDS", value_parser = arguments::whole_number, conflicts_with = "rpc_url")]
    time: Option<U256>,
    #[command(flatten)]
    data: DataArguments,
}

/// What is decided about.
pub struct Request {
    /// The call and its task.
    pub input: PolicyInput,
    /// What the sources answer.
    pub data: Data,
}

/// What gives the reference block's time if no option does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Nothing: the options must.
    Absent,
    /// This machine's clock.
    Machine,
}

impl RequestArguments {
    /// Returns the files that are read.
    pub fn inputs(&self) -> Vec<&Path> {
        [self.intent.as_path()].into_iter().chain(self.data.files()).collect()
    }

    /// Reads the files, and observes the policy's sources.
    pub fn read(&self, loaded: &Loaded, clock: Clock) -> Result<Request> {
        let intent: Intent = input::read_json("intent file", &self.intent)?;
        let given = self.data.read()?;
        let recorded = given.task();
        let node = if self.time.is_some() { None } else { self.block.node.find() };
        let is_recorded = !self.block.is_given() && self.block.node.named().is_none() && self.time.is_none();
        let block = match (self.time, &recorded, &node) {
            (Some(time), _, _) => self.block.given(time)?,
            (None, Some(task), _) if is_recorded => task.block,
            (None, _, Some(node)) => self.block.of_node(node, intent.chainId)?,
            (None, _, None) if clock == Clock::Machine => self.block.given(U256::from(now()?))?,
            (None, _, None) => bail!(
                "there is no reference block: give --rpc-url (or ETH_RPC_URL) of a node that has it, or --time of one \
                 that you give"
            ),
        };
        let client = recorded.as_ref().map_or(intent.to, |task| task.client);
        let nonce = recorded.as_ref().map_or(U256::ZERO, |task| task.nonce);
        let input = PolicyInput {
            policy_client: self.client.unwrap_or(client),
            nonce: self.nonce.unwrap_or(nonce),
            intent,
            block,
        };
        let data = self.data.sources(loaded, given, node.as_ref())?.wait_for_data(&input)?;
        Ok(Request { input, data })
    }
}

fn now() -> Result<u64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.context("this machine's clock is before 1970")?.as_secs();
    output::remark(format_args!("at {now} by this machine's clock; give --rpc-url for a node's block, or --time"));
    Ok(now)
}

impl Request {
    /// Evaluates a policy, and returns the result with its evidence.
    pub fn decide(&self, policy: ExecutablePolicy) -> Result<(Evaluation, EvidenceFile)> {
        let data = &self.data.content;
        let evaluation = evaluate(image_of(&policy)?, &policy, &self.input, data)?;
        let file = EvidenceFile::new(policy, &self.input, data.clone(), &evaluation);
        Ok((evaluation, file))
    }
}

/// Returns a decision as text: the decision, a line for each reason, and what it took.
pub fn describe(evaluation: &Evaluation, file: &EvidenceFile) -> String {
    let mut lines = vec![evaluation.decision.as_str().to_uppercase()];
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
pub fn reasons(evaluation: &Evaluation, policy: &ExecutablePolicy) -> Vec<String> {
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
        "decision": evaluation.decision.as_str(),
        "reasons": reasons.collect::<Vec<_>>(),
        "steps": evaluation.steps,
        "stepLimit": file.policy.step_limit(),
        "policyId": file.policy_id,
        "evidence": file.evidence,
    })
}

/// Returns the package of each policy of a conjunction, by its index as reasons name it.
fn packages(policy: &ExecutablePolicy) -> BTreeMap<String, String> {
    let Ok(Rules::All(members)) = Rules::parse(policy.rules()) else { return BTreeMap::new() };
    members.into_iter().enumerate().map(|(index, member)| (index.to_string(), member.entrypoint)).collect()
}

/// Writes an evidence file.
pub fn write_evidence(path: &Path, file: &EvidenceFile, force: bool) -> Result<()> {
    OutputFile::new("evidence", path, force)?.write(file.to_json() + "\n")?;
    output::remark(format_args!("evidence {} is in {}", shortened(file.evidence), path.display()));
    Ok(())
}
