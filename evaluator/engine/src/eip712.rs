//! EIP-712: the hash that a wallet signs for structured data.

use crate::{abi::keccak256, exact};
use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use anyhow::{Result, anyhow, bail};
use regorus::Value;

const DOMAIN: &str = "EIP712Domain";
/// The members that a domain can have, in the order of EIP-712.
const DOMAIN_MEMBERS: [(&str, &str); 5] = [
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
];

/// Returns the hash of typed data, an object as `eth_signTypedData_v4` takes it.
pub(crate) fn digest(typed_data: &Value) -> Result<[u8; 32]> {
    let types = member(typed_data, "types")?;
    let domain = member(typed_data, "domain")?;
    let primary_type = text(member(typed_data, "primaryType")?)?;
    let hasher = Hasher { types };
    let mut bytes = Vec::from([0x19, 0x01]);
    bytes.extend_from_slice(&hasher.domain_separator(domain)?);
    if primary_type != DOMAIN {
        bytes.extend_from_slice(&hasher.hash_struct(primary_type, member(typed_data, "message")?)?);
    }
    Ok(keccak256(&bytes))
}

struct Hasher<'a> {
    types: &'a Value,
}

type Members<'a> = Vec<(&'a str, &'a str)>;

impl<'a> Hasher<'a> {
    /// Returns the members of a struct. Returns nothing for any other type.
    fn members(&self, name: &str) -> Result<Option<Members<'a>>> {
        let Some(members) = lookup(self.types, name) else { return Ok(None) };
        let members = members.as_array().map_err(|_| anyhow!("the type {name:?} is not an array"))?;
        let members = members.iter().map(|entry| Ok((text(member(entry, "name")?)?, text(member(entry, "type")?)?)));
        members.collect::<Result<Members<'_>>>().map(Some)
    }

    /// Hashes the domain, whose type follows from its members unless it is among the types.
    fn domain_separator(&self, domain: &Value) -> Result<[u8; 32]> {
        if let Some(members) = self.members(DOMAIN)? {
            return self.hash_members(DOMAIN, &members, domain);
        }
        let present: Members<'_> =
            DOMAIN_MEMBERS.into_iter().filter(|(name, _)| lookup(domain, name).is_some()).collect();
        self.hash_members(DOMAIN, &present, domain)
    }

    fn hash_struct(&self, name: &str, value: &Value) -> Result<[u8; 32]> {
        let members = self.members(name)?.ok_or_else(|| anyhow!("{name:?} is not a type"))?;
        self.hash_members(name, &members, value)
    }

    fn hash_members(&self, name: &str, members: &Members<'_>, value: &Value) -> Result<[u8; 32]> {
        let fields = value.as_object().map_err(|_| anyhow!("{value} is not an object, as {name} is"))?;
        if fields.len() != members.len() {
            bail!("{name} has {} members, not {}", members.len(), fields.len());
        }
        let mut bytes = Vec::from(keccak256(self.encode_type(name, members)?.as_bytes()));
        for (name, ty) in members {
            bytes.extend_from_slice(&self.encode(ty, member(value, name)?)?);
        }
        Ok(keccak256(&bytes))
    }

    /// Writes a struct's type, followed by those that it refers to, in the order of their names.
    fn encode_type(&self, name: &str, members: &Members<'_>) -> Result<String> {
        let mut encoded = write_type(name, members);
        let mut referenced = BTreeSet::new();
        let mut pending: Vec<&str> = members.iter().map(|(_, ty)| *ty).collect();
        while let Some(ty) = pending.pop() {
            let base = ty.split('[').next().unwrap_or_default();
            if base == name || referenced.contains(base) {
                continue;
            }
            if let Some(members) = self.members(base)? {
                referenced.insert(base);
                pending.extend(members.iter().map(|(_, ty)| *ty));
            }
        }
        for name in referenced {
            encoded.push_str(&write_type(name, &self.members(name)?.unwrap_or_default()));
        }
        Ok(encoded)
    }

    /// Encodes a value as one word.
    fn encode(&self, ty: &str, value: &Value) -> Result<[u8; 32]> {
        if let Some(element) = ty.strip_suffix(']') {
            let (element, length) = element.rsplit_once('[').ok_or_else(|| anyhow!("{ty:?} is not a type"))?;
            let values = value.as_array().map_err(|_| anyhow!("{value} is not an array, as {ty} is"))?;
            if !length.is_empty() && length.parse() != Ok(values.len()) {
                bail!("{ty} does not have {} elements", values.len());
            }
            let mut bytes = Vec::new();
            for value in values.iter() {
                bytes.extend_from_slice(&self.encode(element, value)?);
            }
            return Ok(keccak256(&bytes));
        }
        if lookup(self.types, ty).is_some() {
            return self.hash_struct(ty, value);
        }
        match ty {
            "string" => Ok(keccak256(text(value)?.as_bytes())),
            "bytes" => Ok(keccak256(&bytes(value)?)),
            "bool" => match value {
                Value::Bool(value) => Ok(right_aligned(&[u8::from(*value)])),
                _ => bail!("{value} is not a boolean"),
            },
            "address" => match bytes(value)?.as_slice() {
                bytes if bytes.len() == 20 => Ok(right_aligned(bytes)),
                _ => bail!("{value} is not an address"),
            },
            _ => sized(ty, value),
        }
    }
}

fn sized(ty: &str, value: &Value) -> Result<[u8; 32]> {
    let digits = ty.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
    let size = digits.parse::<usize>().ok().filter(|size| format!("{size}") == digits);
    let size = size.ok_or_else(|| anyhow!("{ty:?} is not a type"))?;
    let is_width = (8..=256).contains(&size) && size.is_multiple_of(8);
    match ty.strip_suffix(digits).unwrap_or_default() {
        "bytes" if (1..=32).contains(&size) => {
            let bytes = bytes(value)?;
            let mut word = [0; 32];
            let first = word.get_mut(..bytes.len()).filter(|first| first.len() == size);
            first.ok_or_else(|| anyhow!("{value} does not have the {size} bytes of {ty}"))?.copy_from_slice(&bytes);
            Ok(word)
        }
        "uint" if is_width => {
            let word = match value {
                Value::String(text) => exact::parse_uint(text).and_then(|value| exact::to_uint(&value)),
                _ => exact::to_uint(value),
            };
            let unused = 32_usize.saturating_sub(size / 8);
            let fits = |word: &[u8; 32]| word.iter().take(unused).all(|byte| *byte == 0);
            word.filter(fits).ok_or_else(|| anyhow!("{value} is not a {ty}"))
        }
        "int" if is_width => {
            let word = match value {
                Value::String(text) => exact::parse_int(text).and_then(|value| exact::to_int(&value)),
                _ => exact::to_int(value),
            };
            let unused = 32_usize.saturating_sub(size / 8);
            let fits = |word: &[u8; 32]| {
                let is_negative = word.get(unused).is_some_and(|byte| byte & 0x80 != 0);
                word.iter().take(unused).all(|byte| *byte == if is_negative { 0xff } else { 0 })
            };
            word.filter(fits).ok_or_else(|| anyhow!("{value} is not an {ty}"))
        }
        _ => bail!("{ty:?} is not a type"),
    }
}

fn write_type(name: &str, members: &Members<'_>) -> String {
    let members: Vec<String> = members.iter().map(|(name, ty)| format!("{ty} {name}")).collect();
    format!("{name}({})", members.join(","))
}

fn right_aligned(bytes: &[u8]) -> [u8; 32] {
    let mut word = [0; 32];
    word.iter_mut().rev().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
    word
}

fn lookup<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    object.as_object().ok()?.get(&Value::from(key))
}

fn member<'a>(object: &'a Value, key: &str) -> Result<&'a Value> {
    lookup(object, key).ok_or_else(|| anyhow!("`{key}` is missing"))
}

fn text(value: &Value) -> Result<&str> {
    match value {
        Value::String(text) => Ok(text),
        _ => bail!("{value} is not a string"),
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    exact::unhex(text(value)?)
        .ok_or_else(|| anyhow!("{value} is not bytes: 0x and an even number of hexadecimal digits"))
}
