//! How observations become one value.

mod support;

use support::{Case, allow_if};

fn operator(index: usize) -> String {
    format!("0x{index:040x}")
}

/// A policy with one source that was observed so: each output with the weights of its observers.
fn observed(condition: &str, reduce: &str, schema: &str, required: u64, outputs: &[(&str, &[u64])]) -> Vec<String> {
    let mut index = 0;
    let entries: Vec<String> = outputs
        .iter()
        .map(|(output, weights)| {
            let observers = weights.iter().map(|weight| {
                index += 1;
                format!("\"{}\": \"{weight}\"", operator(index))
            });
            let observers = observers.collect::<Vec<_>>().join(",");
            format!(r#"{{"observers": {{{observers}}}, "output": {output}}}"#)
        })
        .collect();
    let mut case = allow_if(condition);
    case.sources = format!(r#"{{"s": {{"component": "0x", "hosts": [], "reduce": {reduce}, "schema": {schema}}}}}"#);
    case.data = format!(r#"{{"requiredWeight": "{required}", "sources": {{"s": [{}]}}}}"#, entries.join(","));
    case.reasons()
}

const ALLOWED: [&str; 0] = [];

#[test]
fn the_same_value_of_a_required_weight_is_agreed() {
    let same = |outputs: &[(&str, &[u64])]| observed("data.wasm.s == \"b\"", "\"same\"", "{}", 67, outputs);
    assert_eq!(same(&[("\"b\"", &[33, 34])]), ALLOWED);
    assert_eq!(same(&[("\"a\"", &[33]), ("\"b\"", &[40, 27])]), ALLOWED);
    assert_eq!(
        same(&[("\"a\"", &[34]), ("\"b\"", &[40, 26])]),
        ["data: source `s`: no value was observed identically by the weight 67"]
    );
    assert_eq!(
        same(&[("\"b\"", &[66])]),
        ["data: source `s`: the observers have the weight 66, of 67 that are required"]
    );
}

#[test]
fn a_median_is_the_least_value_that_half_of_the_weight_does_not_exceed() {
    let median = |expected: &str, outputs: &[(&str, &[u64])]| {
        observed(&format!("data.wasm.s == {expected}"), "\"median\"", "{}", 1, outputs)
    };
    assert_eq!(median("5", &[("5", &[1])]), ALLOWED);
    assert_eq!(median("1", &[("1", &[1]), ("2", &[1])]), ALLOWED);
    assert_eq!(median("2", &[("1", &[1]), ("2", &[1]), ("3", &[1])]), ALLOWED);
    assert_eq!(median("3", &[("1", &[1]), ("2", &[1]), ("3", &[2, 1])]), ALLOWED);
    assert_eq!(median("1", &[("1", &[3]), ("2", &[1]), ("3", &[2])]), ALLOWED);
    assert_eq!(median("10", &[("10", &[1]), ("11", &[1]), ("9", &[1])]), ALLOWED);
    assert_eq!(median("-2", &[("-2", &[1]), ("1", &[1]), ("-3", &[1])]), order());
    let ascending: &[(&str, &[u64])] = &[("-2", &[1]), ("-3", &[1]), ("1", &[1])];
    assert_eq!(median("-2", ascending), ALLOWED);
    assert_eq!(median("0", &[("\"1\"", &[1])]), ["data: source `s`: \"1\" is not an integer, so it has no order"]);
}

fn order() -> [&'static str; 1] {
    ["data: source `s`: the outputs are not in ascending order, or one occurs twice"]
}

#[test]
fn exact_integers_are_ordered_as_integers() {
    let schema = r#"{"type": "string", "format": "uint256"}"#;
    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    let less = "115792089237316195423570985008687907853269984665640564039457584007913129639934";
    let outputs: &[(&str, &[u64])] = &[(&format!("\"{less}\""), &[1]), (&format!("\"{max}\""), &[1]), ("\"9\"", &[1])];
    for (reduce, expected) in [("min", "9"), ("median", less), ("max", max)] {
        let condition = format!("data.wasm.s == {expected}");
        assert_eq!(observed(&condition, &format!("\"{reduce}\""), schema, 3, outputs), ALLOWED, "{reduce}");
    }
}

#[test]
fn fields_are_reduced_each_by_its_rule_and_the_others_must_be_the_same() {
    let reduce = r#"{"usd": "median", "low": "min", "high": "max", "list": "union"}"#;
    let output = |usd: u64, list: &str, name: &str| {
        format!(r#"{{"high": {usd}, "list": [{list}], "low": {usd}, "name": "{name}", "usd": {usd}}}"#)
    };
    let [a, b, c] = [output(1, "\"x\"", "n"), output(2, "\"z\",\"x\"", "n"), output(3, "\"y\"", "n")];
    let condition = r#"data.wasm.s == {"high": 3, "list": ["x", "y", "z"], "low": 1, "name": "n", "usd": 2}"#;
    assert_eq!(observed(condition, reduce, "{}", 3, &[(&a, &[1]), (&b, &[1]), (&c, &[1])]), ALLOWED);
    let d = output(4, "", "m");
    assert_eq!(
        observed("true", reduce, "{}", 4, &[(&a, &[1]), (&b, &[1]), (&c, &[1]), (&d, &[1])]),
        ["data: source `s`: `name`: no value was observed identically by the weight 4"]
    );
    assert_eq!(
        observed("true", reduce, "{}", 1, &[(r#"{"high": 1, "list": [], "low": 1}"#, &[1])]),
        ["data: source `s`: `usd`: an output does not have it"]
    );
    // A field that only a minority has does not exist.
    let extra = r#"{"a": 1}"#;
    assert_eq!(observed("data.wasm.s == {}", "{}", "{}", 2, &[(extra, &[1]), ("{}", &[2])]), ALLOWED);
}

#[test]
fn observations_that_are_not_what_they_must_be_deny() {
    let valid = {
        let mut case = allow_if("data.wasm.s == 1");
        case.sources = r#"{"s": {}}"#.to_owned();
        case.data = format!(
            r#"{{"requiredWeight": "1", "sources": {{"s": [{{"observers": {{"{}": "1"}}, "output": 1}}]}}}}"#,
            operator(1)
        );
        case
    };
    assert_eq!(valid.reasons(), ALLOWED);
    let denied = |from: &str, to: &str| {
        let data = valid.data.replace(from, to);
        assert_ne!(data, valid.data, "{from}");
        let reasons = Case { data, ..valid.clone() }.reasons();
        assert!(reasons.len() == 1 && reasons[0].starts_with("data: "), "{to}: {reasons:?}");
    };
    let one = operator(1);
    denied(r#""requiredWeight": "1""#, r#""requiredWeight": 1"#);
    denied(r#""requiredWeight": "1""#, r#""requiredWeight": "01""#);
    denied(r#""requiredWeight": "1""#, r#""required": "1""#);
    denied(r#"{"s": "#, r#"{"other": "#);
    denied(r#"{"s": "#, r#"{"t": [], "s": "#);
    denied(r#""output": 1"#, r#""output": 1, "more": 1"#);
    denied(&format!(r#"{{"{one}": "1"}}"#), "{}");
    denied(&format!(r#""{one}": "1""#), &format!(r#""{one}": "-1""#));
    denied(&one, "0xA000000000000000000000000000000000000001");
    denied(&one, "0x01");
    denied(r#""output": 1}"#, &format!(r#""output": 1}}, {{"observers": {{"{one}": "1"}}, "output": 2}}"#));
    denied(r#""output": 1}"#, &format!(r#""output": 2}}, {{"observers": {{"{}": "1"}}, "output": 1}}"#, operator(2)));
    denied(r#""output": 1}"#, &format!(r#""output": 1}}, {{"observers": {{"{}": "1"}}, "output": 1}}"#, operator(2)));
    assert_eq!(
        Case { data: String::new(), ..valid.clone() }.reasons(),
        ["data: the data is empty, but the rules have the source `s`"]
    );
    assert_eq!(
        Case { sources: "{}".to_owned(), ..valid }.reasons(),
        ["data: the rules have no source, but there is data"]
    );
}
