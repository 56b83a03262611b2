//! Clocks that are wrong by minutes, by libfaketime in each process.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use alloy::primitives::Address;
use anyhow::{Context as _, Result, ensure};
use assent_network_tests::{
    network::{Gateway, Operator},
    process::{NatsServer, Process, free_address, signal},
    world::{World, WorldOptions},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{RUNNING, program};

/// By how much the clocks of the operators are wrong. Three are a quorum.
const OPERATORS: [&str; 4] = ["+15m", "-15m", "+0", "-5m"];
/// How long a task may live that is signed at once, in seconds. Less than by how much clocks are wrong.
const LIFETIME: u64 = 240;
/// After how long a task ends that is not decided, in seconds.
const SHORT: u64 = 8;
/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Returns libfaketime, if it is installed.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    let found = libraries.find(|library| library.exists());
    if found.is_none() {
        eprintln!("skipped: libfaketime is not installed; Debian has it: apt-get install libfaketime");
    }
    found
}

/// Has a process' clock be wrong from the next start on. Intervals are still right.
fn set_clock(process: &mut Process, library: &std::path::Path, offset: &str) {
    process.set_variable("LD_PRELOAD", &library.display().to_string());
    process.set_variable("FAKETIME", offset);
    process.set_variable("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    process.set_variable("DONT_FAKE_MONOTONIC", "1");
}

/// A network whose operators' clocks are wrong.
struct Network {
    world: World,
    vault: Address,
    operators: Vec<Operator>,
}

impl Network {
    /// Starts gateways whose clocks are wrong, and operators that are connected to all of them.
    async fn start(
        library: &std::path::Path,
        gateways: &[(&str, &str)],
        log: Option<&str>,
    ) -> Result<(Self, Vec<Gateway>)> {
        let options = WorldOptions { chain_id: 31_337, weights: vec![1; OPERATORS.len()], block_seconds: 1 };
        let world = World::new(&options).await?;
        let vault = world.vault(&World::limit_policy()?).await?;
        let file = world.path("tasks.redb").display().to_string();
        let mut started = Vec::new();
        for (name, offset) in gateways {
            let address = free_address()?;
            let mut gateway = Gateway::new(&world, program(), name, address, log.unwrap_or(&file), &[])?;
            set_clock(&mut gateway.process, library, offset);
            gateway.start()?;
            started.push(gateway);
        }
        let addresses: Vec<_> = started.iter().map(|gateway| gateway.address).collect();
        let mut operators = Vec::new();
        for (index, offset) in OPERATORS.iter().enumerate() {
            let mut operator = Operator::new(&world, program(), index, &world.node, &addresses)?;
            set_clock(&mut operator.process, library, offset);
            operator.process.start()?;
            operators.push(operator);
        }
        for gateway in &started {
            gateway.connected(OPERATORS.len()).await?;
        }
        Ok((Self { world, vault, operators }, started))
    }

    /// Returns a request to pay an amount that expires after some seconds by the right clock.
    fn request(&self, amount: u64, seconds: u64) -> Result<Value> {
        let mut request = self.world.payment_request(self.vault, amount);
        request["expiration"] = json!(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + seconds);
        Ok(request)
    }

    /// Stops two operators, so that there is no quorum, or has them go on.
    fn signal_two(&self, name: &str) -> Result<()> {
        let processes = self.operators[..2].iter().filter_map(|operator| operator.process.id());
        processes.into_iter().try_for_each(|process| signal(process, name))
    }
}

/// Waits until a task has ended.
async fn ended(gateway: &Gateway, task_id: &Value) -> Result<Value> {
    let started = Instant::now();
    loop {
        let task = gateway.rpc.call("assent_getTask", &json!([task_id])).await;
        match task {
            Ok(task) if task["status"] != "pending" => return Ok(task),
            answer => ensure!(started.elapsed() < PATIENCE, "not ended in {:?}: {answer:?}", started.elapsed()),
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// A gateway with this clock decides as one with a right clock, and ends what is not decided when it expires.
async fn decides_and_ends_in_time(offset: &str, correction: f64) -> Result<()> {
    let Some(library) = faketime() else { return Ok(()) };
    let _by_itself = RUNNING.lock().await;
    let (mut network, mut gateways) = Network::start(&library, &[("gateway", offset)], None).await?;
    let gateway = gateways.first_mut().context("a gateway")?;
    for request in [network.request(1, LIFETIME)?, network.world.payment_request(network.vault, 2)] {
        let task = gateway.rpc.call("assent_requestAuthorization", &request).await?;
        ensure!(task["decision"] == "allow", "{task}");
    }
    let metrics = reqwest::get(format!("http://{}/metrics", gateway.address)).await?.text().await?;
    let mut samples = metrics.lines().filter_map(|line| line.strip_prefix("assent_gateway_clock_correction_seconds "));
    let shown: f64 = samples.next().context("the metric")?.parse()?;
    ensure!((shown - correction).abs() < 10.0, "the metric of the alert GatewayClockWrong is {shown}");
    network.signal_two("-STOP")?;
    let submitted = gateway.rpc.call("assent_submitTask", &network.request(3, SHORT)?).await?;
    let started = Instant::now();
    let task = ended(gateway, &submitted["taskId"]).await?;
    println!("what expires after {SHORT} seconds ended after {:?}", started.elapsed());
    ensure!(task["failure"]["code"] == "expired", "{task}");
    ensure!(started.elapsed() + Duration::from_secs(3) > Duration::from_secs(SHORT), "it ended too early: {task}");
    // An open task outlasts a restart with a wrong clock.
    let submitted = gateway.rpc.call("assent_submitTask", &network.request(4, LIFETIME)?).await?;
    gateway.process.kill()?;
    gateway.start()?;
    network.signal_two("-CONT")?;
    let task = ended(gateway, &submitted["taskId"]).await?;
    ensure!(task["decision"] == "allow", "{task}");
    network.operators.iter_mut().try_for_each(|operator| operator.process.kill())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_clock_is_minutes_ahead_decides_and_ends_in_time() -> Result<()> {
    decides_and_ends_in_time("+10m", -600.0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_clock_is_minutes_behind_decides_and_ends_in_time() -> Result<()> {
    decides_and_ends_in_time("-10m", 600.0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_with_a_wrong_clock_leaves_is_taken_over_in_time() -> Result<()> {
    let Some(library) = faketime() else { return Ok(()) };
    if let Err(reason) = NatsServer::is_installed() {
        eprintln!("skipped: {reason}");
        return Ok(());
    }
    let _by_itself = RUNNING.lock().await;
    let folder = tempfile::tempdir()?;
    let mut nats = NatsServer::new(folder.path())?;
    nats.start()?;
    let clocks = [("ahead", "+10m"), ("behind", "-10m")];
    let (network, mut gateways) = Network::start(&library, &clocks, Some(&nats.url())).await?;
    for dying in 0..2 {
        network.signal_two("-STOP")?;
        let amount = 10 + u64::try_from(dying)?;
        let submitted = gateways[dying].rpc.call("assent_submitTask", &network.request(amount, LIFETIME)?).await?;
        gateways[dying].process.kill()?;
        network.signal_two("-CONT")?;
        let started = Instant::now();
        let task = ended(&gateways[1 - dying], &submitted["taskId"]).await?;
        println!("taken over and decided after {:?}", started.elapsed());
        ensure!(task["decision"] == "allow", "{task}");
        gateways[dying].start()?;
        gateways[dying].connected(OPERATORS.len()).await?;
    }
    Ok(())
}
