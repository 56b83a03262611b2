//! What a decision costs in networks of up to 100 operators, without evaluation, signing and I/O.
//!
//! `cargo bench --package assent-network --bench operators`.

#[allow(dead_code, reason = "tests use the rest")]
#[path = "../tests/network/fixture.rs"]
mod fixture;

use std::{sync::Arc, time::Duration};

use alloy_primitives::U256;
use assent_network::gateway::{Event, Submission};
use assent_policy::ExecutablePolicy;
use fixture::{Network, Times, plain_policy, policy, submission};

/// How often each decision is measured. The least time counts, since other programs disturb the others.
const TIMES: u64 = 5;

fn main() {
    println!(
        "{:>9} {:>7} {:>10} {:>14} {:>15} {:>13} {:>13}",
        "operators", "source", "gateway ms", "for each, µs", "an operator, µs", "messages each", "bytes each"
    );
    for size in [4, 10, 25, 50, 100] {
        for (source, policy) in [("no", plain_policy()), ("yes", policy())] {
            measure(size, source, policy);
        }
    }
}

fn measure(size: u8, source: &str, policy: Arc<ExecutablePolicy>) {
    let mut network = Network::new(size);
    network.policy = policy;
    network.connect();
    let mut least = Times { gateway: Duration::MAX, operators: Duration::MAX };
    for nonce in 0..=TIMES {
        network.transcript.clear();
        network.times = Times::default();
        let submission = Submission { nonce: Some(U256::from(nonce)), ..submission() };
        network.at_gateway(Event::Requested { request: nonce, submission });
        network.run();
        // The first decision fills what is remembered.
        if nonce > 0 {
            least.gateway = least.gateway.min(network.times.gateway);
            least.operators = least.operators.min(network.times.operators);
        }
    }
    let operators = u32::from(size);
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(operators);
    let each = |count: usize| f64::from(u32::try_from(count).unwrap()) / f64::from(operators);
    let bytes = network.transcript.iter().map(|(_, message)| message.len()).sum();
    println!(
        "{size:>9} {source:>7} {:>10.2} {:>14.0} {:>15.0} {:>13.2} {:>13.0}",
        least.gateway.as_secs_f64() * 1e3,
        micros(least.gateway),
        micros(least.operators),
        each(network.transcript.len()),
        each(bytes),
    );
}
