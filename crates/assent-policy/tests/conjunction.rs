//! Conjunctions: several policies that must all allow, with one id.

use alloy_primitives::{Address, B256, U256};
use assent_json::Value;
use assent_policy::{
    Bundle, Conjunction, ConjunctionManifest, Evaluation, EvidenceFile, Member, Observations, PolicyFolder,
    PolicyInput, ReferenceBlock, Replay, TestOptions, TestOutcome, check_conjunction, evaluate, evaluator,
    run_conjunction_tests,
};
use assent_types::{Decision, Intent};
use std::collections::BTreeMap;

type Files = BTreeMap<String, Vec<u8>>;

fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

/// A policy that allows values up to the parameter `limit`, with its own test.
fn limit() -> Files {
    let rules = "package limit\n\ndefault allow := false\n\nallow if input.intent.value <= data.params.limit\n\n\
                 deny contains \"too much\" if input.intent.value > data.params.limit\n";
    files(&[
        ("policy.json", r#"{"name": "limit", "version": "1", "entrypoint": "limit", "functions": ["receive()"]}"#),
        ("limit.rego", rules),
        (
            "limit_test.rego",
            "package limit_test\n\ntest_own if {\n\t\
             data.limit.allow with input as {\"intent\": {\"value\": data.params.limit}}\n}\n",
        ),
        ("parameters.json", r#"{"limit": 5}"#),
        ("parameters.schema.json", r#"{"type": "object", "properties": {"limit": {"type": "integer"}}}"#),
    ])
}

/// A policy that allows while its source says so.
fn open() -> Files {
    let manifest = r#"{"name": "open", "version": "1", "entrypoint": "open", "functions": ["receive()"],
        "sources": {"state": {"schema": {"type": "object"}}}}"#;
    let rules = "package open\n\ndefault allow := false\n\nallow if data.wasm.state.open\n\n\
                 deny contains \"closed\" if not data.wasm.state.open\n";
    let mut files = files(&[("policy.json", manifest), ("open.rego", rules)]);
    files.insert("sources/state.wasm".into(), b"\0asm of open".to_vec());
    files
}

fn member(files: &Files) -> Member {
    Member::Folder(Box::new(PolicyFolder::read(files).unwrap()))
}

fn image() -> B256 {
    evaluator().unwrap().root()
}

fn bundle(files: &Files) -> Bundle {
    PolicyFolder::read(files).unwrap().build(image()).unwrap()
}

fn conjunction(extra: &[(&str, &str)]) -> Conjunction {
    let mut own = files(&[(
        "policy.json",
        r#"{"name": "both", "version": "1", "all": [{"policy": "limit"}, {"policy": "open.policy"}]}"#,
    )]);
    own.extend(files(extra));
    Conjunction::read(&own, vec![member(&limit()), Member::Bundle(Box::new(bundle(&open())))]).unwrap()
}

fn decide(conjunction: &Conjunction, value: u64, is_open: &str) -> (Evaluation, EvidenceFile) {
    let policy = conjunction.policy(image()).unwrap();
    let (from, to) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let intent = Intent { from, to, value: U256::from(value), data: Default::default(), chainId: U256::ONE };
    let block = ReferenceBlock { number: U256::ONE, hash: B256::ZERO, timestamp: U256::from(7) };
    let input = PolicyInput { intent, policy_client: to, nonce: U256::ZERO, block };
    let answer = assent_json::parse(format!(r#"{{"open": {is_open}}}"#).as_bytes()).unwrap();
    let observed = Observations::of_one([("state".to_owned(), answer)]).unwrap();
    let data = Observations::of_members(&BTreeMap::from([(Some(1), observed)])).unwrap();
    let evaluation = evaluate(evaluator().unwrap(), &policy, &input, &data).unwrap();
    let file = EvidenceFile::new(policy, &input, data, &evaluation);
    (evaluation, file)
}

fn reasons(evaluation: &Evaluation) -> Vec<(Option<&str>, &str)> {
    evaluation.reasons.iter().map(|reason| (reason.policy.as_deref(), reason.message.as_str())).collect()
}

#[test]
fn a_call_is_allowed_only_if_every_policy_allows_and_each_reason_names_its_policy() {
    let both = conjunction(&[]);
    assert_eq!(decide(&both, 5, "true").0.decision, Decision::Allow);
    let (too_much, _) = decide(&both, 6, "true");
    assert_eq!(too_much.decision, Decision::Deny);
    assert_eq!(reasons(&too_much), [(Some("0"), "too much")]);
    assert_eq!(reasons(&decide(&both, 5, "false").0), [(Some("1"), "closed")]);
    assert_eq!(reasons(&decide(&both, 6, "false").0), [(Some("0"), "too much"), (Some("1"), "closed")]);
}

#[test]
fn the_decision_of_a_conjunction_is_replayed_from_its_evidence() {
    for (value, is_open) in [(5, "true"), (6, "true"), (5, "false")] {
        let (evaluation, file) = decide(&conjunction(&[]), value, is_open);
        let file = EvidenceFile::parse(file.to_json().as_bytes()).unwrap();
        assert_eq!(file.replay(evaluator().unwrap()), Ok(Replay::Follows(evaluation)));
    }
}

#[test]
fn a_conjunction_is_one_policy_whose_parameters_are_those_of_its_members() {
    let own = conjunction(&[]);
    let same = conjunction(&[("parameters.json", r#"[{"limit": 5}, {}]"#)]);
    let other = conjunction(&[("parameters.json", r#"[{"limit": 6}, {}]"#)]);
    let [own, same, other] = [own, same, other].map(|conjunction| conjunction.policy(image()).unwrap());
    assert_eq!(own.id(), same.id());
    assert_eq!(other.rules_hash(), own.rules_hash());
    assert_ne!(other.id(), own.id());
    assert_eq!(own.parameters(), r#"[{"limit":5},{}]"#);
}

#[test]
fn a_built_conjunction_is_read_to_itself_with_the_components_of_each_member() {
    // Two members whose sources have the same name and different components.
    let mut other = open();
    other.insert("sources/state.wasm".into(), b"\0asm of another".to_vec());
    other.insert("open.rego".into(), b"package other\n\ndefault allow := false\n".to_vec());
    let manifest = String::from_utf8(other["policy.json"].clone())
        .unwrap()
        .replace(r#""entrypoint": "open""#, r#""entrypoint": "other""#);
    other.insert("policy.json".into(), manifest.into_bytes());
    let own =
        files(&[("policy.json", r#"{"name": "both", "version": "1", "all": [{"policy": "a"}, {"policy": "b"}]}"#)]);
    let both = Conjunction::read(&own, vec![member(&open()), member(&other)]).unwrap();
    let built = both.build(image()).unwrap();
    assert_eq!(Bundle::parse(&built.to_bytes()), Ok(built.clone()));
    assert_eq!(built.components()["0.state"], b"\0asm of open");
    assert_eq!(built.components()["1.state"], b"\0asm of another");
    assert_eq!(built.policy().id(), both.policy(image()).unwrap().id());

    // One component for both cannot be used.
    let mut components = built.components().clone();
    components.insert("0.state".into(), components["1.state"].clone());
    let wrong = Bundle::new("both".into(), "1".into(), built.policy().clone(), components);
    assert!(wrong.unwrap_err().to_string().contains("\"0.state\""));
}

#[test]
fn a_member_that_is_named_by_its_id_must_be_that_policy() {
    let id = bundle(&limit()).policy().id();
    let named = |id: B256, parameters: &[(&str, &str)]| {
        let manifest = format!(
            r#"{{"name": "b", "version": "1", "all": [{{"policy": "a", "policyId": "{id}"}}, {{"policy": "open"}}]}}"#
        );
        let mut own = files(&[("policy.json", &manifest)]);
        own.extend(files(parameters));
        Conjunction::read(&own, vec![member(&limit()), member(&open())]).unwrap().policy(image())
    };
    assert!(named(id, &[]).is_ok());
    let wrong = named(B256::repeat_byte(7), &[]).unwrap_err().to_string();
    assert!(wrong.contains(&id.to_string()) && wrong.contains("is not the one that policy.json names"), "{wrong}");
    // The id is that of the policy with its parameters in the conjunction.
    assert!(named(id, &[("parameters.json", r#"[{"limit": 6}, {}]"#)]).is_err());
}

#[test]
fn what_is_not_a_conjunction_is_refused_with_its_reason() {
    let manifest = |all: &str| format!(r#"{{"name": "both", "version": "1", "all": {all}}}"#);
    let two = r#"[{"policy": "a"}, {"policy": "b"}]"#;
    assert_eq!(ConjunctionManifest::parse(manifest(two).as_bytes()).unwrap().members.len(), 2);
    let nine = format!("[{}]", [r#"{"policy": "a"}"#; 9].join(","));
    let cases = [
        (manifest(r#"[{"policy": "a"}]"#), "a conjunction has 2 to 8"),
        (manifest(&nine), "a conjunction has 2 to 8"),
        (manifest(r#"[{"policy": "a"}, {"policy": "/etc/b"}]"#), "`all[1].policy`: \"/etc/b\" is not a path from"),
        (manifest(r#"[{"policy": "a"}, {}]"#), "`all[1].policy` is missing"),
        (manifest(r#"[{"policy": "a"}, {"policyId": "0x00"}]"#), "`all[1].policy` is missing"),
        (manifest(r#"[{"policy": "a"}, {"policy": "b", "policyId": "0x00"}]"#), "is not 32 bytes"),
        (manifest(r#"[{"policy": "a"}, {"policy": "b", "name": "b"}]"#), "`all[1].name` is unknown"),
        (manifest(two).replace("\"all\"", "\"entrypoint\": \"a\", \"all\""), "`entrypoint` is unknown"),
    ];
    for (text, expected) in cases {
        let error = ConjunctionManifest::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }

    let read = |extra: &[(&str, &str)], members: Vec<Member>| {
        let mut own = files(&[("policy.json", &manifest(two))]);
        own.extend(files(extra));
        Conjunction::read(&own, members)
    };
    let both = || vec![member(&limit()), member(&open())];
    assert!(read(&[], both()).is_ok());
    let nested = Member::Bundle(Box::new(read(&[], both()).unwrap().build(image()).unwrap()));
    let cases = [
        (read(&[], vec![member(&limit()), nested]), "b is a conjunction"),
        (read(&[], vec![member(&limit())]), "there are 1 policies, of 2"),
        (read(&[("own.rego", "package own\n")], both()), "own.rego would not be read"),
        (read(&[("parameters.json", "{}")], both()), "an array with the parameters of each policy"),
    ];
    for (result, expected) in cases {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let three = read(&[("parameters.json", "[{}, {}, {}]")], both()).unwrap().policy(image()).unwrap_err().to_string();
    assert!(three.contains("an array of 2 objects"), "{three}");

    // A policy for another image.
    let other = Member::Bundle(Box::new(PolicyFolder::read(&limit()).unwrap().build(B256::repeat_byte(7)).unwrap()));
    let error = read(&[], vec![other, member(&open())]).unwrap().policy(image()).unwrap_err().to_string();
    assert!(error.contains("build it again"), "{error}");
}

#[test]
fn the_tests_of_a_conjunction_see_all_its_policies_and_those_of_folders_run_with_its_parameters() {
    let together = "package both_test\n\ntest_both if {\n\tdata.limit.allow with input as {\"intent\": {\"value\": 1}} \
                    with data.params as {\"limit\": 1}\n\t\
                    data.open.allow with data.wasm as {\"state\": {\"open\": true}}\n}\n";
    let both = conjunction(&[("both_test.rego", together), ("parameters.json", r#"[{"limit": 9}, {}]"#)]);
    assert_eq!(check_conjunction(&both), []);
    let options = TestOptions { run: None, coverage: true };
    let report = run_conjunction_tests(evaluator().unwrap(), &both, &options).unwrap();
    let names = report.tests.iter().map(|test| (test.module.as_str(), test.name.as_str())).collect::<Vec<_>>();
    assert_eq!(
        names,
        [("both_test.rego", "data.both_test.test_both"), ("0/limit_test.rego", "data.limit_test.test_own")]
    );
    assert!(report.tests.iter().all(|test| test.outcome == TestOutcome::Pass), "{report:?}");
    assert_eq!(report.coverage.len(), 1);

    // Two policies of one package cannot be told apart by a test that sees both.
    let mut own = files(&[("both_test.rego", together)]);
    own.extend(files(&[(
        "policy.json",
        r#"{"name": "b", "version": "1", "all": [{"policy": "a"}, {"policy": "b"}]}"#,
    )]));
    let twice = Conjunction::read(&own, vec![member(&limit()), member(&limit())]).unwrap();
    let error = run_conjunction_tests(evaluator().unwrap(), &twice, &TestOptions::default()).unwrap_err().to_string();
    assert!(error.contains("\"limit\""), "{error}");
}

#[test]
fn findings_in_a_member_name_its_path() {
    let mut broken = limit();
    broken.insert("limit.rego".into(), b"package limit\n\nallow if input.intent.value <= \"5\"\n".to_vec());
    let own =
        files(&[("policy.json", r#"{"name": "b", "version": "1", "all": [{"policy": "../a"}, {"policy": "b"}]}"#)]);
    let both = Conjunction::read(&own, vec![member(&broken), member(&open())]).unwrap();
    let findings = check_conjunction(&both);
    assert!(findings[0].to_string().starts_with("../a/limit.rego:3:10: "), "{findings:?}");
}

#[test]
fn observations_of_a_conjunction_are_by_index_and_absent_without_sources() {
    assert_eq!(Observations::of_members(&BTreeMap::new()), Ok(String::new()));
    let none = Observations::new(U256::ONE);
    assert_eq!(Observations::of_members(&BTreeMap::from([(Some(0), none.clone())])), Ok(String::new()));
    let one = Observations::of_one([("a".to_owned(), Value::Null)]).unwrap();
    let text = Observations::of_members(&BTreeMap::from([(Some(0), none), (Some(3), one.clone())])).unwrap();
    assert_eq!(text, format!(r#"{{"3":{}}}"#, one.to_canonical().unwrap()));
}
