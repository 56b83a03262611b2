//! Exact integers, and what a schema's formats make of strings.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use assent_json::Value as Json;
use assent_rules::{IntegerFormat, string_format};
use num_bigint::{BigInt, Sign};
use regorus::Value;

/// Returns the value of a big-endian unsigned integer.
pub(crate) fn uint(bytes: &[u8]) -> Value {
    match small(bytes) {
        Some(integer) => integer.into(),
        None => number(BigInt::from_bytes_be(Sign::Plus, bytes)),
    }
}

/// Returns the value of a big-endian integer in two's complement.
pub(crate) fn int(bytes: &[u8]) -> Value {
    if bytes.first().is_none_or(|byte| byte & 0x80 == 0) {
        return uint(bytes);
    }
    number(BigInt::from_signed_bytes_be(bytes))
}

/// Returns the value of an integer of 256 bits, written in decimal without sign or leading zero.
pub(crate) fn parse_uint(text: &str) -> Option<Value> {
    assent_rules::parse_uint(text).map(|magnitude| number(BigInt::from(magnitude)))
}

/// Returns the value of an integer of 256 bits in two's complement, written in decimal without leading zero.
pub(crate) fn parse_int(text: &str) -> Option<Value> {
    assent_rules::parse_int(text).map(number)
}

/// Returns a number as a non-negative integer of 256 bits.
pub(crate) fn to_uint(value: &Value) -> Option<[u8; 32]> {
    let integer = to_integer(value)?;
    if integer.sign() == Sign::Minus {
        return None;
    }
    padded(&integer.magnitude().to_bytes_be(), 0)
}

/// Returns a number as an integer of 256 bits in two's complement.
pub(crate) fn to_int(value: &Value) -> Option<[u8; 32]> {
    let integer = to_integer(value)?;
    padded(&integer.to_signed_bytes_be(), if integer.sign() == Sign::Minus { 0xff } else { 0 })
}

/// Returns a number as an integer, unless it is a fraction or was rounded.
fn to_integer(value: &Value) -> Option<BigInt> {
    let number = value.as_number().ok()?;
    if !number.is_integer() {
        return None;
    }
    number.to_big().ok().map(|integer| (*integer).clone())
}

fn padded(bytes: &[u8], filler: u8) -> Option<[u8; 32]> {
    let mut word = [filler; 32];
    let start = word.len().checked_sub(bytes.len())?;
    word.get_mut(start..)?.copy_from_slice(bytes);
    Some(word)
}

fn small(bytes: &[u8]) -> Option<u64> {
    let start = bytes.len().saturating_sub(8);
    let (high, low) = bytes.split_at_checked(start)?;
    if high.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some(low.iter().fold(0, |integer, byte| (integer << 8) | u64::from(*byte)))
}

/// Makes a value of an integer. The type of regorus' numbers cannot be named, but it can be inferred.
fn number(integer: BigInt) -> Value {
    fn like<N: From<BigInt>>(_: &N, integer: BigInt) -> Value
    where
        Value: From<N>,
    {
        N::from(integer).into()
    }
    match Value::from(0_u64).as_number() {
        Ok(zero) => like(zero, integer),
        Err(_) => Value::Undefined,
    }
}

/// A format of a schema that makes an exact value of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Integer(IntegerFormat),
    Address,
    Bytes,
}

impl Format {
    /// Returns the format that a schema states for a string.
    pub(crate) fn of(schema: Option<&Json>) -> Option<Self> {
        match string_format(schema)? {
            "address" => Some(Self::Address),
            "bytes" => Some(Self::Bytes),
            name => IntegerFormat::from_name(name).map(Self::Integer),
        }
    }

    /// Returns the exact value of a text.
    pub(crate) fn value(self, text: &str) -> Option<Value> {
        match self {
            Self::Integer(format) => format.parse(text).map(number),
            Self::Address if text.len() != 42 => None,
            Self::Address | Self::Bytes if is_lower_hex(text) => Some(text.into()),
            Self::Address | Self::Bytes => lower_hex(text).map(Value::from),
        }
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::Integer(IntegerFormat::Uint256) => {
                "a decimal integer from 0 to 2^256 - 1, without sign or leading zero"
            }
            Self::Integer(IntegerFormat::Int256) => "a decimal integer from -2^255 to 2^255 - 1, without leading zero",
            Self::Address => "0x and 40 hexadecimal digits",
            Self::Bytes => "0x and an even number of hexadecimal digits",
        }
    }
}

/// Returns whether a text is 0x and whole bytes in hexadecimal, in lower case.
pub(crate) fn is_lower_hex(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("0x") else { return false };
    digits.len().is_multiple_of(2) && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns 0x and whole bytes in hexadecimal, in lower case.
pub(crate) fn lower_hex(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x")?;
    let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| text.to_ascii_lowercase())
}

/// Returns 0x and bytes in hexadecimal, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble & 15)).copied().unwrap_or_default();
    let mut text = String::with_capacity(bytes.len().saturating_mul(2).saturating_add(2));
    text.push_str("0x");
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
    text
}

/// Returns the bytes of 0x and hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
    pairs.iter().map(|[high, low]| Some((nibble(*high)? << 4) | nibble(*low)?)).collect()
}

/// Returns a JSON value as the rules see it: strings to which the schema gives an exact format become exact values.
///
/// The schema is followed by `properties`, `additionalProperties`, `items` and `prefixItems`.
///
/// # Errors
///
/// The path of a value that is not what its format says, and what it must be.
pub(crate) fn value(json: Json, schema: Option<&Json>) -> Result<Value, String> {
    convert(json, schema).map_err(|(path, message)| format!("`{}` {message}", path.trim_start_matches('.')))
}

fn convert(json: Json, schema: Option<&Json>) -> Result<Value, (String, String)> {
    if let Some(format) = Format::of(schema) {
        return exact(&json, format).map_err(|message| (String::new(), message));
    }
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => value.into(),
        Json::Integer(value) => value.get().into(),
        Json::String(value) => value.into(),
        Json::Array(values) => array(values, schema)?.into(),
        Json::Object(members) => object(members, schema)?.into(),
    })
}

fn exact(json: &Json, format: Format) -> Result<Value, String> {
    let exact = json.as_str().and_then(|text| format.value(text));
    exact.ok_or_else(|| format!("must be {}, not {json}", format.describe()))
}

fn array(values: Vec<Json>, schema: Option<&Json>) -> Result<Vec<Value>, (String, String)> {
    let keyword = |name: &str| schema.and_then(|schema| schema.get(name));
    let first = keyword("prefixItems").and_then(Json::as_array).unwrap_or_default();
    let others = keyword("items");
    if let (true, Some(format)) = (first.is_empty(), Format::of(others)) {
        // Most lists: the schema is looked up once.
        let element =
            |(index, value): (usize, Json)| exact(&value, format).map_err(|message| (format!("[{index}]"), message));
        return values.into_iter().enumerate().map(element).collect();
    }
    let element = |(index, value)| {
        convert(value, first.get(index).or(others)).map_err(|(path, message)| (format!("[{index}]{path}"), message))
    };
    values.into_iter().enumerate().map(element).collect()
}

fn object(members: assent_json::Object, schema: Option<&Json>) -> Result<BTreeMap<Value, Value>, (String, String)> {
    let keyword = |name: &str| schema.and_then(|schema| schema.get(name));
    let (named, others) = (keyword("properties"), keyword("additionalProperties"));
    let member = |(key, value): (String, Json)| {
        let schema = named.and_then(|named| named.get(&key)).or(others);
        match convert(value, schema) {
            Ok(value) => Ok((key.into(), value)),
            Err((path, message)) => Err((format!(".{key}{path}"), message)),
        }
    };
    members.into_iter().map(member).collect()
}
