//! Hex with `0x`, in which addresses carry their checksum. For `#[serde(with = "…")]`.

use crate::parse_address;
use alloc::{
    format,
    string::{String, ToString},
};
use alloy_primitives::{Address, Bytes, FixedBytes};
use core::{fmt, marker::PhantomData};
use serde::{Deserializer, Serialize, Serializer, de};

/// Bytes that are written in hex.
pub trait Hex: Sized + Serialize {
    /// Reads hex with `0x`; an address also by its checksum.
    ///
    /// # Errors
    ///
    /// The reason why the text is not such bytes.
    fn read(text: &str) -> Result<Self, String>;
}

impl Hex for Address {
    fn read(text: &str) -> Result<Self, String> {
        parse_address(text).map_err(|error| format!("address {text:?}: {error}"))
    }
}

impl<const N: usize> Hex for FixedBytes<N> {
    fn read(text: &str) -> Result<Self, String> {
        prefixed(text)?.parse().map_err(|error| format!("{N} bytes in hex, {text:?}: {error}"))
    }
}

impl Hex for Bytes {
    fn read(text: &str) -> Result<Self, String> {
        prefixed(text)?.parse().map_err(|error| format!("bytes in hex: {error}"))
    }
}

fn prefixed(text: &str) -> Result<&str, String> {
    if text.starts_with("0x") { Ok(text) } else { Err("hex begins with 0x".to_string()) }
}

/// Writes the bytes.
///
/// # Errors
///
/// The serializer's error.
pub fn serialize<T: Hex, S: Serializer>(bytes: &T, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.serialize(serializer)
}

/// Reads the bytes.
///
/// # Errors
///
/// The deserializer's error, also for hex without `0x` and for an address whose checksum is wrong.
pub fn deserialize<'de, T: Hex, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(HexVisitor(PhantomData))
}

struct HexVisitor<T>(PhantomData<T>);

impl<T: Hex> de::Visitor<'_> for HexVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hex string with 0x")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).map_err(E::custom)
    }
}
