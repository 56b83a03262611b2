//! The signers: operators whose keys are here, and those who signed elsewhere.

use crate::{
    arguments::{self, Partials},
    key_file::KeyFile,
    output,
    partials::{self, operator_of},
};
use anyhow::{Result, bail};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature, Rejection, SecretKey, aggregate};
use assent_verifier::Epoch;
use clap::Args;
use std::path::{Path, PathBuf};

/// The options for signers.
#[derive(Args)]
pub struct Signers {
    /// An operator's key file, encrypted or not; repeat it for each operator that signs.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Read the key files' password from a file instead of asking for each.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// An operator's signature made elsewhere, or @FILE with one on each line, as --sign-only prints them; repeatable.
    #[arg(long = "partial", value_name = "ADDRESS=SIGNATURE|@FILE", value_parser = arguments::partials)]
    partials: Vec<Partials>,
    /// Print these operators' signatures of the root, for --partial on another machine, and aggregate nothing.
    #[arg(long, conflicts_with = "partials", requires = "keys")]
    pub sign_only: bool,
}

impl Signers {
    /// Returns the files that are read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let partials = self.partials.iter().filter_map(|partials| match partials {
            Partials::One(_) => None,
            Partials::File(path) => Some(path),
        });
        self.keys.iter().chain(&self.password_file).chain(partials).map(PathBuf::as_path)
    }

    /// Returns whether operators also sign on other machines, which need the same fields.
    pub fn are_elsewhere(&self) -> bool {
        self.sign_only || !self.partials.is_empty()
    }

    /// Checks the options before anything is read.
    pub fn check(&self, signed_alike: bool) -> Result<()> {
        if self.keys.is_empty() && self.partials.is_empty() {
            bail!("there is no signer: give at least one --key FILE or --partial ADDRESS=SIGNATURE");
        }
        if !signed_alike && self.are_elsewhere() {
            bail!(
                "operators on several machines must sign the same times; give the same --issued-at UNIX_SECONDS on \
                 each, and the same --expiration or --lifetime"
            );
        }
        Ok(())
    }

    /// Signs the root with each key, and adds the signatures made elsewhere. All key files are read and found in the
    /// epoch before the first is decrypted, except those without their public key.
    pub fn sign(&self, epoch: &Epoch, batch: &AttestationBatch) -> Result<Vec<PartialSignature>> {
        let elsewhere = partials::read_all(&self.partials)?;
        let mut found = Vec::new();
        for path in &self.keys {
            let (file, public_key) = KeyFile::read(path)?.with_public_key(path, self.password_file.as_deref())?;
            match operator_of(epoch, &public_key) {
                Some(operator) => found.push((path, operator, file)),
                None => output::remark(format_args!(
                    "warning: left out {}: no operator in epoch {} has its public key",
                    path.display(),
                    epoch.number
                )),
            }
        }
        if found.is_empty() && elsewhere.is_empty() {
            bail!(
                "none of the keys is an operator's in epoch {}; give registered keys, or another epoch",
                epoch.number
            );
        }
        let here = found.into_iter().map(|(path, operator, file)| {
            let key: SecretKey = file.open(path, self.password_file.as_deref())?;
            Ok(PartialSignature::new(operator, key.sign_batch(batch)))
        });
        here.chain(elsewhere.into_iter().map(Ok)).collect()
    }
}

/// Aggregates the partial signatures, and warns of each that is left out.
pub fn aggregate_partials(epoch: &Epoch, batch: &AttestationBatch, partials: &[PartialSignature]) -> Result<Aggregate> {
    let aggregate = aggregate(epoch, batch.root(), partials)?;
    partials::warn_of_rejected(&aggregate);
    if aggregate.rejected.iter().any(|rejected| rejected.reason == Rejection::WrongSignature) {
        output::remark(format_args!(
            "the root is {}; operators that signed another root had other calls, another order or other fields",
            batch.root()
        ));
    }
    Ok(aggregate)
}
