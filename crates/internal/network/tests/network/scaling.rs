//! What a decision costs with up to 100 operators, as counts that no machine's load changes: messages, bytes, and
//! pairing checks. `cargo bench -p assent-network --bench operators` measures the time.

use std::sync::Arc;

use alloy_primitives::U256;
use assent_network::gateway::{Answer, Event, Submission, TaskOutcome};
use assent_policy::ExecutablePolicy;

use crate::fixture::{Network, plain_policy, policy, submission};

const SIZES: [u8; 5] = [4, 10, 25, 50, 100];

/// What a decision costs.
#[derive(Debug)]
struct Cost {
    operators: usize,
    messages: usize,
    bytes: usize,
    /// The bytes of messages that have observations of a quorum.
    decide_bytes: usize,
    /// Pairing checks of the gateway.
    checks: u32,
}

impl Cost {
    /// Returns the messages, and the bytes besides those of `decide`, for each operator.
    fn for_each(&self) -> (f64, f64) {
        let for_each = |number: usize| as_float(number) / as_float(self.operators);
        (for_each(self.messages), for_each(self.bytes - self.decide_bytes))
    }
}

fn as_float(number: usize) -> f64 {
    u32::try_from(number).unwrap().into()
}

/// Has tasks decided that are asked for at once, and returns the cost of all.
fn cost(mut network: Network, policy: Arc<ExecutablePolicy>, tasks: u64) -> Cost {
    network.policy = policy;
    network.connect();
    let operators = network.operators.len();
    assert_eq!(network.gateway.operators().count(), operators);
    network.transcript.clear();
    network.checks.set(0);
    for nonce in 0..tasks {
        let submission = Submission { nonce: Some(U256::from(nonce)), ..submission() };
        network.at_gateway(Event::Requested { request: nonce, submission });
    }
    network.run();
    let is_attested =
        |answer: &&Answer| matches!(answer, Answer::Finished { outcome: TaskOutcome::Attested { .. }, .. });
    assert_eq!(u64::try_from(network.answers.iter().filter(is_attested).count()).unwrap(), tasks);
    let bytes = |messages: &mut dyn Iterator<Item = &str>| messages.map(str::len).sum();
    Cost {
        operators,
        messages: network.transcript.len(),
        bytes: bytes(&mut network.transcript.iter().map(|(_, message)| message.as_str())),
        decide_bytes: bytes(&mut network.messages("decide").into_iter()),
        checks: network.checks.get(),
    }
}

/// Requires that the cost for each operator is that of the smallest network, by a tenth at most.
fn require_linear(costs: &[Cost]) {
    let (messages, bytes) = costs[0].for_each();
    for cost in costs {
        let (own_messages, own_bytes) = cost.for_each();
        // A quorum of four is three quarters: a larger part of a larger network is told to stop.
        assert!((own_messages / messages - 1.0).abs() < 0.1, "{costs:#?}");
        assert!((own_bytes / bytes - 1.0).abs() < 0.1, "{costs:#?}");
    }
}

#[test]
fn a_decision_costs_each_operator_the_same_in_a_network_of_any_size() {
    let costs = SIZES.map(|size| cost(Network::new(size), plain_policy(), 1));
    require_linear(&costs);
    assert!(costs.iter().all(|cost| cost.checks == 1 && cost.decide_bytes == 0), "{costs:#?}");
}

#[test]
fn a_decision_with_a_source_costs_one_more_check_and_a_message_with_a_quorum_s_observations() {
    let costs = SIZES.map(|size| cost(Network::new(size), policy(), 1));
    require_linear(&costs);
    assert!(costs.iter().all(|cost| cost.checks == 2), "{costs:#?}");
    // Each operator verifies the observations itself, so that each gets them: a quorum's, and nothing else that grows.
    for cost in &costs {
        let quorum = 2 * cost.operators / 3 + 1;
        let each = cost.decide_bytes / cost.operators;
        assert!((200 * quorum..=400 * quorum + 400).contains(&each), "{cost:?}");
    }
}

#[test]
fn the_page_has_what_a_decision_costs() {
    let page = include_str!("../../../../../docs/network.md");
    let (_, table) = page.split_once("<!-- costs -->\n\n").unwrap();
    let (table, _) = table.split_once("\n\n<!-- end of costs -->").unwrap();
    let rows: Vec<_> = table.lines().skip(2).map(str::to_owned).collect();
    let row = |sources: usize, size: u8| {
        let policy = if sources == 0 { plain_policy() } else { policy() };
        let Cost { operators, messages, bytes, decide_bytes, checks } = cost(Network::new(size), policy, 1);
        let each = |number: usize| (number + operators / 2) / operators;
        let (messages, own, decide) = (each(messages), each(bytes), each(decide_bytes));
        let kilobytes = bytes.div_ceil(1000);
        format!("| {sources} | {operators} | {messages} | {own} | {decide} | {kilobytes} | {checks} |")
    };
    let measured: Vec<_> = [0, 1].into_iter().flat_map(|sources| SIZES.map(|size| row(sources, size))).collect();
    assert_eq!(rows, measured, "docs/network.md should have\n{}", measured.join("\n"));
}

#[test]
fn a_batch_costs_one_check_in_a_network_of_any_size() {
    const TASKS: u64 = 8;
    let costs = SIZES.map(|size| cost(Network::with_batches(size), plain_policy(), TASKS));
    let (messages, bytes) = costs[0].for_each();
    for cost in &costs {
        // Fewer than in the smallest network: of four operators all are asked, of more a quorum and an eighth.
        let (own_messages, own_bytes) = cost.for_each();
        assert!(own_messages <= messages && own_bytes <= bytes, "{costs:#?}");
        // One task is signed at once, and what is decided meanwhile together.
        assert_eq!(cost.checks, 2, "{costs:#?}");
    }
}
