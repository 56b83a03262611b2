//! Evaluation, evidence and replay, with programs of a few instructions in place of the evaluator.

use alloy_primitives::{Address, B256, U256};
use assent_machine::{Image, Machine, Region};
use assent_policy::{
    EvaluationError, EvidenceFile, ExecutablePolicy, PolicyInput, ReferenceBlock, Replay, ReplayDifference,
    ResultProof, Rules, SingleRules, evaluate,
};
use assent_types::{Decision, Intent};

/// Writes a result of one byte, and ends: `lui a0, 0x3ff0; addi a1, zero, byte; sb a1, 4(a0); addi a1, zero, 1; sw a1,
/// 0(a0); ecall`.
fn image(byte: u32) -> Image {
    image_of(&[0x03ff_0537, 0x0000_0593 | (byte << 20), 0x00b5_0223, 0x0010_0593, 0x00b5_2023, 0x0000_0073])
}

fn image_of(words: &[u32]) -> Image {
    Image::new(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>()).unwrap()
}

fn policy(image: &Image) -> ExecutablePolicy {
    let rules = SingleRules {
        entrypoint: "treasury".into(),
        functions: vec!["function pay(address to, uint256 amount)".parse().unwrap()],
        modules: [("treasury.rego".into(), "package treasury\n".into())].into(),
        parameters_schema: assent_json::parse(b"{}").unwrap(),
        sources: Default::default(),
    };
    let parameters = assent_json::parse(br#"{"limit": "5"}"#).unwrap();
    ExecutablePolicy::new(image.root(), &Rules::Single(rules), 1_000, &parameters).unwrap()
}

fn input() -> PolicyInput {
    PolicyInput {
        intent: Intent {
            from: Address::repeat_byte(1),
            to: Address::repeat_byte(2),
            value: U256::from(3),
            data: vec![4; 100].into(),
            chainId: U256::from(1),
        },
        policy_client: Address::repeat_byte(2),
        nonce: U256::from(5),
        block: ReferenceBlock { number: U256::from(6), hash: B256::repeat_byte(7), timestamp: U256::from(8) },
    }
}

#[test]
fn only_a_decision_byte_of_one_allows() {
    for byte in [0, 1, 2, 255] {
        let image = image(byte);
        let evaluation = evaluate(&image, &policy(&image), &input(), "").unwrap();
        assert_eq!(evaluation.decision == Decision::Allow, byte == 1, "{byte}");
        assert_eq!(evaluation.steps, 6);
    }
}

#[test]
fn a_trap_the_step_limit_and_a_missing_result_deny_with_their_reason() {
    for (words, kind) in [
        // Writes 1 to the decision byte, then traps (ebreak) or loops.
        (vec![0x03ff_0537, 0x0010_0593, 0x00b5_0223, 0x00b5_2023, 0x0010_0073], "trap"),
        (vec![0x03ff_0537, 0x0010_0593, 0x00b5_0223, 0x00b5_2023, 0x0000_006f], "limit"),
        (vec![0x0000_0073], "result"),
    ] {
        let image = image_of(&words);
        let evaluation = evaluate(&image, &policy(&image), &input(), "").unwrap();
        assert_eq!(evaluation.decision, Decision::Deny);
        assert_eq!(evaluation.reasons[0].kind, kind);
        assert_eq!(evaluation.result, Vec::<u8>::new());
        assert_eq!(Some(evaluation.evidence.result), assent_machine::content_root(Region::Result, b""));
    }
}

#[test]
fn the_evidence_opens_to_the_state_that_the_machine_begins_in() {
    let image = image(1);
    let policy = policy(&image);
    let evaluation = evaluate(&image, &policy, &input(), "").unwrap();
    let opening = evaluation.evidence.open(&ResultProof::new(&evaluation.result).unwrap()).unwrap();
    assert_eq!(opening.policy_id, policy.id());
    assert_eq!(opening.decision, Decision::Allow);

    let mut machine = Machine::new(&image);
    machine.load(Region::Rules, policy.rules().as_bytes()).unwrap();
    machine.load(Region::Parameters, policy.parameters().as_bytes()).unwrap();
    machine.load(Region::Input, &input().encode()).unwrap();
    machine.load(Region::Data, b"").unwrap();
    assert_eq!(opening.initial_state, machine.state_hash());
    machine.run(1_000);
    assert_eq!(evaluation.evidence.result, machine.region_root(Region::Result));
}

#[test]
fn a_policy_for_another_image_is_not_evaluated() {
    let (other, policy) = (image(1), policy(&image(0)));
    let expected = EvaluationError::WrongImage { expected: policy.image(), actual: other.root() };
    assert_eq!(evaluate(&other, &policy, &input(), ""), Err(expected));
}

/// The evidence of an evaluation that allows, read back from its text.
fn file() -> (Image, EvidenceFile) {
    let image = image(1);
    let policy = policy(&image);
    let evaluation = evaluate(&image, &policy, &input(), "").unwrap();
    let file = EvidenceFile::new(policy, &input(), String::new(), &evaluation);
    assert_eq!(EvidenceFile::parse(file.to_json().as_bytes()), Ok(file.clone()));
    (image, file)
}

#[test]
fn a_decision_follows_from_its_own_evidence() {
    let (image, file) = file();
    assert!(matches!(file.replay(&image), Ok(Replay::Follows(evaluation)) if evaluation.decision == Decision::Allow));
}

#[test]
fn each_change_of_an_evidence_file_is_found_as_the_first_difference() {
    let (image, file) = file();
    let differs = |change: &dyn Fn(&mut EvidenceFile)| {
        let mut changed = file.clone();
        change(&mut changed);
        match EvidenceFile::parse(changed.to_json().as_bytes()).unwrap().replay(&image).unwrap() {
            Replay::Differs(difference) => difference,
            Replay::Follows(_) => panic!("the changed file follows"),
        }
    };
    let (evidence, policy_id) = (file.evidence, file.policy_id);
    let wrong = B256::repeat_byte(9);
    assert_eq!(
        differs(&|file| file.policy_id = wrong),
        ReplayDifference::PolicyId { claimed: wrong, actual: policy_id }
    );
    assert_eq!(differs(&|file| file.evidence = wrong), ReplayDifference::Evidence { claimed: wrong, actual: evidence });
    let (claimed, actual) = (Decision::Deny, Decision::Allow);
    assert_eq!(differs(&|file| file.result = vec![0]), ReplayDifference::Decision { claimed, actual });
    assert_eq!(differs(&|file| file.result = vec![1, 1]), ReplayDifference::Result { offset: 1 });
    assert!(matches!(differs(&|file| file.input[100] ^= 1), ReplayDifference::Evidence { .. }));
    assert!(matches!(differs(&|file| file.data = "{}".into()), ReplayDifference::Evidence { .. }));
    let other_parameters = |file: &mut EvidenceFile| {
        let parameters = assent_json::parse(br#"{"limit": "6"}"#).unwrap();
        file.policy = file.policy.with_parameters(&parameters).unwrap();
    };
    assert!(matches!(differs(&other_parameters), ReplayDifference::PolicyId { .. }));
}

#[test]
fn an_attestation_that_says_something_else_is_found() {
    let (image, mut file) = file();
    let attestation = |decision: &str, nonce: &str, value: &str| {
        let (policy_id, evidence) = (file.policy_id, file.evidence);
        let [from, to] = [1, 2].map(Address::repeat_byte);
        let data = "04".repeat(100);
        let text = format!(
            r#"{{"attestation": {{"policyId": "{policy_id}", "evidence": "{evidence}", "decision": "{decision}",
                "policyClient": "{to}", "nonce": "{nonce}", "issuedAt": 8, "intent": {{"from": "{from}", "to": "{to}",
                "value": "{value}", "data": "0x{data}", "chainId": "1"}}}}}}"#
        );
        Some(assent_json::parse(text.as_bytes()).unwrap())
    };
    let [follows, decision, nonce, value] = [
        attestation("allow", "5", "3"),
        attestation("deny", "5", "3"),
        attestation("allow", "6", "3"),
        attestation("allow", "5", "4"),
    ];
    file.attestation = follows;
    assert!(matches!(file.replay(&image), Ok(Replay::Follows(_))));
    for (attestation, expected) in [(decision, "decision"), (nonce, "nonce"), (value, "value")] {
        file.attestation = attestation;
        let Ok(Replay::Differs(ReplayDifference::Attestation { field, .. })) = file.replay(&image) else {
            panic!("{expected} differs")
        };
        assert_eq!(field, expected);
    }
}

#[test]
fn files_that_are_no_evidence_are_refused_with_the_key() {
    let (_, file) = file();
    let text = file.to_json();
    for (from, to, expected) in [
        (r#""version":1"#, r#""version":2"#, "`version`: \"2\" is not 1"),
        (r#""stepLimit":1000"#, r#""stepLimit":0"#, "step limit 0"),
        (r#""stepLimit""#, r#""steps""#, "`steps` is unknown"),
        (r#""data":"","#, "", "`data` is missing"),
        (r#""result":"0x01""#, r#""result":"0x1""#, "`result`: \"0x1\" is not lower-case hex"),
        (r#"{\"limit\":\"5\"}"#, r#"{\"limit\": \"5\"}"#, "the parameters are invalid"),
        (r#"{\"limit\":\"5\"}"#, r#"[]"#, "the parameters must be an object"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        let error = EvidenceFile::parse(changed.as_bytes()).expect_err(to).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
