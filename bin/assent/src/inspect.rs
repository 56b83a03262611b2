//! `assent inspect`: what an authorization says, field by field, and what comes of each check and why.

use crate::{
    Outcome, input,
    output::{self, Output},
};
use alloy_primitives::{Address, U256};
use anyhow::{Result, anyhow};
use assent_inspection::{
    Carried, CheckOutcome, CheckReport, Group, Inspection, InspectionError, OperatorReport, Submission, VerdictOutcome,
};
use assent_verifier::Epoch;
use clap::Args;
use comfy_table::{Cell, CellAlignment, Color, Table};
use std::path::PathBuf;

pub use assent_inspection::text::LONGEST_AUTHORIZATION;

/// More than fits into a block.
pub const LONGEST_CALLDATA: usize = 4 * 1024 * 1024;

/// Longest value that is shown in full to people; --json has it all.
const LONGEST_VALUE: usize = 2000;

/// The options of `assent inspect`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent inspect 0x1f3a…
  cat authorization.hex | assent inspect -
  assent inspect --calldata @transaction-input.hex
  assent inspect @authorization.hex --context context.json --intent intent.json
  assent inspect --document attestation.json --context context.json
  assent inspect --document attestation.json --epoch epoch.json --timestamp 1800000000

The more is given, the more is said. An authorization alone is decoded. With a context (`assent context --json`) and the call,
each of the 12 checks is made, offline. A document with an operator set (`assent epoch show --json`) and a time will do
without a context; what is then assumed is said. The page in inspector/ shows the same in a browser.
Exit status 1 means that the contracts would refuse the call, or that there was nothing to decode.")]
pub struct Arguments {
    /// The bytes as hex, @FILE for a file with hex in it, or - for standard input. Without them, the authorization is the
    /// one of --document.
    #[arg(value_name = "HEX|@FILE|-", required_unless_present = "document")]
    bytes: Option<String>,
    /// The bytes are a call's whole calldata with the authorization behind it.
    #[arg(long, requires = "bytes")]
    calldata: bool,
    /// Wei sent along with --calldata.
    #[arg(long, value_name = "WEI", requires = "calldata", default_value = "0")]
    value: U256,
    /// The attestation document, as JSON. With it, each field in which the call differs from what was attested is named.
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Take the document's authorization without its signature, as for a root that is recorded.
    #[arg(long, requires = "document", conflicts_with = "bytes")]
    recorded: bool,
    /// The call as it will be made, as JSON. Without it, the call is the one in --document.
    #[arg(long, value_name = "FILE", conflicts_with = "calldata")]
    intent: Option<PathBuf>,
    /// What the chain would know, as JSON.
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// An operator set, as JSON, in place of the context's epoch of its number; repeatable.
    #[arg(long = "epoch", value_name = "FILE")]
    epochs: Vec<PathBuf>,
    /// Who calls, in place of the context's caller.
    #[arg(long, value_name = "ADDRESS")]
    caller: Option<Address>,
    /// The present in Unix seconds, in place of the context's.
    #[arg(long, value_name = "UNIX_SECONDS")]
    timestamp: Option<u64>,
}

/// Runs `assent inspect`.
pub fn run(arguments: Arguments, output: Output) -> Result<Outcome> {
    let inspection = assent_inspection::inspect(&arguments.submission()?).map_err(with_next_step)?;
    output.result_of(|| describe(&inspection), || &inspection)?;
    Ok(match inspection.verdict.outcome {
        VerdictOutcome::Valid | VerdictOutcome::NotVerified => Outcome::Success,
        VerdictOutcome::Refused => Outcome::Refused,
    })
}

impl Arguments {
    fn submission(&self) -> Result<Submission> {
        let carried = match &self.bytes {
            Some(source) if self.calldata => {
                let bytes = input::read_hex("calldata", source, LONGEST_CALLDATA)?;
                Some(Carried::Calldata { bytes, value: self.value })
            }
            Some(source) => {
                Some(Carried::Authorization(input::read_hex("authorization", source, LONGEST_AUTHORIZATION)?))
            }
            None => None,
        };
        let epochs = self.epochs.iter().map(|path| input::read_json("epoch file", path));
        Ok(Submission {
            carried,
            document: self.document.as_deref().map(|path| input::read_json("document", path)).transpose()?,
            recorded: self.recorded,
            intent: self.intent.as_deref().map(|path| input::read_json("intent file", path)).transpose()?,
            context: self.context.as_deref().map(|path| input::read_json("context file", path)).transpose()?,
            epochs: epochs.collect::<Result<Vec<Epoch>>>()?,
            caller: self.caller,
            timestamp: self.timestamp,
        })
    }
}

fn with_next_step(error: InspectionError) -> anyhow::Error {
    match error {
        InspectionError::NoAuthorization(_) => anyhow!("{error}\n--calldata is for a call's whole calldata"),
        InspectionError::NoneBehindCalldata(_) => {
            anyhow!("{error}\nleave --calldata out if the bytes are an authorization alone")
        }
        InspectionError::Nothing | InspectionError::Decision(_) => error.into(),
    }
}

fn describe(inspection: &Inspection) -> String {
    let Inspection { verdict, checks, assumptions, fields, operators, .. } = inspection;
    let mut parts = fields.iter().map(group).collect::<Vec<_>>();
    if !operators.is_empty() {
        parts.push(format!("Operators of the epoch\n{}", operator_table(operators)));
    }
    parts.push(format!("The 12 checks, in protocol order\n{}", check_table(checks)));
    if !assumptions.is_empty() {
        let lines = assumptions.iter().map(|assumption| format!("\n  {}: {}", assumption.fact, assumption.value));
        parts.push(format!("Assumed, for want of a context:{}", lines.collect::<String>()));
    }
    let word = match verdict.outcome {
        VerdictOutcome::Valid => "VALID",
        VerdictOutcome::Refused => "REFUSED",
        VerdictOutcome::NotVerified => "NOT VERIFIED",
    };
    parts.push(format!("{word}: {}", verdict.summary));
    parts.join("\n\n")
}

fn group(group: &Group) -> String {
    let mut table = output::table(["field", "value"]);
    for field in &group.fields {
        let note = field.note.as_ref().map(|note| format!("\n{note}")).unwrap_or_default();
        table.add_row([field.name.to_owned(), format!("{}{note}", shortened(&field.value))]);
    }
    format!("{}\n{table}", group.title)
}

fn operator_table(operators: &[OperatorReport]) -> Table {
    let mut table = output::table(["place", "operator", "weight", "signed"]);
    for operator in operators {
        let signed = match operator.signed {
            Some(true) => "yes",
            Some(false) => "no",
            None => "–",
        };
        table.add_row([
            Cell::new(operator.place),
            Cell::new(&operator.address),
            Cell::new(&operator.weight).set_alignment(CellAlignment::Right),
            Cell::new(signed),
        ]);
    }
    table
}

fn check_table(checks: &[CheckReport]) -> Table {
    let mut table = output::table(["#", "check", "outcome", "why"]);
    for CheckReport { number, check, outcome, reason, assumed } in checks {
        let (text, colour) = match outcome {
            CheckOutcome::Passed => ("passed", Color::Green),
            CheckOutcome::Failed => ("FAILED", Color::Red),
            CheckOutcome::NotReached => ("not reached", Color::DarkGrey),
            CheckOutcome::NotMade => ("not made", Color::DarkGrey),
        };
        let assumed = if assumed.is_empty() { String::new() } else { format!("\nassumed: {}", assumed.join(", ")) };
        table.add_row([
            Cell::new(number),
            Cell::new(check),
            Cell::new(text).fg(colour),
            Cell::new(shortened(&format!("{reason}{assumed}"))),
        ]);
    }
    table
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}… ({} bytes in all; --json has them)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
