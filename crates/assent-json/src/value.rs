//! Values, and objects: members in the canonical order of their keys.

use alloc::{string::String, vec::Vec};
use core::{cmp::Ordering, fmt};

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

/// A JSON object, whose keys differ and are in the order of RFC 8785: by their UTF-16 code units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Object {
    members: Vec<(String, Value)>,
}

impl Object {
    /// Returns an object without members.
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Returns the object of these members, and whether they were in order.
    ///
    /// # Errors
    ///
    /// The index of the first member whose key occurred before.
    pub(crate) fn from_members(mut members: Vec<(String, Value)>) -> Result<(Self, bool), usize> {
        if members.is_sorted_by(|left, right| compare(&left.0, &right.0) == Ordering::Less) {
            return Ok((Self { members }, true));
        }
        let mut order: Vec<usize> = (0..members.len()).collect();
        let key = |index: &usize| members.get(*index).map_or("", |(key, _)| key.as_str());
        // Stable: equal keys remain in the order of their occurrence.
        order.sort_by(|left, right| compare(key(left), key(right)));
        let equal = order.array_windows().filter(|[left, right]| key(left) == key(right));
        if let Some(duplicate) = equal.map(|[_, right]| *right).min() {
            return Err(duplicate);
        }
        members.sort_by(|left, right| compare(&left.0, &right.0));
        Ok((Self { members }, false))
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let index = self.find(key).ok()?;
        self.members.get_mut(index).map(|(_, value)| value)
    }

    /// Inserts a member. Returns the value that the key had before.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.find(&key) {
            Ok(index) => self.members.get_mut(index).map(|(_, old)| core::mem::replace(old, value)),
            Err(index) => {
                self.members.insert(index, (key, value));
                None
            }
        }
    }

    /// Removes a member. Returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find(key).ok().map(|index| self.members.remove(index).1)
    }

    /// Returns the number of members.
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether there are no members.
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns the keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.members.iter().map(|(key, _)| key.as_str())
    }

    /// Returns the members, in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.members.iter().map(|(key, value)| (key.as_str(), value))
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.members.binary_search_by(|(member, _)| compare(member, key))
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = alloc::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

/// Of two members with the same key, the later one counts.
impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut object = Self::new();
        for (key, value) in members {
            object.insert(key, value);
        }
        object
    }
}

/// Compares by UTF-16 code units.
///
/// The order of UTF-8 bytes is that of the characters, and differs in one case: U+E000 to U+FFFF come before the
/// characters above, but after the surrogates that UTF-16 writes those as.
fn compare(left: &str, right: &str) -> Ordering {
    let differs = left.bytes().zip(right.bytes()).find(|(left, right)| left != right);
    differs.map_or_else(|| left.len().cmp(&right.len()), |(left, right)| rank(left).cmp(&rank(right)))
}

/// Moves the lead bytes of U+E000 to U+FFFF behind those of the characters above.
const fn rank(byte: u8) -> u8 {
    match byte {
        0xee | 0xef => byte + 0x10,
        _ => byte,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn utf16(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn keys_are_in_the_order_of_their_utf16_code_units_at_every_boundary() {
        let texts: Vec<String> =
            "\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{efff}\u{f000}\u{ffff}\u{10000}\u{10ffff}"
                .chars()
                .flat_map(|last| {
                    ["".to_string(), "\u{e000}".to_string(), "\u{10000}".to_string()]
                        .map(|text| text + &last.to_string())
                })
                .collect();
        for left in &texts {
            for right in &texts {
                assert_eq!(compare(left, right), utf16(left).cmp(&utf16(right)), "{left:?} {right:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_their_utf16_code_units(left in any::<String>(), right in any::<String>()) {
            prop_assert_eq!(compare(&left, &right), utf16(&left).cmp(&utf16(&right)));
        }
    }
}
