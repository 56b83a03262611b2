//! Reading of a message's fields: each that is named, and no other.

use alloy_primitives::{Address, B256, U256, hex};
use assent_json::{Object, Value};
use assent_types::Signature;

use crate::message_error::MessageError;

/// An object whose keys are exactly those that a message has.
pub(crate) struct Fields<'a>(&'a Object);

impl<'a> Fields<'a> {
    pub(crate) fn new(value: &'a Value, keys: &[&str]) -> Result<Self, MessageError> {
        let object = value.as_object().ok_or_else(|| invalid("message", "is not an object"))?;
        if let Some(unknown) = object.keys().find(|key| !keys.contains(key)) {
            return Err(MessageError::UnknownField(unknown.to_owned()));
        }
        match keys.iter().find(|key| object.get(key).is_none()) {
            Some(missing) => Err(MessageError::MissingField((*missing).to_owned())),
            None => Ok(Self(object)),
        }
    }

    pub(crate) fn value(&self, key: &str) -> Result<&'a Value, MessageError> {
        self.0.get(key).ok_or_else(|| MessageError::MissingField(key.to_owned()))
    }

    pub(crate) fn text(&self, key: &str) -> Result<&'a str, MessageError> {
        self.value(key)?.as_str().ok_or_else(|| invalid(key, "is not a string"))
    }

    /// Returns a string of at most `max` bytes.
    pub(crate) fn bounded_text(&self, key: &str, max: usize) -> Result<String, MessageError> {
        let text = self.text(key)?;
        if text.len() > max { Err(invalid(key, "is too long")) } else { Ok(text.to_owned()) }
    }

    pub(crate) fn integer(&self, key: &str) -> Result<u64, MessageError> {
        self.value(key)?.as_u64().ok_or_else(|| invalid(key, "is not a non-negative integer"))
    }

    pub(crate) fn small<T: TryFrom<u64>>(&self, key: &str) -> Result<T, MessageError> {
        self.integer(key)?.try_into().map_err(|_| invalid(key, "is too large"))
    }

    pub(crate) fn boolean(&self, key: &str) -> Result<bool, MessageError> {
        self.value(key)?.as_bool().ok_or_else(|| invalid(key, "is not true or false"))
    }

    /// Returns an integer of up to 256 bits, a decimal string in its shortest form.
    pub(crate) fn wide(&self, key: &str) -> Result<U256, MessageError> {
        let text = self.text(key)?;
        let number = U256::from_str_radix(text, 10).ok().filter(|number| number.to_string() == text);
        number.ok_or_else(|| invalid(key, "is not a decimal string of a 256-bit integer"))
    }

    pub(crate) fn bytes(&self, key: &str) -> Result<Vec<u8>, MessageError> {
        bytes_of(key, self.value(key)?)
    }

    pub(crate) fn hash(&self, key: &str) -> Result<B256, MessageError> {
        hash_of(key, self.value(key)?)
    }

    pub(crate) fn address(&self, key: &str) -> Result<Address, MessageError> {
        self.bytes(key)?.as_slice().try_into().map_err(|_| invalid(key, "is not 20 bytes"))
    }

    pub(crate) fn signature(&self, key: &str) -> Result<Signature, MessageError> {
        Signature::try_from(self.bytes(key)?.as_slice()).map_err(|_| invalid(key, "is not 96 bytes"))
    }

    /// Returns a list of at most `max` elements, each read by `read`.
    pub(crate) fn list<T>(
        &self,
        key: &str,
        max: usize,
        read: impl Fn(&'a Value) -> Result<T, MessageError>,
    ) -> Result<Vec<T>, MessageError> {
        let elements = self.value(key)?.as_array().ok_or_else(|| invalid(key, "is not a list"))?;
        if elements.len() > max {
            return Err(invalid(key, "has too many elements"));
        }
        elements.iter().map(read).collect()
    }
}

fn bytes_of(key: &str, value: &Value) -> Result<Vec<u8>, MessageError> {
    let text = value.as_str().ok_or_else(|| invalid(key, "is not a string"))?;
    let digits = text.strip_prefix("0x").filter(|digits| !digits.contains(|c: char| c.is_ascii_uppercase()));
    digits.and_then(|digits| hex::decode(digits).ok()).ok_or_else(|| invalid(key, "is not lower-case hex with 0x"))
}

/// Returns the hash that is a field's value, or an element of it.
pub(crate) fn hash_of(key: &str, value: &Value) -> Result<B256, MessageError> {
    bytes_of(key, value)?.as_slice().try_into().map_err(|_| invalid(key, "is not 32 bytes"))
}

pub(crate) fn invalid(field: &str, reason: &'static str) -> MessageError {
    MessageError::InvalidField { field: field.to_owned(), reason }
}

/// Returns an object's value.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::from(Object::from_iter(fields))
}

pub(crate) fn hex_value(bytes: impl AsRef<[u8]>) -> Value {
    Value::from(hex::encode_prefixed(bytes))
}

pub(crate) fn wide_value(number: U256) -> Value {
    Value::from(number.to_string())
}

/// Returns an integer; one that JSON cannot hold exactly becomes the largest that it can.
pub(crate) fn integer_value(number: u64) -> Value {
    let number = i64::try_from(number).unwrap_or(i64::MAX).min(assent_json::MAX_INTEGER);
    Value::try_from(number).unwrap_or_default()
}
