//! Why bytes are not a message.

/// The most bytes of a message: 1 MiB.
pub const MAX_MESSAGE: usize = 1 << 20;

/// The bytes are not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The message is too long.
    #[error("the message has {0} bytes, more than {MAX_MESSAGE}")]
    TooLong(usize),
    /// The message is not strict JSON.
    #[error("the message is not strict JSON: {0}")]
    Json(#[from] assent_json::ParseError),
    /// The message has a type that no message of its sender has.
    #[error("unknown type of message {0:?}")]
    UnknownType(String),
    /// A field is not one of the message's.
    #[error("unknown field `{0}`")]
    UnknownField(String),
    /// A field is missing.
    #[error("missing field `{0}`")]
    MissingField(String),
    /// A field has an invalid value.
    #[error("field `{field}` {reason}")]
    InvalidField {
        /// The field.
        field: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}
