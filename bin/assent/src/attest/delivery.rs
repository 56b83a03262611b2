//! Where a batch's attestations go: two files for each.

use crate::{input, output};
use alloy_primitives::U256;
use anyhow::{Context as _, Result, bail};
use assent_signer::AttestationBatch;
use assent_verifier::AttestationDocument;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What one user gets.
pub struct Share {
    /// The attestation in full.
    pub document: AttestationDocument,
    /// What travels with the call, as hex.
    pub authorization: String,
}

/// The files of the attestation with a nonce: its document, and its authorization. A client's nonces differ, so batches of
/// one client can share a directory, and a nonce that is used again is seen.
pub fn files(directory: &Path, nonce: U256) -> (PathBuf, PathBuf) {
    (directory.join(format!("nonce-{nonce}.json")), directory.join(format!("nonce-{nonce}.hex")))
}

/// Makes the directory, and refuses one that has any of the files: before anybody is asked for a password or signs.
pub fn prepare(directory: &Path, batch: &AttestationBatch) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("the directory {} cannot be made; --out takes a directory", directory.display()))?;
    for attestation in batch.attestations() {
        let (document, authorization) = files(directory, attestation.nonce);
        if let Some(there) = [document, authorization].iter().find(|file| file.symlink_metadata().is_ok()) {
            bail!(
                "{} is there already, and an attestation is never overwritten; was the nonce {} attested before? Give \
                 another --out, or other nonces",
                there.display(),
                attestation.nonce
            );
        }
    }
    Ok(())
}

/// Writes every share's files.
pub fn write(directory: &Path, shares: &[Share]) -> Result<()> {
    let mut progress = output::Progress::new("Writing attestations", shares.len());
    for (done, share) in shares.iter().enumerate() {
        let (document, authorization) = files(directory, share.document.attestation.nonce);
        let text = serde_json::to_string_pretty(&share.document)?;
        input::write_new_file("document", &document, &(text + "\n"))
            .and_then(|()| {
                input::write_new_file("authorization", &authorization, &format!("{}\n", share.authorization))
            })
            .with_context(|| format!("{done} of {} attestations were written", shares.len()))?;
        progress.advance();
    }
    Ok(())
}
