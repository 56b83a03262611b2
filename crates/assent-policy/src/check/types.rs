//! Types of values, as far as they are known before evaluation.

use std::collections::BTreeMap;

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Not known: every comparison is permitted.
    Unknown,
    Null,
    Boolean,
    Number,
    Text(Text),
    Array(Box<Type>),
    Set(Box<Type>),
    /// Known fields, and the type of others. Without the latter there are no others.
    Object(BTreeMap<String, Type>, Option<Box<Type>>),
}

/// What is known of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Text {
    /// Nothing.
    Any,
    /// One of these literals.
    Literals(Vec<String>),
    /// A string of parameters or data, without a format: its letters can be of either case.
    Plain,
    /// An address in lower case.
    Address,
    /// Bytes in lower-case hex.
    Bytes,
    /// The name of a function of the manifest.
    Function,
    /// The signature of a function of the manifest.
    Signature,
}

impl Type {
    pub(super) fn literal(text: &str) -> Self {
        Self::Text(Text::Literals(vec![text.into()]))
    }

    /// Returns the kind, with its article. Nothing if it is not known.
    pub(super) const fn kind(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unknown => return None,
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Set(_) => "a set",
            Self::Object(..) => "an object",
        })
    }

    /// Returns the type of either of two values.
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Text(Text::Literals(mut texts)), Self::Text(Text::Literals(others))) => {
                texts.extend(others);
                Self::Text(Text::Literals(texts))
            }
            (Self::Text(one), Self::Text(other)) => Self::Text(if one == other { one } else { Text::Any }),
            (Self::Array(one), Self::Array(other)) => Self::Array(Box::new(one.join(*other))),
            (Self::Set(one), Self::Set(other)) => Self::Set(Box::new(one.join(*other))),
            (one, other) if one == other => one,
            _ => Self::Unknown,
        }
    }

    /// Returns the type of all of these values.
    pub(super) fn join_all(types: impl IntoIterator<Item = Self>) -> Self {
        types.into_iter().reduce(Self::join).unwrap_or(Self::Unknown)
    }

    /// Returns the type of the elements of a collection.
    pub(super) fn element(&self) -> Self {
        match self {
            Self::Array(element) | Self::Set(element) => (**element).clone(),
            Self::Object(fields, others) => {
                Self::join_all(fields.values().cloned().chain(others.iter().map(|other| (**other).clone())))
            }
            _ => Self::Unknown,
        }
    }

    /// Returns the type of a field. Nothing if there is no such field.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Object(fields, others) => {
                fields.get(name).cloned().or_else(|| others.as_ref().map(|other| (**other).clone()))
            }
            _ => Some(Self::Unknown),
        }
    }
}
