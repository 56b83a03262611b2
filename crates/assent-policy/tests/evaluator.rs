//! Policies decided by the evaluator's image.

use alloy_primitives::{Address, B256, U256, address};
use assent_policy::{
    Bundle, Evaluation, EvidenceFile, Observations, PolicyFolder, PolicyInput, ReferenceBlock, Replay, ResultProof,
    Rules, check, evaluate, evaluator,
};
use assent_types::{Decision, Intent};
use std::collections::BTreeMap;

const MANIFEST: &str = r#"{"name": "treasury", "version": "1.0.0", "entrypoint": "treasury",
    "functions": ["function pay(address to, uint256 amount)", "receive()",
        "function many((address to, int8[2] by)[] items, string note, bytes3 b)"]}"#;
const SCHEMA: &str = r#"{"type": "object", "properties": {"limit": {"type": "string", "format": "uint256"}}}"#;
const RULES: &str = "package treasury

default allow := false

allow if input.call.args.amount <= data.params.limit

deny contains sprintf(\"%v is more than %v\", [input.call.args.amount, data.params.limit]) if {
\tinput.call.args.amount > data.params.limit
}
";
const MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

fn folder(manifest: &str, rules: &str, limit: &str) -> PolicyFolder {
    let parameters = format!(r#"{{"limit": "{limit}"}}"#);
    let files = [
        ("policy.json", manifest),
        ("parameters.schema.json", SCHEMA),
        ("parameters.json", parameters.as_str()),
        ("treasury.rego", rules),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    PolicyFolder::read(&files.collect::<BTreeMap<_, _>>()).unwrap()
}

fn input(data: Vec<u8>) -> PolicyInput {
    let client = address!("0x2222222222222222222222222222222222222222");
    PolicyInput {
        intent: Intent {
            from: Address::repeat_byte(0x11),
            to: client,
            value: U256::ZERO,
            data: data.into(),
            chainId: U256::ONE,
        },
        policy_client: client,
        nonce: U256::from(7),
        block: ReferenceBlock {
            number: U256::from(9),
            hash: B256::repeat_byte(3),
            timestamp: U256::from(1_800_000_000),
        },
    }
}

fn payment(amount: U256) -> PolicyInput {
    let selector = folder(MANIFEST, RULES, "1").manifest.functions[0].selector().unwrap();
    let recipient: B256 = Address::repeat_byte(0x33).into_word();
    input([selector.as_slice(), recipient.as_slice(), &amount.to_be_bytes::<32>()].concat())
}

fn decide(folder: &PolicyFolder, input: &PolicyInput) -> Evaluation {
    let image = evaluator().unwrap();
    evaluate(image, &folder.policy(image.root()).unwrap(), input, "").unwrap()
}

fn reasons(evaluation: &Evaluation) -> Vec<String> {
    evaluation.reasons.iter().map(|reason| format!("{}: {}", reason.kind, reason.message)).collect()
}

#[test]
fn a_source_that_is_built_in_gives_exact_integers_to_the_rules() {
    let source = r#""sources": {"spent": {"builtin": {"history": {
        "event": "event Paid(address indexed to, uint256 amount)", "address": "task.client",
        "window": {"seconds": 86400}, "sum": "amount"}}}},"#;
    let manifest = MANIFEST.replacen(r#""entrypoint""#, &format!(r#"{source} "entrypoint""#), 1);
    let rules = RULES.replace("amount <=", "amount + data.wasm.spent.sum <=");
    let folder = folder(&manifest, &rules, MAX);
    assert_eq!(check(&folder), []);
    let image = evaluator().unwrap();
    let bundle = folder.build(image.root()).unwrap();
    assert_eq!(Bundle::parse(&bundle.to_bytes()).as_ref(), Ok(&bundle), "it has no component");
    for (spent, is_allowed) in [("0", true), (MAX, false)] {
        let output = format!(r#"{{"count": "1", "from_block": "5", "sum": "{spent}"}}"#);
        let output = assent_json::parse(output.as_bytes()).unwrap();
        let data = Observations::of_one([("spent".to_owned(), output)]).unwrap().to_canonical().unwrap();
        let evaluation = evaluate(image, bundle.policy(), &payment(U256::ONE), &data).unwrap();
        assert_eq!(evaluation.decision == Decision::Allow, is_allowed, "{spent}: {:?}", evaluation.reasons);
    }
}

#[test]
fn amounts_are_compared_exactly_up_to_the_largest() {
    for (limit, amount, is_allowed) in [
        ("500", U256::from(500), true),
        ("500", U256::from(501), false),
        (MAX, U256::MAX, true),
        ("115792089237316195423570985008687907853269984665640564039457584007913129639934", U256::MAX, false),
        ("0", U256::ZERO, true),
    ] {
        let evaluation = decide(&folder(MANIFEST, RULES, limit), &payment(amount));
        assert_eq!(evaluation.decision == Decision::Allow, is_allowed, "{limit} {amount}: {evaluation:?}");
        let expected = if is_allowed { vec![] } else { vec![format!("denied: {amount} is more than {limit}")] };
        assert_eq!(reasons(&evaluation), expected);
    }
}

#[test]
fn a_decision_is_repeated_from_its_evidence_file_and_opened() {
    let image = evaluator().unwrap();
    for amount in [500, 501] {
        let policy = folder(MANIFEST, RULES, "500").policy(image.root()).unwrap();
        let input = payment(U256::from(amount));
        let evaluation = evaluate(image, &policy, &input, "").unwrap();
        let file = EvidenceFile::new(policy, &input, String::new(), &evaluation);
        let read = EvidenceFile::parse(file.to_json().as_bytes()).unwrap();
        assert_eq!(read.replay(image), Ok(Replay::Follows(evaluation.clone())));
        let opening = evaluation.evidence.open(&ResultProof::new(&evaluation.result).unwrap()).unwrap();
        assert_eq!((opening.decision, opening.policy_id), (evaluation.decision, read.policy.id()));

        // The other decision does not follow from the same evidence.
        let mut claimed = read;
        claimed.result[0] ^= 1;
        assert!(matches!(claimed.replay(image), Ok(Replay::Differs(_))));
    }
}

#[test]
fn calls_that_the_manifest_does_not_name_or_that_do_not_decode_are_denied() {
    let folder = folder(MANIFEST, "package treasury\n\nallow := true\n", "1");
    assert_eq!(decide(&folder, &payment(U256::ONE)).decision, Decision::Allow);
    let mut longer = payment(U256::ONE);
    longer.intent.data = [&longer.intent.data[..], &[0]].concat().into();
    let mut dirty = payment(U256::ONE);
    let mut bytes = dirty.intent.data.to_vec();
    bytes[4] = 1;
    dirty.intent.data = bytes.into();
    for (input, kind) in
        [(longer, "calldata"), (dirty, "calldata"), (input(vec![1, 2, 3, 4]), "function"), (input(vec![1]), "function")]
    {
        let evaluation = decide(&folder, &input);
        assert_eq!(evaluation.decision, Decision::Deny);
        assert!(["calldata", "function"].contains(&evaluation.reasons[0].kind.as_str()), "{kind}: {evaluation:?}");
    }
}

#[test]
fn calldata_of_zeros_decodes_for_every_function() {
    let folder = folder(MANIFEST, "package treasury\n\nallow := true\n", "1");
    for function in &folder.manifest.functions {
        let evaluation = decide(&folder, &input(function.zero_calldata().unwrap()));
        assert_eq!(evaluation.decision, Decision::Allow, "{function}: {:?}", evaluation.reasons);
    }
}

#[test]
fn the_step_limit_of_the_manifest_ends_a_decision_as_a_denial() {
    let limited = MANIFEST.replace("\"version\"", "\"limits\": {\"steps\": 1000}, \"version\"");
    let evaluation = decide(&folder(&limited, RULES, "500"), &payment(U256::ONE));
    assert_eq!((evaluation.decision, evaluation.steps), (Decision::Deny, 1000));
    assert_eq!(reasons(&evaluation), ["limit: the evaluation took more than 1000 steps"]);
}

#[test]
fn wrong_parameters_deny_with_their_reason() {
    for limit in ["1e3", "0x10", "-1", "01", "", "5 "] {
        let evaluation = decide(&folder(MANIFEST, "package treasury\n\nallow := true\n", limit), &payment(U256::ONE));
        assert_eq!(
            (evaluation.decision, evaluation.reasons[0].kind.as_str()),
            (Decision::Deny, "parameters"),
            "{limit}"
        );
    }
}

#[test]
fn observations_reach_the_rules_and_their_absence_denies() {
    let manifest = MANIFEST.replace(
        "\"version\"",
        r#""sources": {"price": {"reduce": {"usd": "median"}, "schema": {"type": "object", "properties":
            {"usd": {"type": "string", "format": "uint256"}}}}}, "version""#,
    );
    let mut folder = folder(&manifest, "package treasury\n\nallow if data.wasm.price.usd == 20\n", "1");
    folder.components.insert("price".into(), b"\0asm".to_vec());
    let image = evaluator().unwrap();
    let policy = folder.policy(image.root()).unwrap();
    let decide = |data: &str| evaluate(image, &policy, &payment(U256::ONE), data).unwrap();
    let mut observations = Observations::new(U256::from(2));
    for (byte, usd) in [(1, "10"), (2, "20"), (3, "30")] {
        let output = assent_json::parse(format!(r#"{{"usd": "{usd}"}}"#).as_bytes()).unwrap();
        observations.add("price", Address::repeat_byte(byte), U256::ONE, output).unwrap();
    }
    let evaluation = decide(&observations.to_canonical().unwrap());
    assert_eq!(evaluation.decision, Decision::Allow, "{:?}", evaluation.reasons);
    assert_eq!(decide("").reasons[0].kind, "data");
}

/// A policy that denies with the value of its source `s`, whose observers weigh 40, 30 and 30.
fn reduced(reduce: &str, within: &str, schema: &str, outputs: [&str; 3]) -> (PolicyFolder, Observations) {
    let sources = format!(r#""sources": {{"s": {{"reduce": {reduce}, {within} "schema": {schema}}}}}, "version""#);
    let rules = "package treasury\n\nallow := true\n\ndeny contains json.marshal(data.wasm.s)\n";
    let mut folder = folder(&MANIFEST.replace("\"version\"", &sources), rules, "1");
    folder.components.insert("s".to_owned(), b"\0asm".to_vec());
    let mut observations = Observations::new(U256::from(67));
    for ((operator, weight), output) in [(1, 40), (2, 30), (3, 30)].into_iter().zip(outputs) {
        let output = assent_json::parse(output.as_bytes()).expect(output);
        observations.add("s", Address::with_last_byte(operator), U256::from(weight), output).unwrap();
    }
    (folder, observations)
}

#[test]
fn observations_are_reduced_outside_of_the_machine_as_inside_of_it() {
    let integers = r#"{"type": "string", "format": "int256"}"#;
    let fields = format!(r#"{{"type": "object", "properties": {{"a": {integers}}}}}"#);
    let image = evaluator().unwrap();
    let mut agreed = 0;
    for (reduce, schema, outputs) in [
        ("\"same\"", "{}", ["true", "true", "false"]),
        ("\"same\"", "{}", ["true", "false", "false"]),
        ("\"median\"", "{}", ["1", "2", "3"]),
        ("\"median\"", integers, ["\"-1\"", "\"-3\"", "\"-2\""]),
        ("\"median\"", "{}", ["1", "2", "\"3\""]),
        ("\"quorum\"", "{}", ["1", "3", "2"]),
        ("\"min\"", integers, [&format!("\"{}\"", &MAX[1..]), "\"3\"", "\"2\""]),
        ("\"max\"", "{}", ["9007199254740991", "3", "2"]),
        ("\"union\"", "{}", ["[1, 3]", "[]", "[2, 1]"]),
        (r#"{"a": "max"}"#, &fields, [r#"{"a": "5", "b": 1}"#, r#"{"a": "-5", "b": 1}"#, r#"{"a": "6"}"#]),
        (r#"{"a": "max"}"#, &fields, [r#"{"a": "5", "b": 1}"#, r#"{"a": "-5"}"#, r#"{"a": "6"}"#]),
        (r#"{"a": "max"}"#, &fields, [r#"{"a": "5"}"#, "{}", r#"{"a": "6"}"#]),
    ] {
        let (folder, observations) = reduced(reduce, "", schema, outputs);
        let source = &folder.rules().unwrap().sources["s"];
        let policy = folder.policy(image.root()).unwrap();
        let data = observations.to_canonical().unwrap();
        let evaluation = evaluate(image, &policy, &input(Vec::new()), &data).unwrap();
        let expected = match observations.reduce("s", source) {
            Ok(value) => {
                agreed += 1;
                // The rules see an exact integer where the schema makes one of a string.
                let text = value.to_canonical();
                let text = if schema == integers { text.replace('"', "") } else { text.replace("\"6\"", "6") };
                format!("denied: {text}")
            }
            Err(error) => format!("data: source `s`: {error}"),
        };
        assert_eq!(reasons(&evaluation), [expected], "{reduce} {outputs:?}");
    }
    assert_eq!(agreed, 8);
}

#[test]
fn an_operator_whose_own_observation_is_too_far_off_must_not_sign() {
    let schema = r#"{"properties": {"usd": {"type": "string", "format": "uint256"}}}"#;
    let outputs = [r#"{"usd": "1000"}"#, r#"{"usd": "1010"}"#, r#"{"usd": "2000"}"#];
    let require = |within: &str, key: &str, own: &str| {
        let (folder, observations) = reduced(r#"{"usd": "median"}"#, within, schema, outputs);
        let rules = Rules::Single(folder.rules().unwrap());
        assert_eq!(Rules::parse(&rules.to_canonical()), Ok(rules.clone()));
        let own = BTreeMap::from([(key.to_owned(), assent_json::parse(own.as_bytes()).unwrap())]);
        let one = Observations::require_within(&BTreeMap::from([(None, observations.clone())]), &rules, &own);
        // In a conjunction, the key has the policy's index.
        let Rules::Single(single) = rules else { panic!("one policy") };
        let all = Rules::All(vec![single.clone(), single]);
        let own = own.into_iter().map(|(key, output)| (format!("1.{key}"), output)).collect();
        let member = Observations::require_within(&BTreeMap::from([(Some(1), observations)]), &all, &own);
        assert_eq!(one.is_ok(), member.is_ok());
        one.map_err(|error| error.to_string())
    };
    let one_percent = r#""within": {"usd": 100},"#;
    assert_eq!(require(one_percent, "s", r#"{"usd": "1010"}"#), Ok(()));
    assert_eq!(require(one_percent, "s", r#"{"usd": "1020"}"#), Ok(()));
    let too_far = "source \"s\": `usd`: the operator's own 1021 is more than 100 basis points off the reduced 1010";
    assert_eq!(require(one_percent, "s", r#"{"usd": "1021"}"#), Err(too_far.to_owned()));
    assert!(require(one_percent, "s", r#"{"usd": "999"}"#).is_err());
    assert!(require(one_percent, "s", "{}").unwrap_err().contains("nothing is not an integer"));
    let missing = "the operator has no observation of the source \"s\" to compare";
    assert_eq!(require(one_percent, "other", r#"{"usd": "1010"}"#), Err(missing.to_owned()));
    // Without `within`, nothing is compared.
    assert_eq!(require("", "other", r#"{"usd": "9"}"#), Ok(()));
}

#[test]
fn a_tolerance_is_part_of_the_policy() {
    let id = |within: &str| {
        let (folder, _) = reduced(r#"{"usd": "median"}"#, within, "{}", ["1", "1", "1"]);
        folder.policy(evaluator().unwrap().root()).unwrap().id()
    };
    let ids = ["", r#""within": {"usd": 100},"#, r#""within": {"usd": 101},"#].map(id);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[2] != ids[0]);
}

#[test]
fn every_builtin_that_the_check_knows_is_one_of_the_evaluator() {
    let missing = assent_policy::known_builtins().filter(|name| {
        // Called with arguments of the wrong number or type: only a function that does not exist is not found.
        (0..5).all(|count| {
            let arguments = vec!["1"; count].join(", ");
            let rules = format!("package treasury\n\nallow if {name}({arguments}) == 1\n");
            let evaluation = decide(&folder(MANIFEST, &rules, "1"), &payment(U256::ONE));
            reasons(&evaluation).iter().any(|reason| reason.contains("could not find function"))
        })
    });
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn what_the_check_lets_stand_is_parsed_by_the_evaluator_too() {
    for rules in [
        "allow if every x in [1, 2] { x > 0 }",
        "allow if { some k, v in {\"a\": 1}; k == \"a\"; v == 1 }",
        "f(x) := y if { y := x + 1 } else := 0\n\nallow if f(1) == 2",
        "a.b.c := 1\n\nallow if a.b.c == 1",
        "allow if { [a, b] := [1, \"x\"]; a == 1; b == \"x\" }",
        "allow if {1, 2} == {2, 1}",
        "allow if \"a\", 1 in {\"a\": 1}",
        "allow if count([x | some x in [1, 2]; x > 1]) == 1",
        "allow if {k: v | some k, v in {\"a\": 1}} == {\"a\": 1}",
        "allow if 1 in {1} | {2}",
        "allow := x if { x := true }",
        "limits[name] := 5 if { some name in [\"a\"] }\n\nallow if limits.a == 5",
        "allow if not false\n\nallow if -1 < 0",
    ] {
        let folder = folder(MANIFEST, &format!("package treasury\n\n{rules}\n"), "1");
        assert_eq!(check(&folder), [], "{rules}");
        let evaluation = decide(&folder, &payment(U256::ONE));
        assert_eq!(evaluation.decision, Decision::Allow, "{rules}: {:?}", evaluation.reasons);
    }
}
