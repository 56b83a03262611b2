//! A cluster of three real servers, of which two are killed, one after the other.

use std::thread;
use std::time::{Duration, Instant};

use alloy_primitives::{B256, U256};
use assent_task_log::{EncodedOutcome, Limits, NatsOptions, NatsTaskLog, State, Task, TaskLog};
use futures_executor::block_on;

use crate::nats_server::{NatsServer, free_port, is_installed};

/// How long the slowest machine may take to choose another leader.
const PATIENCE: Duration = Duration::from_secs(120);

fn id(number: u64) -> B256 {
    B256::from(U256::from(number))
}

fn outcome(number: u64) -> EncodedOutcome {
    EncodedOutcome(number.to_be_bytes().to_vec().into())
}

/// Tries until it works.
fn patiently<T, E: core::fmt::Display>(mut operation: impl FnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match operation() {
            Ok(value) => return value,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn start_three() -> Vec<NatsServer> {
    let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let routes: Vec<String> = ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
    let routes = routes.join(",");
    let servers = ports.iter().zip(["one", "two", "three"]);
    let start = |(port, name): (&u16, &str)| {
        let listen = format!("nats://127.0.0.1:{port}");
        let arguments = ["--server_name", name, "--cluster_name", "assent", "--cluster", &listen, "--routes", &routes];
        NatsServer::start_with(&arguments)
    };
    servers.map(start).collect()
}

#[test]
fn a_cluster_of_three_loses_no_task_when_servers_are_killed_one_after_another() {
    if !is_installed() {
        return;
    }
    let start = Instant::now();
    let mut servers = start_three();
    let mut options = NatsOptions::new(servers.iter().map(NatsServer::url));
    options.replicas = 3;
    // Until the cluster has a leader, it makes no stream.
    let connect = || patiently(|| block_on(NatsTaskLog::connect(options.clone(), Limits::default())));
    let log = connect();
    let mut number = 0;
    let mut append = |count: u64| {
        for _ in 0..count {
            number += 1;
            let body = vec![7; 200].into();
            let task = Task { id: id(number), caller: "alice".to_owned(), deadline: u64::MAX, body };
            patiently(|| block_on(log.append(task.clone())));
        }
    };
    append(20);
    servers[0].kill();
    append(20);
    servers[0].start_again();
    // What a gateway claims is everything, and what it completes is there for one that connects now.
    let mut claimed = Vec::new();
    while claimed.len() < 40 {
        claimed.extend(patiently(|| block_on(log.claim("one", 100, 200, 100))));
    }
    let numbers = claimed.iter().map(|claimed| claimed.task.id).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(numbers, (1..=40).map(id).collect());
    servers[1].kill();
    for (claimed, number) in claimed.iter().zip(0..) {
        patiently(|| block_on(log.complete(&claimed.lease, outcome(number))));
    }
    let other = connect();
    for (claimed, number) in claimed.iter().zip(0..) {
        let record = patiently(|| block_on(other.get(claimed.task.id))).unwrap();
        assert_eq!(record.state, State::Completed { outcome: outcome(number) });
    }
    println!("three servers, two killed, in {:.1} s", start.elapsed().as_secs_f64());
}
