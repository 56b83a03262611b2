//! What an operator checks before any work.

use alloy_primitives::{Address, B256, U256, aliases::U48};
use assent_network::{
    Bls, Task,
    message::{AgreedOutput, GatewayMessage, OperatorMessage, RefusalCode, VERSIONS},
    operator::{Action, Event, Examination, Operator, Settings},
};

use assent_policy::{Replay, evaluate, evaluator_with_root};
use assent_types::Observation;

use crate::fixture::{GATEWAY, IMAGE, address, domain, examination, key, observe, open_operator, receive, task};

/// An operator with an open connection.
fn operator() -> Operator<Bls> {
    let mut settings = Settings::new(domain(), address(1));
    settings.forwarders.insert(Address::repeat_byte(0xfe));
    settings.max_tasks = 2;
    open_operator(settings, 1)
}

/// Offers a task of which chain and policy store say something, and returns what the operator does.
fn offer(task: Task, found: Examination) -> Vec<Action> {
    let mut operator = operator();
    let actions = receive(&mut operator, &GatewayMessage::Offer { task });
    let [Action::Examine { ticket, .. }] = actions[..] else { panic!("{actions:?}") };
    operator.handle(Event::Examined { ticket, result: Ok(Box::new(found)) })
}

fn refusal(actions: &[Action]) -> Option<(RefusalCode, bool)> {
    let [Action::Send { message, .. }] = actions else { return None };
    match OperatorMessage::parse(message.as_bytes()).unwrap() {
        OperatorMessage::Refused { refusal, .. } => Some((refusal.code, refusal.retryable)),
        _ => None,
    }
}

#[test]
fn an_operator_works_on_nothing_that_fails_a_check() {
    let valid = offer(task(), examination(1));
    assert!(matches!(valid[..], [Action::Observe { .. }]), "{valid:?}");
    type Change = fn(&mut Task, &mut Examination);
    let changes: [(Change, RefusalCode, bool); 24] = [
        (|_, found| found.block_timestamp = None, RefusalCode::UnknownBlock, true),
        (|_, found| found.block_timestamp = Some(1), RefusalCode::UnknownBlock, true),
        (|_, found| found.latest_timestamp += 13, RefusalCode::StaleBlock, false),
        (|task, _| task.intent.chainId = U256::from(1), RefusalCode::WrongChain, false),
        (|_, found| found.task_manager = Address::ZERO, RefusalCode::WrongPolicy, false),
        (|_, found| found.client_policy = None, RefusalCode::WrongPolicy, false),
        (|_, found| client(found).policyId = B256::ZERO, RefusalCode::WrongPolicy, false),
        (|_, found| client(found).policyId = B256::repeat_byte(1), RefusalCode::WrongPolicy, false),
        (|task, _| task.policy_id = B256::repeat_byte(1), RefusalCode::WrongPolicy, false),
        (|_, found| client(found).quorum = 6666, RefusalCode::LowQuorum, false),
        (|task, _| task.expiration = task.block_timestamp, RefusalCode::Lifetime, false),
        (|task, _| task.expiration = task.block_timestamp + 3601, RefusalCode::Lifetime, false),
        (|_, found| found.issuance_floor = U48::from(task().block_timestamp + 1), RefusalCode::Lifetime, false),
        (|_, found| found.is_spent = true, RefusalCode::SpentNonce, false),
        (|_, found| found.is_trusted_forwarder = true, RefusalCode::Forwarder, false),
        (|task, _| task.intent.from = Address::repeat_byte(0xfe), RefusalCode::Forwarder, false),
        (
            |task, found| {
                found.is_delegated = true;
                task.intent.to = Address::repeat_byte(0x55);
            },
            RefusalCode::DelegatedCaller,
            false,
        ),
        (|_, found| found.epoch = None, RefusalCode::WrongEpoch, false),
        (|task, _| task.epoch = assent_verifier::EpochId(6), RefusalCode::WrongEpoch, false),
        (|_, found| client(found).operatorSet = 2, RefusalCode::WrongEpoch, false),
        (|_, found| epoch(found).valid_until = U48::from(1), RefusalCode::WrongEpoch, false),
        (|_, found| epoch(found).operators = others(), RefusalCode::WrongEpoch, false),
        (|_, found| found.policy = None, RefusalCode::UnknownPolicy, true),
        (|_, found| found.policy = Some(other_policy()), RefusalCode::UnknownPolicy, true),
    ];
    for (index, (change, code, retryable)) in changes.into_iter().enumerate() {
        let (mut task, mut found) = (task(), examination(1));
        change(&mut task, &mut found);
        assert_eq!(refusal(&offer(task, found)), Some((code, retryable)), "change {index}");
    }
}

#[test]
fn the_bounds_of_the_checks_are_accepted() {
    let changes: [fn(&mut Task, &mut Examination); 5] = [
        |_, found| found.latest_timestamp = task().block_timestamp + 24,
        |_, found| found.latest_timestamp = 0,
        |task, _| task.expiration = task.block_timestamp + 3600,
        |_, found| found.issuance_floor = U48::from(task().block_timestamp),
        |_, found| found.is_delegated = true, // The client is the called contract.
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (mut task, mut found) = (task(), examination(1));
        change(&mut task, &mut found);
        let actions = offer(task, found);
        assert!(matches!(actions[..], [Action::Observe { .. }]), "change {index}: {actions:?}");
    }
}

#[test]
fn another_task_with_the_same_id_is_refused_and_the_number_of_tasks_is_bounded() {
    let mut operator = operator();
    let actions = receive(&mut operator, &GatewayMessage::Offer { task: task() });
    let [Action::Examine { ticket, .. }] = actions[..] else { panic!("{actions:?}") };
    let forked = Task { expiration: task().expiration + 1, ..task() };
    let actions = receive(&mut operator, &GatewayMessage::Offer { task: forked });
    assert_eq!(refusal(&actions), Some((RefusalCode::OtherOffer, false)));

    let with_nonce = |nonce| GatewayMessage::Offer { task: Task { nonce: U256::from(nonce), ..task() } };
    assert!(matches!(receive(&mut operator, &with_nonce(1))[..], [Action::Examine { .. }]));
    assert_eq!(refusal(&receive(&mut operator, &with_nonce(2))), Some((RefusalCode::Busy, true)));
    // A finished task makes room.
    let found = Examination { is_spent: true, ..examination(1) };
    operator.handle(Event::Examined { ticket, result: Ok(Box::new(found)) });
    assert!(matches!(receive(&mut operator, &with_nonce(2))[..], [Action::Examine { .. }]));
    assert_eq!(operator.task_count(), 2);
}

/// Otherwise a gateway could stop an operator for all others with tasks that it never has decided.
#[test]
fn a_gateway_that_floods_an_operator_displaces_its_own_tasks() {
    let mut operator = operator();
    operator.handle(Event::LinkOpened { link: 1, gateway: "another.example:443".into() });
    for message in
        [GatewayMessage::Challenge { version: 1, challenge: B256::ZERO, domain: domain() }, GatewayMessage::Welcome]
    {
        operator.handle(Event::Received { link: 1, message: message.to_json().into_bytes() });
    }
    // Offers a task on a link until its observation is signed.
    let mut observe = |link, nonce| {
        let task = Task { nonce: U256::from(nonce), ..task() };
        observe_on(&mut operator, link, task, 1);
        operator.task_count()
    };
    assert_eq!(observe(0, 0), 1);
    for nonce in 1..5 {
        assert_eq!(observe(1, nonce), 2);
    }
    // The first gateway's task is still there: its offer is answered at once.
    let first = GatewayMessage::Offer { task: Task { nonce: U256::ZERO, ..task() } };
    let actions = receive(&mut operator, &first);
    assert!(matches!(actions[..], [Action::Send { .. }]), "{actions:?}");
}

/// Otherwise evidence would hold other data than the decision was computed from.
#[test]
fn the_result_of_an_attempt_that_was_cancelled_counts_for_no_later_one() {
    let mut operator = operator();
    let signatures: Vec<_> = (1..=3).map(|seed| sign_observation(seed, r#"{"value":"4"}"#)).collect();
    let decide = |seeds: [u8; 3]| {
        let observers = seeds.map(|seed| (address(seed), signatures[usize::from(seed) - 1]));
        let output = r#"{"value":"4"}"#.into();
        let observations = vec![AgreedOutput { source: "limit".into(), output, observers: observers.into() }];
        GatewayMessage::Decide { task_id: task().id(domain()), observations }
    };
    let mut attempt = |weights: u8, cancel: bool| {
        observe_on(&mut operator, 0, task(), weights);
        let actions = receive(&mut operator, &decide([1, 2, 3]));
        let [Action::Evaluate { ticket, input, policy, data }] = &actions[..] else { panic!("{actions:?}") };
        let result = evaluate(evaluator_with_root(IMAGE).unwrap(), policy, input, data);
        if cancel {
            receive(&mut operator, &GatewayMessage::Cancel { task_id: task().id(domain()) });
            assert_eq!(operator.task_count(), 0);
        }
        Event::Evaluated { ticket: *ticket, result: Box::new(result) }
    };
    // Three of three, and then of four: other data, though the same observations.
    let first = attempt(3, true);
    let second = attempt(4, false);
    assert!(operator.handle(first).is_empty());
    let actions = operator.handle(second);
    let [Action::StoreEvidence { file, .. }] = &actions[..] else { panic!("{actions:?}") };
    assert!(matches!(file.replay(evaluator_with_root(IMAGE).unwrap()), Ok(Replay::Follows(_))));
}

fn sign_observation(seed: u8, output: &str) -> assent_types::Signature {
    let observation = Observation::new(task().id(domain()), "limit", task().block_hash, output.as_bytes());
    key(seed).sign_observation(&observation, domain().chain_id, domain().task_manager)
}

/// Offers a task until the observation of the first of some operators is signed.
fn observe_on(operator: &mut Operator<Bls>, link: u64, task: Task, count: u8) {
    let message = GatewayMessage::Offer { task }.to_json().into_bytes();
    let actions = operator.handle(Event::Received { link, message });
    // Before it, a task that is displaced is refused.
    let [.., Action::Examine { ticket, .. }] = actions[..] else { panic!("{actions:?}") };
    operator.handle(Event::Examined { ticket, result: Ok(Box::new(examination(count))) });
    let outputs = [("limit".to_owned(), assent_json::parse(br#"{"value":"4"}"#).unwrap())];
    observe(operator, ticket, outputs.into());
}

#[test]
fn a_challenge_for_another_task_manager_or_version_is_not_signed() {
    let other = assent_network::Domain { chain_id: U256::from(1), ..domain() };
    for (version, domain) in [(1, other), (VERSIONS.max + 1, domain())] {
        let mut operator = Operator::new(Settings::new(crate::fixture::domain(), address(1)), Bls);
        operator.handle(Event::LinkOpened { link: 0, gateway: GATEWAY.into() });
        let challenge = GatewayMessage::Challenge { version, challenge: B256::ZERO, domain };
        let actions = receive(&mut operator, &challenge);
        assert!(matches!(actions[..], [Action::Close { .. }]), "{actions:?}");
    }
}

fn client(found: &mut Examination) -> &mut assent_verifier::Policy {
    found.client_policy.as_mut().unwrap()
}

fn epoch(found: &mut Examination) -> &mut assent_verifier::Epoch {
    found.epoch.as_mut().unwrap()
}

fn others() -> assent_verifier::OperatorSet {
    let operator = assent_verifier::Operator {
        address: address(2),
        public_key: key(2).public_key(),
        weight: alloy_primitives::aliases::U96::from(1),
    };
    assent_verifier::OperatorSet::new(vec![operator]).unwrap()
}

fn other_policy() -> std::sync::Arc<assent_policy::ExecutablePolicy> {
    let policy = crate::fixture::policy();
    let parameters = assent_json::parse(br#"{"other":1}"#).unwrap();
    std::sync::Arc::new(policy.with_parameters(&parameters).unwrap())
}
