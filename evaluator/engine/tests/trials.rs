//! Tests and queries.

mod support;

use support::Case;

const MODULE: &str = "package policy\n\nallow if {\n\tinput.intent.value < data.params.limit\n}\n\n\
    deny contains \"never\" if {\n\tinput.nothing\n}\n";
const TESTS: &str = "package policy_test\n\nimport data.policy\n\n\
    test_small if {\n\tpolicy.allow with input as {\"intent\": {\"value\": 1}}\n}\n\n\
    test_large if {\n\tpolicy.allow with input as {\"intent\": {\"value\": 9}}\n}\n\n\
    test_error if to_number(\"x\")\n\ntodo_test_later if false\n";

fn trial(extra: &str) -> Case {
    let mut case = Case::new(MODULE);
    case.modules.push(("policy_test.rego".to_owned(), TESTS.to_owned()));
    case.parameters = r#"{"limit": 5}"#.to_owned();
    case.input = Vec::new();
    case.extra = extra.to_owned();
    case
}

#[test]
fn tests_pass_fail_err_or_are_skipped_and_decide_nothing() {
    let (decision, answer) = trial(r#"{"test": true}"#).result();
    assert_eq!(decision, 0);
    let test = |name: &str, rest: &str| {
        format!(r#"{{{rest}"module":"policy_test.rego","name":"data.policy_test.{name}","result":"#)
    };
    let message = r#""message":"policy_test.rego:13:24: to_number: \"x\" is not a decimal integer of 256 bits","#;
    let expected = [
        test("test_small", "") + "\"pass\"}",
        test("test_large", "") + "\"fail\"}",
        test("test_error", message) + "\"error\"}",
        test("todo_test_later", "") + "\"skip\"}",
    ];
    assert_eq!(answer, format!(r#"{{"tests":[{}]}}"#, expected.join(",")));
}

#[test]
fn a_pattern_selects_tests_and_coverage_counts_lines() {
    let (_, answer) = trial(r#"{"test": true, "run": "policy_test\\.test_s", "coverage": true}"#).result();
    let [policy, tests] = [
        r#"{"covered":[4,8],"module":"policy.rego","notCovered":[7]}"#,
        r#"{"covered":[6],"module":"policy_test.rego","notCovered":[10,13,15]}"#,
    ];
    let result = r#"{"module":"policy_test.rego","name":"data.policy_test.test_small","result":"pass"}"#;
    assert_eq!(answer, format!(r#"{{"coverage":[{policy},{tests}],"tests":[{result}]}}"#));
    let (_, answer) = trial(r#"{"test": true, "run": "("}"#).result();
    assert!(answer.starts_with(r#"{"reasons":[{"kind":"rules","message":"`run` is not a pattern"#), "{answer}");
}

#[test]
fn a_query_is_answered_with_its_documents_and_decides_nothing() {
    let query = |query: &str| {
        let (decision, answer) = trial(&format!(r#"{{"test": true, "query": {query}}}"#)).result();
        assert_eq!(decision, 0);
        answer
    };
    assert_eq!(
        query(
            r#"{"text": "x := data.policy.allow", "input": "{\"intent\": {\"value\": 1}}",
                "data": "{\"params\": {\"limit\": 5}}"}"#
        ),
        r#"{"results":"[{\"x\":true}]"}"#
    );
    assert_eq!(query(r#"{"text": "data.policy.allow"}"#), r#"{"results":"[]"}"#);
    assert_eq!(query(r#"{"text": "1 + 1.5"}"#), r#"{"results":"[2.5]"}"#);
    assert_eq!(query(r#"{"text": "not count(5)", "strict": false}"#), r#"{"results":"[true]"}"#);
    assert!(query(r#"{"text": "not count(5)"}"#).starts_with(r#"{"error":"<query.rego>:1:"#));
}

#[test]
fn every_policy_of_a_conjunction_must_allow_and_its_reasons_name_it() {
    let member = |rules: &str| Case::new(&format!("package policy\n\n{rules}\n"));
    let both = |first: &Case, second: &Case, parameters: &str, data: &str| {
        let rules = format!(r#"{{"all":[{},{}],"version":1}}"#, first.rules(), second.rules());
        let result = assent_evaluator::evaluate(&assent_evaluator::Regions {
            rules: rules.as_bytes(),
            parameters: parameters.as_bytes(),
            input: &first.input,
            data: data.as_bytes(),
        });
        (result[0], String::from_utf8(result[1..].to_vec()).expect("text"))
    };
    let [yes, limited] = [
        member("allow := true"),
        member("allow if data.params.limit == 1\ndeny contains \"no\" if data.params.limit == 3"),
    ];
    let reasons = |reasons: &str| format!(r#"{{"reasons":[{reasons}]}}"#);
    assert_eq!(both(&yes, &limited, r#"[{},{"limit":1}]"#, ""), (1, reasons("")));
    assert_eq!(
        both(&yes, &limited, r#"[{},{"limit":3}]"#, ""),
        (0, reasons(r#"{"kind":"denied","message":"no","policy":"1"}"#))
    );
    let not =
        |index| format!(r#"{{"kind":"notAllowed","message":"`data.policy.allow` is undefined","policy":"{index}"}}"#);
    assert_eq!(both(&limited, &limited, r#"[{},{"limit":2}]"#, ""), (0, reasons(&[not(0), not(1)].join(","))));
    for parameters in ["", "{}", "[{}]", "[{},{},{}]"] {
        let (decision, answer) = both(&yes, &yes, parameters, "");
        assert_eq!(decision, 0);
        assert!(answer.contains(r#""kind":"parameters""#), "{answer}");
    }
    assert!(both(&yes, &yes, "[{},{}]", r#"{"2":{}}"#).1.contains("which does not exist"));
    let mut nested = yes.clone();
    nested.extra = r#"{"test": true}"#.to_owned();
    assert!(both(&yes, &nested, "[{},{}]", "").1.contains("`all[1]`: `test` is unknown"));
}
