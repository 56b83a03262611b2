//! Operators sign that another epoch follows theirs, and a gateway collects a quorum.

use assent_network::{
    gateway::{AbsentSigner, Event, Failure, FailureCode},
    message::{GatewayMessage, HandoverName, OperatorMessage, RefusalCode, Refused, Versions},
    operator::{self, Action, SignedHandover},
};
use assent_signer::Aggregate;
use assent_types::EpochId;

use crate::fixture::{HANDOVER, NOW_MILLIS, Network, address, domain, handover_of, key, open_operator, receive};

fn codes(absent: &[AbsentSigner]) -> Vec<(u8, &str, bool)> {
    absent.iter().map(|absent| (absent.operator[0], absent.code, absent.retryable)).collect()
}

fn only(network: &Network) -> &(Result<Aggregate, Failure>, Vec<AbsentSigner>) {
    let [answer] = &network.handovers[..] else { panic!("{:?}", network.handovers) };
    answer
}

#[test]
fn a_quorum_signs_a_handover_and_the_others_are_named() {
    let mut network = Network::new(4);
    network.connect();
    network.silent.push(3);
    network.request_handover(1);
    let (result, absent) = only(&network);
    let aggregate = result.as_ref().unwrap();
    assert_eq!(aggregate.root, handover_of(HANDOVER).digest());
    assert_eq!(aggregate.non_signers.indices().collect::<Vec<_>>(), [3]);
    assert_eq!(codes(absent), [(4, "silent", true)]);
    // Operators get two numbers, and nothing that they could copy.
    let asked = network.messages("signHandover");
    assert_eq!(asked, [r#"{"epoch":6,"signedBy":5,"type":"signHandover"}"#; 4]);
    assert_eq!(network.gateway.handover_count(), 0);
}

#[test]
fn a_handover_that_no_quorum_signs_says_why_at_once() {
    let mut network = Network::new(4);
    network.connect();
    let not_final = Refused::new(RefusalCode::NotFinal, "no final block has it", true);
    network.refused.extend([(0, not_final.clone()), (1, not_final)]);
    network.request_handover(1);
    let (result, absent) = only(&network);
    let failure = result.as_ref().unwrap_err();
    assert_eq!((failure.code, failure.retryable), (FailureCode::NoQuorum, true));
    assert!(failure.message.contains("and 3 is required") && failure.message.contains("no final block"), "{failure:?}");
    assert_eq!(codes(absent)[..2], [(1, "notFinal", true), (2, "notFinal", true)]);
}

#[test]
fn a_request_without_operators_fails_and_one_that_waits_too_long_ends() {
    let mut network = Network::new(4);
    network.request_handover(1);
    let (result, absent) = only(&network);
    assert!(result.is_err());
    assert!(codes(absent).iter().all(|(_, code, _)| *code == "notConnected"), "{absent:?}");

    network.handovers.clear();
    network.connect();
    network.silent.extend([0, 1]);
    network.request_handover(2);
    network.at_gateway(Event::Tick);
    network.run_at(NOW_MILLIS + 14_999);
    assert_eq!(network.handovers.len(), 0);
    network.at_gateway(Event::Tick);
    network.run_at(NOW_MILLIS + 15_000);
    let (result, absent) = only(&network);
    assert!(result.is_err());
    assert_eq!(codes(absent), [(1, "silent", true), (2, "silent", true)]);
}

#[test]
fn an_operator_that_connects_again_is_asked_again_and_a_caller_that_left_is_forgotten() {
    let mut network = Network::new(4);
    network.connect();
    network.silent.extend([0, 1]);
    network.request_handover(1);
    network.silent.clear();
    network.connect_one(0);
    network.run();
    assert!(only(&network).0.is_ok());

    network.silent.extend([0, 1]);
    network.request_handover(2);
    assert_eq!(network.gateway.handover_count(), 1);
    network.at_gateway(Event::Abandoned { request: 2 });
    network.run();
    assert_eq!(network.gateway.handover_count(), 0);
    for request in 3..20 {
        network.request_handover(request);
    }
    let failure = network.handovers.last().unwrap().0.as_ref().unwrap_err();
    assert_eq!((failure.code, network.gateway.handover_count()), (FailureCode::Busy, 16));
}

#[test]
fn a_forged_signature_does_not_count_and_another_handover_is_no_forgery() {
    let mut network = Network::new(4);
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::HandoverSigned { handover, digest, .. }) if index == 0 => {
            let signature = key(9).hand_over_epoch(&handover_of(handover));
            OperatorMessage::HandoverSigned { handover, digest, signature }.to_json()
        }
        Ok(OperatorMessage::HandoverSigned { handover, .. }) if index == 1 => {
            let other = handover_of(HandoverName { epoch: EpochId(7), ..handover });
            let (digest, signature) = (other.digest(), key(2).hand_over_epoch(&other));
            OperatorMessage::HandoverSigned { handover, digest, signature }.to_json()
        }
        _ => message,
    };
    network.connect();
    for request in 1..=4 {
        network.request_handover(request);
    }
    for (result, absent) in &network.handovers[..3] {
        assert!(result.is_err());
        assert_eq!(codes(absent)[..2], [(1, "invalid", false), (2, "differs", true)]);
    }
    // After four forgeries one is barred. Who reads another handover never is.
    assert_eq!(network.closed, [format!("{} sent 4 invalid signatures", address(1))]);
    assert_eq!(network.gateway.operators().count(), 3);
}

#[test]
fn an_operator_of_an_older_version_works_along_and_is_not_asked() {
    let mut network = Network::new(4);
    let mut settings = operator::Settings::new(domain(), address(1));
    settings.versions = Versions { min: 1, max: 2 };
    network.operators[0] = operator::Operator::new(settings, assent_network::Bls);
    network.connect();
    network.request();
    network.request_handover(1);
    assert_eq!(network.closed, Vec::<String>::new());
    let (result, absent) = only(&network);
    assert!(result.is_ok());
    assert_eq!(codes(absent), [(1, "olderVersion", false)]);
    assert_eq!(network.messages("signHandover").len(), 3);
    assert!(network.messages("signed").len() >= 3);
}

#[test]
fn an_operator_signs_one_handover_at_a_time_and_few_for_one_connection() {
    let mut operator = open_operator(operator::Settings::new(domain(), address(1)), 3);
    let name = |number| HandoverName { epoch: EpochId(number + 1), signed_by: EpochId(number) };
    let ask = |operator: &mut _, number| receive(operator, &GatewayMessage::SignHandover { handover: name(number) });
    for number in 1..=4 {
        let actions = ask(&mut operator, number);
        let [Action::SignHandover { link: 0, handover }] = actions[..] else { panic!("{actions:?}") };
        assert_eq!(handover, name(number));
        assert_eq!(ask(&mut operator, number).len(), 0, "it is being signed");
    }
    let actions = ask(&mut operator, 5);
    let [Action::Send { message, .. }] = &actions[..] else { panic!("{actions:?}") };
    assert!(message.contains(r#""code":"busy""#), "{message}");

    let signed = SignedHandover {
        digest: handover_of(name(1)).digest(),
        signature: key(1).hand_over_epoch(&handover_of(name(1))),
    };
    let answer = |result| operator::Event::HandoverSigned { link: 0, handover: name(1), result };
    let actions = operator.handle(answer(Ok(signed.clone())));
    assert!(
        matches!(&actions[..], [Action::Send { message, .. }] if message.contains("handoverSigned")),
        "{actions:?}"
    );
    assert_eq!(operator.handle(answer(Ok(signed))).len(), 0, "it was answered");
    assert!(matches!(ask(&mut operator, 5)[..], [Action::SignHandover { .. }]));
    // What belongs to a closed connection is forgotten with it.
    operator.handle(operator::Event::LinkClosed { link: 0 });
    let refused = Refused::new(RefusalCode::NotFinal, "", true);
    let late = operator::Event::HandoverSigned { link: 0, handover: name(2), result: Err(refused) };
    assert_eq!(operator.handle(late).len(), 0);
}
