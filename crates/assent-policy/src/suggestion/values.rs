//! Arguments as values: strict decoding of calldata, its encoding, and their text.

use super::name_of;
use alloy_primitives::{Address, I256, U256, hex};
use assent_rules::{AbiType, ArgumentVisitor, Function, Parameter, decode, encode_sequence};

const WORD: usize = 32;

/// An argument, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Argument {
    Uint(U256),
    Int(I256),
    Address(Address),
    Bool(bool),
    /// `bytes`, and `bytes1` to `bytes32`.
    Bytes(Vec<u8>),
    Text(String),
    /// The elements of an array, or the members of a tuple.
    List(Vec<Argument>),
}

/// Decodes the calldata of a function. Nothing if it is not exactly what `abi.encode` writes.
pub(super) fn decode_call(function: &Function, calldata: &[u8]) -> Option<Vec<Argument>> {
    let selector = function.selector().map(|selector| selector.to_vec()).unwrap_or_default();
    let data = calldata.strip_prefix(selector.as_slice())?;
    match decode(&Arguments, &function.parameters, data) {
        Ok(Argument::List(arguments)) => Some(arguments),
        _ => None,
    }
}

/// Encodes a call.
pub(super) fn encode_call(function: &Function, arguments: &[Argument]) -> Vec<u8> {
    let selector = function.selector().map(|selector| selector.to_vec()).unwrap_or_default();
    [selector, encode(&types_of(&function.parameters), arguments)].concat()
}

/// Returns a value as a term of Rego, as the evaluator's input has it.
pub(super) fn term(ty: &AbiType, argument: &Argument) -> String {
    match (ty, argument) {
        (AbiType::Tuple(members), Argument::List(values)) => object(members, values),
        (AbiType::Array(element) | AbiType::FixedArray(element, _), Argument::List(values)) => {
            format!("[{}]", values.iter().map(|value| term(element, value)).collect::<Vec<_>>().join(", "))
        }
        (_, Argument::Uint(value)) => value.to_string(),
        (_, Argument::Int(value)) => value.to_string(),
        (_, Argument::Bool(value)) => value.to_string(),
        (_, argument) => quoted(&text(argument)),
    }
}

/// Returns the arguments as an object of Rego.
pub(super) fn object(parameters: &[Parameter], arguments: &[Argument]) -> String {
    let members = parameters.iter().enumerate().zip(arguments);
    let members = members.map(|((index, parameter), value)| {
        format!("{}: {}", quoted(&name_of(parameter, index)), term(&parameter.ty, value))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

/// Returns a string of JSON and Rego.
pub(super) fn quoted(text: &str) -> String {
    assent_json::Value::from(text).to_canonical()
}

/// Returns a leaf as the text that parameters have for it.
pub(super) fn text(argument: &Argument) -> String {
    match argument {
        Argument::Uint(value) => value.to_string(),
        Argument::Int(value) => value.to_string(),
        Argument::Address(address) => hex::encode_prefixed(address),
        Argument::Bool(value) => value.to_string(),
        Argument::Bytes(bytes) => hex::encode_prefixed(bytes),
        Argument::Text(text) => text.clone(),
        Argument::List(_) => String::new(),
    }
}

pub(super) fn types_of(parameters: &[Parameter]) -> Vec<&AbiType> {
    parameters.iter().map(|parameter| &parameter.ty).collect()
}

/// Returns the least and the greatest integer of a type.
pub(super) fn int_range(bits: u16) -> (I256, I256) {
    let unused = usize::from(256_u16.saturating_sub(bits));
    (I256::MIN.asr(unused), I256::MAX.asr(unused))
}

/// Returns the greatest integer of a type.
pub(super) fn uint_max(bits: u16) -> U256 {
    U256::MAX.wrapping_shr(usize::from(256_u16.saturating_sub(bits)))
}

fn encode(types: &[&AbiType], arguments: &[Argument]) -> Vec<u8> {
    encode_sequence(types.iter().zip(arguments).map(|(ty, argument)| (ty.is_dynamic(), encode_one(ty, argument))))
}

fn encode_one(ty: &AbiType, argument: &Argument) -> Vec<u8> {
    match argument {
        Argument::Uint(value) => value.to_be_bytes::<WORD>().to_vec(),
        Argument::Int(value) => value.to_be_bytes::<WORD>().to_vec(),
        Argument::Address(address) => address.into_word().to_vec(),
        Argument::Bool(value) => U256::from(*value).to_be_bytes::<WORD>().to_vec(),
        Argument::Bytes(bytes) if matches!(ty, AbiType::FixedBytes(_)) => padded(bytes),
        Argument::Bytes(bytes) => [length_word(bytes.len()), padded(bytes)].concat(),
        Argument::Text(text) => [length_word(text.len()), padded(text.as_bytes())].concat(),
        Argument::List(values) => match ty {
            AbiType::Array(element) => {
                [length_word(values.len()), encode(&vec![&**element; values.len()], values)].concat()
            }
            AbiType::FixedArray(element, _) => encode(&vec![&**element; values.len()], values),
            AbiType::Tuple(members) => encode(&types_of(members), values),
            _ => Vec::new(),
        },
    }
}

fn length_word(length: usize) -> Vec<u8> {
    U256::try_from(length).unwrap_or_default().to_be_bytes::<WORD>().to_vec()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(WORD), 0);
    padded
}

/// Makes arguments of decoded values.
struct Arguments;

impl ArgumentVisitor for Arguments {
    type Value = Argument;

    fn uint(&self, bytes: &[u8]) -> Argument {
        Argument::Uint(U256::from_be_slice(bytes))
    }

    fn int(&self, bytes: &[u8]) -> Argument {
        let unused = 256_usize.saturating_sub(bytes.len().saturating_mul(8));
        Argument::Int(I256::from_raw(U256::from_be_slice(bytes).wrapping_shl(unused)).asr(unused))
    }

    fn address(&self, bytes: &[u8]) -> Argument {
        Argument::Address(Address::left_padding_from(bytes))
    }

    fn boolean(&self, value: bool) -> Argument {
        Argument::Bool(value)
    }

    fn bytes(&self, bytes: &[u8]) -> Argument {
        Argument::Bytes(bytes.to_vec())
    }

    fn string(&self, text: &str) -> Argument {
        Argument::Text(text.to_owned())
    }

    fn array(&self, elements: Vec<Argument>) -> Argument {
        Argument::List(elements)
    }

    fn tuple(&self, _: &[Parameter], values: Vec<Argument>) -> Argument {
        Argument::List(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    fn function(text: &str) -> Function {
        text.parse().unwrap()
    }

    #[test]
    fn calldata_of_every_type_is_decoded_and_encoded_to_itself() {
        let pay = function(
            "function f(uint8 a, int8 b, address c, bool d, bytes e, bytes4 f, string g, (bytes x, uint256 y)[] h, \
             bool[2] i, int256 j, int24 k)",
        );
        let arguments = vec![
            Argument::Uint(U256::from(255)),
            Argument::Int(I256::MINUS_ONE),
            Argument::Address(Address::repeat_byte(7)),
            Argument::Bool(true),
            Argument::Bytes(vec![1; 33]),
            Argument::Bytes(vec![2; 4]),
            Argument::Text("ä\"".into()),
            Argument::List(vec![Argument::List(vec![Argument::Bytes(vec![]), Argument::Uint(U256::MAX)])]),
            Argument::List(vec![Argument::Bool(false), Argument::Bool(true)]),
            Argument::Int(I256::MIN),
            Argument::Int(int_range(24).0),
        ];
        let calldata = encode_call(&pay, &arguments);
        assert_eq!(decode_call(&pay, &calldata), Some(arguments.clone()));
        assert!(object(&pay.parameters, &arguments).starts_with(r#"{"a": 255, "b": -1, "c": "0x0707"#));
        for index in 4..calldata.len() {
            let mut other = calldata.clone();
            other[index] ^= 0x80;
            assert_ne!(decode_call(&pay, &other), Some(arguments.clone()), "{index}");
        }
        assert_eq!(decode_call(&pay, &[calldata.as_slice(), &[0; 32]].concat()), None);
        assert_eq!(decode_call(&pay, &calldata[..calldata.len() - 32]), None);
    }

    #[test]
    fn zeros_of_the_other_encoder_are_decoded() {
        for text in ["function f(bytes a, (string b, int8[2] c) d)", "function f(uint256[][] a)", "receive()"] {
            let function = function(text);
            assert!(decode_call(&function, &function.zero_calldata().unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn offsets_that_repeat_words_are_refused_and_soon() {
        // Seven levels of arrays whose 1,000 elements are the same array would have 10^21 elements.
        let levels = function(&format!("function f(bool{} x)", "[]".repeat(7)));
        let mut data = hex!("0000000000000000000000000000000000000000000000000000000000000020").to_vec();
        for _ in 0..7 {
            data.extend(length_word(1000));
            data.extend(length_word(1000 * 32).repeat(1000));
        }
        let calldata = [levels.selector().unwrap().to_vec(), data].concat();
        assert_eq!(decode_call(&levels, &calldata), None);
        // Tuples without members take no words. No text names them.
        let empty = |ty: AbiType| {
            let parameters = vec![Parameter { name: "x".into(), ty }];
            Function { name: "f".into(), parameters }
        };
        let tuple = || Box::new(AbiType::Tuple(Vec::new()));
        let array = empty(AbiType::Array(tuple()));
        let huge = [array.selector().unwrap().to_vec(), length_word(32), length_word(usize::MAX)].concat();
        assert_eq!(decode_call(&array, &huge), None);
        let fixed = empty(AbiType::FixedArray(tuple(), u32::MAX));
        assert_eq!(decode_call(&fixed, fixed.selector().unwrap().as_slice()), None);
    }

    #[test]
    fn integers_out_of_range_and_dirty_words_are_refused() {
        for (text, word, is_valid) in [
            ("function f(uint8 a)", U256::from(255), true),
            ("function f(uint8 a)", U256::from(256), false),
            ("function f(int8 a)", U256::from(127), true),
            ("function f(int8 a)", U256::from(128), false),
            ("function f(int8 a)", U256::MAX - U256::from(127), true),
            ("function f(int8 a)", U256::MAX - U256::from(128), false),
            ("function f(bool a)", U256::from(1), true),
            ("function f(bool a)", U256::from(2), false),
            ("function f(bool a)", U256::from(257), false),
            ("function f(address a)", U256::from(1) << 160, false),
            ("function f(bytes4 a)", U256::from(1), false),
        ] {
            let function = function(text);
            let calldata = [function.selector().unwrap().to_vec(), word.to_be_bytes_vec()].concat();
            assert_eq!(decode_call(&function, &calldata).is_some(), is_valid, "{text} {word}");
        }
    }
}
