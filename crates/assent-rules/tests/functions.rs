//! Functions have the selectors that alloy gives them, and their zeros decode.

use alloy_json_abi::Function as Judge;
use assent_rules::{AbiType, ArgumentVisitor, DecodeError, Function, Parameter, decode};
use proptest::prelude::*;

/// Counts the values of arguments.
struct Count;

impl ArgumentVisitor for Count {
    type Value = usize;

    fn uint(&self, _: &[u8]) -> usize {
        1
    }

    fn int(&self, _: &[u8]) -> usize {
        1
    }

    fn address(&self, _: &[u8]) -> usize {
        1
    }

    fn boolean(&self, _: bool) -> usize {
        1
    }

    fn bytes(&self, _: &[u8]) -> usize {
        1
    }

    fn string(&self, _: &str) -> usize {
        1
    }

    fn array(&self, elements: Vec<usize>) -> usize {
        1 + elements.iter().sum::<usize>()
    }

    fn tuple(&self, members: &[Parameter], values: Vec<usize>) -> usize {
        assert_eq!(members.len(), values.len());
        1 + values.iter().sum::<usize>()
    }
}

fn types() -> impl Strategy<Value = AbiType> {
    let width = || (1_u16..=32).prop_map(|bytes| bytes * 8);
    let leaf = prop_oneof![
        width().prop_map(AbiType::Uint),
        width().prop_map(AbiType::Int),
        Just(AbiType::Address),
        Just(AbiType::Bool),
        Just(AbiType::Bytes),
        (1_u8..=32).prop_map(AbiType::FixedBytes),
        Just(AbiType::String),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|ty| AbiType::Array(Box::new(ty))),
            (inner.clone(), 1_u32..4).prop_map(|(ty, length)| AbiType::FixedArray(Box::new(ty), length)),
            prop::collection::vec(inner, 1..4).prop_map(|types| AbiType::Tuple(parameters(types))),
        ]
    })
}

/// Parameters of which every other one has a name.
fn parameters(types: Vec<AbiType>) -> Vec<Parameter> {
    let named = types.into_iter().enumerate();
    named
        .map(|(index, ty)| Parameter { name: if index % 2 == 0 { format!("p{index}") } else { String::new() }, ty })
        .collect()
}

prop_compose! {
    fn functions()(name in "[a-z_$][a-zA-Z0-9_$]{0,8}", types in prop::collection::vec(types(), 0..4)) -> Function {
        Function { name, parameters: parameters(types) }
    }
}

proptest! {
    #[test]
    fn a_function_has_the_selector_that_alloy_gives_it(function in functions()) {
        prop_assume!(!function.is_receive());
        let judge = Judge::parse(&function.signature()).expect("a function");
        prop_assert_eq!(function.selector().expect("a selector"), judge.selector().0);
    }

    #[test]
    fn a_functions_text_is_read_as_the_function_and_every_other_text_of_it_is_not_canonical(function in functions()) {
        let text = function.to_string();
        prop_assert_eq!(text.parse::<Function>(), Ok(function.clone()));
        prop_assert_eq!(Function::from_canonical(&text), Some(function));
        prop_assert_eq!(Function::from_canonical(&format!("{text} external")), None);
        prop_assert_eq!(Function::from_canonical(&format!(" {text}")), None);
    }

    #[test]
    fn zeros_decode_and_nothing_longer_or_shorter_does(function in functions()) {
        let calldata = function.zero_calldata().expect("zeros");
        let arguments = calldata.get(4..).unwrap_or_default();
        prop_assert!(decode(&Count, &function.parameters, arguments).is_ok());
        let longer = [arguments, &[0; 32]].concat();
        prop_assert_eq!(decode(&Count, &function.parameters, &longer), Err(DecodeError::TrailingBytes(32)));
        if let Some(shorter) = arguments.len().checked_sub(32) {
            prop_assert!(decode(&Count, &function.parameters, &arguments[..shorter]).is_err());
        }
    }

    #[test]
    fn no_arguments_make_the_decoder_panic(function in functions(), arguments: Vec<u8>) {
        let _ = decode(&Count, &function.parameters, &arguments);
    }
}
