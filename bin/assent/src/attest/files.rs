//! The two files of each attestation in a batch.

use crate::{output, output_file::OutputFile};
use alloy_primitives::U256;
use anyhow::{Context as _, Result, bail};
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

/// Creates the directory, and checks that it has none of the files, before a password is entered.
pub fn prepare(directory: &Path, batch: &AttestationBatch) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create the directory {}; --out takes a directory", directory.display()))?;
    for attestation in batch.attestations() {
        let (document, authorization) = files(directory, attestation.nonce);
        if let Some(there) = [document, authorization].iter().find(|file| file.symlink_metadata().is_ok()) {
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
pub fn write(directory: &Path, attestations: &[SignedAttestation]) -> Result<()> {
    let mut progress = output::Progress::new("Writing attestations", attestations.len());
    for (done, attestation) in attestations.iter().enumerate() {
        let (document, authorization) = files(directory, attestation.document.attestation.nonce);
        let text = serde_json::to_string_pretty(&attestation.document)?;
        OutputFile::new("document", &document, false)
            .and_then(|file| file.write(text + "\n"))
            .and_then(|()| OutputFile::new("authorization", &authorization, false))
            .and_then(|file| file.write(format!("{}\n", attestation.authorization)))
            .with_context(|| format!("{done} of {} attestations were written", attestations.len()))?;
        progress.advance();
    }
    Ok(())
}
