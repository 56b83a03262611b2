//! From a request over JSON-RPC to an authorization that the chain accepts.

use std::time::Duration;

use alloy::{hex, primitives::Address};
use anyhow::{Context as _, Result};
use assent_network_tests::{
    network::{Gateway, Operator},
    process::free_address,
    world::{World, WorldOptions},
};
use assent_policy::{EvidenceFile, Replay, evaluator};
use assent_verifier::Authorization;
use serde_json::{Value, json};

use crate::{RUNNING, program};

/// Operators of one weight: three are a quorum.
pub const OPERATORS: usize = 4;

pub struct Network {
    pub world: World,
    pub gateway: Gateway,
    pub operators: Vec<Operator>,
}

impl Network {
    pub async fn start() -> Result<Self> {
        let options = WorldOptions { chain_id: 31_337, weights: vec![1; OPERATORS], block_seconds: 1 };
        let world = World::new(&options).await?;
        let address = free_address()?;
        let log = world.path("tasks.redb").display().to_string();
        let mut gateway = Gateway::new(&world, program(), "gateway", address, &log, &[])?;
        gateway.start()?;
        let mut operators = Vec::new();
        for index in 0..OPERATORS {
            let mut operator = Operator::new(&world, program(), index, &world.node, &[address])?;
            operator.process.start()?;
            operators.push(operator);
        }
        gateway.connected(OPERATORS).await?;
        Ok(Self { world, gateway, operators })
    }

    pub async fn request(&self, vault: Address, amount: u64) -> Result<Value> {
        self.gateway.rpc.call("assent_requestAuthorization", &self.world.payment_request(vault, amount)).await
    }
}

pub fn authorization(task: &Value) -> Result<Authorization> {
    Ok(Authorization::parse(&hex::decode(task["authorization"].as_str().context("an authorization")?)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn four_operators_decide_and_the_vault_pays() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let mut network = Network::start().await?;
    let world = &network.world;
    let vault = world.vault(&World::limit_policy()?).await?;
    let observing_vault = world.vault(&world.history_policy()?).await?;

    let task = network.request(vault, 700).await?;
    assert_eq!((&task["status"], &task["decision"]), (&json!("attested"), &json!("allow")), "{task}");
    let call = world.payment(vault, 700).attested(&authorization(&task)?)?;
    world.client.send(&call).await?;
    assert_eq!(world.paid().await?, 700);

    let denied = network.request(vault, 1001).await?;
    assert_eq!((&denied["decision"], &denied["reasons"]), (&json!("deny"), &json!(["more than 1000"])), "{denied}");

    // Two rounds: each operator observes the chain's history, and a quorum must see the same.
    let observed = network.request(observing_vault, 5).await?;
    assert_eq!(observed["decision"], "allow", "{observed}");
    let call = world.payment(observing_vault, 5).attested(&authorization(&observed)?)?;
    world.client.send(&call).await?;
    // The reference block is one that the gateway has seen: it may be the one before the payment.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let observed = network.request(observing_vault, 5).await?;
    assert_eq!(observed["decision"], "deny", "two were paid: {observed}");

    // The evidence of each decision is at an operator, and the decision follows from it.
    for task in [&task, &denied, &observed] {
        let hash = task["evidence"].as_str().context("a hash")?;
        let address = network.operators[0].process.listening()?;
        let mut file = None;
        for _ in 0..100 {
            let answer = reqwest::get(format!("http://{address}/evidence/{hash}")).await?;
            if answer.status().is_success() {
                file = Some(answer.bytes().await?);
                break;
            }
            // The slowest operator stores it after the quorum signed.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let file = EvidenceFile::parse(&file.context("the evidence")?)?;
        assert!(matches!(file.replay(evaluator()?)?, Replay::Follows(_)));
    }

    // One may be gone. Two may not.
    network.operators[0].process.kill()?;
    network.gateway.connected(OPERATORS - 1).await?;
    let task = network.request(vault, 1).await?;
    assert_eq!(task["decision"], "allow", "{task}");
    network.operators[1].process.kill()?;
    network.gateway.connected(OPERATORS - 2).await?;
    network.operators[0].process.start()?;
    network.operators[1].process.start()?;
    network.gateway.connected(OPERATORS).await?;
    let task = network.request(vault, 2).await?;
    assert_eq!(task["decision"], "allow", "{task}");
    Ok(())
}
