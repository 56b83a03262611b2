//! How observations become one value.

mod support;

use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{Case, allow_if};

fn operator(index: usize) -> String {
    format!("0x{index:040x}")
}

/// The reasons of a policy with one source that was observed so: each output with the weights of its observers.
fn observed(condition: &str, reduce: &str, schema: &str, required: u64, outputs: &[(&str, &[u64])]) -> Vec<String> {
    case(allow_if(condition), reduce, schema, required, outputs).reasons()
}

/// A policy with one source.
fn case(mut case: Case, reduce: &str, schema: &str, required: u64, outputs: &[(&str, &[u64])]) -> Case {
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
    case.sources = format!(r#"{{"s": {{"component": "0x", "hosts": [], "reduce": {reduce}, "schema": {schema}}}}}"#);
    case.data = format!(r#"{{"requiredWeight": "{required}", "sources": {{"s": [{}]}}}}"#, entries.join(","));
    case
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

#[test]
fn a_quorum_is_the_least_value_that_observers_of_the_required_weight_do_not_exceed() {
    let quorum = |expected: &str, required: u64, outputs: &[(&str, &[u64])]| {
        observed(&format!("data.wasm.s == {expected}"), "\"quorum\"", "{}", required, outputs)
    };
    let three: &[(&str, &[u64])] = &[("1", &[1]), ("2", &[1]), ("3", &[1])];
    for (expected, required, outputs) in [
        ("5", 1, [("5", [1].as_slice())].as_slice()),
        ("1", 1, three),
        ("2", 2, three),
        ("3", 3, three),
        // A weight that is reached exactly is enough, and one less is not.
        ("1", 67, &[("1", &[67]), ("9", &[33])]),
        ("9", 67, &[("1", &[66]), ("9", &[34])]),
        // Observers of one value count together, in the order of integers and not of texts.
        ("10", 67, &[("10", &[30, 4]), ("11", &[33]), ("9", &[33])]),
        ("-1", 2, &[("-1", &[1]), ("-2", &[1]), ("7", &[1])]),
    ] {
        assert_eq!(quorum(expected, required, outputs), ALLOWED, "{required} of {outputs:?}");
    }
    // The examples of docs/policy-reference.md.
    let twenty: [&[u64]; 4] = [&[20], &[20, 20], &[20, 20, 20], &[20, 20, 20, 20]];
    let [one, two, three, four] = twenty;
    for (median, agreed, outputs) in [
        ("20", "30", [("0", one), ("10", one), ("20", one), ("30", one), ("40", one)].as_slice()),
        ("0", "10", &[("0", three), ("10", two)]),
        ("10", "10", &[("10", four), ("999", one)]),
    ] {
        assert_eq!(quorum(agreed, 67, outputs), ALLOWED, "{outputs:?}");
        assert_eq!(observed(&format!("data.wasm.s == {median}"), "\"median\"", "{}", 67, outputs), ALLOWED);
    }
    // One of four that says the greatest number does not deny everyone.
    let liar: &[(&str, &[u64])] = &[("5", &[25, 25, 25]), ("9007199254740991", &[25])];
    assert_eq!(quorum("5", 67, liar), ALLOWED);
    // One that says nothing is pending does not lower it either.
    assert_eq!(quorum("5", 67, &[("0", &[25]), ("5", &[25, 25, 25])]), ALLOWED);
    assert_eq!(
        quorum("5", 67, &[("5", &[33, 33])]),
        ["data: source `s`: the observers have the weight 66, of 67 that are required"]
    );
    assert_eq!(quorum("0", 1, &[("\"1\"", &[1])]), ["data: source `s`: \"1\" is not an integer, so it has no order"]);
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
    for (reduce, expected) in [("min", "9"), ("median", less), ("quorum", max), ("max", max)] {
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

#[test]
fn a_tolerance_changes_no_value_and_one_that_does_not_fit_its_reduction_denies() {
    let reasons = |reduce: &str, within: &str| {
        let outputs: [(&str, &[u64]); 2] = [("1", &[1]), ("900", &[2])];
        let mut case = case(allow_if("data.wasm.s == 900"), reduce, "{}", 2, &outputs);
        case.sources = case.sources.replace(r#""schema""#, &format!(r#""within": {within}, "schema""#));
        case.reasons()
    };
    // An operator that saw 1 does not sign; the evaluator decides for those who saw 900.
    assert_eq!(reasons("\"median\"", "1"), ALLOWED);
    assert_eq!(reasons("\"max\"", "10000"), ALLOWED);
    let denied = |reduce: &str, within: &str, reason: &str| {
        assert_eq!(reasons(reduce, within), [format!("rules: source `s`: {reason}")]);
    };
    denied("\"median\"", "0", "`within`: \"0\" is not between 1 and 10000 basis points");
    denied("\"median\"", "10001", "`within`: \"10001\" is not between 1 and 10000 basis points");
    denied("\"median\"", "null", "`within`: must be basis points, or an object of them by field, not null");
    denied(
        "\"same\"",
        "5",
        "`within`: \"5\" needs `reduce` to be one of median, quorum, min, max; same has no distance",
    );
    denied(
        r#"{"usd": "median"}"#,
        r#"{"eur": 5}"#,
        "`within.eur`: \"5\" needs `reduce` to be one of median, quorum, min, max; same has no distance",
    );
    denied("\"mean\"", "5", "`reduce`: \"mean\" is not one of same, median, quorum, min, max, union");
}

/// The reduced value of integers, each with the weights of its observers.
fn reduced(reduce: &str, required: u64, observed_values: &BTreeMap<i64, Vec<u64>>) -> i64 {
    let mut outputs: Vec<_> =
        observed_values.iter().map(|(value, weights)| (value.to_string(), weights.as_slice())).collect();
    outputs.sort();
    let outputs: Vec<_> = outputs.iter().map(|(value, weights)| (value.as_str(), *weights)).collect();
    let rules = "package policy\n\nallow := true\n\ndeny contains sprintf(\"%v\", [data.wasm.s])\n";
    let reasons = case(Case::new(rules), &format!("\"{reduce}\""), "{}", required, &outputs).reasons();
    let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
    reason.strip_prefix("denied: ").and_then(|value| value.parse().ok()).expect(reason)
}

/// The definition, word by word: of all values that were observed, the least for which the weight of those who observed
/// no more is enough.
fn defined(observed_values: &BTreeMap<i64, Vec<u64>>, is_enough: impl Fn(u64) -> bool) -> i64 {
    let not_above = |limit: i64| {
        let values = observed_values.iter().filter(|(value, _)| **value <= limit);
        values.map(|(_, weights)| weights.iter().sum::<u64>()).sum::<u64>()
    };
    *observed_values.keys().filter(|value| is_enough(not_above(**value))).min().expect("a value")
}

prop_compose! {
    /// Values with the weights of their observers.
    fn values()(values in prop::collection::btree_map(-9_i64..9, prop::collection::vec(0_u64..40, 1..4), 1..6))
        -> BTreeMap<i64, Vec<u64>> {
        values
    }
}

fn weight(values: &BTreeMap<i64, Vec<u64>>) -> u64 {
    values.values().flatten().sum()
}

/// Adds what one liar or several say.
fn with(honest: &BTreeMap<i64, Vec<u64>>, lie: i64, weights: &[u64]) -> BTreeMap<i64, Vec<u64>> {
    let mut all = honest.clone();
    all.entry(lie).or_default().extend(weights);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_median_and_a_quorum_are_what_their_definitions_say(values in values(), share in 0_u64..=100) {
        let total = weight(&values);
        let required = total * share / 100;
        prop_assert_eq!(reduced("quorum", required, &values), defined(&values, |weight| weight >= required));
        prop_assert_eq!(reduced("median", required, &values), defined(&values, |weight| weight >= total - weight));
    }

    #[test]
    fn liars_outside_of_a_quorum_cannot_raise_what_it_agrees_on(honest in values(), lie: i32, share in 0_u64..=100) {
        // What is not the quorum's complement is honest: the liars have at most the rest.
        let required = weight(&honest);
        let liars = required * share / 100;
        let agreed = reduced("quorum", required, &with(&honest, lie.into(), &[liars]));
        prop_assert!(agreed <= *honest.keys().last().expect("a value"));
    }

    #[test]
    fn liars_with_less_than_a_quorum_cannot_lower_it(honest in values(), lie: i32, share in 0_u64..100) {
        let liars = 1 + weight(&honest) * share / 100;
        let required = liars + 1;
        prop_assume!(weight(&honest) >= required);
        let agreed = reduced("quorum", required, &with(&honest, lie.into(), &[liars]));
        prop_assert!(agreed >= *honest.keys().next().expect("a value"));
    }

    #[test]
    fn a_greater_quorum_never_agrees_on_less(values in values(), one in 0_u64..=100, other in 0_u64..=100) {
        let required = |share: u64| weight(&values) * share / 100;
        let [low, high] = [one.min(other), one.max(other)].map(|share| reduced("quorum", required(share), &values));
        prop_assert!(low <= high);
    }
}
