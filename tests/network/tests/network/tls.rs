//! TLS on every connection, with an authority of the test's own, and batches under load.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use assent_network_tests::{
    network::{Gateway, Operator},
    process::{Process, free_address, signal},
    rpc::RpcClient,
    world::{World, WorldOptions},
};
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::{RUNNING, authority::make_authority, program};

/// Operators of one weight: three are a quorum.
const OPERATORS: usize = 4;
/// How many decisions are asked for at once.
const REQUESTS: u64 = 60;
/// How long the decisions may take together.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn operators_and_callers_use_tls_and_decisions_under_load_are_signed_in_batches() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let folder = tempfile::tempdir()?;
    if !make_authority(folder.path()) {
        return Ok(());
    }
    let path = |name: &str| folder.path().join(name).display().to_string();
    let world = World::new(&WorldOptions { chain_id: 31_337, weights: vec![1; OPERATORS], block_seconds: 1 }).await?;
    let vault = world.vault(&World::limit_policy()?).await?;
    let address = free_address()?;
    let log = world.path("tasks.redb").display().to_string();
    let (certificate, key) = (path("chain.pem"), path("key.pem"));
    let more = ["--tls-certificate", &certificate, "--tls-key", &key, "--batch-from", "4", "--batch-millis", "60000"];
    let mut gateway = Gateway::new(&world, program(), "gateway", address, &log, &more)?;
    let authority = reqwest::Certificate::from_pem(&std::fs::read(path("authority.pem"))?)?;
    let http = reqwest::Client::builder().tls_certs_only([authority]).build()?;
    gateway.rpc = RpcClient::with(http, format!("https://{address}"));
    gateway.start()?;

    let mut operators = Vec::new();
    for index in 0..OPERATORS {
        let trusted = format!("gateway-certificates = {:?}\n", path("authority.pem"));
        let mut operator = Operator::with(&world, program(), "operator", index, &world.node, &[address], &trusted)?;
        // The flag counts, not the file's URL without TLS.
        let mut launch = operator.process.launch().clone();
        launch.arguments.extend(["--gateways".to_owned(), format!("wss://{address}/operators")]);
        operator.process = Process::new(launch);
        operator.process.start()?;
        operators.push(operator);
    }
    gateway.connected(OPERATORS).await?;
    // Without TLS, and without trust in the authority, there is no answer.
    assert!(RpcClient::new(address)?.call("assent_health", &json!({})).await.is_err());
    let stranger = RpcClient::with(reqwest::Client::new(), format!("https://{address}"));
    assert!(stranger.call("assent_health", &json!({})).await.is_err());

    // Without a quorum until all have asked, the load is the same on a machine of any speed.
    let stopped: Vec<u32> = operators[..2].iter().filter_map(|operator| operator.process.id()).collect();
    stopped.iter().try_for_each(|process| signal(*process, "-STOP"))?;
    let submissions = (0..REQUESTS).map(|amount| {
        let (rpc, request) = (gateway.rpc.clone(), world.payment_request(vault, amount));
        async move { rpc.call("assent_submitTask", &request).await }
    });
    let submitted = try_join_all(submissions).await?;
    stopped.iter().try_for_each(|process| signal(*process, "-CONT"))?;
    let mut in_batches = 0;
    let started = Instant::now();
    for submitted in submitted {
        let mut task = submitted;
        while task["status"] == "pending" && started.elapsed() < PATIENCE {
            sleep(Duration::from_millis(50)).await;
            task = gateway.rpc.call("assent_getTask", &json!([task["taskId"]])).await?;
        }
        ensure!(task["decision"] == "allow", "{task}");
        let proof = task["document"]["merkleProof"].as_array().context("a Merkle proof")?;
        in_batches += u32::from(!proof.is_empty());
    }
    println!("{in_batches} of {REQUESTS} decisions were signed in a batch with others");
    ensure!(in_batches > 0, "no decision was signed with another");
    Ok(())
}
