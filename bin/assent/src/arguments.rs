//! Options that several commands take.

use crate::{input, key_file::KeyFile};
use alloy_primitives::{Address, B256, FixedBytes, U256, aliases::U96, hex};
use anyhow::{Context as _, Result, anyhow};
use assent_signer::PartialSignature;
use assent_verifier::{EpochId, OperatorSetId, PublicKey, parse_address};
use clap::builder::TypedValueParser;
use std::path::PathBuf;

/// The maximum length of a file of partial signatures, in bytes: five times that of 2,000 operators.
const LONGEST_PARTIALS: u64 = 4 * 1024 * 1024;

/// `allow` or `deny`.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Decision {
    /// The policy allows the call.
    Allow,
    /// The policy forbids the call.
    Deny,
}

impl From<Decision> for assent_verifier::Decision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Allow,
            Decision::Deny => Self::Deny,
        }
    }
}

/// Partial signatures, as an option's value.
#[derive(Clone)]
pub enum Partials {
    /// One signature.
    One(PartialSignature),
    /// Those in a file, one on each line.
    File(PathBuf),
}

impl Partials {
    /// Reads the file, if it is one.
    pub fn read(&self) -> Result<Vec<PartialSignature>> {
        let path = match self {
            Self::One(partial) => return Ok(vec![partial.clone()]),
            Self::File(path) => path,
        };
        let text = input::read_text("file of partial signatures", path, LONGEST_PARTIALS)?;
        let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
        let partials = lines
            .map(|(number, line)| partial_signature(line).map_err(|error| anyhow!("line {}: {error}", number + 1)));
        partials.collect::<Result<_>>().with_context(|| {
            format!("file of partial signatures {} (`assent attest --sign-only` prints such lines)", path.display())
        })
    }
}

/// Returns the parser of an epoch's number.
pub fn epoch_id() -> impl TypedValueParser<Value = EpochId> {
    clap::value_parser!(u32).map(EpochId)
}

/// Returns the parser of an operator set's number.
pub fn operator_set_id() -> impl TypedValueParser<Value = OperatorSetId> {
    clap::value_parser!(u32).map(OperatorSetId)
}

/// Reads `ADDRESS=SIGNATURE`, or `@FILE`.
pub fn partials(text: &str) -> Result<Partials, String> {
    match text.strip_prefix('@') {
        Some(path) => Ok(Partials::File(path.into())),
        None => partial_signature(text).map(Partials::One),
    }
}

/// Reads an address.
pub fn address(text: &str) -> Result<Address, String> {
    parse_address(text).map_err(|error| error.to_string())
}

/// A public key, as an option gives it.
#[derive(Clone)]
pub enum KeySource {
    /// The key.
    Key(PublicKey),
    /// A key file that has it.
    File(PathBuf),
}

impl KeySource {
    /// Reads the key file, if it is one.
    pub fn read(&self) -> Result<PublicKey> {
        match self {
            Self::Key(key) => Ok(*key),
            Self::File(path) => KeyFile::read(path)?.public_key().with_context(|| {
                format!(
                    "key file {0} does not contain its public key; give the key itself, which `assent keys show {0}` \
                     prints",
                    path.display()
                )
            }),
        }
    }
}

/// Reads a public key in hex, or the name of a key file.
pub fn key_source(text: &str) -> Result<KeySource, String> {
    if !text.starts_with("0x") {
        return Ok(KeySource::File(text.into()));
    }
    let key = hex::decode(text).ok().and_then(|bytes| PublicKey::try_from(bytes.as_slice()).ok());
    key.map(KeySource::Key).ok_or_else(|| "a public key has 192 bytes, in hex".to_owned())
}

/// Reads 32 bytes.
pub fn hash(text: &str) -> Result<B256, String> {
    fixed_bytes("a hash", text)
}

/// Reads `ADDRESS=WEIGHT`.
pub fn weight(text: &str) -> Result<(Address, U96), String> {
    let (operator, weight) = text.split_once('=').ok_or("expected ADDRESS=WEIGHT")?;
    let operator = address(operator)?;
    let wide = whole_number(weight).map_err(|error| format!("weight {weight:?}: {error}"))?;
    let narrow = U96::checked_from_limbs_slice(wide.as_limbs());
    narrow.map(|weight| (operator, weight)).ok_or_else(|| format!("weight {weight} does not fit 96 bits"))
}

/// Reads a decimal number, or a hex number with `0x`. Nothing is no number: an empty shell variable must not pass for
/// zero.
pub fn whole_number(text: &str) -> Result<U256, String> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err("expected a whole number, decimal or hex with 0x".to_owned());
    }
    U256::from_str_radix(digits, radix.into()).map_err(|_| "does not fit 256 bits".to_owned())
}

/// Reads `ADDRESS=SIGNATURE`. The signature may have any length: aggregation names a malformed one.
fn partial_signature(text: &str) -> Result<PartialSignature, String> {
    let (operator, signature) = text.split_once('=').ok_or("expected ADDRESS=SIGNATURE")?;
    let operator = address(operator).map_err(|error| format!("operator {operator:?}: {error}"))?;
    let signature = input::prefixed_hex(signature).map_err(|error| format!("signature of {operator}: {error}"))?;
    Ok(PartialSignature::new(operator, signature))
}

/// Reads 32 bytes of hex that are not all zero: a zero policy id means that no policy is set.
pub fn policy_id(text: &str) -> Result<B256, String> {
    let policy_id = hash(text)?;
    if policy_id.is_zero() {
        Err("zero means that no policy is set; give the policy's id".to_owned())
    } else {
        Ok(policy_id)
    }
}

fn fixed_bytes<const N: usize>(what: &str, text: &str) -> Result<FixedBytes<N>, String> {
    let digits = text.strip_prefix("0x").ok_or_else(|| format!("{what} begins with 0x"))?;
    if let Some(other) = digits.chars().find(|digit| !digit.is_ascii_hexdigit()) {
        return Err(format!("{what} is {} hex digits, and {other:?} is not one", 2 * N));
    }
    hex::decode(digits)
        .ok()
        .and_then(|bytes| FixedBytes::try_from(bytes.as_slice()).ok())
        .ok_or_else(|| format!("{what} has {N} bytes, which are {} hex digits; there are {}", 2 * N, digits.len()))
}
