//! TLS on every connection, with an authority of the test's own, and batches under load.

use anyhow::{Context as _, Result, ensure};
use assent_network_tests::{
    network::{Gateway, Operator},
    process::{Process, free_address},
    rpc::RpcClient,
    world::{World, WorldOptions},
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{RUNNING, authority::make_authority, program};

/// Operators of one weight: three are a quorum.
const OPERATORS: usize = 4;
/// How many decisions are asked for at once.
const REQUESTS: u64 = 60;

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
    let more = ["--tls-certificate", &certificate, "--tls-key", &key, "--batch-from", "4"];
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
    assert!(RpcClient::new(address)?.call("assent_health", &serde_json::json!({})).await.is_err());
    let stranger = RpcClient::with(reqwest::Client::new(), format!("https://{address}"));
    assert!(stranger.call("assent_health", &serde_json::json!({})).await.is_err());

    let mut requests = JoinSet::new();
    for amount in 0..REQUESTS {
        let (rpc, request) = (gateway.rpc.clone(), world.payment_request(vault, amount));
        requests.spawn(async move { rpc.call("assent_requestAuthorization", &request).await });
    }
    let mut in_batches = 0;
    while let Some(task) = requests.join_next().await {
        let task: Value = task??;
        ensure!(task["decision"] == "allow", "{task}");
        let proof = task["document"]["merkleProof"].as_array().context("a Merkle proof")?;
        in_batches += u32::from(!proof.is_empty());
    }
    println!("{in_batches} of {REQUESTS} decisions were signed in a batch with others");
    ensure!(in_batches > 0, "no decision was signed with another");
    Ok(())
}
