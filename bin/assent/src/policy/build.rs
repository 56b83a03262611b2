//! `assent policy build`: one file that is reproducible to the byte.

use super::{
    check,
    files::{LocalPolicy, read_parameters},
    parameters::require_valid,
};
use crate::{
    ExitStatus,
    output::{self, Output},
    output_file::{OutputFile, Overwrite},
};
use alloy_primitives::B256;
use anyhow::{Result, bail};
use assent_policy::{Bundle, evaluator};
use clap::{Args, ValueHint};
use serde_json::json;
use std::path::PathBuf;

/// The options of `assent policy build`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy build treasury
  assent policy build treasury --parameters mine.json --out mine.policy
  assent policy build treasury.policy --parameters mine.json --out mine.policy

The same folder gives the same bytes everywhere. A client's contract names the policy's id; other parameters give
another id. A policy that `assent policy check` refuses is not built.")]
pub struct Arguments {
    #[command(flatten)]
    policy: BundleArguments,
    /// The file to write; by default the policy's name with .policy, in the current directory.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// The options for a policy that is built.
#[derive(Args)]
pub struct BundleArguments {
    /// The policy's folder; or a built policy, to give it other parameters.
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    policy: PathBuf,
    /// Parameters instead of the policy's own.
    #[arg(long, value_name = "FILE")]
    parameters: Option<PathBuf>,
}

/// Runs `assent policy build`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let bundle = arguments.policy.bundle()?;
    let path = arguments.out.clone().unwrap_or_else(|| format!("{}.policy", bundle.name()).into());
    let bytes = bundle.to_bytes();
    OutputFile::new("policy", &path, arguments.overwrite.force)?.write(&bytes)?;
    let (policy, cid) = (bundle.policy(), bundle.cid());
    let facts: [(&str, B256); 3] =
        [("policy id", policy.id()), ("rules", policy.rules_hash()), ("parameters", policy.parameters_root())];
    let text = || {
        let mut table = output::table(["fact", "value"]);
        table.add_row(["file", &path.display().to_string()]).add_row(["address", &cid]);
        for (fact, value) in &facts {
            table.add_row([*fact, &value.to_string()]);
        }
        format!("{table}")
    };
    let value = json!({
        "file": path, "bytes": bytes.len(), "cid": cid, "name": bundle.name(), "version": bundle.version(),
        "policyId": policy.id(), "rules": policy.rules_hash(), "parameters": policy.parameters_root(),
        "image": policy.image(),
    });
    output.result_of(text, || value)?;
    Ok(ExitStatus::Success)
}

impl BundleArguments {
    /// Checks a folder and builds it, or reads a built policy.
    pub fn bundle(&self) -> Result<Bundle> {
        let source = LocalPolicy::read(&self.policy)?;
        if !matches!(source, LocalPolicy::Bundle(_)) {
            let findings = check::findings(&source)?;
            if !findings.is_empty() {
                bail!("the policy cannot be built:\n{}", check::describe(&findings));
            }
        }
        let bundle = match source {
            LocalPolicy::Folder(folder) => folder.build(evaluator()?.root())?,
            LocalPolicy::Conjunction(conjunction) => conjunction.build(evaluator()?.root())?,
            LocalPolicy::Bundle(bundle) => *bundle,
        };
        let bundle = match &self.parameters {
            None => bundle,
            Some(path) => bundle.with_parameters(&read_parameters(path)?)?,
        };
        require_valid(bundle.policy())?;
        Ok(bundle)
    }
}
