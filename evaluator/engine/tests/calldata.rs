//! Calldata decodes in exactly one way, as alloy encodes it.

mod support;

use alloy_dyn_abi::{DynSolType, DynSolValue, JsonAbiExt};
use alloy_json_abi::Function;
use alloy_primitives::{Address, I256, U256, hex};
use proptest::prelude::*;
use support::Case;

/// A policy that denies with the arguments.
fn shows_arguments() -> Case {
    Case::new("package policy\n\nallow := true\ndeny contains json.marshal(input.call)\n")
}

fn call(function: &str, calldata: &[u8]) -> String {
    let reasons = shows_arguments().calling(function, calldata).reasons();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons[0].clone()
}

fn encode(function: &str, values: &[DynSolValue]) -> Vec<u8> {
    judge(function).abi_encode_input(values).expect("encodes")
}

/// alloy's view of a function, without the names of parameters, which it does not read within tuples.
fn judge(function: &str) -> Function {
    let (name, parameters) = function.split_once('(').expect("parameters");
    let types: Vec<_> = parameters
        .split(", ")
        .map(|parameter| {
            let (ty, rest) = parameter.split_once(' ').unwrap_or((parameter, ""));
            let end = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
            format!("{ty}{end}")
        })
        .collect();
    let function = format!("{name}({}", types.join(", "));
    Function::parse(&function).expect(&function)
}

/// Whether a value that alloy decoded is one of its type: alloy keeps the bits that the type does not have.
fn fits(value: &DynSolValue) -> bool {
    match value {
        DynSolValue::Uint(value, bits) => *bits == 256 || *value >> *bits == U256::ZERO,
        DynSolValue::Int(value, bits) => {
            let shift = 256 - bits;
            I256::from_raw(value.into_raw() << shift).asr(shift) == *value
        }
        DynSolValue::FixedBytes(word, size) => word[*size..].iter().all(|byte| *byte == 0),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            values.iter().all(fits)
        }
        _ => true,
    }
}

#[test]
fn arguments_are_values_by_their_names() {
    let function = "function f(address to, uint8, int16 x, bool ok, bytes4 id, bytes data, string text, \
        (uint256 a, bool)[2] pairs)";
    let pair = |a: u64| DynSolValue::Tuple(vec![DynSolValue::Uint(U256::from(a), 256), DynSolValue::Bool(a == 1)]);
    let values = [
        DynSolValue::Address(Address::repeat_byte(0xAB)),
        DynSolValue::Uint(U256::from(255), 8),
        DynSolValue::Int(I256::MINUS_ONE, 16),
        DynSolValue::Bool(true),
        DynSolValue::FixedBytes(alloy_primitives::B256::right_padding_from(&[1, 2, 3, 4]), 4),
        DynSolValue::Bytes(vec![0xff; 33]),
        DynSolValue::String("é\"".to_owned()),
        DynSolValue::FixedArray(vec![pair(1), pair(2)]),
    ];
    let arguments = format!(
        r#"{{"1":255,"data":"0x{}","id":"0x01020304","ok":true,"pairs":[{},{}],"text":"é\"","to":"0x{}","x":-1}}"#,
        "ff".repeat(33),
        r#"{"1":true,"a":1}"#,
        r#"{"1":false,"a":2}"#,
        "ab".repeat(20),
    );
    let signature = "f(address,uint8,int16,bool,bytes4,bytes,string,(uint256,bool)[2])";
    let expected = format!(r#"denied: {{"args":{arguments},"function":"f","signature":"{signature}"}}"#);
    assert_eq!(call(function, &encode(function, &values)), expected);
}

#[test]
fn calls_that_the_policy_does_not_name_are_denied() {
    let pay = "function pay(address to)";
    let valid = encode(pay, &[DynSolValue::Address(Address::ZERO)]);
    assert!(call(pay, &valid).starts_with("denied: "));
    assert_eq!(
        call(pay, &[&[1, 2, 3, 4], &valid[4..]].concat()),
        "function: the policy does not name the function 0x01020304"
    );
    assert_eq!(call(pay, &[]), "function: the policy does not name receive(), a call without calldata");
    assert_eq!(call(pay, &valid[..3]), "function: the calldata has 3 bytes, too few for a function");
    assert!(call("receive()", &[]).contains(r#""function":"receive","signature":"receive()""#));
    // The selector of receive() is a call with calldata, which no one named.
    let selector = &alloy_primitives::keccak256("receive()")[..4];
    assert_eq!(
        call("receive()", selector),
        format!("function: the policy does not name the function 0x{}", hex::encode(selector))
    );
}

#[test]
fn functions_of_one_name_are_told_apart_by_their_signature() {
    let mut case = shows_arguments();
    case.functions = vec!["function f(uint256 a)".to_owned(), "function f(bool a)".to_owned()];
    case.input = support::input(&encode("function f(bool a)", &[DynSolValue::Bool(true)]), U256::ZERO);
    assert!(case.reasons()[0].contains(r#""args":{"a":true},"function":"f","signature":"f(bool)""#));
}

#[test]
fn calldata_with_a_second_spelling_is_denied() {
    let function = "function f(bytes a, bytes b)";
    let valid = encode(function, &[DynSolValue::Bytes(vec![1]), DynSolValue::Bytes(vec![2])]);
    assert!(call(function, &valid).starts_with("denied: "));
    let denied = |change: &dyn Fn(&mut Vec<u8>), reason: &str| {
        let mut calldata = valid.clone();
        change(&mut calldata);
        let found = call(function, &calldata);
        assert!(found.starts_with("calldata: f(bytes,bytes): ") && found.contains(reason), "{found}");
    };
    denied(&|data| data.push(0), "1 bytes follow the arguments");
    denied(&|data| data.extend([0; 32]), "32 bytes follow the arguments");
    denied(&|data| data.truncate(data.len() - 1), "too few");
    denied(&|data| data.truncate(4), "too few");
    // Both offsets lead to the same bytes.
    denied(&|data| data[4 + 63] = 0x40, "the offset at byte 32 must be 128");
    // The arguments lead behind themselves.
    denied(&|data| data[4 + 31] = 0xc0, "the offset at byte 0 must be 64");
    denied(&|data| data[4] = 0xff, "the offset at byte 0");
    denied(&|data| data[4 + 3] = 0x01, "the offset at byte 0");
    // A gap before the tail, which the offsets know of.
    denied(
        &|data| {
            data[4 + 31] += 32;
            data[4 + 63] += 32;
            data.splice(4 + 64..4 + 64, [0; 32]);
        },
        "the offset at byte 0",
    );
    denied(&|data| data[4 + 64] = 0xff, "too few");
    denied(&|data| data[4 + 64 + 31] = 33, "");
    denied(&|data| data[4 + 64 + 33] = 1, "the padding at byte 97");
    for (function, index) in [
        ("function f(address a)", 4),
        ("function f(uint8 a)", 4 + 30),
        ("function f(int8 a)", 4),
        ("function f(bool a)", 4 + 30),
        ("function f(bytes4 a)", 4 + 31),
    ] {
        let ty = function.split(['(', ' ']).nth(2).expect("a type");
        let zero = DynSolType::parse(ty).expect(ty).abi_decode(&[0; 32]).expect("zero");
        let mut calldata = encode(function, &[zero]);
        assert!(call(function, &calldata).starts_with("denied: "), "{function}");
        calldata[index] = 1;
        assert!(call(function, &calldata).contains("the padding at byte 0"), "{function}");
    }
    let boolean = "function f(bool a)";
    let mut calldata = encode(boolean, &[DynSolValue::Bool(true)]);
    calldata[35] = 2;
    assert!(call(boolean, &calldata).contains("neither 0 nor 1"));
    let text = "function f(string a)";
    let mut calldata = encode(text, &[DynSolValue::String("a".to_owned())]);
    calldata[4 + 64] = 0xff;
    assert!(call(text, &calldata).contains("not UTF-8"));
}

#[test]
fn lengths_beyond_the_calldata_allocate_nothing() {
    for function in [
        "function f(uint256[] a)",
        "function f(bytes a)",
        "function f(bool[4294967] a)",
        "function f((bool[999999999])[999999999] a)",
    ] {
        let selector = judge(function).selector();
        for length in [[0xff; 32], U256::from(u32::MAX).to_be_bytes(), U256::from(1 << 28).to_be_bytes()] {
            let calldata = [&selector[..], &U256::from(32).to_be_bytes::<32>(), &length, &[0; 64]].concat();
            assert!(call(function, &calldata).starts_with("calldata: "), "{function}");
        }
    }
}

/// Types, with the values that alloy makes for them.
fn types() -> impl Strategy<Value = DynSolType> {
    let leaves = prop_oneof![
        Just(DynSolType::Address),
        Just(DynSolType::Bool),
        (1..=32_usize).prop_map(|size| DynSolType::Uint(size * 8)),
        (1..=32_usize).prop_map(|size| DynSolType::Int(size * 8)),
        (1..=32_usize).prop_map(DynSolType::FixedBytes),
        Just(DynSolType::Bytes),
        Just(DynSolType::String),
    ];
    leaves.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|ty| DynSolType::Array(Box::new(ty))),
            (inner.clone(), 1..3_usize).prop_map(|(ty, length)| DynSolType::FixedArray(Box::new(ty), length)),
            prop::collection::vec(inner, 1..3).prop_map(DynSolType::Tuple),
        ]
    })
}

/// A value of a type, from random bytes that are used again and again.
fn value(ty: &DynSolType, bytes: &mut impl Iterator<Item = u8>) -> DynSolValue {
    let mut word = |size: usize| {
        let mut word = [0; 32];
        word.iter_mut().rev().take(size).for_each(|byte| *byte = bytes.next().unwrap_or_default());
        word
    };
    match ty {
        DynSolType::Bool => DynSolValue::Bool(word(1)[31] & 1 == 1),
        DynSolType::Address => DynSolValue::Address(Address::from_word(word(20).into())),
        DynSolType::Uint(bits) => DynSolValue::Uint(U256::from_be_bytes(word(bits / 8)), *bits),
        DynSolType::Int(bits) => {
            let shifted = U256::from_be_bytes(word(bits / 8)) << (256 - bits);
            DynSolValue::Int(I256::from_raw(shifted).asr(256 - bits), *bits)
        }
        DynSolType::FixedBytes(size) => {
            let mut word = word(*size);
            word.rotate_left(32 - size);
            DynSolValue::FixedBytes(word.into(), *size)
        }
        DynSolType::Bytes => {
            let length = usize::from(bytes.next().unwrap_or_default() % 70);
            DynSolValue::Bytes(bytes.take(length).collect())
        }
        DynSolType::String => {
            let length = usize::from(bytes.next().unwrap_or_default() % 70);
            DynSolValue::String(bytes.take(length).map(char::from).collect())
        }
        DynSolType::Array(element) => {
            let length = usize::from(bytes.next().unwrap_or_default() % 4);
            DynSolValue::Array((0..length).map(|_| value(element, bytes)).collect())
        }
        DynSolType::FixedArray(element, length) => {
            DynSolValue::FixedArray((0..*length).map(|_| value(element, bytes)).collect())
        }
        DynSolType::Tuple(members) => DynSolValue::Tuple(members.iter().map(|member| value(member, bytes)).collect()),
        other => panic!("{other:?}"),
    }
}

/// A value as the rules see it.
fn shown(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Uint(value, _) => value.to_string(),
        DynSolValue::FixedBytes(word, size) => format!("\"0x{}\"", hex::encode(&word[..*size])),
        DynSolValue::Address(address) => format!("\"0x{}\"", hex::encode(address)),
        DynSolValue::Bytes(bytes) => format!("\"0x{}\"", hex::encode(bytes)),
        DynSolValue::String(text) => assent_json::Value::from(text.as_str()).to_canonical(),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => {
            format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        DynSolValue::Tuple(values) => {
            let members = values.iter().enumerate().map(|(index, value)| format!("\"{index}\":{}", shown(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_alloy_encodes_is_decoded_and_nothing_else(
        ty in types(),
        bytes in prop::collection::vec(any::<u8>(), 1..200),
        index in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let value = value(&ty, &mut bytes.into_iter().cycle().take(1 << 20));
        let function = format!("function f({})", ty.sol_type_name().replace(",)", ")").replace(',', ", "));
        let mut calldata = encode(&function, std::slice::from_ref(&value));
        let expected = format!("denied: {{\"args\":{{\"0\":{}}}", shown(&value));
        let found = call(&function, &calldata);
        prop_assert!(found.starts_with(&expected), "{} {}", found, expected);

        // One changed bit is another value or no encoding, as alloy says after it encoded what it decoded.
        let position = index.index(calldata.len() - 4) + 4;
        calldata[position] ^= 1 << bit;
        let judge = judge(&function);
        let decoded = judge.abi_decode_input(&calldata[4..]).ok();
        let is_canonical = decoded.is_some_and(|values| {
            values.iter().all(fits) && judge.abi_encode_input(&values).is_ok_and(|again| again == calldata[..])
        });
        prop_assert_eq!(call(&function, &calldata).starts_with("denied: "), is_canonical);
    }
}
