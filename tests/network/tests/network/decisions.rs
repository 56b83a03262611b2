//! From a request over JSON-RPC to an authorization that the chain accepts.

use alloy::hex;
use assent_policy::{EvidenceFile, Replay, evaluator};
use assent_verifier::Authorization;
use serde_json::{Value, json};

use crate::world::{OPERATORS, Result, World};

fn authorization(task: &Value) -> Result<Authorization> {
    Ok(Authorization::parse(&hex::decode(task["authorization"].as_str().ok_or("an authorization")?)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn four_operators_decide_and_the_vault_pays() -> Result {
    let mut world = World::new().await?;

    let task = world.request(world.vault, 700).await?;
    assert_eq!((&task["status"], &task["decision"]), (&json!("attested"), &json!("allow")), "{task}");
    let call = world.payment(world.vault, 700).attested(&authorization(&task)?)?;
    world.client.send(&call).await?;
    assert_eq!(world.balance().await?, 700);

    let denied = world.request(world.vault, 1001).await?;
    assert_eq!((&denied["decision"], &denied["reasons"]), (&json!("deny"), &json!(["more than 1000"])), "{denied}");

    // Two rounds: each operator observes the chain's history, and a quorum must see the same.
    let observed = world.request(world.observing_vault, 5).await?;
    assert_eq!(observed["decision"], "allow", "{observed}");
    let call = world.payment(world.observing_vault, 5).attested(&authorization(&observed)?)?;
    world.client.send(&call).await?;
    // The reference block is one that the gateway has seen: it may be the one before the payment.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let observed = world.request(world.observing_vault, 5).await?;
    assert_eq!(observed["decision"], "deny", "two were paid: {observed}");

    // The evidence of each decision is at an operator, and the decision follows from it.
    for task in [&task, &denied, &observed] {
        let hash = task["evidence"].as_str().ok_or("a hash")?;
        let address = world.operators[0].address;
        let mut file = None;
        for _ in 0..100 {
            let answer = reqwest::get(format!("http://{address}/evidence/{hash}")).await?;
            if answer.status().is_success() {
                file = Some(answer.bytes().await?);
                break;
            }
            // The slowest operator stores it after the quorum signed.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let file = EvidenceFile::parse(&file.ok_or("the evidence")?)?;
        assert!(matches!(file.replay(evaluator()?)?, Replay::Follows(_)));
    }

    // One may be gone. Two may not.
    world.operators[0].kill()?;
    world.connected(OPERATORS - 1).await?;
    let task = world.request(world.vault, 1).await?;
    assert_eq!(task["decision"], "allow", "{task}");
    world.operators[1].kill()?;
    world.connected(OPERATORS - 2).await?;
    world.operators[0].restart()?;
    world.operators[1].restart()?;
    world.connected(OPERATORS).await?;
    let task = world.request(world.vault, 2).await?;
    assert_eq!(task["decision"], "allow", "{task}");
    Ok(())
}
