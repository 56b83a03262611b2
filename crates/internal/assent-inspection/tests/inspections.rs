//! What an inspection says.

mod world;

use alloy_primitives::{U256, hex};
use assent_inspection::{
    CheckOutcome, Group, Inspection, VerdictOutcome,
    text::{self, Texts},
};
use assent_verifier::{Decision, verify_with_report};
use world::World;

fn inspected(texts: &Texts) -> Inspection {
    text::inspect(texts).expect("something to inspect")
}

fn group<'a>(inspection: &'a Inspection, title: &str) -> &'a Group {
    inspection.fields.iter().find(|group| group.title.starts_with(title)).expect("the group is there")
}

#[test]
fn the_checks_are_the_verifiers() {
    for example in world::examples().into_iter().filter(|example| !example.texts.authorization.is_empty()) {
        let texts = &example.texts;
        let context = serde_json::from_str(&texts.context).expect("a context");
        let intent = serde_json::from_str(&texts.intent).expect("an intent");
        let authorization = hex::decode(&texts.authorization).expect("hex");
        let call = assent_verifier::Call::Explicit { intent: &intent, authorization: &authorization };
        let examination = verify_with_report(&context, call);
        let found = examination.checks().map(|(check, outcome)| {
            let outcome = match outcome {
                assent_verifier::CheckResult::Passed => CheckOutcome::Passed,
                assent_verifier::CheckResult::Failed(_) => CheckOutcome::Failed,
                assent_verifier::CheckResult::NotReached => CheckOutcome::NotReached,
            };
            (check.number(), outcome)
        });
        let found = found.collect::<Vec<_>>();
        let said = inspected(texts).checks.iter().map(|check| (check.number, check.outcome)).collect::<Vec<_>>();
        assert_eq!(said, found, "{}", example.name);
    }
}

#[test]
fn every_byte_of_an_authorization_belongs_to_one_field() {
    for example in world::examples().into_iter().filter(|example| !example.texts.authorization.is_empty()) {
        let Some(authorization) = inspected(&example.texts).authorization else { continue };
        let length = authorization.encode().len();
        let inspection = inspected(&example.texts);
        let fields = &group(&inspection, "Authorization").fields;
        let mut end = 0;
        for field in fields {
            let bytes = field.bytes.expect("its place");
            assert_eq!(bytes.offset, end, "{} of {}", field.name, example.name);
            end += bytes.length;
        }
        assert_eq!(end, length, "{}", example.name);
    }
}

#[test]
fn the_place_of_a_field_is_where_the_bytes_hold_it() {
    let world = World::new(Decision::Allow);
    let bytes = world.authorization.encode();
    let inspection = inspected(&world.texts());
    let at = |name: &str| {
        let field = group(&inspection, "Authorization").fields.iter().find(|field| field.name == name);
        let place = field.expect("the field").bytes.expect("its place");
        &bytes[place.offset..place.offset + place.length]
    };
    assert_eq!(at("taskId"), world.authorization.task_id.as_slice());
    assert_eq!(at("nonce"), world.authorization.nonce.to_be_bytes::<32>());
    assert_eq!(at("evidence"), world.authorization.evidence.as_slice());
    assert_eq!(at("epoch"), [0, 0, 0, 5]);
    assert_eq!(at("signature"), world.document.signature.0);
    assert_eq!(at("nonSigners"), [1, 1]);
    assert_eq!(at("merkleProof"), [0]);
}

#[test]
fn an_authorization_alone_is_decoded_and_the_checks_say_what_they_need() {
    let authorization = World::new(Decision::Allow).texts().authorization;
    let inspection = inspected(&Texts { authorization, ..Texts::default() });
    assert_eq!(inspection.verdict.outcome, VerdictOutcome::NotVerified);
    assert!(inspection.checks.iter().all(|check| check.outcome == CheckOutcome::NotMade));
    assert!(inspection.checks[0].reason.contains("needs a context"), "{:?}", inspection.checks[0]);
    assert_eq!(group(&inspection, "Authorization").fields[1].note.as_deref(), Some("bit 2 of word 1"));
}

#[test]
fn a_context_without_a_call_asks_for_the_call() {
    let texts = World::new(Decision::Allow).texts();
    let inspection = inspected(&Texts { document: String::new(), intent: String::new(), ..texts });
    assert!(inspection.checks[0].reason.contains("needs the call"), "{:?}", inspection.checks[0]);
}

#[test]
fn a_document_with_an_operator_set_is_verified_on_assumptions_that_are_said() {
    let example = world::examples().into_iter().find(|example| example.texts.context.is_empty()).expect("one");
    let inspection = inspected(&example.texts);
    assert_eq!(inspection.verdict.outcome, VerdictOutcome::Valid);
    assert!(inspection.verdict.sentence.ends_with("if the assumptions hold."), "{}", inspection.verdict.sentence);
    let assumed = |number: usize| inspection.checks[number - 1].assumed.join(", ");
    assert_eq!(assumed(6), "longest lifetime, issuance floor");
    assert_eq!(assumed(7), "spent nonces");
    assert_eq!(assumed(11), "", "the signature rests on nothing that was assumed");
    for missing in ["epochs", "timestamp"] {
        let mut texts = example.texts.clone();
        *(if missing == "epochs" { &mut texts.epochs } else { &mut texts.timestamp }) = String::new();
        assert_eq!(inspected(&texts).verdict.outcome, VerdictOutcome::NotVerified, "without {missing}");
    }
}

#[test]
fn a_wrong_task_is_explained_by_the_fields_that_differ() {
    let mut world = World::new(Decision::Allow);
    world.intent.value = U256::from(1);
    let inspection = inspected(&world.texts());
    assert_eq!(inspection.differences.len(), 2, "the value, and with it the task: {:?}", inspection.differences);
    assert_eq!(inspection.differences[0].field, "intent.value");
    assert!(inspection.checks[3].reason.contains("value: 0 attested, 1 in the call"));
    let without = inspected(&Texts { document: String::new(), ..world.texts() });
    assert!(without.verdict.remedy.is_some_and(|remedy| remedy.contains("give the attestation document")));
}

#[test]
fn a_different_argument_is_named_in_the_verdict() {
    let example = world::examples().into_iter().find(|example| !example.texts.abi.is_empty()).expect("one");
    let inspection = inspected(&example.texts);
    assert_eq!(
        inspection.verdict.sentence,
        "The call is not the attested one (amount: 100 attested, 101 in the call)."
    );
    assert_eq!(inspection.verdict.remedy, Some("make the call as it was attested, or have this call attested"));
    let call = group(&inspection, "Call").fields.iter().find(|field| field.name == "data").expect("the calldata");
    assert!(call.note.as_ref().is_some_and(|note| note.ends_with("amount: 101)")), "{:?}", call.note);

    let without = inspected(&Texts { abi: String::new(), ..example.texts });
    assert_eq!(
        without.verdict.sentence,
        "The call is not the attested one (calldata word 2: 0x64 attested, 0x65 in the call)."
    );
    assert_eq!(without.differences[0].parts[0].offset, Some(36));
}

#[test]
fn a_refusal_comes_with_a_sentence_and_a_remedy() {
    for example in world::examples() {
        let verdict = inspected(&example.texts).verdict;
        assert!(verdict.sentence.ends_with('.'), "{}: {}", example.name, verdict.sentence);
        assert!(verdict.sentence.chars().next().is_some_and(char::is_uppercase), "{}", verdict.sentence);
        assert_eq!(verdict.remedy.is_some(), example.refused.is_some(), "{}", example.name);
    }
}

#[test]
fn operators_are_listed_with_who_signed() {
    let inspection = inspected(&World::new(Decision::Allow).texts());
    let signed = inspection.operators.iter().map(|operator| operator.signed).collect::<Vec<_>>();
    assert_eq!(signed, [Some(false), Some(true), Some(true)]);
}

#[test]
fn a_caller_and_a_time_take_the_place_of_the_contexts() {
    let texts = World::new(Decision::Allow).texts();
    let late = inspected(&Texts { timestamp: "1800000600".to_owned(), ..texts.clone() });
    assert_eq!(late.verdict.error.map(|error| error.name), Some("AttestationExpired"));
    let caller = "0x9999999999999999999999999999999999999999".to_owned();
    let stranger = inspected(&Texts { caller, ..texts });
    assert_eq!(stranger.verdict.error.map(|error| error.name), Some("WrongSender"));
}
