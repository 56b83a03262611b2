//! The source `outstanding`: attestations that are not spent yet count towards a limit, whatever dies meanwhile.

use std::time::Duration;

use anyhow::Result;
use assent_network_tests::world::World;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    RUNNING,
    decisions::{Network, OPERATORS, authorization},
};

#[tokio::test(flavor = "multi_thread")]
async fn two_attestations_that_are_not_spent_do_not_break_a_limit_together() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let mut network = Network::start().await?;
    let vault = network.world.vault(&World::outstanding_policy()?).await?;
    let first = network.request(vault, 600).await?;
    assert_eq!(first["decision"], "allow", "{first}");
    let second = network.request(vault, 600).await?;
    assert_eq!((&second["decision"], &second["reasons"]), (&json!("deny"), &json!(["600 are pending"])), "{second}");

    // What is outstanding outlasts every process.
    for operator in &mut network.operators {
        operator.process.kill()?;
        operator.process.start()?;
    }
    network.gateway.connected(OPERATORS).await?;
    let second = network.request(vault, 600).await?;
    assert_eq!((&second["decision"], &second["reasons"]), (&json!("deny"), &json!(["600 are pending"])), "{second}");
    // What the limit still permits is allowed.
    let rest = network.request(vault, 400).await?;
    assert_eq!(rest["decision"], "allow", "{rest}");

    // A spent attestation is no longer outstanding, from the block on in which it was spent.
    let call = network.world.payment(vault, 600).attested(&authorization(&first)?)?;
    network.world.client.send(&call).await?;
    let mut next = Value::Null;
    for _ in 0..50 {
        next = network.request(vault, 600).await?;
        if next["decision"] == "allow" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(next["decision"], "allow", "{next}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attestations_that_are_asked_for_at_once_keep_a_limit_together() -> Result<()> {
    let _by_itself = RUNNING.lock().await;
    let network = Network::start().await?;
    let vault = network.world.vault(&World::outstanding_policy()?).await?;
    let amounts = [500, 510, 520, 530, 540, 550];
    let answers = join_all(amounts.iter().map(|amount| network.request(vault, *amount))).await;
    let is_allowed = |answer: &Result<Value>| answer.as_ref().is_ok_and(|task| task["decision"] == "allow");
    let allowed: Vec<_> = answers.iter().zip(amounts).filter(|(answer, _)| is_allowed(answer)).collect();
    // Operators that sign two different ones first can leave none with a quorum.
    assert!(allowed.len() <= 1, "{allowed:?}");
    Ok(())
}
