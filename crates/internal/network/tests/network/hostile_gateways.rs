//! What a gateway that means harm can do to an operator: to itself much, to other gateways nothing.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use assent_network::{
    Bls, LinkId, Task,
    message::{AgreedOutput, GatewayMessage, MAX_OBSERVERS, OperatorMessage, RefusalCode},
    operator::{Action, Event, Examination, Operator, Settings, Ticket},
};
use assent_types::{Observation, Signature};

use crate::fixture::{address, domain, examination, key, observe, open_operator, task_with};

/// The connections of an honest gateway and of one that is not.
const HONEST: LinkId = 0;
const ROGUE: LinkId = 1;
const OUTPUT: &str = r#"{"value":"4"}"#;

fn operator(max_tasks: usize) -> Operator<Bls> {
    let mut settings = Settings::new(domain(), address(1));
    settings.max_tasks = max_tasks;
    let mut operator = open_operator(settings, 1);
    connect(&mut operator, ROGUE);
    operator
}

/// Opens a connection of the gateway that is not honest.
fn connect(operator: &mut Operator<Bls>, link: LinkId) {
    operator.handle(Event::LinkOpened { link, gateway: "rogue.example:443".into() });
    let challenge = GatewayMessage::Challenge { version: 1, challenge: B256::ZERO, domain: domain() };
    receive(operator, link, &challenge);
    receive(operator, link, &GatewayMessage::Welcome);
}

fn receive(operator: &mut Operator<Bls>, link: LinkId, message: &GatewayMessage) -> Vec<Action> {
    operator.handle(Event::Received { link, message: message.to_json().into_bytes() })
}

fn id(nonce: u64) -> B256 {
    task_with(nonce).id(domain())
}

/// Offers a task, and returns the attempt that begins.
fn offer(operator: &mut Operator<Bls>, link: LinkId, task: Task) -> Option<Ticket> {
    let actions = receive(operator, link, &GatewayMessage::Offer { task });
    actions.iter().find_map(|action| match action {
        Action::Examine { ticket, .. } => Some(*ticket),
        _ => None,
    })
}

/// Has a task examined and observed.
fn observed(operator: &mut Operator<Bls>, ticket: Ticket) {
    operator.handle(Event::Examined { ticket, result: Ok(Box::new(examination(3))) });
    observe(operator, ticket, BTreeMap::from([("limit".to_owned(), assent_json::parse(OUTPUT.as_bytes()).unwrap())]));
}

/// The observations of three operators about a task. Those of one are signed as those about another task.
fn decide(nonce: u64, forged: Option<u8>) -> GatewayMessage {
    let observers = (1..=3).map(|seed| {
        let signed = if forged == Some(seed) { nonce + 1 } else { nonce };
        let task = task_with(signed);
        let observation = Observation::new(task.id(domain()), "limit", task.block_hash, OUTPUT.as_bytes());
        (address(seed), key(seed).sign_observation(&observation, domain().chain_id, domain().task_manager))
    });
    let output = AgreedOutput { source: "limit".into(), output: OUTPUT.into(), observers: observers.collect() };
    GatewayMessage::Decide { task_id: id(nonce), observations: vec![output] }
}

/// Observations of about 230,000 bytes.
fn long_decide(nonce: u64) -> GatewayMessage {
    let observer = (address(1), Signature([0; Signature::LENGTH]));
    let output =
        AgreedOutput { source: "limit".into(), output: OUTPUT.into(), observers: vec![observer; MAX_OBSERVERS] };
    GatewayMessage::Decide { task_id: id(nonce), observations: vec![output] }
}

/// Returns to whom tasks were refused, and how.
fn refusals(actions: &[Action]) -> Vec<(LinkId, B256, RefusalCode)> {
    let refused = actions.iter().filter_map(|action| match action {
        Action::Send { link, message } => match OperatorMessage::parse(message.as_bytes()).unwrap() {
            OperatorMessage::Refused { task_id, refusal } => Some((*link, task_id, refusal.code)),
            _ => None,
        },
        _ => None,
    });
    refused.collect()
}

/// Otherwise a gateway could fill the operator's memory: a thousand tasks, a megabyte each.
#[test]
fn observations_that_come_too_early_are_kept_within_bounds() {
    const MEGABYTES: usize = 1 << 20;
    let mut operator = operator(1000);
    let mut tickets = Vec::new();
    let mut refused = Vec::new();
    for nonce in 0..100 {
        tickets.push(offer(&mut operator, ROGUE, task_with(nonce)).unwrap());
        refused.extend(refusals(&receive(&mut operator, ROGUE, &long_decide(nonce))));
    }
    assert!((7 * MEGABYTES..=8 * MEGABYTES).contains(&operator.kept_bytes()), "{}", operator.kept_bytes());
    assert!(refused.len() > 60 && refused.iter().all(|(link, _, code)| (*link, *code) == (ROGUE, RefusalCode::Busy)));

    // Another gateway's are kept.
    let ticket = offer(&mut operator, HONEST, task_with(1000)).unwrap();
    let before = operator.kept_bytes();
    assert!(receive(&mut operator, HONEST, &decide(1000, None)).is_empty());
    assert!(operator.kept_bytes() > before);
    let actions = operator.handle(Event::Examined { ticket, result: Ok(Box::new(examination(3))) });
    assert!(matches!(actions[..], [Action::Evaluate { .. }]), "{actions:?}");

    // What was not kept has no lasting effect: observations of the next offer are decided on.
    let (_, last, _) = refused[refused.len() - 1];
    assert_eq!(last, id(99));
    observed(&mut operator, tickets[99]);
    let actions = receive(&mut operator, ROGUE, &decide(99, None));
    assert!(matches!(actions[..], [Action::Evaluate { .. }]), "{actions:?}");

    // A refusal, another attempt and the end of a task drop them.
    let spent = Examination { is_spent: true, ..examination(3) };
    for (nonce, ticket) in tickets.iter().enumerate().take(99) {
        match nonce % 2 {
            0 => drop(operator.handle(Event::Examined { ticket: *ticket, result: Ok(Box::new(spent.clone())) })),
            _ => drop(receive(&mut operator, ROGUE, &GatewayMessage::Cancel { task_id: ticket.task_id })),
        }
    }
    assert!(operator.kept_bytes() < MEGABYTES, "{}", operator.kept_bytes());
}

#[test]
fn observations_of_a_gateway_that_did_not_offer_the_task_are_ignored() {
    let mut operator = operator(10);
    let ticket = offer(&mut operator, HONEST, task_with(1)).unwrap();
    assert!(receive(&mut operator, ROGUE, &decide(1, None)).is_empty());
    assert_eq!(operator.kept_bytes(), 0);
    observed(&mut operator, ticket);
    assert!(receive(&mut operator, ROGUE, &decide(1, Some(2))).is_empty());
    assert!(receive(&mut operator, ROGUE, &decide(1, None)).is_empty());
    let actions = receive(&mut operator, HONEST, &decide(1, None));
    assert!(matches!(actions[..], [Action::Evaluate { .. }]), "{actions:?}");
}

/// Gateways verify observations before they send them.
#[test]
fn a_gateway_that_sends_invalid_signatures_is_barred_and_hurts_no_other() {
    let mut operator = operator(10);
    let ticket = offer(&mut operator, HONEST, task_with(1)).unwrap();
    offer(&mut operator, ROGUE, task_with(1));
    observed(&mut operator, ticket);
    for strike in 1..=4 {
        let actions = receive(&mut operator, ROGUE, &decide(1, Some(2)));
        assert_eq!(refusals(&actions), [(ROGUE, id(1), RefusalCode::Observations)]);
        assert_eq!(operator.invalid_sets(), strike);
        let is_barred = matches!(actions[..], [_, Action::Close { link: ROGUE, is_barred: true, .. }]);
        assert_eq!(is_barred, strike == 4, "{actions:?}");
    }
    assert_eq!(operator.open_links().collect::<Vec<_>>(), [HONEST]);
    // The task is as it was.
    let actions = receive(&mut operator, HONEST, &decide(1, None));
    assert!(matches!(actions[..], [Action::Evaluate { .. }]), "{actions:?}");
}

#[test]
fn invalid_observations_that_came_early_do_not_end_the_task() {
    let mut operator = operator(10);
    let ticket = offer(&mut operator, ROGUE, task_with(1)).unwrap();
    offer(&mut operator, HONEST, task_with(1));
    assert!(receive(&mut operator, ROGUE, &decide(1, Some(3))).is_empty());
    let actions = operator.handle(Event::Examined { ticket, result: Ok(Box::new(examination(3))) });
    assert_eq!(refusals(&actions), [(ROGUE, id(1), RefusalCode::Observations)]);
    assert!(matches!(actions[..], [_, Action::Observe { .. }]), "{actions:?}");
    assert_eq!(operator.invalid_sets(), 1);
    let actions = receive(&mut operator, HONEST, &decide(1, None));
    assert!(matches!(actions[..], [Action::Evaluate { .. }]), "{actions:?}");
}

/// Otherwise tasks that never end would have every other gateway's refused with `busy`.
#[test]
fn a_gateway_with_every_task_in_progress_leaves_others_their_part() {
    let mut operator = operator(8);
    let flood: Vec<_> = (0..8).map(|nonce| offer(&mut operator, ROGUE, task_with(nonce))).collect();
    assert!(flood.iter().all(Option::is_some));
    // It displaces nothing itself.
    let actions = receive(&mut operator, ROGUE, &GatewayMessage::Offer { task: task_with(50) });
    assert_eq!(refusals(&actions), [(ROGUE, id(50), RefusalCode::Busy)]);

    // Another has as many as it, the newest of the flood give way, and their gateway learns it.
    for (index, nonce) in (100..104).enumerate() {
        let actions = receive(&mut operator, HONEST, &GatewayMessage::Offer { task: task_with(nonce) });
        let displaced = id(7 - u64::try_from(index).unwrap());
        assert_eq!(refusals(&actions), [(ROGUE, displaced, RefusalCode::Busy)]);
        assert!(matches!(actions[..], [_, Action::Examine { .. }]), "{actions:?}");
    }
    let actions = receive(&mut operator, HONEST, &GatewayMessage::Offer { task: task_with(104) });
    assert_eq!(refusals(&actions), [(HONEST, id(104), RefusalCode::Busy)]);

    // A connection that is closed and opened again has no other part.
    operator.handle(Event::LinkClosed { link: ROGUE });
    connect(&mut operator, 2);
    let actions = receive(&mut operator, 2, &GatewayMessage::Offer { task: task_with(60) });
    assert_eq!(refusals(&actions), [(2, id(60), RefusalCode::Busy)]);
    assert_eq!(operator.task_count(), 8);
}

/// Tasks of others that wait for a gateway are not displaced by those that never wait.
#[test]
fn a_gateway_with_tasks_in_progress_displaces_none_of_others_that_wait() {
    let mut operator = operator(6);
    for nonce in 100..102 {
        let ticket = offer(&mut operator, HONEST, task_with(nonce)).unwrap();
        observed(&mut operator, ticket);
    }
    for nonce in 0..20 {
        receive(&mut operator, ROGUE, &GatewayMessage::Offer { task: task_with(nonce) });
    }
    for nonce in 100..102 {
        let actions = receive(&mut operator, HONEST, &decide(nonce, None));
        assert!(matches!(actions[..], [Action::Evaluate { .. }]), "{actions:?}");
    }
}

#[test]
fn an_action_belongs_to_the_gateway_that_caused_it() {
    let mut operator = operator(10);
    for (link, nonce, name) in [(HONEST, 1, "gateway.example:443"), (ROGUE, 2, "rogue.example:443")] {
        let task = Task { nonce: U256::from(nonce), ..task_with(0) };
        let actions = receive(&mut operator, link, &GatewayMessage::Offer { task });
        assert_eq!(operator.gateway_of(&actions[0]).as_deref(), Some(name));
        let actions = receive(&mut operator, link, &GatewayMessage::Ping { number: 1 });
        assert_eq!(operator.gateway_of(&actions[0]).as_deref(), Some(name));
    }
}
