//! Calls: the function that calldata calls, and its arguments as the rules see them.

use crate::exact::{hex, int, uint};
use alloc::{collections::BTreeMap, format, vec::Vec};
use assent_rules::{ArgumentVisitor, DecodeError, Function, Parameter, decode};
use regorus::Value;
use sha3::{Digest, Keccak256};

/// Returns whether calldata calls a function.
pub(crate) fn is_called_by(function: &Function, calldata: &[u8]) -> bool {
    match (function.selector(), calldata.first_chunk()) {
        (Some(selector), Some(called)) => selector == *called,
        (None, None) => calldata.is_empty(),
        _ => false,
    }
}

/// Returns the arguments of a call by their names.
///
/// # Errors
///
/// What is wrong, if the arguments are not exactly what `abi.encode` writes for them.
pub(crate) fn arguments(function: &Function, calldata: &[u8]) -> Result<Value, DecodeError> {
    decode(&Documents, &function.parameters, calldata.get(4..).unwrap_or_default())
}

/// Returns the hash of bytes.
pub(crate) fn keccak256(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// Makes the values that the rules see.
struct Documents;

impl ArgumentVisitor for Documents {
    type Value = Value;

    fn uint(&self, bytes: &[u8]) -> Value {
        uint(bytes)
    }

    fn int(&self, bytes: &[u8]) -> Value {
        int(bytes)
    }

    fn address(&self, bytes: &[u8]) -> Value {
        hex(bytes).into()
    }

    fn boolean(&self, value: bool) -> Value {
        value.into()
    }

    fn bytes(&self, bytes: &[u8]) -> Value {
        hex(bytes).into()
    }

    fn string(&self, text: &str) -> Value {
        text.into()
    }

    fn array(&self, elements: Vec<Value>) -> Value {
        elements.into()
    }

    fn tuple(&self, members: &[Parameter], values: Vec<Value>) -> Value {
        // A member without a name has its index. No name begins with a digit.
        let names = members.iter().enumerate().map(|(index, member)| match member.name.as_str() {
            "" => Value::from(format!("{index}")),
            name => Value::from(name),
        });
        names.zip(values).collect::<BTreeMap<_, _>>().into()
    }
}
