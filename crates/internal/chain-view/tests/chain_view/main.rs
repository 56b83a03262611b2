//! Reads of a real anvil: what a client demands, which epochs count, who calls, and all of it as of one block.

mod fixture;
mod handovers;

use alloy::{
    primitives::{Address, Bytes, U256, aliases::U48, bytes},
    providers::{ProviderBuilder, ext::AnvilApi},
};
use assent_chain_view::{ChainView, ChainViewError, ViewedBlock};
use assent_verifier::EpochId;

use fixture::{Fixture, OPERATOR_SET, Result};

/// Returns the number that is at storage slot 0: `SLOAD(0)`, as one word.
const ANSWERS_SLOT_0: Bytes = bytes!("5f545f5260205ff3");

#[tokio::test]
async fn a_client_its_nonces_and_its_epoch_are_read_as_of_a_block() -> Result {
    let fixture = Fixture::new().await?;
    let view = ChainView::new(fixture.provider(), fixture.task_manager);
    let before = view.latest_block().await?;
    assert_eq!(view.operator_registry().await?, fixture.registry);
    assert_eq!(view.chain_id().await?, 31_337);

    // Later blocks change all of it.
    fixture.burn_nonces(U256::from(1), U256::from(0b10)).await?;
    fixture.set_policy(5_500).await?;
    fixture.commit_epoch().await?;
    let pending = view.latest_block().await?;
    fixture.activate_epoch(2).await?;
    let after = view.latest_block().await?;
    let (before, pending, after) = (view.at(before), view.at(pending), view.at(after));

    let terms = before.client_terms(fixture.vault).await?.ok_or("a client")?;
    assert_eq!(terms.task_manager, fixture.task_manager);
    assert_eq!(terms.policy.ok_or("a policy")?.quorum, 6_700);
    assert_eq!(terms.issuance_floor, U48::ZERO);
    let terms = after.client_terms(fixture.vault).await?.ok_or("a client")?;
    assert_eq!(terms.policy.ok_or("a policy")?.quorum, 5_500);

    let nonce = U256::from(257);
    assert!(!before.is_spent(fixture.vault, nonce).await?);
    assert!(after.is_spent(fixture.vault, nonce).await?);
    assert!(!after.is_spent(fixture.vault, U256::from(256)).await?);
    assert_eq!(after.spent_nonces(fixture.vault, U256::from(1)).await?, U256::from(0b10));

    let epoch = before.epoch(EpochId(1)).await?.ok_or("an epoch")?;
    assert_eq!((epoch.number, epoch.operator_set), (EpochId(1), OPERATOR_SET));
    let addresses = epoch.operators.operators().iter().map(|operator| operator.address);
    assert!(addresses.eq(fixture.operators.iter().copied()));
    assert_eq!(before.epoch(EpochId(2)).await?, None);
    let numbers = |epochs: Vec<assent_verifier::Epoch>| epochs.iter().map(|epoch| epoch.number.0).collect::<Vec<_>>();
    assert_eq!(numbers(before.epochs_in_force().await?), [1]);
    assert_eq!(numbers(pending.epochs_in_force().await?), [1]);
    // The grace period: both count.
    assert_eq!(numbers(after.epochs_in_force().await?), [2, 1]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_client_has_no_terms_whatever_it_answers() -> Result {
    let fixture = Fixture::new().await?;
    let odd = Address::repeat_byte(0x77);
    let codes = [
        Bytes::new(),           // No contract.
        bytes!("00"),           // Answers nothing.
        bytes!("5f5ffd"),       // Reverts.
        ANSWERS_SLOT_0.clone(), // Answers one word where a policy has four.
    ];
    for code in codes {
        fixture.provider().anvil_set_code(odd, code.clone()).await?;
        fixture.provider().anvil_mine(Some(1), None).await?;
        let view = ChainView::new(fixture.provider(), fixture.task_manager);
        let view = view.at(view.latest_block().await?);
        assert_eq!(view.client_terms(odd).await?, None, "{code}");
        assert!(!view.is_trusted_forwarder(odd, Address::ZERO).await?, "{code}");
    }
    // Nodes say this in different words, as they do when they fail.
    fixture.provider().anvil_set_code(odd, bytes!("fe")).await?;
    fixture.provider().anvil_mine(Some(1), None).await?;
    let view = ChainView::new(fixture.provider(), fixture.task_manager);
    let view = view.at(view.latest_block().await?);
    assert!(matches!(view.client_terms(odd).await, Err(ChainViewError::Node(_))));
    Ok(())
}

#[tokio::test]
async fn forwarders_and_delegated_accounts_are_recognised() -> Result {
    let fixture = Fixture::new().await?;
    let (client, account) = (Address::repeat_byte(0x77), Address::repeat_byte(0x78));
    let provider = fixture.provider();
    provider.anvil_set_code(client, ANSWERS_SLOT_0).await?;
    provider.anvil_set_storage_at(client, U256::ZERO, U256::ONE.into()).await?;
    let delegation = [&[0xef, 0x01, 0x00][..], Address::repeat_byte(0x79).as_slice()].concat();
    provider.anvil_set_code(account, delegation.into()).await?;
    provider.anvil_mine(Some(1), None).await?;
    let view = ChainView::new(fixture.provider(), fixture.task_manager);
    let view = view.at(view.latest_block().await?);
    assert!(view.is_trusted_forwarder(client, account).await?);
    assert!(!view.is_trusted_forwarder(fixture.vault, account).await?, "the vault has no such function");
    assert!(view.is_delegated(account).await?);
    assert!(!view.is_delegated(client).await?, "a contract");
    assert!(!view.is_delegated(Address::repeat_byte(0x7a)).await?, "without code");
    Ok(())
}

#[tokio::test]
async fn what_operators_declared_to_the_allowlist_is_read_as_bounded_text() -> Result {
    let fixture = Fixture::new().await?;
    let view = ChainView::new(fixture.provider(), fixture.task_manager);
    let declarations = async |block: ViewedBlock| {
        let operators = fixture.operators.iter().copied();
        view.at(block).declarations(OPERATOR_SET, operators).await
    };
    // The owner's stake source has no allowlist.
    let before = view.latest_block().await?;
    assert!(declarations(before).await?.is_empty());
    let allowlist = fixture.add_allowlist().await?;
    let [declared, silent] = fixture.operators[..] else { return Err("two operators".into()) };
    assert!(declarations(view.latest_block().await?).await?.is_empty());
    fixture.admit(allowlist, declared, "eu\u{202e}-1", &"<b>".repeat(700)).await?;
    let after = declarations(view.latest_block().await?).await?;
    assert_eq!((after[&declared].region.as_str(), after[&declared].provider.chars().count()), ("eu\u{fffd}-1", 65));
    assert!(!after.contains_key(&silent));
    // Of another kind of admission, nothing is known.
    fixture.provider().anvil_set_code(allowlist, ANSWERS_SLOT_0).await?;
    assert!(declarations(view.latest_block().await?).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_block_that_a_reorganisation_dropped_is_not_read() -> Result {
    let fixture = Fixture::new().await?;
    let provider = fixture.provider();
    let view = ChainView::new(fixture.provider(), fixture.task_manager);
    let snapshot = provider.anvil_snapshot().await?;
    fixture.set_policy(5_500).await?;
    let dropped = view.latest_block().await?;
    assert_eq!(view.canonical_block(dropped.number).await?, Some(dropped));
    assert!(view.at(dropped).client_terms(fixture.vault).await?.is_some());

    assert!(provider.anvil_revert(snapshot).await?);
    assert_eq!(view.canonical_block(dropped.number).await?, None);
    provider.anvil_mine(Some(1), Some(7)).await?;
    let other = view.canonical_block(dropped.number).await?.ok_or("a block")?;
    assert_ne!(other.hash, dropped.hash);
    let unread = ChainView::new(fixture.provider(), fixture.task_manager).at(dropped);
    assert!(matches!(unread.client_terms(fixture.vault).await, Err(ChainViewError::Node(_))));
    assert!(matches!(unread.is_spent(fixture.vault, U256::ZERO).await, Err(ChainViewError::Node(_))));
    Ok(())
}

#[tokio::test]
async fn a_node_without_answers_and_a_wrong_task_manager_are_two_errors() -> Result {
    let provider = ProviderBuilder::new().connect_http("http://127.0.0.1:1".parse()?);
    let view = ChainView::new(alloy::providers::Provider::erased(provider), Address::ZERO);
    assert!(matches!(view.latest_block().await, Err(ChainViewError::Node(_))));
    let block = ViewedBlock { number: 1, hash: Default::default(), timestamp: 1 };
    assert!(matches!(view.at(block).client_terms(Address::ZERO).await, Err(ChainViewError::Node(_))));

    let fixture = Fixture::new().await?;
    let view = ChainView::new(fixture.provider(), fixture.vault);
    let expected = |error: &ChainViewError| {
        let ChainViewError::WrongContract { address, expected, .. } = error else { return false };
        (*address, *expected) == (fixture.vault, "TaskManager")
    };
    assert!(expected(&view.operator_registry().await.expect_err("the vault has no registry")));
    let view = view.at(view.latest_block().await?);
    assert!(expected(&view.epoch(EpochId(1)).await.expect_err("the vault has no epochs")));
    Ok(())
}
