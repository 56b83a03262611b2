//! Signatures of an epoch's operators: made here with keys, read, printed, and left out.

use crate::{arguments::Partials, key_file::KeyFile, output};
use alloy_primitives::Address;
use anyhow::{Result, bail};
use assent_signer::{Aggregate, PartialSignature, SecretKey};
use assent_verifier::{Epoch, PublicKey, Signature};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Returns the operator of an epoch that has a key.
pub fn operator_of(epoch: &Epoch, public_key: &PublicKey) -> Option<Address> {
    let operators = epoch.operators.operators();
    operators.iter().find(|operator| operator.public_key == *public_key).map(|operator| operator.address)
}

/// Signs with each key. All key files are read and found in the epoch before the first is decrypted, except those
/// without their public key. `hint` says what the epoch does, and what to give instead of a key that is not in it.
pub fn sign(
    keys: &[PathBuf],
    password_file: Option<&Path>,
    epoch: &Epoch,
    hint: &str,
    sign: impl Fn(&SecretKey) -> Signature,
) -> Result<Vec<PartialSignature>> {
    let mut found = Vec::new();
    for path in keys {
        let (file, public_key) = KeyFile::read(path)?.with_public_key(path, password_file)?;
        match operator_of(epoch, &public_key) {
            Some(operator) => found.push((path, operator, file)),
            None => bail!("the key in {} is not an operator's in epoch {}, which {hint}", path.display(), epoch.number),
        }
    }
    let partials = found.into_iter().map(|(path, operator, file)| {
        let key = file.open(path, password_file)?;
        Ok(PartialSignature::new(operator, sign(&key)))
    });
    partials.collect()
}

/// Reads the signatures that were made elsewhere.
pub fn read_all(partials: &[Partials]) -> Result<Vec<PartialSignature>> {
    Ok(partials.iter().map(Partials::read).collect::<Result<Vec<_>>>()?.concat())
}

/// Returns signatures as `--partial` takes them, one on each line.
pub fn lines(partials: &[PartialSignature]) -> String {
    let lines = partials.iter().map(|partial| format!("{}={}", partial.operator, partial.signature));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns signatures for programs.
pub fn to_json(partials: &[PartialSignature]) -> Value {
    let json = |partial: &PartialSignature| json!({ "operator": partial.operator, "signature": partial.signature });
    partials.iter().map(json).collect()
}

/// Warns of each signature that was left out of an aggregate.
pub fn warn_of_rejected(aggregate: &Aggregate) {
    for rejected in &aggregate.rejected {
        output::remark(format_args!("warning: left out {rejected}"));
    }
}
