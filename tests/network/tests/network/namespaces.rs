//! Operators in network namespaces: partitions, and long links.

use std::{
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use assent_network_tests::{
    network::{Gateway, Operator},
    process::free_address,
    rpc::Answer,
    world::{World, WorldOptions},
};
use serde_json::json;
use tokio::time::sleep;

use crate::{RUNNING, link::Link, node_proxy::NodeProxy, program};

/// Operators of one weight: three are a quorum.
const OPERATORS: usize = 4;

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
async fn operators_in_namespaces_are_missed_only_while_they_are_cut_off() -> Result<()> {
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
    let mut links = Vec::new();
    for namespace in &namespaces {
        links.push(Link::start(&namespace.host, SocketAddr::from(([127, 0, 0, 1], port))).await?);
    }
    let names: Vec<_> = links.iter().map(|link| link.address.to_string()).collect();
    let log = world.path("tasks.redb").display().to_string();
    let listen = SocketAddr::from(([0, 0, 0, 0], port));
    let mut gateway = Gateway::new(&world, program(), "gateway", listen, &log, &["--names", &names.join(",")])?;
    gateway.start()?;
    let mut operators = Vec::new();
    let mut nodes = Vec::new();
    for (index, (namespace, link)) in namespaces.iter().zip(&links).enumerate() {
        let node = NodeProxy::start_at(&world.node, &namespace.host).await?;
        let mut operator = Operator::new(&world, program(), index, &node.url, &[link.address])?;
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
    gateway.connected(OPERATORS).await?;
    let (shortest, jitter) = (Duration::from_millis(60), Duration::from_millis(40));
    links.iter().for_each(|link| link.delay(shortest, jitter));
    for _ in 0..5 {
        let started = Instant::now();
        let answer = ask(30).await?;
        assert!(is_allowed(&answer), "{answer:?}");
        println!("decided in {:?} with 60 to 100 ms each way", started.elapsed());
        assert!(started.elapsed() >= 2 * shortest, "the links did not delay it");
    }
    Ok(())
}
