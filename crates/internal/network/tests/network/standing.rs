//! What a gateway makes of operators that answer, that do not, and that lie.

use std::collections::BTreeSet;

use alloy_primitives::{B256, U256};
use assent_network::{
    LinkId,
    gateway::{Action, Event, Submission, TaskOutcome},
    message::{OperatorMessage, VERSIONS},
};
use assent_types::Connection;

use crate::fixture::{GATEWAY, NOW_MILLIS, Network, address, domain, key, submission, task_with};

/// Asks for one task more.
fn request(network: &mut Network, nonce: u64, now_millis: u64) {
    let submission = Submission { nonce: Some(U256::from(nonce)), ..submission() };
    network.at_gateway(Event::Requested { request: nonce, submission });
    network.run_at(now_millis);
}

fn is_attested(network: &Network, nonce: u64) -> bool {
    let outcome = network.gateway.outcome(task_with(nonce).id(domain()));
    matches!(outcome, Some(TaskOutcome::Attested { .. }))
}

fn received(link: LinkId, message: &OperatorMessage) -> Event {
    Event::Received { link, message: message.to_json().into_bytes() }
}

/// Spoils the signatures of the first operator's attestations.
fn spoil(index: usize, message: String) -> String {
    match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::Signed { task_id, decision, evidence, mut signature, reasons }) if index == 0 => {
            signature.0[5] ^= 1;
            OperatorMessage::Signed { task_id, decision, evidence, signature, reasons }.to_json()
        }
        Ok(OperatorMessage::BatchSigned { root, mut signature }) if index == 0 => {
            signature.0[5] ^= 1;
            OperatorMessage::BatchSigned { root, signature }.to_json()
        }
        _ => message,
    }
}

#[test]
fn a_decision_costs_one_check_of_signatures_and_one_of_observations() {
    let mut network = Network::new(7);
    network.connect();
    let before = network.checks.get();
    for nonce in 1..=3 {
        request(&mut network, nonce, NOW_MILLIS);
        assert!(is_attested(&network, nonce));
    }
    assert_eq!(network.checks.get() - before, 3 * 2);
    // A batch costs as much as one decision.
    let mut network = Network::with_batches(7);
    network.connect();
    let before = network.checks.get();
    network.request_many(40);
    let batches = network.messages("signBatch").into_iter().collect::<BTreeSet<_>>().len();
    assert!((2..=6).contains(&batches), "{batches}");
    assert_eq!(network.checks.get() - before, 40 + u32::try_from(batches).unwrap());
    assert!((0..40).all(|nonce| is_attested(&network, nonce)));
}

#[test]
fn a_liar_is_barred_and_a_new_connection_changes_nothing() {
    let mut network = Network::new(4);
    network.alter = spoil;
    network.connect();
    let mut costs = Vec::new();
    for nonce in 1..=20 {
        let before = network.checks.get();
        request(&mut network, nonce, NOW_MILLIS + nonce);
        // The other three are a quorum.
        assert!(is_attested(&network, nonce));
        costs.push(network.checks.get() - before);
        // It connects again after each task.
        network.connect_one(0);
        network.run_at(NOW_MILLIS + nonce);
    }
    // Each of four lies cost further checks. After them, a decision costs no more than without the liar.
    assert!(costs[..4].iter().all(|cost| *cost > 4), "{costs:?}");
    assert!(costs[4..].iter().all(|cost| *cost == 2), "{costs:?}");
    assert_eq!(network.gateway.operators().count(), 3);
    let barred = network.closed.iter().filter(|reason| reason.contains("is barred for 600 s"));
    assert!(barred.count() >= 10, "{:?}", network.closed);
    // After ten minutes it has another chance.
    network.alter = |_, message| message;
    network.connect_one(0);
    network.run_at(NOW_MILLIS + 601_000);
    assert!(network.gateway.operators().any(|operator| operator == address(1)));
}

#[test]
fn a_connection_challenged_before_the_bar_does_not_open_after_it() {
    // Four invalid signatures bar an operator.
    for lies in [3, 4] {
        let mut network = Network::new(4);
        network.alter = spoil;
        network.connect();
        // The liar's second connection is challenged, and waits.
        let (link, challenge) = (10, B256::repeat_byte(0xdd));
        network.gateway.handle(NOW_MILLIS, Event::LinkOpened { link, challenge });
        let hello = OperatorMessage::Hello { versions: VERSIONS, operator: address(1) };
        let actions = network.gateway.handle(NOW_MILLIS, received(link, &hello));
        assert!(matches!(actions[..], [Action::Send { link: 10, .. }]), "{actions:?}");
        for nonce in 1..=lies {
            request(&mut network, nonce, NOW_MILLIS + nonce);
            assert!(is_attested(&network, nonce));
        }

        let connection = Connection { challenge, operator: address(1), gateway: GATEWAY.into() };
        let signature = key(1).prove_connection(&connection, domain().chain_id, domain().task_manager);
        let proof = OperatorMessage::Proof { gateway: GATEWAY.into(), signature };
        let before = network.checks.get();
        let actions = network.gateway.handle(NOW_MILLIS + 5000, received(link, &proof));
        let is_open = network.gateway.operator_of(link) == Some(address(1));
        assert_eq!(is_open, lies < 4);
        if !is_open {
            let [Action::Close { link: 10, reason }] = &actions[..] else { panic!("{actions:?}") };
            assert!(reason.ends_with("is barred for 596 s"), "{reason}");
            assert_eq!(network.checks.get(), before, "its proof is not verified");
        }
    }
}

#[test]
fn what_a_barred_operator_has_sent_is_not_verified() {
    let mut network = Network::new(4);
    network.alter = spoil;
    network.connect();
    // Tasks for which only the liar and one more have signed.
    network.silent = vec![2, 3];
    for nonce in 1..=20 {
        request(&mut network, nonce, NOW_MILLIS);
    }
    network.silent.clear();
    let before = network.checks.get();
    // The others are offered what is open again.
    for index in [2, 3] {
        network.at_gateway(Event::LinkClosed { link: u64::try_from(index).unwrap() });
        network.connect_one(index);
    }
    network.run();
    assert!((1..=20).all(|nonce| is_attested(&network, nonce)), "{:?}", network.answers);
    let checks = network.checks.get() - before;
    assert!(checks < 20 * 2 + 4 * 10, "{checks}");
}

#[test]
fn a_penalised_operator_s_decision_does_not_count_towards_a_batch() {
    let mut network = Network::with_batches(4);
    network.alter = spoil;
    network.connect();
    // The liar decides first, always.
    for nonce in 0..12 {
        request(&mut network, nonce, NOW_MILLIS + nonce);
        assert!(is_attested(&network, nonce), "{nonce}");
    }
    assert_eq!(network.messages("signed"), Vec::<&str>::new(), "every task was signed in a batch");
    assert!(network.messages("batchSigned").len() >= 36);
}

#[test]
fn tasks_that_able_operators_cannot_batch_are_signed_one_by_one() {
    let mut network = Network::with_batches(4);
    network.alter = spoil;
    network.connect();
    // The first batch costs the liar its standing, while one of the others says nothing.
    request(&mut network, 1, NOW_MILLIS);
    network.silent = vec![3];
    request(&mut network, 2, NOW_MILLIS + 1);
    assert!(!is_attested(&network, 2));
    network.alter = |_, message| message;
    network.silent.clear();
    for after in [1500, 3000] {
        network.at_gateway(Event::Tick);
        network.run_at(NOW_MILLIS + after);
    }
    assert!(is_attested(&network, 2), "{:?}", network.answers);
}

#[test]
fn under_load_operators_that_answer_are_asked_first_and_the_others_soon() {
    let mut network = Network::with_batches(7);
    network.connect();
    let offers = |network: &Network, from: usize| {
        let offers = network.transcript[from..].iter().filter(|(_, text)| text.contains(r#""type":"offerForBatch""#));
        // The second round offers a task again.
        offers.count() / 2
    };
    // Six of seven are asked first, the silent two among them: five are a quorum. The seventh is asked later.
    network.silent = vec![0, 1];
    request(&mut network, 1, NOW_MILLIS);
    assert!(!is_attested(&network, 1));
    network.at_gateway(Event::Tick);
    network.run_at(NOW_MILLIS + 500);
    assert!(is_attested(&network, 1));

    // From then on, those that answer are asked first.
    let mut asked = Vec::new();
    for nonce in 100..132 {
        let from = network.transcript.len();
        request(&mut network, nonce, NOW_MILLIS + 500);
        assert!(is_attested(&network, nonce), "{nonce}");
        asked.push(offers(&network, from));
    }
    assert!(asked.iter().filter(|asked| **asked == 6).count() >= 28, "{asked:?}");
    assert!(asked.contains(&7), "one of sixteen is offered to all: {asked:?}");

    // Those that were asked first are gone, and those that were silent are back.
    network.silent = vec![2, 3];
    request(&mut network, 200, NOW_MILLIS + 500);
    assert!(!is_attested(&network, 200));
    network.at_gateway(Event::Tick);
    network.run_at(NOW_MILLIS + 1000);
    assert!(is_attested(&network, 200));
}
