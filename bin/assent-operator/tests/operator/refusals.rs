//! What an operator refuses, with the codes of docs/network.md.

use alloy::{
    primitives::{Address, B256},
    providers::ext::AnvilApi,
};
use assent_network::{Task, message::RefusalCode};

use crate::{
    fixture::{Fixture, Result, terms},
    gateway::TestGateway,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_a_check_is_refused_with_its_code() -> Result {
    let fixture = Fixture::new().await?;
    let gateway = TestGateway::start(fixture.domain(), fixture.epoch.clone()).await?;
    let forwarder = Address::repeat_byte(0xfe);
    fixture.configure(gateway.address, &format!("forwarders = [\"{forwarder}\"]\n"))?;
    let process = fixture.run()?;
    gateway.connected(1).await?;
    fixture.burn_nonce(7).await?;

    type Change = fn(&mut Task);
    let changes: [(Change, RefusalCode); 9] = [
        (|task| task.block_hash = B256::repeat_byte(1), RefusalCode::UnknownBlock),
        (|task| task.block_timestamp -= 1, RefusalCode::UnknownBlock),
        (|task| task.policy_client = Address::repeat_byte(0x33), RefusalCode::WrongPolicy),
        (|task| task.policy_id = B256::repeat_byte(1), RefusalCode::WrongPolicy),
        (|task| task.expiration = task.block_timestamp, RefusalCode::Lifetime),
        (|task| task.expiration = task.block_timestamp + 3601, RefusalCode::Lifetime),
        (|task| task.nonce = alloy::primitives::U256::from(7), RefusalCode::SpentNonce),
        (|task| task.intent.from = Address::repeat_byte(0xfe), RefusalCode::Forwarder),
        (|task| task.epoch = assent_verifier::EpochId(1), RefusalCode::LowQuorum),
    ];
    for (index, (change, code)) in changes.into_iter().enumerate() {
        let mut task = fixture.task(100 + u64::try_from(index)?, 1).await?;
        if code == RefusalCode::LowQuorum {
            fixture.set_terms(terms(&fixture.policy, 6_666)).await?;
            task = fixture.task(200, 1).await?;
        }
        change(&mut task);
        gateway.offer(&task);
        let refusal = gateway.refusal(task.id(fixture.domain())).await?;
        assert_eq!(refusal.code, code, "change {index}: {}", refusal.message);
    }
    fixture.set_terms(terms(&fixture.policy, 6_700)).await?;

    // A block of half a minute ago.
    let stale = fixture.task(300, 1).await?;
    fixture.client.provider().anvil_increase_time(30).await?;
    fixture.client.provider().anvil_mine(Some(1), None).await?;
    gateway.offer(&stale);
    let refusal = gateway.refusal(stale.id(fixture.domain())).await?;
    assert_eq!((refusal.code, refusal.retryable), (RefusalCode::StaleBlock, false), "{}", refusal.message);

    // The same task at a current block is signed.
    let valid = fixture.task(301, 1).await?;
    gateway.offer(&valid);
    gateway.signature(valid.id(fixture.domain())).await?;
    drop(process);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_answer_is_a_refusal_that_shows_nothing_of_it() -> Result {
    let fixture = Fixture::new().await?;
    let gateway = TestGateway::start(fixture.domain(), fixture.epoch.clone()).await?;
    fixture.configure(gateway.address, "")?;
    let process = fixture.run()?;
    gateway.connected(1).await?;
    let task = fixture.task(1, 1).await?;
    let (endpoint, domain) = (fixture.anvil.endpoint(), fixture.domain());
    let Fixture { anvil, folder: _folder, .. } = fixture;
    drop(anvil);
    gateway.offer(&task);
    let refusal = gateway.refusal(task.id(domain)).await?;
    assert_eq!((refusal.code, refusal.retryable), (RefusalCode::Unavailable, true));
    assert_eq!(refusal.message, "the operator's node did not answer");
    assert!(!refusal.message.contains(&endpoint));
    drop(process);
    Ok(())
}
