//! Integers of at most 256 bits, exact, and what a schema's formats make of strings.

use assent_json::Value;
use num_bigint::{BigInt, BigUint, Sign};

/// The most decimal digits of an integer of 256 bits.
const MAX_DIGITS: usize = 78;

/// Reads a decimal integer of at most 256 bits, without sign or leading zero.
///
/// ```
/// use assent_rules::parse_uint;
///
/// assert_eq!(parse_uint("10"), Some(10_u8.into()));
/// assert_eq!(parse_uint("010"), None);
/// assert_eq!(parse_uint("-10"), None);
/// ```
pub fn parse_uint(text: &str) -> Option<BigUint> {
    let is_canonical = text == "0" || !text.starts_with('0');
    if !is_canonical || !(1..=MAX_DIGITS).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.len() < 20 {
        return text.parse::<u64>().ok().map(BigUint::from);
    }
    BigUint::parse_bytes(text.as_bytes(), 10).filter(|integer| integer.bits() <= 256)
}

/// Reads a decimal integer of 256 bits in two's complement, without leading zero.
///
/// ```
/// use assent_rules::parse_int;
///
/// assert_eq!(parse_int("-10"), Some((-10).into()));
/// assert_eq!(parse_int("-0"), None);
/// ```
pub fn parse_int(text: &str) -> Option<BigInt> {
    let (is_negative, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (true, parse_uint(magnitude)?),
        None => (false, parse_uint(text)?),
    };
    let integer = BigInt::from_biguint(if is_negative { Sign::Minus } else { Sign::Plus }, magnitude);
    // −0 is written without a sign, and −2^255 has a magnitude of one bit more than the others.
    let is_valid = !(is_negative && integer.sign() == Sign::NoSign) && integer.to_signed_bytes_be().len() <= 32;
    is_valid.then_some(integer)
}

/// A format of a schema that makes an exact integer of a string.
///
/// The list is complete: another format would be another evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegerFormat {
    /// 0 to 2^256 − 1.
    Uint256,
    /// −2^255 to 2^255 − 1.
    Int256,
}

impl IntegerFormat {
    /// Returns the format with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "uint256" => Some(Self::Uint256),
            "int256" => Some(Self::Int256),
            _ => None,
        }
    }

    /// Returns the integer of a text.
    pub fn parse(self, text: &str) -> Option<BigInt> {
        match self {
            Self::Uint256 => parse_uint(text).map(BigInt::from),
            Self::Int256 => parse_int(text),
        }
    }
}

/// Returns the format that a schema states for a string.
pub fn string_format(schema: Option<&Value>) -> Option<&str> {
    let schema = schema?;
    if schema.get("type")?.as_str() != Some("string") {
        return None;
    }
    schema.get("format")?.as_str()
}

/// Returns a value as an integer: a string of which the schema makes one, or a JSON integer.
pub(crate) fn integer(value: &Value, schema: Option<&Value>) -> Option<BigInt> {
    match string_format(schema).and_then(IntegerFormat::from_name) {
        Some(format) => format.parse(value.as_str()?),
        None => value.as_i64().map(BigInt::from),
    }
}
