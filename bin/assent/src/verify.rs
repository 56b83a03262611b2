//! `assent verify`: runs each check offline.

use crate::{
    ExitStatus, arguments, input,
    inspect::{self, LONGEST_AUTHORIZATION, LONGEST_CALLDATA},
    output::{self, Output},
};
use alloy_primitives::{Address, U256, hex};
use anyhow::{Context as _, Result};
use assent_inspection::{Explanation, SubmittedCall};
use assent_verifier::{
    AttestationDocument, Call, Check, CheckResult, Context, Epoch, SpentLedger, VerificationReport,
    backend::blst::Blst, verify_with_report_using,
};
use clap::Args;
use comfy_table::{Cell, Color, Table};
use serde_json::{Value, json};
use std::{fmt::Write, path::PathBuf};

/// The options of `assent verify`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent verify --context context.json --intent intent.json --authorization @authorization.hex
  assent verify --context context.json --document attestation.json
  assent verify --context context.json --intent intent.json --document attestation.json --timestamp 1800000000
  assent verify --context context.json --document attestation.json --recorded
  assent verify --context context.json --calldata @transaction-input.hex

Nothing is read from a network or a clock: the context has the chain, contracts, policy, caller and time, the
epochs, the recorded roots and the spent nonces. `assent context --json` prints one. Exit status 0 means that the
contracts would accept the call.")]
pub struct Arguments {
    /// The chain state that verification takes as input, as JSON.
    #[arg(long, value_name = "FILE")]
    context: PathBuf,
    /// An epoch, as JSON; it replaces the context's epoch of the same number. Repeatable.
    #[arg(long = "epoch", value_name = "FILE")]
    epochs: Vec<PathBuf>,
    /// The call to be made, as JSON. Default: the call in --document.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["document", "calldata"])]
    intent: Option<PathBuf>,
    /// The authorization as hex, @FILE for a file that contains hex, or - for standard input. Default: the
    /// authorization of --document.
    #[arg(long, value_name = "HEX|@FILE|-", required_unless_present_any = ["document", "calldata"])]
    authorization: Option<String>,
    /// The attestation document, as JSON. It shows in which fields the call differs from what was attested.
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Use the document's authorization without its signature, as for a recorded root.
    #[arg(long, requires = "document", conflicts_with_all = ["authorization", "calldata"])]
    recorded: bool,
    /// A whole call in trailing form, instead of --intent and --authorization.
    #[arg(long, value_name = "HEX|@FILE|-", conflicts_with_all = ["intent", "authorization"])]
    calldata: Option<String>,
    /// Wei sent with --calldata.
    #[arg(long, value_name = "WEI", requires = "calldata", default_value = "0", value_parser = arguments::whole_number)]
    value: U256,
    /// The caller, instead of the context's.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    caller: Option<Address>,
    /// The current time in Unix seconds, instead of the context's.
    #[arg(long, value_name = "UNIX_SECONDS")]
    timestamp: Option<u64>,
    /// The ABI of the called contract, to name the arguments that differ. It is a function signature, or a file with a
    /// JSON ABI or an artifact of a compiler.
    #[arg(long, value_name = "SIGNATURE|FILE", requires = "document")]
    abi: Option<String>,
}

/// Runs `assent verify`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let context = arguments.context()?;
    let document = arguments.document.as_deref().map(|path| input::read_json::<AttestationDocument>("document", path));
    let document = document.transpose()?;
    let submitted = arguments.submitted(document.as_ref())?;
    let abi = arguments.abi.as_deref().map(inspect::abi).transpose()?;

    let examination = verify_offline(&context, submitted.call());
    let explanation = Explanation::of(&examination, &context, &submitted, document.as_ref(), abi.as_ref());
    let text = describe(&examination, explanation.as_ref())?;
    output.result(text, &report(&examination, explanation.as_ref()))?;
    Ok(if examination.result().is_ok() { ExitStatus::Success } else { ExitStatus::Refused })
}

/// The backend of offline verification: it takes half the time of the verifier's default.
type OfflineBackend = Blst;

/// Runs the checks offline.
pub fn verify_offline<L: SpentLedger>(context: &Context<L>, call: Call<'_>) -> VerificationReport {
    verify_with_report_using::<OfflineBackend, L>(context, call)
}

impl Arguments {
    fn context(&self) -> Result<Context> {
        let mut context: Context = input::read_json("context file", &self.context)?;
        context.caller = self.caller.unwrap_or(context.caller);
        context.timestamp = self.timestamp.unwrap_or(context.timestamp);
        for path in &self.epochs {
            let epoch: Epoch = input::read_json("epoch file", path)?;
            context.epochs.retain(|other| other.number != epoch.number);
            context.epochs.push(epoch);
        }
        Ok(context)
    }

    fn submitted(&self, document: Option<&AttestationDocument>) -> Result<SubmittedCall> {
        if let Some(calldata) = &self.calldata {
            let calldata = input::read_hex("calldata", calldata, LONGEST_CALLDATA)?;
            return Ok(SubmittedCall::Trailing { value: self.value, calldata });
        }
        let intent = match (&self.intent, document) {
            (Some(path), _) => input::read_json("intent file", path)?,
            (None, document) => document.context("give --intent, or --document")?.attestation.intent.clone(),
        };
        let authorization = match (&self.authorization, document) {
            (Some(source), _) => input::read_hex("authorization", source, LONGEST_AUTHORIZATION)?,
            (None, document) => {
                let document = document.context("give --authorization, or --document")?;
                if self.recorded { document.recorded_authorization()? } else { document.authorization()? }.encode()
            }
        };
        Ok(SubmittedCall::Explicit { intent, authorization })
    }
}

fn describe(examination: &VerificationReport, explanation: Option<&Explanation>) -> Result<String> {
    let mut text = table(examination).to_string();
    match examination.result() {
        Ok(verified) => write!(
            text,
            "\nVALID: task {}, signed by weight {} of {} of epoch {}",
            verified.attestation().taskId,
            verified.signed_weight(),
            verified.total_weight(),
            verified.epoch()
        )?,
        Err(refusal) => write!(text, "\nREFUSED with {}: {refusal}", refusal.signature())?,
    }
    if let Some(explanation) = explanation {
        if let Some(malformed) = &explanation.malformed {
            write!(text, "\n  {malformed}")?;
        }
        for difference in &explanation.differences {
            write!(text, "\n  {}", difference.sentence)?;
        }
        write!(text, "\nnext: {}", explanation.remedy)?;
    }
    Ok(text)
}

fn table(examination: &VerificationReport) -> Table {
    let mut table = output::table(["#", "check", "outcome"]);
    for (check, outcome) in examination.checks() {
        let (text, colour) = match outcome {
            CheckResult::Passed => ("passed".to_owned(), Color::Green),
            CheckResult::Failed(refusal) => (format!("FAILED: {}", refusal.name()), Color::Red),
            CheckResult::NotReached => ("not reached".to_owned(), Color::DarkGrey),
        };
        table.add_row([Cell::new(check.number()), Cell::new(check), Cell::new(text).fg(colour)]);
    }
    table
}

fn report(examination: &VerificationReport, explanation: Option<&Explanation>) -> Value {
    let checks = examination.checks().map(check_report).collect::<Vec<_>>();
    match examination.result() {
        Ok(verified) => json!({
            "valid": true,
            "checks": checks,
            "attestation": verified.attestation(),
            "epoch": verified.epoch(),
            "signedWeight": verified.signed_weight().to_string(),
            "totalWeight": verified.total_weight().to_string(),
        }),
        Err(refusal) => json!({
            "valid": false,
            "checks": checks,
            "error": {
                "name": refusal.name(),
                "signature": refusal.signature(),
                "message": refusal.to_string(),
                "revertData": hex::encode_prefixed(refusal.revert_data()),
            },
            "malformed": explanation.and_then(|explanation| explanation.malformed.as_ref()).map(ToString::to_string),
            "differences": explanation.map(|explanation| explanation.differences.as_slice()).unwrap_or_default(),
        }),
    }
}

fn check_report((check, outcome): (Check, CheckResult)) -> Value {
    let outcome = match outcome {
        CheckResult::Passed => "passed",
        CheckResult::Failed(_) => "failed",
        CheckResult::NotReached => "notReached",
    };
    json!({ "number": check.number(), "title": check.to_string(), "outcome": outcome })
}

#[cfg(test)]
mod tests {
    use super::*;
    use assent_verifier::backend::Backend;

    /// The default backend is arkworks wherever a crate of the program enables it, which takes more than twice as long.
    #[test]
    fn offline_verification_uses_blst() {
        assert_eq!(OfflineBackend::NAME, "blst");
    }
}
