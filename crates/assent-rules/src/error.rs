//! What is wrong with a key of a source.

use alloc::string::String;
use assent_json::Value;

/// A key of a source, `reduce` or `within`, is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceKeyError {
    /// A value has another type.
    #[error("must be {expected}, not {actual}")]
    WrongType {
        /// The field, if the value is one field's.
        field: Option<String>,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        actual: &'static str,
    },
    /// A value cannot be used.
    #[error("{value:?} {reason}")]
    Invalid {
        /// The field, if the value is one field's.
        field: Option<String>,
        /// The value.
        value: String,
        /// Why not, and what to write instead.
        reason: String,
    },
}

impl SourceKeyError {
    /// Returns the field whose value is wrong, unless it is the whole.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::WrongType { field, .. } | Self::Invalid { field, .. } => field.as_deref(),
        }
    }

    pub(crate) fn wrong_type(field: Option<&str>, expected: &'static str, actual: &Value) -> Self {
        Self::WrongType { field: field.map(Into::into), expected, actual: actual.kind() }
    }
}

pub(crate) fn invalid(field: Option<&str>, value: &str, reason: impl Into<String>) -> SourceKeyError {
    SourceKeyError::Invalid { field: field.map(Into::into), value: value.into(), reason: reason.into() }
}
