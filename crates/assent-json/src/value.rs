//! Values.

use crate::object::Object;
use alloc::{string::String, vec::Vec};
use core::fmt;

/// The largest integer: 2^53 − 1, up to which a double holds every integer exactly.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// A JSON value.
///
/// The list is complete: JSON has no other values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, which is always an integer.
    Integer(SafeInteger),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

/// An integer of at most 2^53 − 1 in magnitude, which every reader of JSON holds exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeInteger(i64);

/// An integer whose magnitude is more than 2^53 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} exceeds 2^53 - 1 in magnitude")]
pub struct OutOfRange(pub i64);

impl SafeInteger {
    /// Returns the integer.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl Value {
    /// Returns the value of an object's key. Returns nothing if this is no object, or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// Returns the boolean, if this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// Returns the integer, if this is one.
    pub const fn as_i64(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(value.get()) } else { None }
    }

    /// Returns the integer, if this is one that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_i64().and_then(|value| value.try_into().ok())
    }

    /// Returns the string, if this is one.
    pub const fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value.as_str()) } else { None }
    }

    /// Returns the elements, if this is an array.
    pub const fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(value) = self { Some(value.as_slice()) } else { None }
    }

    /// Returns the object, if this is one.
    pub const fn as_object(&self) -> Option<&Object> {
        if let Self::Object(value) = self { Some(value) } else { None }
    }

    /// Returns what kind of value this is, with its article: "a string", "an object".
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Writes the canonical form.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_canonical())
    }
}

impl fmt::Display for SafeInteger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl TryFrom<i64> for SafeInteger {
    type Error = OutOfRange;

    fn try_from(value: i64) -> Result<Self, OutOfRange> {
        if (-MAX_INTEGER..=MAX_INTEGER).contains(&value) { Ok(Self(value)) } else { Err(OutOfRange(value)) }
    }
}

impl From<i32> for SafeInteger {
    fn from(value: i32) -> Self {
        Self(value.into())
    }
}

impl From<u32> for SafeInteger {
    fn from(value: u32) -> Self {
        Self(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<SafeInteger> for Value {
    fn from(value: SafeInteger) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl TryFrom<i64> for Value {
    type Error = OutOfRange;

    fn try_from(value: i64) -> Result<Self, OutOfRange> {
        value.try_into().map(Self::Integer)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}
