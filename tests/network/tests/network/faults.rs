//! Nodes that reorganise, stall and lie.

use std::time::{Duration, Instant};

use alloy::providers::Provider;
use anyhow::{Context as _, Result, ensure};
use assent_network_tests::{
    network::{Gateway, Operator},
    process::free_address,
    rpc::Answer,
    world::{World, WorldOptions},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    RUNNING,
    node_proxy::{NodeBehaviour, NodeProxy},
    program,
};

/// Operators of one weight: three are a quorum.
const OPERATORS: usize = 4;

/// A network in which each operator and the gateway have a node.
struct Network {
    world: World,
    gateway: Gateway,
    operators: Vec<Operator>,
    /// Those of the operators, and that of the gateway.
    nodes: Vec<NodeProxy>,
    vault: alloy::primitives::Address,
    observing_vault: alloy::primitives::Address,
}

impl Network {
    async fn start() -> Result<Self> {
        let options = WorldOptions { chain_id: 31_337, weights: vec![1; OPERATORS], block_seconds: 1 };
        let mut world = World::new(&options).await?;
        let vault = world.vault(&World::limit_policy()?).await?;
        let observing_vault = world.vault(&world.history_policy()?).await?;
        let mut nodes = Vec::new();
        for _ in 0..=OPERATORS {
            nodes.push(NodeProxy::start(&world.node).await?);
        }
        let address = free_address()?;
        let log = world.path("tasks.redb").display().to_string();
        world.node.clone_from(&nodes.last().context("a node")?.url);
        let mut gateway = Gateway::new(&world, program(), "gateway", address, &log, &["--poll", "100"])?;
        gateway.start()?;
        let mut operators = Vec::new();
        for (index, node) in nodes.iter().take(OPERATORS).enumerate() {
            let mut operator = Operator::new(&world, program(), index, &node.url, &[address])?;
            operator.process.start()?;
            operators.push(operator);
        }
        gateway.connected(OPERATORS).await?;
        Ok(Self { world, gateway, operators, nodes, vault, observing_vault })
    }

    /// Asks for a payment. An error of the gateway is its answer, too.
    async fn ask(&self, vault: alloy::primitives::Address) -> Result<Answer> {
        let request = self.world.payment_request(vault, 5);
        self.gateway.rpc.answer("assent_requestAuthorization", &request).await
    }

    async fn is_allowed(&self, vault: alloy::primitives::Address) -> Result<Value> {
        match self.ask(vault).await? {
            Answer::Result(task) if task["decision"] == "allow" => Ok(task),
            other => anyhow::bail!("not allowed: {other:?}"),
        }
    }

    /// Asks until it is allowed.
    async fn recovers(&self, vault: alloy::primitives::Address) -> Result<()> {
        let started = Instant::now();
        while let Err(error) = self.is_allowed(vault).await {
            ensure!(started.elapsed() < Duration::from_secs(90), "the network does not recover: {error:#}");
            sleep(Duration::from_millis(300)).await;
        }
        Ok(())
    }

    fn node_of_gateway(&self) -> &NodeProxy {
        &self.nodes[OPERATORS]
    }

    /// Returns the codes with which operators refused a task.
    fn refusals(answer: &Value) -> Vec<String> {
        let operators = answer["timings"]["operators"].as_array();
        let codes = operators.into_iter().flatten().filter_map(|answer| answer["refusal"]["code"].as_str());
        codes.map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lies_stalls_or_is_gone_stops_no_decision_while_a_quorum_has_others() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let network = Network::start().await?;
    let liar = network.operators[0].address.to_string().to_lowercase();
    for behaviour in [
        NodeBehaviour::LiesAboutState,
        NodeBehaviour::LiesAboutBlocks,
        NodeBehaviour::Stalls,
        NodeBehaviour::Garbage,
        NodeBehaviour::Gone,
    ] {
        let before = network.nodes[0].lies();
        network.nodes[0].behave(behaviour);
        for vault in [network.vault, network.observing_vault] {
            let task = network.is_allowed(vault).await.with_context(|| format!("{behaviour:?}"))?;
            let signers = task["signers"].to_string().to_lowercase();
            assert!(!signers.contains(&liar), "{behaviour:?}: it signs what its node does not show: {task}");
        }
        assert!(network.nodes[0].lies() > before, "{behaviour:?}: its node was not asked");
    }
    network.nodes[0].behave(NodeBehaviour::Honest);
    network.recovers(network.vault).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_node_lies_gets_no_signature() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let network = Network::start().await?;
    network.node_of_gateway().behave(NodeBehaviour::LiesAboutBlocks);
    sleep(Duration::from_millis(500)).await;
    let request = network.world.payment_request(network.vault, 5);
    match network.gateway.rpc.answer("assent_submitTask", &request).await? {
        Answer::Error(error) => assert_eq!(error["data"]["code"], "unavailable", "{error}"),
        Answer::Result(mut task) => {
            let started = Instant::now();
            let mut refusals = Network::refusals(&task);
            while refusals.len() < OPERATORS && task["status"] == "pending" {
                ensure!(started.elapsed() < Duration::from_secs(60), "operators do not answer: {task}");
                sleep(Duration::from_millis(100)).await;
                task = network.gateway.rpc.call("assent_getTask", &json!([task["taskId"]])).await?;
                refusals = Network::refusals(&task);
            }
            assert_ne!(task["status"], "attested", "{task}");
            assert!(refusals.iter().all(|code| code == "unknownBlock"), "{task}");
        }
    }
    network.node_of_gateway().behave(NodeBehaviour::Honest);
    network.recovers(network.vault).await
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_nodes_stall_requests_are_answered_in_time_and_the_network_recovers() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let network = Network::start().await?;
    network.is_allowed(network.vault).await?;
    for node in &network.nodes {
        node.behave(NodeBehaviour::Stalls);
    }
    let mut request = network.world.payment_request(network.vault, 5);
    request["waitSeconds"] = json!(5);
    let started = Instant::now();
    let answer = network.gateway.rpc.answer("assent_requestAuthorization", &request).await?;
    let Answer::Error(error) = answer else { anyhow::bail!("decided without a node: {answer:?}") };
    assert!(["unavailable", "pending"].contains(&error["data"]["code"].as_str().unwrap_or_default()), "{error}");
    assert!(error["data"]["retryable"] == true, "{error}");
    assert!(started.elapsed() < Duration::from_secs(20), "answered after {:?}", started.elapsed());
    for node in &network.nodes {
        node.behave(NodeBehaviour::Honest);
    }
    network.recovers(network.vault).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_under_load_leaves_every_task_with_an_end_and_nothing_signed_twice() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let mut network = Network::start().await?;
    let provider = network.world.client.provider().clone();
    let mut task_ids = Vec::new();
    for round in 0..3 {
        for index in 0..12 {
            let vault = if index % 2 == 0 { network.vault } else { network.observing_vault };
            let mut request = network.world.payment_request(vault, index);
            // Those that are offered at a block that is replaced expire soon.
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
            request["expiration"] = json!(now + 45);
            if let Answer::Result(task) = network.gateway.rpc.answer("assent_submitTask", &request).await? {
                task_ids.push(task["taskId"].clone());
            }
            if index == 6 {
                let depth = 1 + round;
                let _: Value = provider.raw_request("anvil_reorg".into(), json!([depth, []])).await?;
            }
        }
    }
    assert!(task_ids.len() > 20, "hardly anything was accepted");
    let (mut attested, mut failed) = (0, 0);
    for task_id in &task_ids {
        let started = Instant::now();
        loop {
            let task = network.gateway.rpc.call("assent_getTask", &json!([task_id])).await?;
            match task["status"].as_str() {
                Some("attested") => attested += 1,
                Some("failed") => {
                    let code = task["failure"]["code"].as_str().unwrap_or_default();
                    assert!(["noQuorum", "expired"].contains(&code), "{task}");
                    failed += 1;
                }
                _ => {
                    ensure!(started.elapsed() < Duration::from_secs(90), "no end: {task}");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            }
            break;
        }
    }
    println!("{attested} attested, {failed} without an attestation");
    network.recovers(network.vault).await?;
    for operator in &mut network.operators {
        operator.process.kill()?;
        // It refuses an export with two entries of one task.
        operator.journal()?;
    }
    Ok(())
}
