//! `assent inspect`: decodes an authorization and explains the result of each check.

use crate::{
    ExitStatus, arguments, input,
    output::{self, Output},
};
use alloy_primitives::{Address, U256};
use anyhow::{Context, Result, anyhow};
use assent_inspection::{
    Abi, CheckOutcome, CheckReport, Group, Inspection, InspectionError, OperatorReport, Payload, Submission, Verdict,
    VerdictOutcome,
};
use assent_verifier::Epoch;
use clap::Args;
use comfy_table::{Cell, CellAlignment, Color, Table};
use std::{
    fmt,
    path::{Path, PathBuf},
};

use assent_inspection::LONGEST_ABI;
pub use assent_inspection::text::LONGEST_AUTHORIZATION;

/// Longest calldata, in bytes: more than fits into a block.
pub const LONGEST_CALLDATA: usize = 4 * 1024 * 1024;

/// Longest value that is shown in full without --verbose: an address.
const LONGEST_VALUE: usize = 42;

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
  assent inspect --document attestation.json --context context.json --intent intent.json \\
    --abi 'transfer(address to, uint256 amount)'

An authorization by itself is decoded. With a context (`assent context --json`) and the call, all 12 checks run,
offline. A document with an operator set (`assent epoch show --json`) and a time also suffice; the assumptions are
then listed. With the document and an ABI, each argument that differs from the attested call is named. The page in
inspector/ shows the same in a browser. Exit status 1 means that the contracts would refuse the call, or that there
was nothing to decode.")]
pub struct Arguments {
    /// The bytes as hex, @FILE for a file that contains hex, or - for standard input. Default: the authorization of
    /// --document.
    #[arg(value_name = "HEX|@FILE|-", required_unless_present = "document")]
    bytes: Option<String>,
    /// The bytes are a call's whole calldata, with the authorization appended.
    #[arg(long, requires = "bytes")]
    calldata: bool,
    /// Wei sent with --calldata.
    #[arg(long, value_name = "WEI", requires = "calldata", default_value = "0", value_parser = arguments::whole_number)]
    value: U256,
    /// The attestation document, as JSON. It shows in which fields the call differs from what was attested.
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Use the document's authorization without its signature, as for a recorded root.
    #[arg(long, requires = "document", conflicts_with = "bytes")]
    recorded: bool,
    /// The call to be made, as JSON. Default: the call in --document.
    #[arg(long, value_name = "FILE", conflicts_with = "calldata")]
    intent: Option<PathBuf>,
    /// The chain state that verification takes as input, as JSON.
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// An epoch, as JSON; it replaces the context's epoch of the same number. Repeatable.
    #[arg(long = "epoch", value_name = "FILE")]
    epochs: Vec<PathBuf>,
    /// The caller, instead of the context's.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    caller: Option<Address>,
    /// The current time in Unix seconds, instead of the context's.
    #[arg(long, value_name = "UNIX_SECONDS")]
    timestamp: Option<u64>,
    /// The ABI of the called contract: a function signature, or a file with a JSON ABI or an artifact of a compiler.
    #[arg(long, value_name = "SIGNATURE|FILE")]
    abi: Option<String>,
    /// Show the reason of every check, and every value in full.
    #[arg(long, short)]
    verbose: bool,
}

/// Runs `assent inspect`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let verbose = arguments.verbose;
    let inspection = assent_inspection::inspect(&arguments.submission()?).map_err(with_next_step)?;
    output.result_of(|| Report { inspection: &inspection, verbose }.to_string(), || &inspection)?;
    Ok(match inspection.verdict.outcome {
        VerdictOutcome::Valid | VerdictOutcome::NotVerified => ExitStatus::Success,
        VerdictOutcome::Refused => ExitStatus::Refused,
    })
}

impl Arguments {
    fn submission(&self) -> Result<Submission> {
        let payload = match &self.bytes {
            Some(source) if self.calldata => {
                let bytes = input::read_hex("calldata", source, LONGEST_CALLDATA)?;
                Some(Payload::Calldata { bytes, value: self.value })
            }
            Some(source) => {
                Some(Payload::Authorization(input::read_hex("authorization", source, LONGEST_AUTHORIZATION)?))
            }
            None => None,
        };
        let epochs = self.epochs.iter().map(|path| input::read_json("epoch file", path));
        Ok(Submission {
            payload,
            document: self.document.as_deref().map(|path| input::read_json("document", path)).transpose()?,
            recorded: self.recorded,
            intent: self.intent.as_deref().map(|path| input::read_json("intent file", path)).transpose()?,
            context: self.context.as_deref().map(|path| input::read_json("context file", path)).transpose()?,
            epochs: epochs.collect::<Result<Vec<Epoch>>>()?,
            caller: self.caller,
            timestamp: self.timestamp,
            abi: self.abi.as_deref().map(abi).transpose()?,
        })
    }
}

/// Reads a function signature, which has a parenthesis, or a file.
pub fn abi(source: &str) -> Result<Abi> {
    if source.contains('(') {
        return Ok(source.parse()?);
    }
    let text = input::read_text("ABI file", Path::new(source), LONGEST_ABI as u64)?;
    text.parse().with_context(|| format!("ABI file {source}"))
}

fn with_next_step(error: InspectionError) -> anyhow::Error {
    match error {
        InspectionError::NoAuthorization(_) => anyhow!("{error}\nuse --calldata for a call's whole calldata"),
        InspectionError::NoneAppended(_) => {
            anyhow!("{error}\nleave --calldata out if the bytes are only an authorization")
        }
        _ => error.into(),
    }
}

/// An inspection as text: the verdict, the checks, and then the decoded fields.
struct Report<'a> {
    inspection: &'a Inspection,
    verbose: bool,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inspection { verdict, checks, assumptions, fields, operators, .. } = self.inspection;
        write_verdict(f, verdict)?;
        write!(f, "\n\nChecks {}", strip(checks))?;
        for check in checks.iter().filter(|check| check.outcome == CheckOutcome::Failed) {
            write!(f, "  check {}, \"{}\", failed", check.number, check.title)?;
        }
        // The verdict's sentence has the first difference; the task id follows from the others.
        for difference in self.inspection.differences.iter().skip(1).filter(|difference| difference.field != "taskId") {
            write!(f, "\n  {}", difference.sentence)?;
        }
        if self.verbose {
            write!(f, "\n{}", check_table(checks))?;
        }
        if !assumptions.is_empty() {
            write!(f, "\n\nAssumptions, because there is no context")?;
        }
        for assumption in assumptions {
            write!(f, "\n  {}: {}", assumption.fact, assumption.value)?;
        }
        for group in fields {
            write!(f, "\n\n{}\n{}", group.title, self.field_table(group))?;
        }
        if !operators.is_empty() {
            write!(f, "\n\nOperators of the epoch\n{}", operator_table(operators))?;
        }
        if let Some(error) = &verdict.error {
            write!(f, "\n\nRevert data of {}\n{}", error.signature, self.value(&error.revert_data))?;
        }
        Ok(())
    }
}

impl Report<'_> {
    fn field_table(&self, group: &Group) -> Table {
        let mut table = output::table(["field", "value"]);
        for field in &group.fields {
            let note = field.note.as_ref().map(|note| format!("\n{note}")).unwrap_or_default();
            table.add_row([field.name.to_owned(), format!("{}{note}", self.value(&field.value))]);
        }
        table
    }

    /// Returns a value with each long line shortened, unless all is asked for.
    fn value(&self, text: &str) -> String {
        if self.verbose {
            return text.to_owned();
        }
        text.lines().map(shortened).collect::<Vec<_>>().join("\n")
    }
}

fn write_verdict(f: &mut fmt::Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    let Verdict { outcome, sentence, remedy, error, .. } = verdict;
    match (outcome, error) {
        (VerdictOutcome::Valid, _) => write!(f, "\u{1b}[1;32mVALID\u{1b}[0m")?,
        (VerdictOutcome::NotVerified, _) => write!(f, "\u{1b}[1;33mNOT VERIFIED\u{1b}[0m")?,
        (VerdictOutcome::Refused, Some(error)) => write!(f, "\u{1b}[1;31mREFUSED: {}\u{1b}[0m", error.name)?,
        (VerdictOutcome::Refused, None) => write!(f, "\u{1b}[1;31mREFUSED\u{1b}[0m")?,
    }
    write!(f, "\n{sentence}")?;
    if let Some(remedy) = remedy {
        write!(f, "\n\u{1b}[1mnext:\u{1b}[0m {remedy}")?;
    }
    Ok(())
}

/// Returns a mark for each check: ✓ passed, ✗ failed, – not reached or not made.
fn strip(checks: &[CheckReport]) -> String {
    let mark = |check: &CheckReport| match check.outcome {
        CheckOutcome::Passed => "\u{1b}[32m✓\u{1b}[0m",
        CheckOutcome::Failed => "\u{1b}[1;31m✗\u{1b}[0m",
        CheckOutcome::NotReached | CheckOutcome::NotMade => "–",
    };
    checks.iter().map(mark).collect()
}

fn operator_table(operators: &[OperatorReport]) -> Table {
    let mut table = output::table(["index", "operator", "weight", "signed"]);
    for operator in operators {
        let signed = match operator.signed {
            Some(true) => "yes",
            Some(false) => "no",
            None => "–",
        };
        table.add_row([
            Cell::new(operator.index),
            Cell::new(&operator.address),
            Cell::new(&operator.weight).set_alignment(CellAlignment::Right),
            Cell::new(signed),
        ]);
    }
    table
}

fn check_table(checks: &[CheckReport]) -> Table {
    let mut table = output::table(["#", "check", "result", "reason"]);
    for CheckReport { number, title, outcome, reason, assumed } in checks {
        let (text, colour) = match outcome {
            CheckOutcome::Passed => ("passed", Color::Green),
            CheckOutcome::Failed => ("FAILED", Color::Red),
            CheckOutcome::NotReached => ("not reached", Color::DarkGrey),
            CheckOutcome::NotMade => ("not made", Color::DarkGrey),
        };
        let assumed = if assumed.is_empty() { String::new() } else { format!("\nassumed: {}", assumed.join(", ")) };
        table.add_row([
            Cell::new(number),
            Cell::new(title),
            Cell::new(text).fg(colour),
            Cell::new(format!("{reason}{assumed}")),
        ]);
    }
    table
}

fn shortened(line: &str) -> String {
    let length = line.chars().count();
    if length <= LONGEST_VALUE {
        return line.to_owned();
    }
    let first = line.chars().take(10).collect::<String>();
    let last = line.chars().skip(length - 8).collect::<String>();
    format!("{first}…{last}")
}
