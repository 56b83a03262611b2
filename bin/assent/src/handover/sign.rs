//! `assent handover sign`.

use super::mirrors::read_final;
use crate::{
    ExitStatus, arguments,
    connection::{self, RegistryNode},
    key_file::KeyFile,
    output::{self, Output},
    partials::operator_of,
};
use anyhow::{Context as _, Result};
use assent_client::AssentClient;
use assent_journal::{Journal, JournalOptions, LocalSigner, Statement, marker_beside};
use assent_verifier::EpochId;
use clap::{Args, ValueHint};
use serde_json::json;
use std::path::PathBuf;

/// The options of `assent handover sign`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent handover sign --registry $REGISTRY --epoch 5 --key operator.json --journal journal.redb >> partials.txt
  assent handover sign --registry $REGISTRY --epoch 7 --signed-by 5 --key operator.json --journal journal.redb

The operators of a running network sign by themselves: see `assent handover request`. This command signs with a key
whose operator does not run, since a running one has locked the journal. It signs only an epoch that a final block of
the home chain has in force, and only what the journal has recorded before: a handover that differs from the registry is
an offence. --signed-by is the latest epoch of the mirrors, which can be behind.")]
pub struct Arguments {
    #[command(flatten)]
    at: RegistryNode,
    /// The epoch that is handed over to.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id())]
    epoch: EpochId,
    /// The epoch whose operators sign; the set's epoch before by default.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id())]
    signed_by: Option<EpochId>,
    /// The operator's key file, encrypted or not.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: PathBuf,
    /// Read the key file's password from a file instead of asking for it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,
    /// The key's journal.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    journal: PathBuf,
    /// The key's marker; beside the key file by default.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    marker: Option<PathBuf>,
}

/// Runs `assent handover sign`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at: RegistryNode { node, registry }, epoch, signed_by, key, password_file, journal, marker } =
        arguments;
    let read = connection::block_on(async {
        let client = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Reading a final block");
        read_final(&client, *registry, *epoch, *signed_by).await.with_context(|| node.asking())
    })?;
    let (handover, signing) = (read.handover, read.signing);
    let (file, public_key) = KeyFile::read(key)?.with_public_key(key, password_file.as_deref())?;
    let operator = operator_of(&signing, &public_key).with_context(|| {
        format!(
            "the key in {} is not an operator's in epoch {}, which hands over; give another --signed-by",
            key.display(),
            signing.number
        )
    })?;
    let signer = LocalSigner::new(file.open(key, password_file.as_deref())?);
    let marker = marker.clone().unwrap_or_else(|| marker_beside(key));
    let journal = Journal::open(&JournalOptions::new(journal, marker), signer)
        .context("cannot open the journal; stop the operator that uses it, or give its --journal and --marker")?;
    let signature = journal.sign(Statement::Handover(&handover))?;
    output.result(
        format_args!("{operator}={signature}"),
        &json!({
            "homeChain": handover.home_chain.to_string(),
            "homeRegistry": handover.home_registry,
            "operatorSet": handover.operator_set,
            "signedBy": handover.signed_by,
            "epoch": handover.epoch,
            "committedAt": handover.committed_at.to::<u64>(),
            "expiresAt": handover.expires_at.to::<u64>(),
            "contentHash": handover.content_hash,
            "partials": [{ "operator": operator, "signature": signature }],
        }),
    )?;
    Ok(ExitStatus::Success)
}
