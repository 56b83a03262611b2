//! What a gateway makes of operators' answers.

use assent_network::{
    gateway::{Answer, Event, FailureCode, OperatorAnswerKind, TaskOutcome},
    message::OperatorMessage,
};
use assent_types::{AttestationDocument, Decision};

use crate::fixture::{NOW_MILLIS, Network, address, domain, task};

fn attested(network: &Network) -> &AttestationDocument {
    match network.answers.last() {
        Some(Answer::Finished { outcome: TaskOutcome::Attested { document, .. }, .. }) => document,
        other => panic!("{other:?}"),
    }
}

fn decided(network: &mut Network) -> AttestationDocument {
    network.connect();
    network.request();
    attested(network).clone()
}

#[test]
fn a_request_becomes_an_authorization_that_a_contract_accepts() {
    let mut network = Network::new(4);
    let document = decided(&mut network);
    assert_eq!(document.attestation.taskId, task().id(domain()));
    assert_eq!(document.attestation.decision, u8::from(Decision::Allow));
    assert_eq!(network.answers[0], Answer::Accepted { task_id: task().id(domain()) });
    // Three of four are a quorum: the fourth is not waited for.
    assert_eq!(document.non_signers.indices().collect::<Vec<_>>(), [3]);
    assert!(network.gateway.outcome(task().id(domain())).is_some());
}

#[test]
fn a_silent_operator_delays_nothing() {
    let mut network = Network::new(4);
    network.connect();
    network.silent = vec![1];
    network.request();
    assert_eq!(attested(&network).non_signers.indices().collect::<Vec<_>>(), [1]);
}

#[test]
fn an_outlier_does_not_stop_the_task() {
    let mut network = Network::new(4);
    network.outputs[0] = r#"{"value":"9"}"#.to_owned();
    let document = decided(&mut network);
    assert_eq!(document.attestation.decision, u8::from(Decision::Allow));
}

#[test]
fn invalid_signatures_are_left_out() {
    let mut network = Network::new(4);
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::Signed { task_id, decision, evidence, mut signature, reasons }) if index == 0 => {
            signature.0[5] ^= 1;
            OperatorMessage::Signed { task_id, decision, evidence, signature, reasons }.to_json()
        }
        Ok(OperatorMessage::Observed { task_id, mut observations }) if index == 1 => {
            observations[0].signature.0[5] ^= 1;
            OperatorMessage::Observed { task_id, observations }.to_json()
        }
        _ => message,
    };
    network.connect();
    network.request();
    // The second is excluded for its observation, the first for its signature: two of four are no quorum.
    let Some(Answer::Finished { outcome: TaskOutcome::Failed(failure), .. }) = network.answers.last() else {
        panic!("{:?}", network.answers)
    };
    assert_eq!(failure.code, FailureCode::NoQuorum);

    let mut network = Network::new(7);
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::Signed { task_id, decision, evidence, mut signature, reasons }) if index < 2 => {
            signature.0[5] ^= 1;
            OperatorMessage::Signed { task_id, decision, evidence, signature, reasons }.to_json()
        }
        _ => message,
    };
    assert_eq!(decided(&mut network).non_signers.indices().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn the_same_request_is_the_same_task() {
    let mut network = Network::new(1);
    decided(&mut network);
    let messages = network.transcript.len();
    network.request();
    assert_eq!(network.transcript.len(), messages, "no operator is asked again");
    assert_eq!(network.gateway.task_count(), 1);
    attested(&network);
}

#[test]
fn a_task_without_a_quorum_ends_at_its_expiration() {
    let mut network = Network::new(4);
    network.request();
    assert_eq!(network.answers.len(), 1);
    let at = |seconds: u64| seconds * 1000;
    network.at_gateway(Event::Tick);
    network.run_at(at(task().expiration - 1));
    assert_eq!(network.answers.len(), 1);
    network.at_gateway(Event::Tick);
    network.run_at(at(task().expiration));
    let Some(Answer::Finished { outcome: TaskOutcome::Failed(failure), .. }) = network.answers.last() else {
        panic!("{:?}", network.answers)
    };
    assert_eq!(failure.code, FailureCode::Expired);
}

#[test]
fn an_operator_without_the_key_and_one_that_dialled_another_gateway_are_not_welcome() {
    let mut network = Network::new(2);
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::Proof { gateway, mut signature }) if index == 0 => {
            signature.0[5] ^= 1;
            OperatorMessage::Proof { gateway, signature }.to_json()
        }
        Ok(OperatorMessage::Proof { signature, .. }) => {
            OperatorMessage::Proof { gateway: "another.example:443".into(), signature }.to_json()
        }
        _ => message,
    };
    network.connect();
    assert_eq!(network.gateway.operators().count(), 0);
    assert_eq!(network.closed.len(), 2, "{:?}", network.closed);
}

#[test]
fn a_cancelled_task_ends() {
    let mut network = Network::new(4);
    network.request();
    network.at_gateway(Event::Cancelled { task_id: task().id(domain()) });
    network.run();
    let Some(Answer::Finished { outcome: TaskOutcome::Failed(failure), .. }) = network.answers.last() else {
        panic!("{:?}", network.answers)
    };
    assert_eq!(failure.code, FailureCode::Cancelled);
}

#[test]
fn the_past_and_too_much_calldata_are_no_task() {
    let mut submission = crate::fixture::submission();
    submission.expiration = Some(NOW_MILLIS / 1000);
    let mut long = crate::fixture::submission();
    long.intent.data = vec![0; 64 * 1024 + 1].into();
    for submission in [submission, long] {
        let mut network = Network::new(1);
        network.at_gateway(Event::Requested { request: 1, submission });
        network.run();
        let [Answer::Failed(failure)] = &network.answers[..] else { panic!("{:?}", network.answers) };
        assert_eq!(failure.code, FailureCode::Invalid);
    }
}

#[test]
fn the_reasons_are_those_of_most_weight_and_of_no_excluded_operator() {
    let mut network = Network::new(7);
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::Signed { task_id, decision, evidence, mut signature, .. }) if index < 2 => {
            // The first has the lowest address; the second signs, as the only one with these reasons.
            signature.0[5] ^= u8::from(index == 0);
            let reasons = vec!["a lie".to_owned()];
            OperatorMessage::Signed { task_id, decision, evidence, signature, reasons }.to_json()
        }
        _ => message,
    };
    network.connect();
    network.request();
    let Some(Answer::Finished { outcome: TaskOutcome::Attested { document, reasons }, .. }) = network.answers.last()
    else {
        panic!("{:?}", network.answers)
    };
    assert!(document.non_signers.indices().any(|index| index == 0));
    assert!(reasons.is_empty(), "{reasons:?}");
}

#[test]
fn observations_after_the_end_are_not_kept() {
    let mut network = Network::new(4);
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        // It is late.
        Ok(OperatorMessage::Observed { .. } | OperatorMessage::Signed { .. }) if index == 3 => String::new(),
        _ => message,
    };
    let task_id = decided(&mut network).attestation.taskId;
    let late = network.messages("observed")[0].to_owned();
    network.at_gateway(Event::Received { link: 3, message: late.into_bytes() });
    network.run();
    let answers = network.gateway.progress(task_id).unwrap().answers;
    let late = answers.iter().find(|answer| answer.operator == address(4));
    assert!(!matches!(late.map(|answer| &answer.kind), Some(OperatorAnswerKind::Observed)), "{late:?}");
}
