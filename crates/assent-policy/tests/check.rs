//! What the check refuses, with where and what to write instead, and what it accepts.

use assent_policy::{Finding, PolicyFolder, check};
use std::collections::BTreeMap;

const MANIFEST: &str = r#"{"name": "treasury", "version": "1.0.0", "entrypoint": "treasury",
    "functions": [
        "function pay(address to, uint256 amount, bool urgent, bytes note)",
        "function mint((address to, int8 by)[] items)"
    ],
    "sources": {"price": {
        "schema": {"type": "object", "properties": {"usd": {"type": "string", "format": "uint256"}}}
    }}}"#;
const SCHEMA: &str = r#"{"type": "object", "additionalProperties": false, "properties": {
    "limit": {"type": "string", "format": "uint256"}, "plain": {"type": "string"}, "count": {"type": "integer"},
    "owner": {"type": "string", "format": "address"},
    "recipients": {"type": "array", "items": {"type": "string", "format": "address"}},
    "limits": {"type": "object", "additionalProperties": {"type": "string", "format": "uint256"}}}}"#;

fn folder(rules: &str) -> BTreeMap<String, Vec<u8>> {
    let rules = format!("package treasury\n\ndefault allow := false\n\n{rules}\n");
    let files = [("policy.json", MANIFEST), ("parameters.schema.json", SCHEMA), ("treasury.rego", &rules)];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
}

fn findings(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    check(&PolicyFolder::read(files).unwrap()).iter().map(Finding::to_string).collect()
}

#[test]
fn strict_refusals_name_file_line_column_and_what_to_write_instead() {
    for (rules, place, message) in [
        // Strings compared with numbers.
        (
            "allow if input.call.args.amount <= \"1000\"",
            "5:10",
            "`input.call.args.amount` is a number and `\"1000\"` a string, so that the result is always the \
             same; write \
             1000 without quotes",
        ),
        ("allow if \"5\" > input.intent.value", "5:10", "write 5 without quotes"),
        ("allow if input.intent.chain_id == \"1\"", "5:10", "write 1 without quotes"),
        ("allow if data.params.limit == \"1\"", "5:10", "write 1 without quotes"),
        ("allow if data.params.limits.daily == \"1\"", "5:10", "write 1 without quotes"),
        ("allow if data.params.plain <= 5", "5:10", "give `data.params.plain` \"format\": \"uint256\" in its schema"),
        ("allow if data.wasm.price.usd > \"1\"", "5:10", "write 1 without quotes"),
        ("allow if input.task.time < \"2026-01-01\"", "5:10", "write a number"),
        ("amount := input.call.args.amount\nallow if amount > \"7\"", "6:10", "write 7 without quotes"),
        ("allow if {\n\tx := input.intent.value\n\tx == \"7\"\n}", "7:2", "write 7 without quotes"),
        ("allow if {\n\tx == \"7\"\n\tx := input.intent.value\n}", "6:2", "write 7 without quotes"),
        ("allow if \"7\" in [1, 2]", "5:10", "write 7 without quotes"),
        ("allow if 7 in data.params.recipients", "5:10", "`7` is a number"),
        (
            "allow if some x in data.params.recipients\nallow if {\n\tsome x in data.params.recipients\n\tx > 5\n}",
            "8:2",
            "`x` is a string",
        ),
        ("allow if every x in data.params.recipients { x > 5 }", "5:46", "`x` is a string"),
        ("allow if count({x | some x in data.params.recipients; x == 5}) > 0", "5:55", "`x` is a string"),
        ("allow if sprintf(\"%v\", [1]) == 1", "5:10", "to_number makes a number of a decimal string"),
        ("allow if input.call.args.urgent == \"true\"", "5:10", "compare values of one type"),
        ("allow if input.call.args.items[0].by == \"1\"", "5:10", "write 1 without quotes"),
        ("allow if input.call.args[\"amount\"] = \"1\"", "5:10", "write 1 without quotes"),
        (
            "f(x) := 1 if x == input.intent.value\nallow if { y := \"1\"; y == input.intent.value }",
            "6:22",
            "write 1 without quotes",
        ),
        (
            "allow if input.call.args.amount + \"1\" > 5",
            "5:35",
            "there is no arithmetic with it; write 1 without quotes",
        ),
        // Text that is never equal.
        (
            "allow if input.intent.to == \"0x00000000000000000000000000000000000000AB\"",
            "5:29",
            "write 0x and 40 lower-case hex digits: \"0x00000000000000000000000000000000000000ab\"",
        ),
        ("allow if input.intent.from in {\"0xab\"}", "5:31", "is never equal to an address"),
        ("allow if input.call.args.note == \"0xAB\"", "5:34", ": \"0xab\""),
        (
            "owners := [\"0xABCDEF0000000000000000000000000000000000\"]\nallow if input.intent.from in owners",
            "6:31",
            "is never equal to an address",
        ),
        ("allow if data.params.plain == input.intent.from", "5:10", "give it \"format\": \"address\" in its schema"),
        ("allow if input.call.function == \"burn\"", "5:33", "policy.json names no function \"burn\""),
        ("allow if input.call.function in [\"pay\", \"burn\"]", "5:33", "or write one of `mint`, `pay`"),
        (
            "allow if input.call.signature == \"pay(address)\"",
            "5:34",
            "policy.json names no function with the signature",
        ),
        // Refused and unknown functions.
        ("allow if time.now_ns() > 0", "5:10", "`time.now_ns` is refused: a policy has no clock: use input.task.time"),
        ("allow if http.send({}).ok", "5:10", "`http.send` is refused"),
        ("allow if rand.intn(\"a\", 2) == 1", "5:10", "`rand.intn` is refused"),
        ("allow if { print(\"a\") }", "5:12", "`print` is refused"),
        ("allow if nothing(1)", "5:10", "there is no function `nothing`"),
        // Numbers.
        ("allow if input.intent.value < 0.5", "5:31", "`0.5` is not written as an integer"),
        ("allow if input.intent.value < 1e18", "5:31", "`1e18` is not written as an integer"),
        // Recursion.
        ("f(x) := f(x - 1)\nallow if f(3) == 0", "5:1", "the rule refers to itself (treasury.f → treasury.f)"),
        (
            "a if b\nb if c\nc if a\nallow if a",
            "5:1",
            "the rule refers to itself (treasury.a → treasury.b → treasury.c → treasury.a)",
        ),
        ("allow if data.treasury.allow", "3:1", "the rule refers to itself"),
        ("x := data.treasury\nallow if x.y", "3:1", "the rule refers to itself"),
        // Undefined references.
        (
            "allow if data.params.limt > 1",
            "5:22",
            "`data.params.limt` is not defined: declare it under \"properties\" in parameters.schema.json; there is \
             `count`, `limit`",
        ),
        (
            "allow if data.wasm.prices",
            "5:20",
            "`data.wasm.prices` is not defined: declare it under \"sources\" in policy.json; there is `price`",
        ),
        ("allow if data.wasm.price.eur", "5:26", "`data.wasm.price.eur` is not defined"),
        (
            "allow if input.call.args.recipient",
            "5:26",
            "no function of policy.json has a parameter of that name; there is `amount`",
        ),
        ("allow if input.intent.sender", "5:23", "`input.intent.sender` is not defined"),
        (
            "allow if input.chain_id == 1",
            "5:16",
            "`input.chain_id` is not defined: no input has it; there is `call`, `intent`, `task`",
        ),
        ("allow if data.other.rule", "5:10", "`data.other.rule` is not defined"),
        ("allow if data.treasury.nothing", "5:10", "the package `treasury` has no rule `nothing`; it has `allow`"),
        ("allow if data.private.identity", "5:15", "`data.private` is reserved"),
        ("import data.other\nallow if other.x", "5:8", "`data.other` is not defined"),
        ("import foo.bar\nallow if true", "5:8", "`foo.bar` cannot be imported"),
        // The forms of allow and deny.
        ("deny := \"no\" if input.intent.value > 5", "5:1", "`deny` must be a set of messages"),
        ("deny[x] := 1 if { x := \"a\" }", "5:1", "`deny` must be a set of messages"),
        ("deny contains 5", "5:15", "a message of `deny` must be a string, not a number"),
        (
            "test_pays if allow",
            "5:1",
            "`test_pays` is a test, which would be built into the policy; move it to a file …_test.rego",
        ),
        ("todo_test_pays if allow", "5:1", "is a test"),
        // Syntax.
        ("allow if {", "6:1", "the module does not parse: expected a value, not the end"),
        ("allow { true }", "5:7", "expected `if`, `contains`, `:=`, or the next rule on a new line, not `{`"),
        ("allow if \"a", "5:10", "the string has no closing quote on its line"),
        ("allow if 1 ? 2", "5:12", "'?' is not part of Rego"),
    ] {
        let found = findings(&folder(rules));
        let expected = format!("treasury.rego:{place}: ");
        assert!(
            found.iter().any(|finding| finding.starts_with(&expected) && finding.contains(message)),
            "{rules}\n{found:#?}"
        );
    }
}

#[test]
fn syntax_that_is_newer_than_the_evaluator_is_named() {
    for (rules, expected) in [
        ("deny contains $\"{input.intent.value} is too much\"", "5:15: interpolated strings are newer"),
        ("deny contains $`{input.intent.value}`", "5:15: interpolated strings are newer"),
        ("as.foo := 1", "5:1: `as.foo` has the keyword `as` as a name"),
        ("allow if {\n\tsome.foo == 1\n}", "6:6: `some.foo` has the keyword `some` as a name"),
        ("allow if {\n\tfalse.foo(1) == 1\n}", "6:11: `false.foo` has the keyword `false` as a name"),
    ] {
        let found = findings(&folder(rules));
        assert!(found[0].starts_with(&format!("treasury.rego:{expected}")), "{rules}: {found:?}");
        assert!(found[0].contains("newer than the evaluator's Rego"), "{rules}: {found:?}");
    }
    // What is no Rego at all is not called newer.
    for rules in ["$x := 1", "allow if {\n\tinput.intent.value ==\n}", "as := 1"] {
        let found = findings(&folder(rules));
        assert!(found[0].contains("the module does not parse"), "{rules}: {found:?}");
    }
}

#[test]
fn ordinary_rules_have_no_findings() {
    for rules in [
        "allow if input.call.args.amount <= data.params.limit",
        "allow if count(deny) == 0\n\n\
         deny contains sprintf(\"%v is more than %v\", [x, data.params.limit]) if {\n\
         \tx := input.call.args.amount\n\tx > data.params.limit\n}",
        "allow if {\n\tinput.call.function == \"pay\"\n\tinput.call.args.to in data.params.recipients\n\
         \tinput.intent.to == \"0x00000000000000000000000000000000000000ab\"\n}",
        "allow if lower(data.params.plain) == input.intent.from",
        "allow if input.intent.from == data.params.owner",
        "allow if to_number(data.params.plain) > 5",
        "hour := floor((input.task.time % 86400) / 3600)\nallow if { hour >= 9; hour < 17 }",
        "allow if every item in input.call.args.items { item.by <= 5 }",
        "allow if { some i; input.call.args.items[i].by == 1 }",
        "allow if { some k, v in data.params.limits; k == \"daily\"; v > 5 }",
        "total := sum([item.by | some item in input.call.args.items])\nallow if total < 5",
        "names := {\"a\": 1, \"b\": 2}\nallow if names[\"a\"] == 1\nallow if names.c == \"x\"",
        "f(x) := y if { y := x + 1 } else := 0\nallow if f(1) == 2",
        "limit := 5 if input.call.args.urgent else := 10\nallow if limit > 5",
        "allow if not denied\n\ndenied if input.intent.value > 0",
        "import data.treasury.helpers\nallow if true",
        "s := {1, 2} | {3}\nt := s & {1}\nu := s - t\nallow if count(u) > 1",
        "allow if { [a, b] := [1, \"x\"]; a == 1; b == \"x\" }",
        "allow if { x := input.call.args.note; x == null }",
        "allow if input.call.args.to == input.intent.from with input.intent.value as 5",
        "allow if regex.match(`^0x`, input.intent.from)",
        "allow if {\n\tnot input.call.args.urgent\n\tassent.uint(\"5\") == 5\n}",
        "allow if \"a\", 1 in {\"a\": 1}",
        "allow if {1, 2} == {2, 1}",
        "allow if {\"a\": 1} == {\"a\": 1}",
        "allow := x if { x := true }",
        "limits[name] := value if { some name, value in data.params.limits }\nallow if limits.daily > 5",
        "a.b.c := 1\nallow if a.b.c == 1",
        "allow if object.get(data.params.limits, \"daily\", 0) > 5",
        "allow if { x := [1, 2][_]; x == 2 }",
        "# a comment\nallow if true # another",
    ] {
        let mut files = folder(rules);
        files.insert("helpers.rego".into(), b"package treasury.helpers\n\nx := 1\n".to_vec());
        assert_eq!(findings(&files), Vec::<String>::new(), "{rules}");
    }
}

#[test]
fn a_policy_without_its_entrypoint_or_allow_is_refused() {
    let mut files = folder("");
    files.insert("treasury.rego".into(), b"package other\n\nallow := true\n".to_vec());
    let no_package = "policy.json:1:1: no module has the package \"treasury\" of `entrypoint`; there is \"other\"";
    assert_eq!(findings(&files), [no_package]);
    files.insert("treasury.rego".into(), b"package treasury\n\ndeny contains \"x\" if false\n".to_vec());
    assert!(findings(&files)[0].contains("the package \"treasury\" has no rule `allow`"));
    files.insert("treasury.rego".into(), b"package treasury\n\nallow contains \"x\"\n".to_vec());
    assert!(findings(&files)[0].contains("`allow` must be true or false"));
}

#[test]
fn exact_formats_that_the_evaluator_does_not_reach_are_refused() {
    let schema = |text: &str| {
        let mut files = folder("allow if true");
        files.insert("parameters.schema.json".into(), text.as_bytes().to_vec());
        findings(&files)
    };
    let exact = r#"{"type": "string", "format": "uint256"}"#;
    for reached in [
        format!(r#"{{"properties": {{"a": {exact}}}}}"#),
        format!(r#"{{"properties": {{"a": {{"items": {exact}}}}}}}"#),
        format!(r#"{{"properties": {{"anyOf": {{"prefixItems": [{exact}]}}}}}}"#),
        format!(r#"{{"additionalProperties": {exact}}}"#),
    ] {
        assert_eq!(schema(&reached), Vec::<String>::new(), "{reached}");
    }
    for hidden in [
        format!(r#"{{"properties": {{"a": {{"anyOf": [{exact}]}}}}}}"#),
        format!(r##"{{"$defs": {{"amount": {exact}}}, "properties": {{"a": {{"$ref": "#/$defs/amount"}}}}}}"##),
        format!(r#"{{"properties": {{"a": {{"contains": {exact}}}}}}}"#),
        format!(r#"{{"patternProperties": {{"a": {exact}}}}}"#),
    ] {
        let found = schema(&hidden);
        assert!(
            found.len() == 1 && found[0].contains("where the evaluator does not look for it"),
            "{hidden}: {found:?}"
        );
    }
    let untyped = schema(r#"{"properties": {"a": {"format": "address"}}}"#);
    assert!(untyped[0].contains("needs \"type\": \"string\" beside it"), "{untyped:?}");
}

#[test]
fn tests_are_parsed_and_not_built() {
    let mut files = folder("allow if input.intent.value == 0");
    files.insert("treasury_test.rego".into(), b"package treasury_test\n\ntest_a if data.anything\n".to_vec());
    assert_eq!(findings(&files), Vec::<String>::new());
    files.insert("treasury_test.rego".into(), b"package treasury_test\n\ntest_a if {\n".to_vec());
    assert!(findings(&files)[0].starts_with("treasury_test.rego:4:1: the module does not parse"));
}

#[test]
fn hostile_modules_end_in_a_finding() {
    let nested =
        |open: &str, close: &str, count: usize| format!("allow if {}1{}", open.repeat(count), close.repeat(count));
    for rules in [
        nested("(", ")", 30_000),
        nested("[", "]", 30_000),
        nested("{", "}", 30_000),
        nested("{1: ", "}", 10_000),
        nested("[1 | ", "]", 10_000),
        nested("f(", ")", 20_000),
        nested("-", "", 60_000),
        nested("x[", "]", 20_000),
        format!("allow if {}1", "1 + ".repeat(15_000)),
        format!("allow if {}1", "1 | ".repeat(15_000)),
        format!("allow if x{}", ".y".repeat(30_000)),
        format!("allow if x{}", "()".repeat(30_000)),
        format!("allow if {}x", "not ".repeat(15_000)),
        format!("allow if x{}", " in y".repeat(10_000)),
        format!("allow if {}", "every x in y { ".repeat(4_000)),
        format!("allow if {}", "{ ".repeat(30_000)),
        "\u{0}".repeat(100),
        "x".repeat(70_000),
    ] {
        let found = findings(&folder(&rules));
        assert!(!found.is_empty(), "{}", &rules[..60.min(rules.len())]);
    }
}
