//! `assent attest`: one call or many, signed by operators.

mod delivery;
mod entry;
mod place;
mod report;
mod signing;
mod terms;

use crate::{
    ExitStatus, input,
    output::{self, Output},
};
use alloy_primitives::hex;
use anyhow::{Result, bail};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature};
use clap::{Args, ValueHint};
use delivery::Share;
use entry::Source;
use place::{Place, Setting};
use report::Report;
use signing::Signers;
use std::path::PathBuf;
use terms::Terms;

/// The options of `assent attest`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent attest --intent intent.json --context context.json --nonce 7 --lifetime 600 --decision allow \\
      --evidence $EVIDENCE --key operator-1.json --key operator-2.json --password-file password.txt

  assent attest --intent intent.json --epoch epoch.json --chain-id 1 --task-manager $TASK_MANAGER \\
      --client $VAULT --policy-id $POLICY --nonce 7 --expiration 1800000000 --decision allow --evidence $EVIDENCE \\
      --key operator-1.json --partial $OPERATOR=$SIGNATURE --document-out attestation.json

  A batch: one signature of each operator for all, and two files for each call:
  assent attest --batch intents.json --context context.json --nonce 7 --lifetime 600 --decision allow \\
      --evidence $EVIDENCE --key operator-1.json --key operator-2.json --out attestations

  The same with operators on two machines:
  assent attest --batch intents.json --context context.json --nonce 7 --expiration 1800000000 --decision allow \\
      --evidence $EVIDENCE --key operator-2.json --sign-only > operator-2.txt
  assent attest --batch intents.json --context context.json --nonce 7 --expiration 1800000000 --decision allow \\
      --evidence $EVIDENCE --key operator-1.json --partial @operator-2.txt --out attestations

An intent: {\"from\": \"0x…\", \"to\": \"0x…\", \"value\": \"0\", \"data\": \"0x…\", \"chainId\": 1}, as `assent intent` prints it
A batch: an array of intents, or one on each line. Each may have its own \"nonce\", \"expiration\", \"decision\" and
\"evidence\" beside those fields; the options are for those that have none, and --nonce counts upward over them. No two have
the same nonce. The order counts: operators who sign on several machines need the same file. Each attestation goes to
nonce-NUMBER.json (the document) and nonce-NUMBER.hex (the authorization) in --out; --json prints them all.
An epoch is what `assent epoch show --json` prints, a context what `assent context --json` prints.
A signature that is not sound is left out, and named.")]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    signers: Signers,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    terms: Terms,
    /// Write the authorization, as hex, to a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["batch", "sign_only"])]
    authorization_out: Option<PathBuf>,
    /// Write the attestation document, as JSON, to a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["batch", "sign_only"])]
    document_out: Option<PathBuf>,
    /// Write a batch's documents and authorizations to this directory, which is made if need be.
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath, conflicts_with_all = ["intent", "sign_only"])]
    out: Option<PathBuf>,
}

/// Runs `assent attest`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { source, signers, place, terms, out, .. } = arguments;
    signers.check(terms.read_the_clock())?;
    if source.batch.is_some() && out.is_none() && !signers.sign_only && !output.is_json() {
        bail!("a batch's attestations need a place: give --out DIRECTORY, or --json to print them all");
    }
    let setting = place.read()?;
    let batch = arguments.batch(&setting)?;
    if let Some(directory) = out {
        delivery::prepare(directory, &batch)?;
    }

    let partials = signers.sign(&setting.epoch, &batch)?;
    if signers.sign_only {
        return print_signatures(&batch, setting.epoch.number, &partials, output);
    }
    let aggregate = signing::put_together(&setting.epoch, &batch, &partials)?;
    let shares = shares(&aggregate, &batch)?;
    let report = Report {
        setting: &setting,
        batch: &batch,
        partials: &partials,
        aggregate: &aggregate,
        shares: &shares,
        directory: out.as_deref(),
    };
    match shares.as_slice() {
        [share] if source.batch.is_none() => arguments.deliver_one(share, &report, output),
        shares => deliver_many(shares, &report, output),
    }
}

impl Arguments {
    fn batch(&self, setting: &Setting) -> Result<AttestationBatch> {
        let entries = self.source.read(setting.chain_id)?;
        let _spinner = output::spinner("Hashing");
        let attestations = self.terms.attestations(&self.source, entries, setting)?;
        Ok(AttestationBatch::new(attestations, setting.chain_id, setting.task_manager)?)
    }

    fn deliver_one(&self, share: &Share, report: &Report<'_>, output: Output) -> Result<ExitStatus> {
        if let Some(path) = &self.authorization_out {
            input::write_file("authorization", path, format!("{}\n", share.authorization))?;
        }
        if let Some(path) = &self.document_out {
            input::write_file("document", path, serde_json::to_string_pretty(&share.document)? + "\n")?;
        }
        report.remark_on_weight();
        report.warn_of_missing_weight();
        output.result(&share.authorization, &report.of_one(share))?;
        Ok(ExitStatus::Success)
    }
}

fn deliver_many(shares: &[Share], report: &Report<'_>, output: Output) -> Result<ExitStatus> {
    if let Some(directory) = report.directory {
        delivery::write(directory, shares)?;
    }
    if output.is_json() {
        report.remark_on_weight();
    }
    report.warn_of_missing_weight();
    output.result_of(|| report.table(), || report.of_many())?;
    Ok(ExitStatus::Success)
}

/// Cuts each attestation's share from the batch. The aggregate was verified once for all.
fn shares(aggregate: &Aggregate, batch: &AttestationBatch) -> Result<Vec<Share>> {
    let share = |place| {
        let document = aggregate.document(batch, place)?;
        let authorization = hex::encode_prefixed(document.authorization()?.encode());
        Ok(Share { document, authorization })
    };
    (0..batch.attestations().len()).map(share).collect()
}

fn print_signatures(
    batch: &AttestationBatch,
    epoch: u32,
    partials: &[PartialSignature],
    output: Output,
) -> Result<ExitStatus> {
    output::remark(format_args!(
        "signed the root {}; attestations under it: {}",
        batch.root(),
        batch.attestations().len()
    ));
    let line =
        |partial: &PartialSignature| format!("{}={}", partial.operator, hex::encode_prefixed(&partial.signature));
    output.result(
        partials.iter().map(line).collect::<Vec<_>>().join("\n"),
        &report::signatures(batch, epoch, partials),
    )?;
    Ok(ExitStatus::Success)
}
