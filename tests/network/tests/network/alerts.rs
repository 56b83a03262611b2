//! The alert rules: each names metrics that exist, and has a runbook.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy::primitives::{Address, keccak256};
use anyhow::{Context as _, Result, ensure};
use assent_network_tests::{process::signal, world::World};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    RUNNING,
    decisions::{Network, OPERATORS},
};

fn read(path: &str) -> Result<String> {
    Ok(fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path))?)
}

/// The names in a text that begin as the programs' metrics do.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let words = text.split(|letter: char| !is_part(letter));
    let is_metric = |word: &&str| word.starts_with("assent_operator_") || word.starts_with("assent_gateway_");
    words.filter(is_metric).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_names_metrics_that_exist_and_has_a_runbook() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let rules = read("operations/prometheus/assent.rules.yml")?;
    let page = read("docs/operate.md")?;
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 20, "{alerts:?}");
    for alert in &alerts {
        assert!(page.contains(&format!("\n### {alert}\n")), "docs/operate.md has no runbook for {alert}");
    }
    let (_, runbook) = page.split_once("\n## Runbook\n").context("a runbook")?;
    let runbook = runbook.split("\n## ").next().unwrap_or_default();
    assert_eq!(runbook.matches("\n### ").count(), alerts.len(), "a runbook is for no alert");

    let mut network = Network::start().await?;
    let mut metrics = String::new();
    for address in [network.operators[0].process.listening()?, network.gateway.address] {
        metrics += &reqwest::get(format!("http://{address}/metrics")).await?.text().await?;
    }
    // A family without a label yet has only its type.
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let known: BTreeSet<_> = types
        .flat_map(|(name, kind)| match kind {
            "counter" => vec![format!("{name}_total")],
            "histogram" => ["bucket", "count", "sum"].map(|part| format!("{name}_{part}")).to_vec(),
            _ => vec![name.to_owned()],
        })
        .collect();
    let unknown: Vec<_> = names(&rules).into_iter().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "no program has {unknown:?}: {known:?}");
    Ok(())
}

#[test]
fn the_alerts_that_no_network_raises_at_will_fire_by_their_rules() -> Result<()> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../operations/prometheus"));
    let promtool = |arguments: &[&str]| Command::new("promtool").current_dir(folder).args(arguments).output();
    let Ok(checked) = promtool(&["check", "rules", "assent.rules.yml"]) else {
        eprintln!("skipped: promtool is not installed; it is in Debian's package prometheus");
        return Ok(());
    };
    for output in [checked, promtool(&["test", "rules", "assent.rules.test.yml"])?] {
        let said = [output.stdout, output.stderr].concat();
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    }
    Ok(())
}

/// How long a metric may take to show what happened.
const PATIENCE: Duration = Duration::from_secs(60);

/// The samples of a program, by name and labels.
async fn samples(address: SocketAddr) -> Result<BTreeMap<String, f64>> {
    let text = reqwest::get(format!("http://{address}/metrics")).await?.text().await?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.filter_map(|line| line.rsplit_once(' '));
    samples.map(|(name, value)| Ok((name.to_owned(), value.parse()?))).collect()
}

/// Waits until a sample is as an alert's rule has it.
async fn seen(address: SocketAddr, name: &str, is_so: impl Fn(f64) -> bool) -> Result<f64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let value = samples(address).await?.get(name).copied().with_context(|| format!("no {name}"))?;
        if is_so(value) {
            println!("{name} is {value}");
            return Ok(value);
        }
        anyhow::ensure!(Instant::now() < deadline, "{name} stays {value}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// Adds outstanding attestations of a client to a journal's export. They expire in an hour.
fn with_holds(export: &[u8], policy_client: Address, count: u64) -> Result<Value> {
    let mut export: Value = serde_json::from_slice(export)?;
    let hash = |kind: u8, index: u64| keccak256([&[kind][..], &index.to_be_bytes()].concat());
    let expiration = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 3600;
    let domain = export["data"].get_mut(0).context("the journal has no domain")?;
    let holds = (0..count).map(|index| {
        json!({
            "taskId": hash(0, index),
            "policyClient": policy_client,
            "policyId": hash(1, 0),
            "nonce": index.to_string(),
            "expiration": expiration,
            "amounts": { hash(2, 0).to_string(): "1" },
        })
    });
    domain["holds"] = holds.collect();
    Ok(export)
}

/// OperatorManyHolds: the operator's journal has more outstanding attestations than the rule's threshold.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_outstanding_is_seen_in_the_metric_of_its_alert() -> Result<()> {
    const HOLDS: u64 = 10_001;
    let _by_itself = RUNNING.lock().await;
    let mut network = Network::start().await?;
    let vault = network.world.vault(&World::limit_policy()?).await?;
    network.request(vault, 1).await?;
    let file = network.world.path("journal.json");
    let operator = &mut network.operators[0];
    operator.process.kill()?;
    let launch = operator.process.launch();
    let exported = launch.command(&["journal", "export"])?.output()?;
    fs::write(&file, with_holds(&exported.stdout, vault, HOLDS)?.to_string())?;
    let imported = launch.command(&["journal", "import", &file.display().to_string()])?.output()?;
    ensure!(imported.status.success(), "the import failed; see {}", launch.log.display());
    operator.process.start()?;
    let address = operator.process.listening()?;
    let is_so = |holds: f64| holds == f64::from(u32::try_from(HOLDS).unwrap_or_default());
    seen(address, "assent_operator_holds", is_so).await?;
    // It decides nevertheless.
    network.gateway.connected(OPERATORS).await?;
    let task = network.request(vault, 2).await?;
    ensure!(task["decision"] == "allow", "{task}");
    Ok(())
}

/// What goes wrong is seen in the metrics that the alerts name, and so is its end.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_seen_in_the_metrics_of_the_alerts() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let mut network = Network::start().await?;
    let operator = network.operators[0].process.listening()?;
    let gateway = network.gateway.address;

    // OperatorNodeFails, OperatorNodeBehind, GatewayNodeFails, GatewayNodeStalls: the node hangs.
    let errors = seen(operator, "assent_operator_node_errors_total", |_| true).await?;
    let lag = seen(operator, "assent_operator_node_lag_seconds", |_| true).await?;
    let failures = seen(gateway, "assent_gateway_node_failures_total", |_| true).await?;
    let node = network.world.node_process();
    signal(node, "-STOP")?;
    seen(operator, "assent_operator_node_errors_total", |now| now > errors).await?;
    // It grows although the node says nothing.
    seen(operator, "assent_operator_node_lag_seconds", |now| now >= lag + 5.0).await?;
    seen(gateway, "assent_gateway_node_failures_total", |now| now > failures).await?;
    let block = seen(gateway, "assent_gateway_block", |_| true).await?;
    signal(node, "-CONT")?;
    seen(gateway, "assent_gateway_block", |now| now > block).await?;

    // OperatorWithoutGateway, OperatorConnectionsFail, GatewayDown: the gateway is gone.
    let failures = seen(operator, "assent_operator_connection_failures_total", |_| true).await?;
    network.gateway.process.kill()?;
    seen(operator, "assent_operator_gateways", |now| now == 0.0).await?;
    seen(operator, "assent_operator_connection_failures_total", |now| now > failures).await?;
    let health = reqwest::get(format!("http://{operator}/healthz")).await?;
    assert_eq!(health.status(), 503);
    network.gateway.start()?;
    network.gateway.connected(OPERATORS).await?;
    seen(operator, "assent_operator_gateways", |now| now == 1.0).await?;

    // GatewayLostOperators, OperatorDown: operators are gone.
    for lost in &mut network.operators[1..] {
        lost.process.kill()?;
    }
    seen(gateway, "assent_gateway_operators_connected", |now| now == 1.0).await?;
    Ok(())
}
