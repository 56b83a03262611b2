//! Nodes that reorganise, stall and lie; partitions between network namespaces.

use std::{
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

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

/// A network namespace with a separate address, which is deleted at the end.
struct Namespace {
    name: String,
    host_link: String,
    /// The address of this machine on the link.
    host: String,
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(arguments).output().context("ip is not installed")?;
    ensure!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

impl Namespace {
    fn new(index: usize) -> Result<Self> {
        // Several runs on one machine have different names and addresses.
        let run = std::process::id() % 250;
        let (name, host_link) = (format!("assent{run}-{index}"), format!("ash{run}-{index}"));
        let inner_link = format!("asn{run}-{index}");
        let host = format!("10.231.{run}.{}", 4 * index + 1);
        let inner = format!("10.231.{run}.{}", 4 * index + 2);
        ip(&["netns", "add", &name])?;
        let namespace = Self { name, host_link, host };
        let (name, host_link) = (namespace.name.as_str(), namespace.host_link.as_str());
        ip(&["link", "add", host_link, "type", "veth", "peer", "name", &inner_link])?;
        ip(&["link", "set", &inner_link, "netns", name])?;
        ip(&["addr", "add", &format!("{}/30", namespace.host), "dev", host_link])?;
        ip(&["link", "set", host_link, "up"])?;
        ip(&["-n", name, "addr", "add", &format!("{inner}/30"), "dev", &inner_link])?;
        ip(&["-n", name, "link", "set", &inner_link, "up"])?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    fn cut(&self) -> Result<()> {
        ip(&["link", "set", &self.host_link, "down"])
    }

    fn join(&self) -> Result<()> {
        ip(&["link", "set", &self.host_link, "up"])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.name]);
        let _ = ip(&["link", "del", &self.host_link]);
    }
}

/// Says why a test is skipped.
fn skipped(reason: &anyhow::Error) {
    eprintln!("skipped: {reason:#}; run as root on a kernel that has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_in_namespaces_that_are_cut_off_and_slow_are_missed_only_while_they_are() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let namespaces: Vec<_> = match (0..OPERATORS).map(Namespace::new).collect::<Result<_>>() {
        Ok(namespaces) => namespaces,
        Err(error) => {
            skipped(&error.context("network namespaces"));
            return Ok(());
        }
    };
    let options = WorldOptions { chain_id: 31_337, weights: vec![1; OPERATORS], block_seconds: 1 };
    let world = World::new(&options).await?;
    let vault = world.vault(&World::limit_policy()?).await?;
    let port = free_address()?.port();
    let names: Vec<_> = namespaces.iter().map(|namespace| format!("{}:{port}", namespace.host)).collect();
    let log = world.path("tasks.redb").display().to_string();
    let listen = SocketAddr::from(([0, 0, 0, 0], port));
    let mut gateway = Gateway::new(&world, program(), "gateway", listen, &log, &["--names", &names.join(",")])?;
    gateway.start()?;
    let mut operators = Vec::new();
    let mut nodes = Vec::new();
    for (index, namespace) in namespaces.iter().enumerate() {
        let node = NodeProxy::start_at(&world.node, &namespace.host).await?;
        let dialled = format!("{}:{port}", namespace.host).parse()?;
        let mut operator = Operator::new(&world, program(), index, &node.url, &[dialled])?;
        operator.process.start_through(&["ip", "netns", "exec", &namespace.name]);
        operator.process.start()?;
        operators.push(operator);
        nodes.push(node);
    }
    gateway.connected(OPERATORS).await?;
    let request = world.payment_request(vault, 5);
    let ask = |seconds: u64| {
        let (rpc, mut request) = (gateway.rpc.clone(), request.clone());
        request["waitSeconds"] = json!(seconds);
        async move { rpc.answer("assent_requestAuthorization", &request).await }
    };
    let is_allowed = |answer: &Answer| matches!(answer, Answer::Result(task) if task["decision"] == "allow");
    let answer = ask(30).await?;
    assert!(is_allowed(&answer), "{answer:?}");

    // One is cut off: a quorum is left. Two are: none is, and the task waits.
    namespaces[0].cut()?;
    let answer = ask(30).await?;
    assert!(is_allowed(&answer), "{answer:?}");
    namespaces[1].cut()?;
    let answer = ask(3).await?;
    let Answer::Error(error) = &answer else { anyhow::bail!("decided without a quorum: {answer:?}") };
    assert_eq!(error["data"]["code"], "pending", "{error}");
    let task_id = error["data"]["taskId"].clone();
    namespaces.iter().try_for_each(Namespace::join)?;
    let started = Instant::now();
    loop {
        let task = gateway.rpc.call("assent_getTask", &json!([task_id])).await?;
        match task["status"].as_str() {
            // Operators that come back after 24 seconds refuse its reference block.
            Some("attested" | "failed") => break,
            _ => ensure!(started.elapsed() < Duration::from_secs(120), "no end: {task}"),
        }
        sleep(Duration::from_millis(200)).await;
    }
    while !is_allowed(&ask(10).await?) {
        ensure!(started.elapsed() < Duration::from_secs(180), "the network does not recover");
    }

    // All of them are far away.
    for Namespace { host_link, .. } in &namespaces {
        let delay = ["qdisc", "add", "dev", host_link, "root", "netem", "delay", "60ms", "20ms", "loss", "2%"];
        let output = Command::new("tc").args(delay).output().context("tc is not installed");
        match output {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let reason = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ");
                skipped(&anyhow::anyhow!("delay between namespaces: {reason}"));
                return Ok(());
            }
            Err(error) => {
                skipped(&error);
                return Ok(());
            }
        }
    }
    gateway.connected(OPERATORS).await?;
    for _ in 0..5 {
        let started = Instant::now();
        let answer = ask(30).await?;
        assert!(is_allowed(&answer), "{answer:?}");
        println!("decided in {:?} with 60 ms each way", started.elapsed());
    }
    Ok(())
}
