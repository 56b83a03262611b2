//! The calls to attest, read from files: one intent, or a batch of entries.

use crate::{arguments, input, output};
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U48};
use anyhow::{Result, anyhow, bail};
use assent_verifier::{
    Decision, Intent,
    json::{ObjectOnly, hex},
};
use clap::Args;
use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected},
};
use serde_path_to_error::Segment;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The shape of an entry, for error messages.
const SHAPE: &str = "\
an entry is {\"from\": address, \"to\": address, \"value\": wei, \"data\": calldata, \"chainId\": number}, which can \
have its own \"nonce\", \"issuedAt\", \"expiration\", \"decision\" and \"evidence\"; a batch is an array of \
entries, or one entry after the other";

/// The file with the calls.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct CallsFile {
    /// The call to attest, as JSON.
    #[arg(long, value_name = "FILE")]
    pub intent: Option<PathBuf>,
    /// Many calls to attest with one signature, as a JSON array or JSON lines; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub batch: Option<PathBuf>,
}

/// A call, with the fields that apply only to it.
pub struct Entry {
    pub intent: Intent,
    pub nonce: Option<U256>,
    pub issued_at: Option<U48>,
    pub expiration: Option<U48>,
    pub decision: Option<Decision>,
    pub evidence: Option<B256>,
}

impl Entry {
    fn plain(intent: Intent) -> Self {
        Self { intent, nonce: None, issued_at: None, expiration: None, decision: None, evidence: None }
    }
}

impl CallsFile {
    /// Returns the file that is read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.intent.iter().chain(&self.batch).map(PathBuf::as_path)
    }

    /// Reads the entries, and checks that their intents are for the attestations' chain. With `force`, a single intent
    /// for another chain is only warned of.
    pub fn read(&self, chain_id: U256, force: bool) -> Result<Vec<Entry>> {
        let entries = match &self.intent {
            Some(path) => vec![Entry::plain(input::read_json("intent file", path)?)],
            None => self.read_batch()?,
        };
        let elsewhere = entries.iter().enumerate().find(|(_, entry)| entry.intent.chainId != chain_id);
        if let Some((index, Entry { intent, .. })) = elsewhere {
            let error = format!(
                "{}: `chainId` is {}, but the attestation is for chain {chain_id}: every contract there refuses it",
                self.entry(index),
                intent.chainId
            );
            // A warning would be overlooked among many entries.
            if self.batch.is_some() {
                bail!(error);
            }
            if !force {
                bail!("{error}; nothing was signed: give a context of the intent's chain, or sign with --force");
            }
            output::remark(format_args!("warning: {error}"));
        }
        Ok(entries)
    }

    fn read_batch(&self) -> Result<Vec<Entry>> {
        let text = input::read_file("batch file", self.path(), input::LONGEST_JSON)?;
        let entries = parse(&text).map_err(|error| anyhow!("cannot parse {}: {error}\n{SHAPE}", self.name()))?;
        if entries.is_empty() {
            bail!("{} has no entries\n{SHAPE}", self.name());
        }
        Ok(entries)
    }

    /// Returns an entry's name for errors, with its index from 0, as in the results.
    pub fn entry(&self, index: usize) -> String {
        if self.batch.is_some() { format!("{}, entry {index} (from 0)", self.name()) } else { self.name() }
    }

    fn name(&self) -> String {
        let what = if self.batch.is_some() { "batch file" } else { "intent file" };
        format!("{what} {}", self.path().display())
    }

    fn path(&self) -> &Path {
        // The command line's rules require one of them.
        self.batch.as_deref().or(self.intent.as_deref()).unwrap_or("-".as_ref())
    }
}

/// A parse error, with its entry and field.
struct ParseError {
    index: Option<usize>,
    field: Option<String>,
    error: serde_json::Error,
}

impl ParseError {
    fn new(index: Option<usize>, error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let mut segments = error.path().iter().peekable();
        let index = index.or_else(|| segments.next_if(is_index).map(index_of));
        let field = segments.find_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            _ => None,
        });
        Self { index, field, error: error.into_inner() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.index {
            write!(f, "entry {index} (from 0)")?;
            self.field.iter().try_for_each(|field| write!(f, ", `{field}`"))?;
            f.write_str(": ")?;
        }
        write!(f, "{}", self.error)
    }
}

fn is_index(segment: &&Segment) -> bool {
    matches!(segment, Segment::Seq { .. })
}

fn index_of(segment: &Segment) -> usize {
    match segment {
        Segment::Seq { index } => *index,
        _ => 0,
    }
}

/// Parses an array of entries, or entries one after the other, on separate lines or not.
fn parse(text: &[u8]) -> Result<Vec<Entry>, ParseError> {
    let mut json = serde_json::Deserializer::from_slice(text);
    if text.trim_ascii_start().first() == Some(&b'[') {
        let entries = serde_path_to_error::deserialize(&mut json).map_err(|error| ParseError::new(None, error))?;
        json.end().map_err(|error| ParseError { index: None, field: None, error })?;
        return Ok(entries);
    }
    let mut entries = Vec::new();
    while json.end().is_err() {
        let entry = serde_path_to_error::deserialize(&mut json);
        entries.push(entry.map_err(|error| ParseError::new(Some(entries.len()), error))?);
    }
    Ok(entries)
}

/// An entry's fields: those of an intent, and optional ones.
#[derive(Deserialize)]
#[serde(expecting = "an entry", rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    #[serde(with = "hex")]
    from: Address,
    #[serde(with = "hex")]
    to: Address,
    value: Number,
    #[serde(with = "hex")]
    data: Bytes,
    chain_id: Number,
    nonce: Option<Number>,
    issued_at: Option<Seconds>,
    expiration: Option<Seconds>,
    decision: Option<Decision>,
    evidence: Option<Evidence>,
}

#[derive(Deserialize)]
struct Evidence(#[serde(with = "hex")] B256);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields { from, to, value, data, chain_id, nonce, issued_at, expiration, decision, evidence } =
            Fields::deserialize(ObjectOnly(deserializer))?;
        Ok(Self {
            intent: Intent { from, to, value: value.0, data, chainId: chain_id.0 },
            nonce: nonce.map(|nonce| nonce.0),
            issued_at: issued_at.map(|issued_at| issued_at.0),
            expiration: expiration.map(|expiration| expiration.0),
            decision,
            evidence: evidence.map(|evidence| evidence.0),
        })
    }
}

/// A number as in the verifier's JSON: an integer, a decimal string, or a hex string with `0x`.
struct Number(U256);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, as an integer, a decimal string or a hex string with 0x")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(U256::from(number)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                arguments::whole_number(text).map(Number).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A Unix time in seconds.
struct Seconds(U48);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Number(wide) = Number::deserialize(deserializer)?;
        let narrow = U48::checked_from_limbs_slice(wide.as_limbs());
        narrow.map(Self).ok_or_else(|| de::Error::custom(format_args!("{wide} does not fit 48 bits")))
    }
}
