//! The source `outstanding`: two attestations that are not spent yet cannot break a limit together.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, U256, keccak256};
use assent_network::{
    Bls, Task,
    message::{AgreedOutput, GatewayMessage, OperatorMessage, RefusalCode, SourceObservation},
    operator::{
        Action, Event, Examination, HeldTask, JournalError, Operator, OutstandingSource, OutstandingTotal, Settings,
        Ticket,
    },
};
use assent_policy::{ExecutablePolicy, Manifest, PolicyFolder, Rules, Tolerance, evaluate, evaluator};
use assent_types::Decision;

use crate::fixture::{address, domain, examination, key, observe, open_operator, receive, task_with};

const RULES: &str = "package p\n\nallow if data.wasm.pending.sum + input.call.args.amount <= 1000\n\n\
    deny contains \"more than 1000\" if data.wasm.pending.sum + input.call.args.amount > 1000\n";
const PAY: &str = "function pay(address to, uint256 amount)";

fn policy() -> Arc<ExecutablePolicy> {
    let manifest = format!(
        r#"{{"name": "p", "version": "1", "entrypoint": "p", "functions": ["{PAY}"],
            "sources": {{"pending": {{"builtin": {{"outstanding": {{"function": "pay", "sum": "amount"}}}}}}}}}}"#
    );
    let files = [("policy.json", manifest.as_str()), ("p.rego", RULES)];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    Arc::new(PolicyFolder::read(&files).unwrap().policy(evaluator().unwrap().root()).unwrap())
}

fn pay(amount: u64) -> Vec<u8> {
    let mut calldata = keccak256("pay(address,uint256)")[..4].to_vec();
    calldata.extend(Address::repeat_byte(0x77).into_word());
    calldata.extend(U256::from(amount).to_be_bytes::<32>());
    calldata
}

fn payment(nonce: u64, amount: u64) -> Task {
    let mut task = task_with(nonce);
    task.policy_id = policy().id();
    task.intent.value = U256::ZERO;
    task.intent.data = pay(amount).into();
    task
}

fn found() -> Examination {
    let mut found = examination(1);
    found.client_policy.as_mut().unwrap().policyId = policy().id();
    found.policy = Some(policy());
    found
}

fn operator() -> Operator<Bls> {
    open_operator(Settings::new(domain(), address(1)), 2)
}

fn sent(actions: &[Action]) -> OperatorMessage {
    let [Action::Send { message, .. }] = actions else { panic!("{actions:?}") };
    OperatorMessage::parse(message.as_bytes()).unwrap()
}

/// Has an operator observe and decide a task, when it sees so much outstanding. Returns what the attestation holds.
fn decide(operator: &mut Operator<Bls>, offer: &GatewayMessage, seen: OutstandingTotal) -> (Ticket, Option<HeldTask>) {
    let actions = receive(operator, offer);
    let [Action::Examine { ticket, .. }] = actions[..] else { panic!("{actions:?}") };
    let actions = operator.handle(Event::Examined { ticket, result: Ok(Box::new(found())) });
    assert!(matches!(actions[..], [Action::Observe { .. }]), "{actions:?}");
    let outputs = BTreeMap::from([("pending".to_owned(), OutstandingSource::output(seen))]);
    let actions = observe(operator, ticket, outputs);
    let OperatorMessage::Observed { task_id, observations } = sent(&actions) else { panic!("{actions:?}") };
    let agreed = observations.into_iter().map(|SourceObservation { source, output, signature }| AgreedOutput {
        source,
        output,
        observers: vec![(address(1), signature)],
    });
    let actions = receive(operator, &GatewayMessage::Decide { task_id, observations: agreed.collect() });
    let [Action::Evaluate { input, policy, data, .. }] = &actions[..] else { panic!("{actions:?}") };
    let result = Box::new(evaluate(evaluator().unwrap(), policy, input, data));
    let actions = operator.handle(Event::Evaluated { ticket, result });
    assert!(matches!(actions[..], [Action::StoreEvidence { .. }]), "{actions:?}");
    let actions = operator.handle(Event::EvidenceStored { ticket, result: Ok(()) });
    let [Action::SignAttestation { attestation, hold, .. }] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!(hold.is_some(), attestation.decision == u8::from(Decision::Allow));
    (ticket, hold.as_deref().cloned())
}

fn total(count: u64, sum: u64) -> OutstandingTotal {
    OutstandingTotal { count: U256::from(count), sum: U256::from(sum) }
}

#[test]
fn an_attestation_that_allows_holds_its_amount_under_what_was_agreed() {
    let mut operator = operator();
    // Also for a batch it is signed by itself: another attestation may be on record by then.
    let first = GatewayMessage::OfferForBatch { task: payment(1, 600) };
    let (ticket, hold) = decide(&mut operator, &first, total(0, 0));
    let hold = hold.unwrap();
    assert_eq!((hold.task_id, &hold.task), (payment(1, 600).id(domain()), &payment(1, 600)));
    let [held] = &hold.sources[..] else { panic!("{hold:?}") };
    assert_eq!((held.source, held.amount, held.agreed), (keccak256("pending"), Some(U256::from(600)), total(0, 0)));

    // The journal has recorded another one meanwhile.
    let actions = operator.handle(Event::AttestationSigned { ticket, result: Err(JournalError::Exceeded) });
    let OperatorMessage::Refused { refusal, .. } = sent(&actions) else { panic!("{actions:?}") };
    assert_eq!((refusal.code, refusal.retryable), (RefusalCode::Observations, false));
    assert!(refusal.message.contains("ask with a new nonce"), "{}", refusal.message);

    // What sees it keeps the limit, or is denied and holds nothing.
    let (_, hold) = decide(&mut operator, &GatewayMessage::Offer { task: payment(2, 400) }, total(1, 600));
    assert_eq!(hold.unwrap().sources[0].agreed, total(1, 600));
    let (_, hold) = decide(&mut operator, &GatewayMessage::Offer { task: payment(3, 401) }, total(1, 600));
    assert_eq!(hold, None);
}

#[test]
fn an_operator_that_is_new_in_the_set_refuses_what_counts_outstanding_attestations() {
    let mut operator = operator();
    let actions = receive(&mut operator, &GatewayMessage::Offer { task: payment(1, 1) });
    let [Action::Examine { ticket, .. }] = actions[..] else { panic!("{actions:?}") };
    let mut found = found();
    found.is_newcomer = true;
    let actions = operator.handle(Event::Examined { ticket, result: Ok(Box::new(found)) });
    let OperatorMessage::Refused { refusal, .. } = sent(&actions) else { panic!("{actions:?}") };
    assert_eq!((refusal.code, refusal.retryable), (RefusalCode::Source, false), "{}", refusal.message);
}

fn source(functions: &[&str], function: &str, argument: &str) -> Result<OutstandingSource, String> {
    let functions = functions.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(",");
    let manifest = format!(
        r#"{{"name": "p", "version": "1", "entrypoint": "p", "functions": [{functions}], "sources": {{"pending":
            {{"builtin": {{"outstanding": {{"function": "{function}", "sum": "{argument}"}}}}}}}}}}"#
    );
    Manifest::parse(manifest.as_bytes()).unwrap();
    let files = [("policy.json", manifest.as_str()), ("p.rego", "package p\n\nallow := true\n")];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    let policy = PolicyFolder::read(&files).unwrap().policy(evaluator().unwrap().root()).unwrap();
    let mut sources = OutstandingSource::all(&Rules::parse(policy.rules()).unwrap())?;
    assert_eq!(sources.len(), 1);
    Ok(sources.remove(0))
}

#[test]
fn amounts_are_read_from_the_named_argument_of_the_named_function() {
    let known =
        source(&[PAY, "function pay(uint8 amount)", "function other(uint256 amount)"], "pay", "amount").unwrap();
    assert_eq!((known.key(), known.id()), ("pending", keccak256("pending")));
    assert_eq!(known.amount(&pay(5)), Some(U256::from(5)));
    let short = [&keccak256("pay(uint8)")[..4], &U256::from(7).to_be_bytes::<32>()].concat();
    assert_eq!(known.amount(&short), Some(U256::from(7)));
    let other = [&keccak256("other(uint256)")[..4], &U256::from(7).to_be_bytes::<32>()].concat();
    // Another function, bytes left over, too few, and dirty padding.
    let dirty = [&keccak256("pay(uint8)")[..4], &[0xff; 32]].concat();
    for calldata in [&other[..], &[&pay(5)[..], &[0]].concat(), &pay(5)[..67], &[], &dirty] {
        assert_eq!(known.amount(calldata), None);
    }
    let error = source(&[PAY], "send", "amount").unwrap_err();
    assert_eq!(error, "the policy has no function `send`");
    let error = source(&[PAY], "pay", "to").unwrap_err();
    assert_eq!(error, "`function pay(address to, uint256 amount)` has no unsigned integer `to`");
}

/// A policy whose observations must be near each other, and a task of it.
fn near(within: &str) -> (Arc<ExecutablePolicy>, Task) {
    let mut rules = Rules::parse(policy().rules()).unwrap();
    let Rules::Single(single) = &mut rules else { panic!("a single policy") };
    let mut value = assent_json::Object::new();
    value.insert("sum", assent_json::parse(within.as_bytes()).unwrap());
    let source = single.sources.get_mut("pending").unwrap();
    source.within = Some(Tolerance::from_value(&value.into(), &source.reduce).unwrap());
    let policy =
        ExecutablePolicy::new(evaluator().unwrap().root(), &rules, 1 << 26, &assent_json::parse(b"{}").unwrap());
    let policy = Arc::new(policy.unwrap());
    let task = Task { policy_id: policy.id(), ..payment(1, 1) };
    (policy, task)
}

/// Has an operator that observes a sum decide on another one, which comes before or after its own.
fn decide_on(own: u64, agreed: u64, is_early: bool) -> Vec<Action> {
    let (policy, task) = near("1000");
    let (task_id, mut operator) = (task.id(domain()), operator());
    let mut found = found();
    found.client_policy.as_mut().unwrap().policyId = policy.id();
    (found.policy, found.epoch) = (Some(policy), Some(crate::fixture::epoch(2)));
    found.client_policy.as_mut().unwrap().quorum = 6667;
    // Both operators saw the same, by what the gateway says; the first one itself saw something else.
    let output = OutstandingSource::output(total(1, agreed)).to_canonical();
    let observation = assent_types::Observation::new(task_id, "pending", task.block_hash, output.as_bytes());
    let sign = |seed| key(seed).sign_observation(&observation, domain().chain_id, domain().task_manager);
    let observers = vec![(address(1), sign(1)), (address(2), sign(2))];
    let observations = vec![AgreedOutput { source: "pending".to_owned(), output, observers }];
    let decide = GatewayMessage::Decide { task_id, observations };

    let actions = receive(&mut operator, &GatewayMessage::Offer { task });
    let [Action::Examine { ticket, .. }] = actions[..] else { panic!("{actions:?}") };
    if is_early {
        assert!(receive(&mut operator, &decide).is_empty());
    }
    operator.handle(Event::Examined { ticket, result: Ok(Box::new(found)) });
    let outputs = BTreeMap::from([("pending".to_owned(), OutstandingSource::output(total(1, own)))]);
    let mut actions = observe(&mut operator, ticket, outputs);
    assert!(matches!(sent(&actions[..1]), OperatorMessage::Observed { .. }), "{actions:?}");
    actions.remove(0);
    if is_early { actions } else { receive(&mut operator, &decide) }
}

#[test]
fn an_operator_signs_nothing_that_is_further_from_its_own_observation_than_the_policy_permits() {
    for is_early in [false, true] {
        for (own, agreed) in [(100, 100), (110, 100), (90, 100)] {
            let actions = decide_on(own, agreed, is_early);
            assert!(matches!(actions[..], [Action::Evaluate { .. }]), "{own} {agreed}: {actions:?}");
        }
        for (own, agreed) in [(111, 100), (89, 100), (0, 100)] {
            let actions = decide_on(own, agreed, is_early);
            let OperatorMessage::Refused { refusal, .. } = sent(&actions) else { panic!("{actions:?}") };
            assert_eq!((refusal.code, refusal.retryable), (RefusalCode::Observations, true), "{}", refusal.message);
        }
    }
}
