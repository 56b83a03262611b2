//! Reading a request's parameters.

use alloy::primitives::U64;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use super::failure::Failure;

/// A request's parameters by position.
pub(super) struct Parameters(Vec<Value>);

impl Parameters {
    /// None at all is the same as an empty list.
    pub(super) fn parse(raw: Option<&RawValue>) -> Result<Self, Failure> {
        let parsed: Option<Vec<Value>> = serde_json::from_str(raw.map_or("null", RawValue::get))
            .map_err(|error| Failure::invalid_parameters(format!("parameters must be a list: {error}")))?;
        Ok(Self(parsed.unwrap_or_default()))
    }

    pub(super) fn required<T: DeserializeOwned>(&self, index: usize, name: &str) -> Result<T, Failure> {
        self.optional(index, name)?
            .ok_or_else(|| Failure::invalid_parameters(format!("parameter {index} ({name}) is missing")))
    }

    /// `null` is the same as nothing.
    pub(super) fn optional<T: DeserializeOwned>(&self, index: usize, name: &str) -> Result<Option<T>, Failure> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::deserialize(value)
                .map(Some)
                .map_err(|error| Failure::invalid_parameters(format!("parameter {index} ({name}): {error}"))),
        }
    }

    /// Fails when a parameter at `index` or later is given: ignoring it would answer another question.
    pub(super) fn refuse_from(&self, index: usize, why: &str) -> Result<(), Failure> {
        match self.0.get(index..).unwrap_or_default().iter().all(Value::is_null) {
            true => Ok(()),
            false => Err(Failure::invalid_parameters(why)),
        }
    }
}

/// Seconds, in each of the forms anvil takes: a number, a hexadecimal string, or `{"timestamp": …}`.
#[derive(Clone, Copy, Deserialize)]
#[serde(from = "TimestampForms")]
pub(super) struct Timestamp(pub(super) u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum TimestampForms {
    Number(u64),
    Text(U64),
    Object { timestamp: U64 },
}

impl From<TimestampForms> for Timestamp {
    fn from(form: TimestampForms) -> Self {
        match form {
            TimestampForms::Number(seconds) => Self(seconds),
            TimestampForms::Text(seconds) | TimestampForms::Object { timestamp: seconds } => Self(seconds.to()),
        }
    }
}
