//! Reading JSON with errors that name where.

use assent_json::{Object, ParseError, Value};

/// A JSON text is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It does not parse.
    #[error("line {line}, column {column}: {}", error.kind)]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The parser's error.
        error: ParseError,
    },
    /// A key is missing.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A key is not one of those that are read.
    #[error("`{key}` is unknown; the keys here are {known}")]
    Unknown {
        /// The key, with the keys of the objects around it.
        key: String,
        /// The keys that are read.
        known: String,
    },
    /// A value has another type.
    #[error("`{key}` must be {expected}, not {actual}")]
    WrongType {
        /// The key.
        key: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        actual: &'static str,
    },
    /// A value cannot be used.
    #[error("`{key}`: {value:?} {reason}")]
    Invalid {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Why not, and what to write instead.
        reason: String,
    },
}

/// Parses JSON that people write.
pub(crate) fn parse(text: &[u8]) -> Result<Value, JsonError> {
    assent_json::parse(text).map_err(|error| syntax(error, text))
}

/// Parses JSON in its canonical form.
pub(crate) fn parse_canonical(text: &[u8]) -> Result<Value, JsonError> {
    assent_json::parse_canonical(text).map_err(|error| syntax(error, text))
}

/// Returns the canonical form of an object.
pub(crate) fn canonical(object: Object) -> String {
    Value::from(object).to_canonical()
}

fn syntax(error: ParseError, text: &[u8]) -> JsonError {
    let (line, column) = error.line_and_column(text);
    JsonError::Syntax { line, column, error }
}

/// An object, with its key for errors.
pub(crate) struct Reader<'a> {
    object: &'a Object,
    /// The key of the object, with a dot behind it; empty at the top.
    prefix: String,
}

impl<'a> Reader<'a> {
    /// Reads an object that has only these keys.
    pub(crate) fn new(value: &'a Value, key: &str, known: &[&str]) -> Result<Self, JsonError> {
        let object = value
            .as_object()
            .ok_or_else(|| wrong_type(if key.is_empty() { "the file" } else { key }, "an object", value))?;
        let prefix = if key.is_empty() { String::new() } else { format!("{key}.") };
        if let Some(unknown) = object.keys().find(|key| !known.contains(key)) {
            let known = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            return Err(JsonError::Unknown { key: format!("{prefix}{unknown}"), known });
        }
        Ok(Self { object, prefix })
    }

    pub(crate) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(crate) fn optional(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key)
    }

    pub(crate) fn required(&self, key: &str) -> Result<&'a Value, JsonError> {
        self.optional(key).ok_or_else(|| JsonError::Missing(self.key(key)))
    }

    pub(crate) fn string(&self, key: &str) -> Result<&'a str, JsonError> {
        let value = self.required(key)?;
        value.as_str().ok_or_else(|| wrong_type(&self.key(key), "a string", value))
    }

    pub(crate) fn integer(&self, key: &str) -> Result<u64, JsonError> {
        let value = self.required(key)?;
        value.as_u64().ok_or_else(|| wrong_type(&self.key(key), "a positive integer", value))
    }

    /// Returns the elements of an array, each with its key.
    pub(crate) fn array(&self, key: &str) -> Result<Vec<(String, &'a Value)>, JsonError> {
        let value = self.required(key)?;
        let elements = value.as_array().ok_or_else(|| wrong_type(&self.key(key), "an array", value))?;
        Ok(elements
            .iter()
            .enumerate()
            .map(|(index, element)| (format!("{}[{index}]", self.key(key)), element))
            .collect())
    }

    /// Returns the strings of an array, each with its key.
    pub(crate) fn strings(&self, key: &str) -> Result<Vec<(String, &'a str)>, JsonError> {
        let elements = self.array(key)?.into_iter();
        elements.map(|(key, value)| Ok((key.clone(), text(&key, value)?))).collect()
    }
}

/// Returns a value as a string.
pub(crate) fn text<'a>(key: &str, value: &'a Value) -> Result<&'a str, JsonError> {
    value.as_str().ok_or_else(|| wrong_type(key, "a string", value))
}

pub(crate) fn wrong_type(key: &str, expected: &'static str, value: &Value) -> JsonError {
    JsonError::WrongType { key: key.into(), expected, actual: value.kind() }
}

pub(crate) fn invalid(key: impl Into<String>, value: &str, reason: impl Into<String>) -> JsonError {
    JsonError::Invalid { key: key.into(), value: value.into(), reason: reason.into() }
}

/// Reads 32 bytes, in lower-case hex with `0x`.
pub(crate) fn hash(key: &str, text: &str) -> Result<alloy_primitives::B256, JsonError> {
    let hash = bytes(key, text)?;
    hash.as_ref().try_into().map_err(|_| invalid(key, text, "is not 32 bytes"))
}

/// Reads bytes, in lower-case hex with `0x`.
pub(crate) fn bytes(key: &str, text: &str) -> Result<alloy_primitives::Bytes, JsonError> {
    let decoded = text.strip_prefix("0x").and_then(|digits| alloy_primitives::hex::decode(digits).ok());
    let decoded = decoded.filter(|_| !text.contains(|c: char| c.is_ascii_uppercase()));
    decoded.map(Into::into).ok_or_else(|| invalid(key, text, "is not lower-case hex with 0x"))
}
