//! Builtins beyond those of regorus, and stricter ones in place of some of them.

use crate::{abi::keccak256, calendar::Moment, eip712, exact, glob};
use alloc::{boxed::Box, string::String, vec::Vec};
use anyhow::{Result, anyhow, bail};
use hmac::{Hmac, Mac};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use md5::Md5;
use regorus::{Engine, Value};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// A builtin with one argument.
type Unary = fn(&Value) -> Result<Value>;
/// A builtin with two arguments.
type Binary = fn(&Value, &Value) -> Result<Value>;

/// A builtin with three arguments.
type Ternary = fn(&Value, &Value, &Value) -> Result<Value>;

const UNARY: [(&str, Unary); 15] = [
    ("array.flatten", array_flatten),
    ("assent.address", address),
    ("assent.eip712_hash", eip712_hash),
    ("assent.keccak256", hash),
    ("assent.uint", uint),
    ("crypto.md5", digest::<Md5>),
    ("crypto.sha1", digest::<Sha1>),
    ("crypto.sha256", digest::<Sha256>),
    ("glob.quote_meta", glob_quote_meta),
    ("json.is_valid", json_is_valid),
    ("json.unmarshal", json_unmarshal),
    ("time.clock", time_clock),
    ("time.date", time_date),
    ("time.weekday", time_weekday),
    ("to_number", to_number),
];
const BINARY: [(&str, Binary); 7] = [
    ("assent.ecdsa_recover", ecdsa_recover),
    ("crypto.hmac.equal", hmac_equal),
    ("crypto.hmac.md5", hmac::<Hmac<Md5>>),
    ("crypto.hmac.sha1", hmac::<Hmac<Sha1>>),
    ("crypto.hmac.sha256", hmac::<Hmac<Sha256>>),
    ("crypto.hmac.sha512", hmac::<Hmac<Sha512>>),
    ("strings.count", strings_count),
];
const TERNARY: [(&str, Ternary); 1] = [("glob.match", glob_match)];

/// Adds the builtins. With `strict`, an error of one ends the evaluation; otherwise its result is undefined.
pub(crate) fn add(engine: &mut Engine, strict: bool) -> Result<()> {
    let settle = move |result: Result<Value>| match result {
        Err(_) if !strict => Ok(Value::Undefined),
        result => result,
    };
    for (name, builtin) in UNARY {
        let call = move |arguments: Vec<Value>| match arguments.as_slice() {
            [argument] => settle(builtin(argument).map_err(|error| anyhow!("{name}: {error}"))),
            _ => bail!("{name} has one argument"),
        };
        engine.add_extension(name.into(), 1, Box::new(call))?;
    }
    for (name, builtin) in BINARY {
        let call = move |arguments: Vec<Value>| match arguments.as_slice() {
            [first, second] => settle(builtin(first, second).map_err(|error| anyhow!("{name}: {error}"))),
            _ => bail!("{name} has two arguments"),
        };
        engine.add_extension(name.into(), 2, Box::new(call))?;
    }
    for (name, builtin) in TERNARY {
        let call = move |arguments: Vec<Value>| match arguments.as_slice() {
            [first, second, third] => settle(builtin(first, second, third).map_err(|error| anyhow!("{name}: {error}"))),
            _ => bail!("{name} has three arguments"),
        };
        engine.add_extension(name.into(), 3, Box::new(call))?;
    }
    Ok(())
}

/// `to_number` for integers only: other spellings of a number would be rounded, or take forever to write out.
fn to_number(value: &Value) -> Result<Value> {
    match value {
        Value::Null | Value::Bool(false) => Ok(0_u64.into()),
        Value::Bool(true) => Ok(1_u64.into()),
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) => exact::parse_uint(text)
            .or_else(|| exact::parse_int(text))
            .ok_or_else(|| anyhow!("{text:?} is not a decimal integer of 256 bits")),
        _ => bail!("{value} is not a string, number, boolean or null"),
    }
}

/// Returns an exact integer from 0 to 2^256 − 1: of a decimal string, of a hexadecimal one, or of an integer.
fn uint(value: &Value) -> Result<Value> {
    let integer = match value {
        Value::String(text) => match text.strip_prefix("0x") {
            Some("") => None,
            Some(digits) if digits.len() <= 64 => {
                let padding = if digits.len().is_multiple_of(2) { "0x" } else { "0x0" };
                exact::unhex(&[padding, digits].concat()).map(|bytes| exact::uint(&bytes))
            }
            Some(_) => None,
            None => exact::parse_uint(text),
        },
        _ => exact::to_uint(value).map(|bytes| exact::uint(&bytes)),
    };
    integer.ok_or_else(|| anyhow!("{value} is not an integer from 0 to 2^256 - 1"))
}

/// Returns an address in lower case.
fn address(value: &Value) -> Result<Value> {
    let lower = exact::lower_hex(string(value)?).filter(|lower| lower.len() == 42);
    lower.map(Value::from).ok_or_else(|| anyhow!("{value} is not an address: 0x and 40 hexadecimal digits"))
}

fn hash(value: &Value) -> Result<Value> {
    Ok(exact::hex(&keccak256(&bytes(value)?)).into())
}

/// Returns the address whose key signed a hash, or undefined if the signature is invalid.
fn ecdsa_recover(hash: &Value, signature: &Value) -> Result<Value> {
    let hash: [u8; 32] = bytes(hash)?.try_into().map_err(|_| anyhow!("{hash} is not a hash of 32 bytes"))?;
    Ok(recover(&hash, &bytes(signature)?).map_or(Value::Undefined, |address| exact::hex(&address).into()))
}

/// As OpenZeppelin's ECDSA library: 65 bytes `r ‖ s ‖ v`, `v` 27 or 28.
///
/// `s` must be in the lower half of its range, so that no one can make a second signature of a first one.
fn recover(hash: &[u8; 32], signature: &[u8]) -> Option<[u8; 20]> {
    let (v, rs) = signature.split_last()?;
    let signature = Signature::from_slice(rs).ok()?;
    if signature.normalize_s().is_some() {
        return None;
    }
    let id = RecoveryId::from_byte(v.checked_sub(27).filter(|id| *id < 2)?)?;
    let key = VerifyingKey::recover_from_prehash(hash, &signature, id).ok()?;
    let point = key.to_encoded_point(false);
    let hash = keccak256(point.as_bytes().get(1..)?);
    hash.last_chunk().copied()
}

fn eip712_hash(typed_data: &Value) -> Result<Value> {
    eip712::digest(typed_data).map(|digest| exact::hex(&digest).into())
}

/// `json.unmarshal` of strict JSON: what it returns is exact, and the same for every reader of the text.
fn json_unmarshal(value: &Value) -> Result<Value> {
    let json = assent_json::parse(string(value)?.as_bytes()).map_err(|error| anyhow!("{error}"))?;
    exact::value(json, None).map_err(|error| anyhow!("{error}"))
}

fn json_is_valid(value: &Value) -> Result<Value> {
    Ok(Value::Bool(string(value).is_ok_and(|text| assent_json::parse(text.as_bytes()).is_ok())))
}

/// Returns an array with the elements of those of its elements that are arrays.
fn array_flatten(value: &Value) -> Result<Value> {
    let values = value.as_array().map_err(|_| anyhow!("{value} is not an array"))?;
    let mut flat = Vec::new();
    for value in values.iter() {
        match value {
            Value::Array(inner) => flat.extend(inner.iter().cloned()),
            _ => flat.push(value.clone()),
        }
    }
    Ok(flat.into())
}

fn digest<D: sha2::Digest>(value: &Value) -> Result<Value> {
    Ok(bare_hex(&D::digest(string(value)?)))
}

fn glob_quote_meta(text: &Value) -> Result<Value> {
    Ok(glob::quote(string(text)?).into())
}

/// Without delimiters `*` matches everything; an empty list of them is one with a dot.
fn glob_match(pattern: &Value, delimiters: &Value, text: &Value) -> Result<Value> {
    let delimiters = match delimiters {
        Value::Null => Vec::new(),
        Value::Array(delimiters) if delimiters.is_empty() => Vec::from(['.']),
        Value::Array(delimiters) => {
            let delimiters = delimiters.iter().map(|delimiter| Ok(string(delimiter)?.chars().collect::<Vec<_>>()));
            delimiters.collect::<Result<Vec<_>>>()?.concat()
        }
        _ => bail!("{delimiters} is not an array of delimiters or null"),
    };
    let matches = glob::is_match(string(pattern)?, &delimiters, string(text)?);
    matches.map(Value::Bool).ok_or_else(|| anyhow!("{pattern} is not a pattern"))
}

fn hmac<M: Mac + hmac::digest::KeyInit>(message: &Value, key: &Value) -> Result<Value> {
    let mut mac =
        <M as hmac::digest::KeyInit>::new_from_slice(string(key)?.as_bytes()).map_err(|error| anyhow!("{error}"))?;
    mac.update(string(message)?.as_bytes());
    Ok(bare_hex(&mac.finalize().into_bytes()))
}

fn hmac_equal(left: &Value, right: &Value) -> Result<Value> {
    Ok(Value::Bool(string(left)? == string(right)?))
}

/// `strings.count`, which counts an empty text between all characters. The one of regorus panics.
fn strings_count(text: &Value, part: &Value) -> Result<Value> {
    let (text, part) = (string(text)?, string(part)?);
    let count = if part.is_empty() { text.chars().count().saturating_add(1) } else { text.matches(part).count() };
    Ok(count.into())
}

fn time_clock(time: &Value) -> Result<Value> {
    Ok(Vec::from(moment(time)?.clock().map(Value::from)).into())
}

fn time_date(time: &Value) -> Result<Value> {
    Ok(Vec::from(moment(time)?.date().map(Value::from)).into())
}

fn time_weekday(time: &Value) -> Result<Value> {
    Ok(moment(time)?.weekday().into())
}

fn moment(time: &Value) -> Result<Moment> {
    Moment::read(time).ok_or_else(|| anyhow!("{time} is not nanoseconds since 1970 in UTC, of 64 bits"))
}

/// Returns hexadecimal digits as OPA's builtins do: without 0x.
fn bare_hex(bytes: &[u8]) -> Value {
    exact::hex(bytes).trim_start_matches("0x").into()
}

fn string(value: &Value) -> Result<&str> {
    match value {
        Value::String(text) => Ok(text),
        _ => bail!("{value} is not a string"),
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    let text: &str = string(value)?;
    exact::unhex(text).ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        anyhow!("{shown:?} is not bytes: 0x and an even number of hexadecimal digits")
    })
}
