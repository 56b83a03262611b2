//! Why a text is refused.

use alloc::string::String;
use core::fmt;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;

/// A text that is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {offset}")]
#[non_exhaustive]
pub struct ParseError {
    /// The reason.
    pub kind: ErrorKind,
    /// The offset of the byte at fault. For a token, the offset of its first byte.
    pub offset: usize,
}

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not UTF-8.
    InvalidUtf8,
    /// The text ends too early.
    UnexpectedEnd,
    /// Something else must be here.
    Expected(&'static str),
    /// The text continues after the value.
    TrailingData,
    /// A string contains an unescaped character below U+0020.
    ControlCharacter,
    /// A backslash is not followed by one of `"\/bfnrt`, or by `u` and four hexadecimal digits.
    InvalidEscape,
    /// An escape is half of a surrogate pair, without the other half.
    LoneSurrogate,
    /// A number starts with a superfluous zero.
    LeadingZero,
    /// A number has a fraction.
    Fraction,
    /// A number has an exponent.
    Exponent,
    /// The magnitude of an integer is more than 2^53 − 1.
    IntegerOutOfRange,
    /// An object has the key twice.
    DuplicateKey(String),
    /// Arrays and objects are nested more than 64 deep.
    TooDeep,
    /// The value is valid, but its canonical form differs from the text here.
    NotCanonical,
}

impl ParseError {
    pub(crate) const fn new(kind: ErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// Returns the line and the column of the error in the text, both from 1. Columns count characters.
    ///
    /// ```
    /// let text = b"{\n  \"limit\": 2.5\n}";
    /// assert_eq!(assent_json::parse(text).unwrap_err().line_and_column(text), (2, 12));
    /// ```
    pub fn line_and_column(&self, text: &[u8]) -> (usize, usize) {
        let before = text.get(..self.offset).unwrap_or(text);
        let newlines = before.iter().filter(|byte| **byte == b'\n').count();
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        // A byte 10xxxxxx continues a character.
        let characters = line.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        (newlines + 1, characters + 1)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUtf8 => write!(out, "the text is not UTF-8"),
            Self::UnexpectedEnd => write!(out, "the text ends too early"),
            Self::Expected(what) => write!(out, "expected {what}"),
            Self::TrailingData => write!(out, "the text continues after the value"),
            Self::ControlCharacter => write!(out, "a control character in a string must be escaped"),
            Self::InvalidEscape => write!(out, "the escape is invalid"),
            Self::LoneSurrogate => write!(out, "the escape is half of a surrogate pair"),
            Self::LeadingZero => write!(out, "a number must not start with a superfluous zero"),
            Self::Fraction => write!(out, "a number must be an integer, without a fraction"),
            Self::Exponent => write!(out, "a number must be an integer, without an exponent"),
            Self::IntegerOutOfRange => {
                write!(out, "the integer exceeds 2^53 - 1 in magnitude; write it as a decimal string")
            }
            Self::DuplicateKey(key) => write!(out, "the key {key:?} occurs twice"),
            Self::TooDeep => write!(out, "arrays and objects are nested more than {} deep", MAX_DEPTH),
            Self::NotCanonical => write!(out, "the text differs from its canonical form (RFC 8785)"),
        }
    }
}
