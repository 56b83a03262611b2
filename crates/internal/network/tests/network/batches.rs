//! Batches: many tasks under one signature of each operator.

use alloy_primitives::B256;
use assent_network::{
    Bls,
    gateway::{Answer, Event, Failure, FailureCode, TaskOutcome},
    message::{GatewayMessage, OperatorMessage, RefusalCode, Versions},
    operator::{self, Operator, Settings},
};
use assent_signer::AttestationBatch;
use assent_types::{AttestationDocument, Decision};

use crate::fixture::{NOW_MILLIS, Network, address, domain, task_with};

/// The documents of all requests, by nonce.
fn documents(network: &Network) -> Vec<AttestationDocument> {
    let mut documents: Vec<_> = network
        .answers
        .iter()
        .filter_map(|answer| match answer {
            Answer::Finished { outcome: TaskOutcome::Attested { document, .. }, .. } => Some((**document).clone()),
            _ => None,
        })
        .collect();
    documents.sort_by_key(|document| document.attestation.nonce);
    documents
}

fn require_all_attested(network: &Network, count: u64) -> Vec<AttestationDocument> {
    let documents = documents(network);
    let ids: Vec<B256> = documents.iter().map(|document| document.attestation.taskId).collect();
    let expected: Vec<B256> = (0..count).map(|nonce| task_with(nonce).id(domain())).collect();
    assert_eq!(ids, expected, "{:?}", network.answers);
    documents
}

#[test]
fn tasks_under_load_are_signed_together() {
    let mut network = Network::with_batches(4);
    network.connect();
    network.request_many(12);
    let documents = require_all_attested(&network, 12);
    // One is signed at once, and what is decided meanwhile together.
    let requested = network.messages("signBatch").len() / 4;
    assert!((2..=4).contains(&requested), "{requested} batches");
    assert!(documents.iter().any(|document| document.merkle_proof.as_slice().len() >= 2));
    assert_eq!(network.messages("signed"), Vec::<&str>::new());
    assert_eq!(network.gateway.batch_count(), 0);
    // Every one was verified by the state machine, as the client's contract would. Here once more, from the outside.
    for document in documents {
        assert_eq!(document.attestation.decision, u8::from(Decision::Allow));
        assert!(document.authorization().is_ok());
    }
}

#[test]
fn a_gateway_at_rest_does_not_batch() {
    let mut network = Network::new(4);
    network.connect();
    network.request_many(15);
    require_all_attested(&network, 15);
    assert_eq!(network.messages("offerForBatch"), Vec::<&str>::new());

    let mut network = Network::new(4);
    network.connect();
    network.request_many(40);
    require_all_attested(&network, 40);
    assert!(!network.messages("offerForBatch").is_empty() && !network.messages("batchSigned").is_empty());
}

#[test]
fn an_operator_of_version_1_works_along() {
    let version_1 = |network: &mut Network, index: usize| {
        let mut settings = Settings::new(domain(), address(u8::try_from(index).unwrap() + 1));
        settings.versions = Versions { min: 1, max: 1 };
        network.operators[index] = Operator::new(settings, Bls);
    };
    let mut network = Network::with_batches(4);
    version_1(&mut network, 2);
    network.connect();
    network.request_many(6);
    let documents = require_all_attested(&network, 6);
    assert!(!network.messages("batchSigned").is_empty());
    assert_eq!(documents[5].non_signers.indices().collect::<Vec<_>>(), [2], "it signs by itself");

    // Three of four are needed: without three that batch, each task is signed by itself.
    let mut network = Network::with_batches(4);
    version_1(&mut network, 1);
    version_1(&mut network, 2);
    network.connect();
    network.request_many(6);
    require_all_attested(&network, 6);
    assert_eq!(network.messages("offerForBatch"), Vec::<&str>::new());
}

#[test]
fn an_invalid_signature_of_a_batch_is_named_and_left_out() {
    let mut network = Network::with_batches(4);
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::BatchSigned { root, mut signature }) if index == 0 => {
            signature.0[5] ^= 1;
            OperatorMessage::BatchSigned { root, signature }.to_json()
        }
        _ => message,
    };
    network.connect();
    network.request_many(8);
    for document in require_all_attested(&network, 8) {
        assert!(document.non_signers.indices().any(|index| index == 0));
    }
    // It gets no further batch for a while.
    let asked = network.messages("signBatch").len();
    let batches = network.messages("batchSigned").len();
    assert!(asked > 4 && batches <= asked, "{asked} {batches}");
    assert_eq!(network.messages("signed"), Vec::<&str>::new());
}

#[test]
fn a_batch_that_no_quorum_signs_in_time_falls_back_to_single_signatures() {
    let mut network = Network::with_batches(4);
    // Two of four decide, and never sign a batch.
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::BatchSigned { .. }) if index < 2 => String::new(),
        _ => message,
    };
    network.connect();
    network.request_many(5);
    assert_eq!(documents(&network).len(), 0);
    assert_eq!(network.gateway.batch_count(), 1);
    network.at_gateway(Event::Tick);
    network.run_at(NOW_MILLIS + 1000);
    require_all_attested(&network, 5);
    assert!(!network.messages("signed").is_empty());
    assert_eq!(network.gateway.batch_count(), 0);
}

#[test]
fn a_batch_that_operators_refuse_falls_back_at_once() {
    let mut network = Network::with_batches(4);
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::BatchSigned { root, .. }) if index < 2 => {
            let refusal = assent_network::message::Refused {
                code: RefusalCode::AlreadySigned,
                message: "no".into(),
                retryable: false,
            };
            OperatorMessage::BatchRefused { root, refusal }.to_json()
        }
        _ => message,
    };
    network.connect();
    network.request_many(5);
    require_all_attested(&network, 5);
    assert!(!network.messages("signed").is_empty());
}

#[test]
fn an_operator_that_restarted_decides_again_and_signs_the_batch() {
    let mut network = Network::with_batches(4);
    network.silent = vec![3];
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::BatchSigned { root, .. }) if index == 0 => {
            let refusal = assent_network::message::Refused {
                code: RefusalCode::Undecided,
                message: "it restarted".into(),
                retryable: true,
            };
            OperatorMessage::BatchRefused { root, refusal }.to_json()
        }
        _ => message,
    };
    network.connect();
    network.request_many(1);
    // Three of four are needed and the fourth is silent: the first is asked to decide again, once.
    assert_eq!(network.messages("signBatch").len(), 4);
    assert_eq!(network.messages("batchRefused").len(), 2);
    // The gateway then has it signed by itself.
    require_all_attested(&network, 1);
}

/// An operator that decided the tasks with the nonces 0 and 1, and their attestations.
fn operator_that_decided() -> (Network, AttestationBatch) {
    let mut network = Network::with_batches(1);
    network.alter = |_, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::BatchSigned { .. }) => String::new(),
        _ => message,
    };
    network.connect();
    network.request_many(2);
    let decided = network.messages("decided").into_iter().map(|text| OperatorMessage::parse(text.as_bytes()));
    let attestations = decided.map(|message| match message {
        Ok(OperatorMessage::Decided { task_id, decision, evidence, .. }) => {
            let task = [0, 1].map(task_with).into_iter().find(|task| task.id(domain()) == task_id).unwrap();
            task.attestation(domain(), decision, evidence)
        }
        other => panic!("{other:?}"),
    });
    let attestations: Vec<_> = attestations.collect();
    let batch = AttestationBatch::new(attestations, domain().chain_id, domain().task_manager).unwrap();
    (network, batch)
}

#[test]
fn an_operator_signs_only_a_root_of_its_own_statements() {
    let (mut network, batch) = operator_that_decided();
    let ids: Vec<B256> = batch.attestations().iter().map(|attestation| attestation.taskId).collect();
    let mut ask = |root: B256, task_ids: Vec<B256>| {
        let message = GatewayMessage::SignBatch { root, task_ids }.to_json();
        network.transcript.clear();
        network.at_operator(0, operator::Event::Received { link: 0, message: message.into_bytes() });
        network.alter = |_, message| message;
        network.run();
        OperatorMessage::parse(network.transcript[0].1.as_bytes()).unwrap()
    };
    let mut refusal = |root, task_ids| match ask(root, task_ids) {
        OperatorMessage::BatchRefused { root: of, refusal } if of == root => refusal.code,
        other => panic!("{other:?}"),
    };
    // A leaf that it did not decide, as the gateway says that it did.
    let mut forged = batch.attestations().to_vec();
    forged[1].decision = u8::from(Decision::Deny);
    let forged = AttestationBatch::new(forged, domain().chain_id, domain().task_manager).unwrap();
    assert_eq!(refusal(forged.root(), ids.clone()), RefusalCode::OtherBatch);
    assert_eq!(refusal(batch.root(), vec![ids[0], ids[0]]), RefusalCode::OtherBatch);
    assert_eq!(refusal(batch.root(), vec![ids[0]]), RefusalCode::OtherBatch);
    assert_eq!(refusal(batch.root(), Vec::new()), RefusalCode::OtherBatch);
    assert_eq!(refusal(batch.root(), vec![ids[0], ids[1], B256::ZERO]), RefusalCode::Undecided);
    assert!(matches!(ask(batch.root(), ids), OperatorMessage::BatchSigned { root, .. } if root == batch.root()));
}

#[test]
fn a_cancelled_task_of_a_batch_ends_and_the_others_are_attested() {
    let mut network = Network::with_batches(4);
    network.alter = |_, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::BatchSigned { .. }) => String::new(),
        _ => message,
    };
    network.connect();
    network.request_many(3);
    network.at_gateway(Event::Cancelled { task_id: task_with(0).id(domain()) });
    network.run();
    network.alter = |_, message| message;
    network.at_gateway(Event::Tick);
    network.run_at(NOW_MILLIS + 1000);
    assert_eq!(documents(&network).len(), 2);
    let cancelled = network.answers.iter().any(|answer| {
        matches!(answer, Answer::Finished { outcome: TaskOutcome::Failed(Failure { code, .. }), .. }
            if *code == FailureCode::Cancelled)
    });
    assert!(cancelled);
}
