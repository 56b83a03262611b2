//! Numbers: every spelling is read, and what is written loses no digits.

use crate::{EpochId, OperatorSetId};
use alloc::format;
use alloy_primitives::{
    U256,
    aliases::{U48, U96},
};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An unsigned integer of at most 256 bits, which [`integer`] or [`wide`] writes.
pub trait Number: Sized + Copy {
    /// The integer's width.
    const BITS: usize;

    /// Returns the number in 256 bits.
    fn widen(self) -> U256;

    /// Returns the number, or `None` if it does not fit.
    fn narrow(wide: U256) -> Option<Self>;
}

macro_rules! numbers {
    ($($name:ty: $bits:literal, $narrow:expr;)*) => {$(
        impl Number for $name {
            const BITS: usize = $bits;

            fn widen(self) -> U256 {
                U256::from(self)
            }

            fn narrow(wide: U256) -> Option<Self> {
                let narrow: fn(U256) -> Option<Self> = $narrow;
                narrow(wide)
            }
        }
    )*};
}

numbers! {
    u16: 16, |wide| wide.try_into().ok();
    u32: 32, |wide| wide.try_into().ok();
    u64: 64, |wide| wide.try_into().ok();
    U48: 48, |wide| Self::checked_from_limbs_slice(wide.as_limbs());
    U96: 96, |wide| Self::checked_from_limbs_slice(wide.as_limbs());
    U256: 256, Some;
}

macro_rules! ids {
    ($($name:ty),*) => {$(
        impl Number for $name {
            const BITS: usize = <u32 as Number>::BITS;

            fn widen(self) -> U256 {
                self.0.widen()
            }

            fn narrow(wide: U256) -> Option<Self> {
                u32::narrow(wide).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                integer::serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize(deserializer)
            }
        }
    )*};
}

ids!(EpochId, OperatorSetId);

/// Numbers of at most 64 bits, written as JSON integers. For `#[serde(with = "…")]`.
pub mod integer {
    use super::{Number, Serializer};

    /// Writes a number.
    ///
    /// # Errors
    ///
    /// The serializer's error, also for a number above 64 bits.
    pub fn serialize<N: Number, S: Serializer>(number: &N, serializer: S) -> Result<S::Ok, S::Error> {
        let number = u64::try_from(number.widen()).map_err(serde::ser::Error::custom)?;
        serializer.serialize_u64(number)
    }

    pub use super::deserialize;
}

/// Numbers of more than 64 bits, written as decimal strings. For `#[serde(with = "…")]`.
pub mod wide {
    use super::{Number, Serializer};

    /// Writes a number.
    ///
    /// # Errors
    ///
    /// The serializer's error.
    pub fn serialize<N: Number, S: Serializer>(number: &N, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&number.widen())
    }

    pub use super::deserialize;
}

/// Reads a number in any spelling.
///
/// # Errors
///
/// The deserializer's error, also for a number that does not fit.
pub fn deserialize<'de, N: Number, D: Deserializer<'de>>(deserializer: D) -> Result<N, D::Error> {
    let wide = deserializer.deserialize_any(NumberVisitor)?;
    N::narrow(wide).ok_or_else(|| de::Error::custom(format!("{wide} does not fit {} bits", N::BITS)))
}

struct NumberVisitor;

impl de::Visitor<'_> for NumberVisitor {
    type Value = U256;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, as an integer, a decimal string or a hex string with 0x")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<U256, E> {
        Ok(U256::from(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<U256, E> {
        let (digits, radix) = match text.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (text, 10),
        };
        // The parser would take no digits for zero, and underscores between them.
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
            return Err(E::invalid_value(de::Unexpected::Str(text), &self));
        }
        U256::from_str_radix(digits, radix.into()).map_err(|_| E::custom(format!("{text} does not fit 256 bits")))
    }
}
