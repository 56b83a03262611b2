//! The calls to attest, as they stand in files: one intent, or a batch of entries.

use crate::{arguments, input, output};
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U48};
use anyhow::{Result, anyhow, bail};
use assent_verifier::{Decision, Intent};
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

/// What an entry looks like, for whoever wrote another.
const SHAPE: &str = "\
an entry is {\"from\": address, \"to\": address, \"value\": wei, \"data\": calldata, \"chainId\": number}, which may have its \
own \"nonce\", \"expiration\", \"decision\" and \"evidence\"; a batch is an array of entries, or one entry after the other";

/// Which file holds them.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Source {
    /// The call to attest, as JSON.
    #[arg(long, value_name = "FILE")]
    pub intent: Option<PathBuf>,
    /// Many calls to attest under one signature, as a JSON array or JSON lines; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub batch: Option<PathBuf>,
}

/// A call, and what is said of it alone.
pub struct Entry {
    pub intent: Intent,
    pub nonce: Option<U256>,
    pub expiration: Option<U48>,
    pub decision: Option<Decision>,
    pub evidence: Option<B256>,
}

impl Entry {
    fn plain(intent: Intent) -> Self {
        Self { intent, nonce: None, expiration: None, decision: None, evidence: None }
    }
}

impl Source {
    /// Reads the entries, and says of which no contract on the attestations' chain would accept the intent.
    pub fn read(&self, chain_id: U256) -> Result<Vec<Entry>> {
        let entries = match &self.intent {
            Some(path) => vec![Entry::plain(input::read_json("intent file", path)?)],
            None => self.read_batch()?,
        };
        let elsewhere = entries.iter().enumerate().find(|(_, entry)| entry.intent.chainId != chain_id);
        if let Some((place, Entry { intent, .. })) = elsewhere {
            let error = format!(
                "{}: `chainId` is {}, and no contract would accept that on chain {chain_id}, which the attestation is for",
                self.entry(place),
                intent.chainId
            );
            // Among many, a warning would be lost.
            if self.batch.is_some() {
                bail!(error);
            }
            output::remark(format_args!("warning: {error}"));
        }
        Ok(entries)
    }

    fn read_batch(&self) -> Result<Vec<Entry>> {
        let text = input::read_file("batch file", self.path(), input::LONGEST_JSON)?;
        let entries = parse(&text).map_err(|error| anyhow!("{} {error}\n{SHAPE}", self.name()))?;
        if entries.is_empty() {
            bail!("{} has no entries\n{SHAPE}", self.name());
        }
        Ok(entries)
    }

    /// How errors name an entry. Places count from 0, as in the array, and as the results do.
    pub fn entry(&self, place: usize) -> String {
        if self.batch.is_some() { format!("{}, entry {place} (from 0)", self.name()) } else { self.name() }
    }

    fn name(&self) -> String {
        let what = if self.batch.is_some() { "batch file" } else { "intent file" };
        format!("{what} {}", self.path().display())
    }

    fn path(&self) -> &Path {
        // The command line's rules leave one of them.
        self.batch.as_deref().or(self.intent.as_deref()).unwrap_or("-".as_ref())
    }
}

/// What is wrong, and in which entry and field of it.
struct ParseError {
    place: Option<usize>,
    field: Option<String>,
    error: serde_json::Error,
}

impl ParseError {
    fn new(place: Option<usize>, error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let mut segments = error.path().iter().peekable();
        let place = place.or_else(|| segments.next_if(|segment| matches!(segment, Segment::Seq { .. })).map(index));
        let field = segments.find_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            _ => None,
        });
        Self { place, field, error: error.into_inner() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not what it should be: ")?;
        if let Some(place) = self.place {
            write!(f, "entry {place} (from 0)")?;
            self.field.iter().try_for_each(|field| write!(f, ", `{field}`"))?;
            f.write_str(": ")?;
        }
        write!(f, "{}", self.error)
    }
}

fn index(segment: &Segment) -> usize {
    match segment {
        Segment::Seq { index } => *index,
        _ => 0,
    }
}

/// An array of entries, or entries one after the other, on lines of their own or not.
fn parse(text: &[u8]) -> Result<Vec<Entry>, ParseError> {
    let mut json = serde_json::Deserializer::from_slice(text);
    if text.trim_ascii_start().first() == Some(&b'[') {
        let entries = serde_path_to_error::deserialize(&mut json).map_err(|error| ParseError::new(None, error))?;
        json.end().map_err(|error| ParseError { place: None, field: None, error })?;
        return Ok(entries);
    }
    let mut entries = Vec::new();
    while json.end().is_err() {
        let entry = serde_path_to_error::deserialize(&mut json);
        entries.push(entry.map_err(|error| ParseError::new(Some(entries.len()), error))?);
    }
    Ok(entries)
}

/// An entry's fields: an intent's, and those that are optional.
#[derive(Deserialize)]
#[serde(expecting = "an entry", rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    from: Address,
    to: Address,
    value: Number,
    data: Bytes,
    chain_id: Number,
    nonce: Option<Number>,
    expiration: Option<Seconds>,
    decision: Option<Decision>,
    evidence: Option<B256>,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields { from, to, value, data, chain_id, nonce, expiration, decision, evidence } =
            Fields::deserialize(deserializer)?;
        Ok(Self {
            intent: Intent { from, to, value: value.0, data, chainId: chain_id.0 },
            nonce: nonce.map(|nonce| nonce.0),
            expiration: expiration.map(|expiration| expiration.0),
            decision,
            evidence,
        })
    }
}

/// A number as the verifier's JSON spells them: an integer, a decimal string, or a hex string with `0x`.
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
