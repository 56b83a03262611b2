//! What is decided, and why.

mod support;

use alloy_primitives::U256;
use support::{Case, allow_if, input};

const MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
const MAX_LESS_ONE: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639934";

#[test]
fn a_call_is_allowed_only_if_allow_is_true_and_deny_is_empty() {
    assert_eq!(allow_if("true").reasons(), [""; 0]);
    let of = |rules: &str| Case::new(&format!("package policy\n\n{rules}\n")).reasons();
    assert_eq!(of("allow := true\ndeny contains \"a\" if false"), [""; 0]);
    assert_eq!(of("allow := false"), ["notAllowed: `data.policy.allow` is false, not true"]);
    assert_eq!(of("allow := \"true\""), ["notAllowed: `data.policy.allow` is \"true\", not true"]);
    assert_eq!(of("allow := 1"), ["notAllowed: `data.policy.allow` is 1, not true"]);
    assert_eq!(of("allow if input.nothing"), ["notAllowed: `data.policy.allow` is undefined"]);
    assert_eq!(of("x := 1"), ["notAllowed: `data.policy.allow` is undefined"]);
    assert_eq!(of("allow := true\ndeny contains \"b\"\ndeny contains \"a\""), ["denied: a", "denied: b"]);
    assert_eq!(of("allow := true\ndeny contains {\"x\": 1}"), [r#"denied: {"x":1}"#]);
    assert_eq!(
        of("allow := true\ndeny := true"),
        ["evaluation: `data.policy.deny` must be a set of strings, not true"]
    );
    assert_eq!(of("allow := true\ndeny := [\"a\"]").len(), 1);
    assert_eq!(of("allow := true\ndeny := false").len(), 1);
}

#[test]
fn the_rules_see_intent_call_task_and_parameters() {
    let mut case =
        Case::new("package policy\n\nallow := true\ndeny contains json.marshal([input, data.params, data.wasm])");
    case.parameters = r#"{"limit": 5}"#.to_owned();
    case.input = input(&[], U256::MAX);
    let call = r#"{"args":{},"function":"receive","signature":"receive()"}"#;
    let [from, to, client] = ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa11", &"bb".repeat(20), &"cc".repeat(20)]
        .map(|digits| format!("\"0x{digits}\""));
    let intent = format!(r#"{{"chain_id":31337,"data":"0x","from":{from},"to":{to},"value":{MAX}}}"#);
    let block = format!(r#""block":1000,"block_hash":"0x{}""#, "dd".repeat(32));
    let task = format!(r#"{{{block},"client":{client},"nonce":7,"time":1800000000}}"#);
    let expected = format!(r#"denied: [{{"call":{call},"intent":{intent},"task":{task}}},{{"limit":5}},{{}}]"#);
    assert_eq!(case.reasons(), [expected]);
}

#[test]
fn an_error_of_a_builtin_denies_even_in_a_rule_that_would_not_allow() {
    let of =
        |body: &str| Case::new(&format!("package policy\n\nallow := true\ndeny contains \"x\" if {body}\n")).reasons();
    for body in
        ["to_number(\"abc\") > 5", "1 / 0 == 1", "count(5) > 1", "json.unmarshal(\"{\").a", "assent.uint(\"-1\") > 0"]
    {
        let reasons = of(body);
        assert!(reasons.len() == 1 && reasons[0].starts_with("evaluation: policy.rego:4:"), "{body}: {reasons:?}");
    }
    assert_eq!(of("input.nothing > 5"), [""; 0]);
}

#[test]
fn unknown_functions_and_refused_builtins_deny() {
    for (call, reason) in [
        ("time.now_ns() > 0", "rules: policy.rego:4:1: `time.now_ns` is refused"),
        ("rand.intn(\"a\", 5) > 0", "rules: policy.rego:4:1: `rand.intn` is refused"),
        ("uuid.rfc4122(\"a\") != \"\"", "rules: policy.rego:4:1: `uuid.rfc4122` is refused"),
        ("opa.runtime().env", "rules: policy.rego:4:1: `opa.runtime` is refused"),
        ("http.send({}).status_code == 200", "rules: policy.rego:4:1: `http.send` is refused"),
        ("trace(\"a\")", "rules: policy.rego:4:1: `trace` is refused"),
        ("print(\"a\")", "rules: policy.rego:4:1: `print` is refused"),
        ("crypto.nothing(\"a\")", "evaluation: policy.rego:4:15: could not find function crypto.nothing"),
    ] {
        let reasons = allow_if(call).reasons();
        assert!(reasons.len() == 1 && reasons[0].starts_with(reason), "{call}: {reasons:?}");
    }
}

#[test]
fn integers_of_256_bits_are_exact_on_every_way_into_the_rules() {
    let exact = |expression: &str| {
        let mut case = allow_if(&format!(
            "x := {expression}\nx == {MAX}\nx != {MAX_LESS_ONE}\nx > {MAX_LESS_ONE}\nnot x <= {MAX_LESS_ONE}\n\
             x - {MAX_LESS_ONE} == 1\nsprintf(\"%v %d\", [x, x]) == \"{MAX} {MAX}\"\n\
             json.marshal([x]) == \"[{MAX}]\"\nsprintf(\"%v\", [[x]]) == \"[{MAX}]\"\nformat_int(x, 10) == \"{MAX}\""
        ));
        case.schema = r#"{"properties": {"limit": {"type": "string", "format": "uint256"}}}"#.to_owned();
        case.parameters = format!(r#"{{"limit": "{MAX}", "text": "{MAX}"}}"#);
        case.sources = r#"{"price": {"schema": {"type": "string", "format": "uint256"}}}"#.to_owned();
        let observers = format!(r#"{{"0x{}": "1"}}"#, "11".repeat(20));
        let observation = format!(r#"{{"observers": {observers}, "output": "{MAX}"}}"#);
        case.data = format!(r#"{{"requiredWeight": "1", "sources": {{"price": [{observation}]}}}}"#);
        case.input = input(&[], U256::MAX);
        assert_eq!(case.reasons(), [""; 0], "{expression}");
    };
    let hex = format!("\"0x{}\"", "f".repeat(64));
    for expression in [
        MAX,
        "input.intent.value",
        "data.params.limit",
        "data.wasm.price",
        "to_number(data.params.text)",
        "assent.uint(data.params.text)",
        "assent.uint(input.intent.value)",
        &format!("assent.uint({hex})"),
        &format!("assent.uint(json.unmarshal(\"{{\\\"a\\\":\\\"{MAX}\\\"}}\").a)"),
        &format!("{MAX_LESS_ONE} + 1"),
    ] {
        exact(expression);
    }
    let mut argument = allow_if(&format!("input.call.args.x == {MAX}\ninput.call.args.x > {MAX_LESS_ONE}"));
    argument = argument.calling("function f(uint256 x)", &[&[0xb3, 0xde, 0x64, 0x8b][..], &[0xff; 32]].concat());
    assert_eq!(argument.reasons(), [""; 0]);
}

#[test]
fn numbers_that_are_not_exact_do_not_enter() {
    for text in ["1e100000000", "1.0", "1e3", "0x10", "+1", "01", "", " 1", "1 ", "--1", "NaN", &format!("{MAX}0")] {
        for call in ["to_number", "assent.uint"] {
            if (call, text) == ("assent.uint", "0x10") {
                continue;
            }
            let reasons = allow_if(&format!("{call}(\"{text}\") >= 0")).reasons();
            assert!(reasons.len() == 1 && reasons[0].starts_with("evaluation: "), "{call} {text}: {reasons:?}");
        }
    }
    for text in ["1.5", "1e100000000", MAX, "9007199254740992", "{\\\"a\\\":1,\\\"a\\\":2}", "\\\"\\\\ud800\\\""] {
        let reasons = allow_if(&format!("json.unmarshal(\"{text}\")")).reasons();
        assert!(reasons.len() == 1 && reasons[0].starts_with("evaluation: "), "{text}: {reasons:?}");
        assert!(allow_if(&format!("not json.is_valid(\"{text}\")")).allows(), "{text}");
    }
    assert!(
        allow_if("to_number(\"-5\") == -5\nto_number(null) == 0\nto_number(true) == 1\nto_number(7) == 7").allows()
    );
}

#[test]
fn formats_of_the_schema_make_exact_values_or_deny() {
    let with = |format: &str, value: &str, condition: &str| {
        let mut case = allow_if(condition);
        let x = format!(r#"{{"x": {{"type": "string", "format": "{format}"}}}}"#);
        case.schema = format!(r#"{{"properties": {{"list": {{"items": {{"properties": {x}}}}}}}}}"#);
        case.parameters = format!(r#"{{"list": [{{"x": {value}}}]}}"#);
        case.reasons()
    };
    let x = "data.params.list[0].x";
    assert_eq!(with("uint256", "\"5\"", &format!("{x} == 5")), [""; 0]);
    assert_eq!(with("int256", "\"-5\"", &format!("{x} == -5")), [""; 0]);
    let min = format!("-{}", U256::from(1) << 255);
    assert_eq!(with("int256", &format!("\"{min}\""), &format!("{x} == {min}")), [""; 0]);
    let address = "\"0xAaaaaAaAAaaAaaAAAaaAaaaAaAAaaaAaaaaAaA11\"";
    assert_eq!(with("address", address, &format!("{x} == \"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa11\"")), [""; 0]);
    assert_eq!(with("bytes", "\"0xAB\"", &format!("{x} == \"0xab\"")), [""; 0]);
    assert_eq!(with("date", "\"x\"", &format!("{x} == \"x\"")), [""; 0]);
    let over = format!("\"{}\"", U256::MAX.to_string().replace("9935", "9936"));
    for (format, value) in [
        ("uint256", "5"),
        ("uint256", "null"),
        ("uint256", "\"-1\""),
        ("uint256", "\"05\""),
        ("uint256", "\"5.0\""),
        ("uint256", "\"0x5\""),
        ("uint256", "\"\""),
        ("uint256", over.as_str()),
        ("int256", "\"-0\""),
        ("int256", "\"57896044618658097711785492504343953926634992332820282019728792003956564819968\""),
        ("int256", "\"-57896044618658097711785492504343953926634992332820282019728792003956564819969\""),
        ("address", "\"0x11\""),
        ("address", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
        ("bytes", "\"0xabc\""),
        ("bytes", "\"0xzz\""),
    ] {
        let reasons = with(format, value, "true");
        let expected = "parameters: `list[0].x` must be ";
        assert!(reasons.len() == 1 && reasons[0].starts_with(expected), "{format} {value}: {reasons:?}");
    }
}

#[test]
fn modules_cannot_take_the_packages_of_documents() {
    for package in ["params", "params.x", "wasm.price", "private", "__assent"] {
        let mut case = allow_if("true");
        case.modules.push(("z.rego".to_owned(), format!("package {package}\nlimit := 5\n")));
        let reasons = case.reasons();
        assert!(reasons.len() == 1 && reasons[0].starts_with("rules: z.rego: a package cannot begin"), "{reasons:?}");
    }
    let mut quoted = allow_if("true");
    quoted.modules.push(("z.rego".to_owned(), "package data[\"params\"]\nlimit := 5\n".to_owned()));
    assert!(!quoted.reasons().iter().any(|reason| !reason.starts_with("rules")), "{:?}", quoted.reasons());
}

#[test]
fn regions_that_are_not_what_they_must_be_deny_with_their_kind() {
    let valid = allow_if("true");
    assert!(valid.allows());
    let kind = |change: &dyn Fn(&mut Case)| {
        let mut case = valid.clone();
        change(&mut case);
        let reasons = case.reasons();
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        reasons[0].split(':').next().unwrap_or_default().to_owned()
    };
    assert_eq!(kind(&|case| case.parameters = "[]".to_owned()), "parameters");
    assert_eq!(kind(&|case| case.data = "{}".to_owned()), "data");
    assert_eq!(kind(&|case| case.input.truncate(100)), "input");
    assert_eq!(kind(&|case| case.input.extend([0; 32])), "input");
    assert_eq!(kind(&|case| case.extra = r#"{"unknown": 1}"#.to_owned()), "rules");
    assert_eq!(kind(&|case| case.extra = r#"{"version": 2}"#.to_owned()), "rules");
    assert_eq!(kind(&|case| case.extra = r#"{"entrypoint": "a b"}"#.to_owned()), "rules");
    assert_eq!(kind(&|case| case.extra = r#"{"entrypoint": "params"}"#.to_owned()), "rules");
    assert_eq!(kind(&|case| case.functions = vec!["function f(uint)".to_owned()]), "rules");
    assert_eq!(kind(&|case| case.modules[0].1 = "package".to_owned()), "rules");
    assert_eq!(kind(&|case| case.modules.push(("a.rego".to_owned(), "package a".to_owned()))), "rules");
    assert_eq!(kind(&|case| case.functions.clear()), "function");
}

#[test]
fn bits_of_the_input_that_change_nothing_are_refused() {
    let calldata = [0xab; 37];
    let bytes = input(&calldata, U256::from(5));
    let case = allow_if("true").calling("function f()", &[]);
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        let reasons = Case { input: changed, ..case.clone() }.reasons();
        // Zeros before addresses and lengths, offsets, and the padding.
        let is_fixed = index < 64
            || (64..76).contains(&index)
            || (224..236).contains(&index)
            || (256..268).contains(&index)
            || (320..352).contains(&index)
            || (384..415).contains(&index)
            || index >= 416 + 37;
        assert_eq!(reasons[0].starts_with("input: "), is_fixed || index == 415, "{index}: {reasons:?}");
    }
}

#[test]
fn reasons_longer_than_32_kib_are_replaced_by_one() {
    let case = Case::new(
        "package policy\n\nallow := true\ndeny contains concat(\"\", [\"x\" | some i in numbers.range(1, 33000)])\n",
    );
    assert_eq!(case.reasons(), ["result: the reasons are longer than 32 KiB"]);
}
