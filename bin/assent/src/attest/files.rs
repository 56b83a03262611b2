//! The files of each attestation in a batch.

use crate::{output, output_file::OutputFile};
use alloy_primitives::U256;
use anyhow::{Context as _, Result, bail};
use assent_policy::EvidenceFile;
use assent_signer::AttestationBatch;
use assent_verifier::AttestationDocument;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// An attestation with its authorization.
pub struct SignedAttestation {
    /// The attestation document.
    pub document: AttestationDocument,
    /// The authorization for the calldata, as hex.
    pub authorization: String,
}

/// Returns the paths of a document and its authorization. They contain the nonce, so batches of one client can share a
/// directory, and a reused nonce is noticed.
pub fn files(directory: &Path, nonce: U256) -> (PathBuf, PathBuf) {
    (directory.join(format!("nonce-{nonce}.json")), directory.join(format!("nonce-{nonce}.hex")))
}

fn evidence_path(directory: &Path, nonce: U256) -> PathBuf {
    directory.join(format!("nonce-{nonce}.evidence.json"))
}

/// Returns the text of an evidence file, with the attestation that was issued on it.
pub fn evidence_text(file: &EvidenceFile, document: Option<&AttestationDocument>) -> Result<String> {
    let mut file = file.clone();
    if let Some(document) = document {
        file.attestation = Some(assent_json::parse(serde_json::to_string(document)?.as_bytes())?);
    }
    Ok(file.to_json() + "\n")
}

/// Creates the directory, and checks that it has none of the files, before a password is entered.
pub fn prepare(directory: &Path, batch: &AttestationBatch) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create the directory {}; --out takes a directory", directory.display()))?;
    for attestation in batch.attestations() {
        let (document, authorization) = files(directory, attestation.nonce);
        let evidence = evidence_path(directory, attestation.nonce);
        if let Some(there) = [document, authorization, evidence].iter().find(|file| file.symlink_metadata().is_ok()) {
            bail!(
                "{} already exists, and an attestation is never overwritten; was the nonce {} attested before? Give \
                 another --out, or other nonces",
                there.display(),
                attestation.nonce
            );
        }
    }
    Ok(())
}

/// Writes every attestation's files.
pub fn write(directory: &Path, attestations: &[SignedAttestation], evidence: &[Option<EvidenceFile>]) -> Result<()> {
    let mut progress = output::Progress::new("Writing attestations", attestations.len());
    for (done, (attestation, evidence)) in attestations.iter().zip(evidence).enumerate() {
        let nonce = attestation.document.attestation.nonce;
        let (document, authorization) = files(directory, nonce);
        let text = serde_json::to_string_pretty(&attestation.document)?;
        OutputFile::new("document", &document, false)
            .and_then(|file| file.write(text + "\n"))
            .and_then(|()| OutputFile::new("authorization", &authorization, false))
            .and_then(|file| file.write(format!("{}\n", attestation.authorization)))
            .and_then(|()| match evidence {
                None => Ok(()),
                Some(file) => OutputFile::new("evidence", &evidence_path(directory, nonce), false)?
                    .write(evidence_text(file, Some(&attestation.document))?),
            })
            .with_context(|| format!("{done} of {} attestations were written", attestations.len()))?;
        progress.advance();
    }
    Ok(())
}
