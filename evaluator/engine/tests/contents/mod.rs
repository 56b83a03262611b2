//! What the coverage-guided fuzzer asserts of the evaluator on any contents. The rules are fixed: foreign ones are
//! evaluated only on the machine.

use assent_evaluator::{Regions, evaluate};
use assent_json::{Object, Value};

/// Ends each part of an input but the last. No text in UTF-8 has this byte.
pub const SEPARATOR: u8 = 0xff;

const MODULE: &str = "package policy\n\nallow if count(input.call.args) >= 0\n\n\
    deny contains json.marshal([input, data.params, data.wasm]) if input.task.nonce == 0\n";

/// The parts are: a function, a schema, parameters, data, and calldata or a whole input.
///
/// The result is a decision with canonical JSON, allows only without reasons, and is the same again.
pub fn contents(bytes: &[u8]) {
    let mut parts = bytes.splitn(5, |byte| *byte == SEPARATOR);
    let mut part = || parts.next().unwrap_or_default();
    let (function, schema, parameters, data, last) = (part(), part(), part(), part(), part());
    let rules = rules(&String::from_utf8_lossy(function), assent_json::parse(schema).unwrap_or_default(), schema.len());
    let call = input(last);
    for input in [call.as_slice(), last] {
        let regions = Regions { rules: rules.as_bytes(), parameters, input, data };
        let result = evaluate(&regions);
        let (decision, answer) = result.split_first().expect("a decision byte");
        let answer = assent_json::parse_canonical(answer).expect("canonical JSON");
        let reasons = answer.get("reasons").and_then(Value::as_array).expect("reasons");
        assert_eq!(*decision, u8::from(reasons.is_empty()));
        assert!(result.len() <= 32 * 1024);
        assert_eq!(evaluate(&regions), result);
    }
}

/// The rules. The number chooses how observations are reduced: white space in the schema changes it.
fn rules(function: &str, schema: Value, number: usize) -> String {
    let wholes = ["median", "same", "quorum", "min", "max", "union"];
    let reduce = wholes.get(number % 8).map_or_else(
        || Value::from(Object::from_iter([("a", "median"), ("b", "union"), ("c", "max")])),
        |rule| Value::from(*rule),
    );
    let source = Object::from_iter([("reduce", reduce), ("schema", schema.clone())]);
    let module = Object::from_iter([("name", "policy.rego"), ("text", MODULE)]);
    let mut rules = Object::new();
    rules.insert("entrypoint", "policy");
    rules.insert("functions", vec![function]);
    rules.insert("modules", vec![Value::from(module)]);
    rules.insert("parametersSchema", schema);
    if function.len().is_multiple_of(2) {
        rules.insert("sources", Object::from_iter([("s", source)]));
    }
    rules.insert("version", 1);
    Value::from(rules).to_canonical()
}

/// The input with this calldata.
fn input(calldata: &[u8]) -> Vec<u8> {
    let mut words = [[0_u8; 32]; 13];
    words[0][31] = 32;
    words[1][31] = 6 * 32;
    words[10][31] = 5 * 32;
    let length = u32::try_from(calldata.len()).unwrap_or(u32::MAX);
    words[12][28..].copy_from_slice(&length.to_be_bytes());
    let mut input = words.concat();
    input.extend_from_slice(calldata);
    input.resize(input.len().next_multiple_of(32), 0);
    input
}
