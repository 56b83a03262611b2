//! A side of an earlier version works along: what was recorded of one that knew no later version gets the same answers.

use alloy_primitives::{B256, U256};
use assent_network::{
    Task,
    gateway::{self, Accepted, Event},
    message::{GatewayMessage, OperatorMessage, RefusalCode, Refused, Versions},
    operator,
};

use crate::fixture::{GATEWAY, HANDOVER, IMAGE, NOW_MILLIS, Network, accepted, domain, examination, key, submission};

/// The messages of a connection, recorded from both state machines before there was a version 2.
const VERSION_1: &str = include_str!("version_1.txt");
/// Two tasks that are signed in batches, recorded before there was a version 3.
const VERSION_2: &str = include_str!("version_2.txt");

fn recorded(version: &'static str, direction: char) -> Vec<&'static str> {
    version.lines().filter_map(|line| line.strip_prefix(direction)?.strip_prefix(' ')).collect()
}

#[test]
fn an_operator_of_version_1_gets_from_this_gateway_what_it_got_before() {
    gateway_says_what_it_said(VERSION_1, &[submission()]);
}

#[test]
fn an_operator_of_version_2_gets_from_this_gateway_what_it_got_before() {
    let submission = |nonce| gateway::Submission { nonce: Some(U256::from(nonce)), ..submission() };
    gateway_says_what_it_said(VERSION_2, &[submission(0), submission(1)]);
}

/// Repeats an operator's messages. The requests come after its proof.
fn gateway_says_what_it_said(version: &'static str, submissions: &[gateway::Submission]) {
    let mut settings = gateway::Settings::new(domain(), [GATEWAY.to_owned()]);
    // Batches are for those that speak version 2.
    settings.batch_from = 0;
    let mut gateway = gateway::Gateway::new(settings, assent_network::Bls);
    let mut said = Vec::new();
    let mut happen = |event: Event| {
        let mut events = std::collections::VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in gateway.handle(NOW_MILLIS, event) {
                match action {
                    gateway::Action::Send { message, .. } => said.push(message),
                    gateway::Action::Prepare { request, submission } => {
                        let task = Task { nonce: submission.nonce.unwrap(), ..accepted().task };
                        let accepted = Box::new(Accepted { task, ..accepted() });
                        events.push_back(Event::Prepared { request, result: Ok(accepted) });
                    }
                    gateway::Action::Record { task_id, .. } => {
                        events.push_back(Event::Recorded { task_id, result: Ok(()) });
                    }
                    gateway::Action::Close { reason, .. } => panic!("{reason}"),
                    gateway::Action::Answer { .. } => {}
                    gateway::Action::AnswerHandover { .. } => panic!("no one asked for a handover"),
                }
            }
        }
    };
    happen(Event::Epochs(vec![crate::fixture::epoch(1)]));
    happen(Event::LinkOpened { link: 0, challenge: B256::repeat_byte(0xcc) });
    for (number, message) in recorded(version, '>').into_iter().enumerate() {
        happen(Event::Received { link: 0, message: message.as_bytes().to_vec() });
        if number == 1 {
            for (request, submission) in (1..).zip(submissions) {
                happen(Event::Requested { request, submission: submission.clone() });
            }
        }
    }
    assert_eq!(said, recorded(version, '<'));
}

#[test]
fn a_gateway_of_version_1_gets_from_this_operator_what_it_got_before() {
    operator_says_what_it_said(VERSION_1, 1);
}

#[test]
fn a_gateway_of_version_2_gets_from_this_operator_what_it_got_before() {
    operator_says_what_it_said(VERSION_2, 2);
}

/// Repeats a gateway's messages.
fn operator_says_what_it_said(version: &'static str, number: u16) {
    use operator::{Action, Event};
    let (chain_id, task_manager) = (domain().chain_id, domain().task_manager);
    let mut operator =
        operator::Operator::new(operator::Settings::new(domain(), crate::fixture::address(1)), assent_network::Bls);
    let mut said = Vec::new();
    let mut happen = |event: Event| {
        let mut events = std::collections::VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in operator.handle(event) {
                let next = match action {
                    Action::Send { message, .. } => {
                        said.push(message);
                        continue;
                    }
                    Action::SignConnection { link, connection } => {
                        let signature = key(1).prove_connection(&connection, chain_id, task_manager);
                        Event::ConnectionSigned { link, result: Ok(signature) }
                    }
                    Action::Examine { ticket, .. } => Event::Examined { ticket, result: Ok(Box::new(examination(1))) },
                    Action::Observe { ticket, .. } => {
                        let output = assent_json::parse(br#"{"value":"4"}"#).unwrap();
                        let outputs = std::collections::BTreeMap::from([("limit".to_owned(), output)]);
                        Event::Observed { ticket, result: Ok(outputs) }
                    }
                    Action::SignObservations { ticket, observations, .. } => {
                        let sign = |observation| key(1).sign_observation(observation, chain_id, task_manager);
                        Event::ObservationsSigned { ticket, result: Ok(observations.iter().map(sign).collect()) }
                    }
                    Action::Evaluate { ticket, input, policy, data } => {
                        let image = assent_policy::evaluator_with_root(IMAGE).unwrap();
                        let result = Box::new(assent_policy::evaluate(image, &policy, &input, &data));
                        Event::Evaluated { ticket, result }
                    }
                    Action::StoreEvidence { ticket, .. } => Event::EvidenceStored { ticket, result: Ok(()) },
                    Action::SignAttestation { ticket, attestation, .. } => {
                        let batch = assent_signer::AttestationBatch::new(vec![*attestation], chain_id, task_manager);
                        Event::AttestationSigned { ticket, result: Ok(key(1).sign_batch(&batch.unwrap())) }
                    }
                    Action::SignBatch { .. } if number == 1 => panic!("version 1 has no batches"),
                    Action::SignBatch { link, batch, .. } => {
                        Event::BatchSigned { link, root: batch.root(), result: Ok(key(1).sign_batch(&batch)) }
                    }
                    Action::SignHandover { .. } => panic!("version {number} has no handovers"),
                    Action::Close { reason, .. } => panic!("{reason}"),
                };
                events.push_back(next);
            }
        }
    };
    happen(Event::LinkOpened { link: 0, gateway: GATEWAY.into() });
    for message in recorded(version, '<') {
        happen(Event::Received { link: 0, message: message.as_bytes().to_vec() });
    }
    // Only the greeting names what this side speaks, too.
    let hello = recorded(version, '>')[0].replace(&format!(r#""maxVersion":{number}"#), r#""maxVersion":3"#);
    assert_eq!(said[0], hello);
    let (mut said, mut expected) = (said.split_off(1), recorded(version, '>').split_off(1));
    if version == VERSION_2 {
        // Two tasks that are decided at the same time are answered in any order.
        said.sort();
        expected.sort_unstable();
    }
    assert_eq!(said, expected);
}

#[test]
fn messages_of_version_2_close_a_connection_of_version_1() {
    let sign_batch = GatewayMessage::SignBatch { root: B256::ZERO, task_ids: Vec::new() }.to_json();
    let mut network = Network::new(1);
    network.operators[0] = operator::Operator::new(
        {
            let mut settings = operator::Settings::new(domain(), crate::fixture::address(1));
            settings.versions = Versions { min: 1, max: 1 };
            settings
        },
        assent_network::Bls,
    );
    network.connect();
    network.at_operator(0, operator::Event::Received { link: 0, message: sign_batch.into_bytes() });
    network.run();
    assert_eq!(network.closed, ["the message is not of version 1"]);
    let decided = OperatorMessage::Decided {
        task_id: B256::ZERO,
        decision: assent_types::Decision::Allow,
        evidence: B256::ZERO,
        reasons: Vec::new(),
    };
    network.at_gateway(Event::Received { link: 0, message: decided.to_json().into_bytes() });
    network.run();
    assert_eq!(network.closed[1], "the message is not of version 1");
}

#[test]
fn messages_of_version_3_close_a_connection_of_version_2() {
    let mut network = Network::new(1);
    let mut settings = operator::Settings::new(domain(), crate::fixture::address(1));
    settings.versions = Versions { min: 1, max: 2 };
    network.operators[0] = operator::Operator::new(settings, assent_network::Bls);
    network.connect();
    let ask = GatewayMessage::SignHandover { handover: HANDOVER }.to_json();
    network.at_operator(0, operator::Event::Received { link: 0, message: ask.into_bytes() });
    network.run();
    let refusal = Refused::new(RefusalCode::NotFinal, "", true);
    let refused = OperatorMessage::HandoverRefused { handover: HANDOVER, refusal };
    network.at_gateway(Event::Received { link: 0, message: refused.to_json().into_bytes() });
    network.run();
    assert_eq!(network.closed, ["the message is not of version 2"; 2]);
}
