//! Links between operators and a gateway that are long, or stall.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, B256};
use anyhow::{Context as _, Result, ensure};
use assent_network_tests::{
    network::{Gateway, Operator},
    process::free_address,
    world::{World, WorldOptions},
};
use assent_types::{AttestationDocument, digest::attestation_digest};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{RUNNING, link::Link, program};

/// Operators of one weight: three are a quorum.
const OPERATORS: usize = 4;
/// How far an operator is from its gateway, if it is far away.
const FAR: Duration = Duration::from_secs(5);
/// The shortest and the longest time that a message takes on a long link.
const LONG: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(200)];
/// How many decisions are asked for at once over long links.
const REQUESTS: u64 = 24;

/// A network in which each operator has its own link to the gateway.
struct Network {
    world: World,
    gateway: Gateway,
    operators: Vec<Operator>,
    links: Vec<Link>,
    vault: Address,
    observing_vault: Address,
}

impl Network {
    async fn start() -> Result<Self> {
        let options = WorldOptions { chain_id: 31_337, weights: vec![1; OPERATORS], block_seconds: 1 };
        let world = World::new(&options).await?;
        let vault = world.vault(&World::limit_policy()?).await?;
        let observing_vault = world.vault(&world.history_policy()?).await?;
        let address = free_address()?;
        let mut links = Vec::new();
        for _ in 0..OPERATORS {
            links.push(Link::start("127.0.0.1", address).await?);
        }
        let names: Vec<_> = links.iter().map(|link| link.address.to_string()).collect();
        let log = world.path("tasks.redb").display().to_string();
        let mut gateway = Gateway::new(&world, program(), "gateway", address, &log, &["--names", &names.join(",")])?;
        gateway.start()?;
        let mut operators = Vec::new();
        for (index, link) in links.iter().enumerate() {
            let mut operator = Operator::new(&world, program(), index, &world.node, &[link.address])?;
            operator.process.start()?;
            operators.push(operator);
        }
        gateway.connected(OPERATORS).await?;
        Ok(Self { world, gateway, operators, links, vault, observing_vault })
    }

    /// Asks for a payment. Returns the task and how long its decision took.
    async fn allowed(&self, vault: Address, amount: u64) -> Result<(Value, Duration)> {
        let started = Instant::now();
        let request = self.world.payment_request(vault, amount);
        let task = self.gateway.rpc.call("assent_requestAuthorization", &request).await?;
        ensure!(task["decision"] == "allow", "{task}");
        Ok((task, started.elapsed()))
    }

    /// Asks for a payment, and does not wait for the decision. Returns the task's id.
    async fn submit(&self, amount: u64) -> Result<Value> {
        let mut request = self.world.payment_request(self.vault, amount);
        request["expiration"] = json!(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 600);
        let mut task = self.gateway.rpc.call("assent_submitTask", &request).await?;
        Ok(task["taskId"].take())
    }

    async fn task(&self, task_id: &Value) -> Result<Value> {
        self.gateway.rpc.call("assent_getTask", &json!([task_id])).await
    }

    /// Waits until a task is attested.
    async fn attested(&self, task_id: &Value, patience: Duration) -> Result<Value> {
        let started = Instant::now();
        loop {
            let task = self.task(task_id).await?;
            match task["status"].as_str() {
                Some("attested") => return Ok(task),
                Some("pending") if started.elapsed() < patience => sleep(Duration::from_millis(100)).await,
                _ => anyhow::bail!("not attested in {:?}: {task}", started.elapsed()),
            }
        }
    }

    /// Returns how many attestations an operator has signed and sent.
    async fn signed(&mut self, operator: usize) -> Result<f64> {
        let address = self.operators[operator].process.listening()?;
        let text = reqwest::get(format!("http://{address}/metrics")).await?.text().await?;
        let name = "assent_operator_decisions_total{decision=\"allow\"} ";
        let count = text.lines().find_map(|line| line.strip_prefix(name));
        Ok(count.map_or(Ok(0.0), str::parse)?)
    }

    /// Checks that each operator has signed what was attested, and nothing else, about every task.
    fn require_one_statement_each(mut self, tasks: &[Value]) -> Result<()> {
        let mut journals = Vec::new();
        for operator in &mut self.operators {
            operator.process.kill()?;
            // It refuses an export with two entries of one task.
            journals.push((operator.address, operator.journal()?));
        }
        for task in tasks {
            let task_id: B256 = task["taskId"].as_str().context("an id")?.parse()?;
            let document: AttestationDocument = serde_json::from_value(task["document"].clone())?;
            let digest = attestation_digest(&document.attestation, document.chain_id, document.task_manager);
            let signers: Vec<Address> = serde_json::from_value(task["signers"].clone())?;
            for (operator, journal) in &journals {
                let entry = journal.attestations.get(&task_id);
                ensure!(entry.is_some() || !signers.contains(operator), "{operator} has no entry of {task}");
                ensure!(entry.is_none_or(|entry| *entry == digest), "{operator} signed {entry:?}: {task}");
            }
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_far_away_delays_no_decision_and_when_all_are_no_decision_is_lost() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let network = Network::start().await?;
    let mut tasks = Vec::new();
    network.links[0].delay(FAR, Duration::ZERO);
    let far = network.operators[0].address;
    for round in 0..6 {
        let vault = if round % 2 == 0 { network.vault } else { network.observing_vault };
        let (task, time) = network.allowed(vault, 10 + round).await?;
        println!("decided in {time:?} while one of four is {FAR:?} away");
        // It has not even seen the offer yet.
        assert!(time < FAR, "the decision took {time:?}: {task}");
        let signers: Vec<Address> = serde_json::from_value(task["signers"].clone())?;
        assert!(!signers.contains(&far), "{task}");
        tasks.push(task);
    }

    let [shortest, longest] = LONG;
    network.links.iter().for_each(|link| link.delay(shortest, longest - shortest));
    // What is on its way to the operator that was far away comes first.
    sleep(FAR).await;
    let requests = (0..REQUESTS).map(|index| {
        let (vault, rounds) = if index % 2 == 0 { (network.vault, 1) } else { (network.observing_vault, 2) };
        let network = &network;
        async move { anyhow::Ok((network.allowed(vault, 100 + index).await?, rounds)) }
    });
    for ((task, time), rounds) in try_join_all(requests).await? {
        println!("decided in {time:?} over links of 100 to 200 ms, with {rounds} rounds");
        assert!(time >= 2 * rounds * shortest, "the links did not delay it: {time:?}, {task}");
        tasks.push(task);
    }
    assert!(network.links.iter().all(|link| link.connections() == 1), "a long link was replaced");
    network.require_one_statement_each(&tasks)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_stalls_is_kept_or_replaced_and_its_work_is_answered_once() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let mut network = Network::start().await?;
    // Two of four stall: there is no quorum. What waits arrives in order, on the same connections.
    for link in &network.links[..2] {
        link.stall_to_gateway();
        link.stall_to_operator();
    }
    let short = network.submit(1).await?;
    sleep(Duration::from_secs(4)).await;
    let task = network.task(&short).await?;
    assert_eq!(task["status"], "pending", "decided without a quorum: {task}");
    network.links.iter().for_each(Link::release);
    let short = network.attested(&short, Duration::from_secs(30)).await?;
    assert!(network.links.iter().all(|link| link.connections() == 1), "a link was replaced after 4 seconds");

    // What two operators signed does not arrive. One is then silent for both sides, and the other for the gateway.
    for link in &network.links[..2] {
        link.stall_to_gateway();
    }
    let before = [network.signed(0).await?, network.signed(1).await?];
    let long = network.submit(2).await?;
    let started = Instant::now();
    for (operator, before) in before.into_iter().enumerate() {
        while network.signed(operator).await? <= before {
            ensure!(started.elapsed() < Duration::from_secs(60), "operator {operator} does not sign");
            sleep(Duration::from_millis(50)).await;
        }
    }
    network.links[0].stall_to_operator();
    let task = network.task(&long).await?;
    assert_eq!(task["status"], "pending", "a stalled link delivered: {task}");
    let long = network.attested(&long, Duration::from_secs(120)).await?;
    println!("the work of stalled links was answered after {:?}", started.elapsed());
    // One new link is enough for the answer; the other may be noticed as silent later.
    while network.links[..2].iter().any(|link| link.connections() < 2) {
        ensure!(started.elapsed() < Duration::from_secs(120), "a stalled link is not replaced");
        sleep(Duration::from_millis(50)).await;
    }
    network.gateway.connected(OPERATORS).await?;
    let connections: Vec<_> = network.links.iter().map(Link::connections).collect();
    println!("all were connected after {:?}", started.elapsed());
    assert_eq!(connections, [2, 2, 1, 1], "exactly the stalled links are replaced");

    // What the old connections still hold reaches no one that cares.
    network.links.iter().for_each(Link::release);
    let (after, _) = network.allowed(network.vault, 3).await?;
    network.gateway.connected(OPERATORS).await?;
    network.require_one_statement_each(&[short, long, after])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_is_not_accepted_logs_the_gateway_s_reason() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let world = World::new(&WorldOptions { chain_id: 31_337, weights: vec![1], block_seconds: 1 }).await?;
    let address = free_address()?;
    let log = world.path("tasks.redb").display().to_string();
    let mut gateway = Gateway::new(&world, program(), "gateway", address, &log, &[])?;
    gateway.start()?;
    // It is not one of the gateway's names.
    let link = Link::start("127.0.0.1", address).await?;
    let mut operator = Operator::new(&world, program(), 0, &world.node, &[link.address])?;
    operator.process.start()?;
    let expected = format!("the gateway closed it: the operator dialled {}, which is not this gateway", link.address);
    let started = Instant::now();
    loop {
        let log = std::fs::read_to_string(&operator.process.launch().log)?;
        if log.contains(&expected) {
            return Ok(());
        }
        ensure!(started.elapsed() < Duration::from_secs(60), "the log lacks {expected:?}: {log}");
        sleep(Duration::from_millis(50)).await;
    }
}
