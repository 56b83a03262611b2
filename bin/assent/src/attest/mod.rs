//! `assent attest`: signs attestations of one call or of many with operators' keys.

mod acceptance;
mod decisions;
mod entries;
mod fields;
mod files;
mod policy_context;
mod report;
mod signing;

use crate::{
    ExitStatus,
    output::{self, Output},
    output_file::{self, OutputFile, Overwrite},
    partials,
};
use alloy_primitives::hex;
use anyhow::{Result, bail};
use assent_policy::EvidenceFile;
use assent_signer::{Aggregate, AttestationBatch, PartialSignature};
use assent_verifier::{AttestationDocument, EpochId};
use clap::{Args, ValueHint};
use entries::CallsFile;
use fields::{FieldArguments, Prepared};
use files::SignedAttestation;
use policy_context::{ContextArguments, PolicyContext};
use report::Report;
use signing::Signers;
use std::path::PathBuf;

/// The options of `assent attest`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent attest --intent intent.json --context context.json --nonce 7 --lifetime 600 --policy treasury.policy \\
      --evidence-out evidence.json --key operator-1.json --key operator-2.json --password-file password.txt

  assent attest --intent intent.json --epoch epoch.json --chain-id 1 --task-manager $TASK_MANAGER \\
      --client $VAULT --policy-id $POLICY --nonce 7 --issued-at 1800000000 --lifetime 600 --policy treasury \\
      --parameters mine.json --key operator-1.json --partial $OPERATOR=$SIGNATURE --document-out attestation.json

  A batch: each operator signs once for all calls, and each call gets its files:
  assent attest --batch intents.json --context context.json --nonce 7 --lifetime 600 --policy treasury.policy \\
      --key operator-1.json --key operator-2.json --out attestations

  The same with operators on two machines:
  assent attest --batch intents.json --context context.json --nonce 7 --issued-at 1800000000 --lifetime 600 \\
      --policy treasury.policy --key operator-2.json --sign-only > operator-2.txt
  assent attest --batch intents.json --context context.json --nonce 7 --issued-at 1800000000 --lifetime 600 \\
      --policy treasury.policy --key operator-1.json --partial @operator-2.txt --out attestations

  A decision that no policy made:
  assent attest --intent intent.json --context context.json --nonce 7 --lifetime 600 --without-policy \\
      --decision allow --evidence $EVIDENCE --key operator-1.json

The policy decides, and its decision is signed, also to deny. It must be the one that the client's contract names.
The time that it sees is --issued-at.

An intent: {\"from\": \"0x…\", \"to\": \"0x…\", \"value\": \"0\", \"data\": \"0x…\", \"chainId\": 1}; `assent intent`
prints one.

A batch: an array of intents, or one on each line. Each can also have its own \"nonce\", \"issuedAt\" and
\"expiration\", with --without-policy also its own \"decision\" and \"evidence\". The options apply to entries without
them; --nonce is then the first nonce, and each next entry has the next. Nonces must differ. The order matters:
operators who sign on several machines need the same file. Each attestation is written to nonce-NUMBER.json (the
document), nonce-NUMBER.hex (the authorization) and, with --policy, nonce-NUMBER.evidence.json in --out; --json prints
them all.

With a context, an attestation that the client would refuse is not signed: one whose nonce is spent, or whose lifetime
is too long. --force signs it nonetheless, and overwrites output files, but never a key.

An epoch is what `assent epoch show --json` prints, a context what `assent context --json` prints.
An invalid signature is left out, with a warning.")]
pub struct Arguments {
    #[command(flatten)]
    source: CallsFile,
    #[command(flatten)]
    signers: Signers,
    #[command(flatten)]
    context: ContextArguments,
    #[command(flatten)]
    fields: FieldArguments,
    /// Write the authorization to a file, as hex.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["batch", "sign_only"])]
    authorization_out: Option<PathBuf>,
    /// Write the attestation document to a file, as JSON.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["batch", "sign_only"])]
    document_out: Option<PathBuf>,
    /// Write everything that repeats the policy's decision to a file, as JSON.
    #[arg(long, value_name = "FILE", requires = "policy", conflicts_with = "batch")]
    evidence_out: Option<PathBuf>,
    /// Write a batch's documents and authorizations to this directory; it is created if it does not exist.
    #[arg(
        long,
        value_name = "DIRECTORY",
        value_hint = ValueHint::DirPath,
        conflicts_with_all = ["intent", "sign_only"]
    )]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Runs `assent attest`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { source, signers, context, fields, out, overwrite: Overwrite { force }, .. } = arguments;
    signers.check(fields.are_signed_alike())?;
    let files = arguments.output_files()?;
    if source.batch.is_some() && out.is_none() && !signers.sign_only && !output.is_json() {
        bail!("give --out DIRECTORY for the batch's attestations, or --json to print them all");
    }
    let context = context.read()?;
    let (batch, evidence) = arguments.batch(&context)?;
    acceptance::check(source, &batch, &context, *force)?;
    if let Some(directory) = out {
        files::prepare(directory, &batch)?;
    }

    let partials = signers.sign(&context.epoch, &batch)?;
    if signers.sign_only {
        files.write_evidence(&evidence, None)?;
        return print_signatures(&batch, context.epoch.number, &partials, output);
    }
    let aggregate = signing::aggregate_partials(&context.epoch, &batch, &partials)?;
    let attestations = signed_attestations(&aggregate, &batch)?;
    let report = Report {
        context: &context,
        batch: &batch,
        partials: &partials,
        aggregate: &aggregate,
        attestations: &attestations,
        directory: out.as_deref(),
    };
    match attestations.as_slice() {
        [attestation] if source.batch.is_none() => {
            files.write_evidence(&evidence, Some(&attestation.document))?;
            write_one(attestation, &files, &report, output)
        }
        attestations => write_many(attestations, &evidence, &report, output),
    }
}

impl Arguments {
    fn batch(&self, context: &PolicyContext) -> Result<(AttestationBatch, Vec<Option<EvidenceFile>>)> {
        let entries = self.source.read(context.chain_id, self.overwrite.force)?;
        let _spinner = output::spinner("Deciding");
        let nonces = self.fields.nonces(&self.source, &entries, context, self.signers.are_elsewhere())?;
        let Prepared { attestations, evidence } = self.fields.prepare(&self.source, entries, nonces, context)?;
        Ok((AttestationBatch::new(attestations, context.chain_id, context.task_manager)?, evidence))
    }

    /// Returns the files of a single attestation, before anything is signed.
    fn output_files(&self) -> Result<OutputFiles<'_>> {
        let Self { source, signers, context, fields, authorization_out, document_out, evidence_out, .. } = self;
        let force = self.overwrite.force;
        let outputs = [
            ("--authorization-out", authorization_out),
            ("--document-out", document_out),
            ("--evidence-out", evidence_out),
        ];
        let outputs = outputs.iter().filter_map(|(option, path)| Some((*option, path.as_deref()?)));
        let inputs = source.files().chain(signers.files()).chain(context.files()).chain(fields.files());
        output_file::require_distinct(&outputs.collect::<Vec<_>>(), &inputs.collect::<Vec<_>>())?;
        let authorization = authorization_out.as_deref().map(|path| OutputFile::new("authorization", path, force));
        let document = document_out.as_deref().map(|path| OutputFile::new("document", path, force));
        let evidence = evidence_out.as_deref().map(|path| OutputFile::new("evidence", path, force));
        Ok(OutputFiles {
            authorization: authorization.transpose()?,
            document: document.transpose()?,
            evidence: evidence.transpose()?,
        })
    }
}

/// The files of a single attestation.
struct OutputFiles<'a> {
    authorization: Option<OutputFile<'a>>,
    document: Option<OutputFile<'a>>,
    evidence: Option<OutputFile<'a>>,
}

impl OutputFiles<'_> {
    /// Writes the evidence of a single call, if it is asked for.
    fn write_evidence(&self, evidence: &[Option<EvidenceFile>], document: Option<&AttestationDocument>) -> Result<()> {
        let (Some(output), [Some(file)]) = (&self.evidence, evidence) else { return Ok(()) };
        output.write(files::evidence_text(file, document)?)
    }
}

fn write_one(
    attestation: &SignedAttestation,
    files: &OutputFiles<'_>,
    report: &Report<'_>,
    output: Output,
) -> Result<ExitStatus> {
    if let Some(file) = &files.authorization {
        file.write(format!("{}\n", attestation.authorization))?;
    }
    if let Some(file) = &files.document {
        file.write(serde_json::to_string_pretty(&attestation.document)? + "\n")?;
    }
    report.remark_on_weight();
    report.warn_of_missing_weight();
    output.result(&attestation.authorization, &report.of_one(attestation))?;
    Ok(ExitStatus::Success)
}

fn write_many(
    attestations: &[SignedAttestation],
    evidence: &[Option<EvidenceFile>],
    report: &Report<'_>,
    output: Output,
) -> Result<ExitStatus> {
    if let Some(directory) = report.directory {
        files::write(directory, attestations, evidence)?;
    }
    if output.is_json() {
        report.remark_on_weight();
    }
    report.warn_of_missing_weight();
    output.result_of(|| report.table(), || report.of_many())?;
    Ok(ExitStatus::Success)
}

/// Returns each attestation of the batch with its authorization. The aggregate signature is already verified.
fn signed_attestations(aggregate: &Aggregate, batch: &AttestationBatch) -> Result<Vec<SignedAttestation>> {
    let signed = |index| {
        let document = aggregate.document(batch, index)?;
        let authorization = hex::encode_prefixed(document.authorization()?.encode());
        Ok(SignedAttestation { document, authorization })
    };
    (0..batch.attestations().len()).map(signed).collect()
}

fn print_signatures(
    batch: &AttestationBatch,
    epoch: EpochId,
    signatures: &[PartialSignature],
    output: Output,
) -> Result<ExitStatus> {
    output::remark(format_args!(
        "signed the root {}; attestations under it: {}",
        batch.root(),
        batch.attestations().len()
    ));
    output.result(partials::lines(signatures), &report::signatures(batch, epoch, signatures))?;
    Ok(ExitStatus::Success)
}
