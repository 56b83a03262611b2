//! Confirmations, reorganisations and what cannot be seen.

use crate::fixture::{FORWARDER, Fixture, assert_verified};
use alloy::primitives::Address;
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain};
use assent_verifier::EpochId;
use attestation_indexer::{BlocksReplaced, FindingStatus, Indexer, Participation, Settings, is_temporary};

const STRANGER: Address = DEVELOPMENT_ACCOUNTS[9];

async fn fixture(chain: &EmbeddedChain, agent_contract: Option<&'static [u8]>) -> Fixture {
    Fixture::new(chain.provider(), &DEVELOPMENT_ACCOUNTS, agent_contract).await
}

#[tokio::test]
async fn followed_closely_each_use_is_verified_in_turn_whether_trailing_or_explicit() {
    let chain = EmbeddedChain::new(31_337);
    let fixture = fixture(&chain, None).await;
    let mut indexer = fixture.indexer(0, 0);
    assert!(indexer.step(u64::MAX).await.unwrap().unwrap().is_empty(), "nothing is spent yet");
    assert!(indexer.step(u64::MAX).await.unwrap().is_none(), "there is no new block");

    let receipt = fixture.pay(7).await;
    let findings = indexer.step(u64::MAX).await.unwrap().unwrap();
    assert_verified(&findings[0], &receipt, 7);
    let receipt = fixture.execute(8).await;
    let findings = indexer.step(u64::MAX).await.unwrap().unwrap();
    assert_verified(&findings[0], &receipt, 8);
    assert_eq!(findings.len(), 1);
    assert_eq!(indexer.next_block(), fixture.head().await + 1);
    let json = findings[0].to_json();
    assert_eq!((&json["verdict"], &json["nonce"]), (&"verified".into(), &"8".into()));
    assert_eq!(json["verified"]["signedWeight"], "20");
}

#[tokio::test]
async fn participation_is_counted_from_the_bitmaps() {
    let chain = EmbeddedChain::new(31_337);
    let fixture = fixture(&chain, None).await;
    let mut indexer = fixture.indexer(0, 0);
    fixture.pay(7).await;
    let mut findings = indexer.step(u64::MAX).await.unwrap().unwrap();
    fixture.execute(8).await;
    findings.extend(indexer.step(u64::MAX).await.unwrap().unwrap());
    let mut participation = Participation::default();
    findings.iter().for_each(|finding| participation.count(finding));

    // Two of three operators sign everything.
    let signers = findings[0].signers.as_ref().unwrap();
    let absent: Vec<_> = signers.absent().collect();
    assert_eq!((signers.operators.len(), absent.len()), (3, 1));
    for (operator, signed) in &signers.operators {
        assert_eq!(participation.of(EpochId(1), *operator), Some((2 * u64::from(*signed), 2)), "{operator}");
    }
    assert_eq!(participation.of(EpochId(2), absent[0]), None);
    let json = participation.to_json();
    assert_eq!(json["participation"][0]["attestations"], 2);
    assert_eq!(findings[0].to_json()["verified"]["nonSigners"][0], absent[0].to_string().to_lowercase());
    assert!(participation.to_string().contains(&format!("{} signed 0", absent[0])), "{participation}");
}

#[tokio::test]
async fn participation_under_a_recorded_root_is_read_where_the_root_was_recorded() {
    let chain = EmbeddedChain::new(31_337);
    let fixture = fixture(&chain, None).await;
    let mut indexer = fixture.indexer(0, 0);
    fixture.pay_recorded(7).await;
    let findings = indexer.step(u64::MAX).await.unwrap().unwrap();
    assert!(findings[0].is_verified(), "{}", findings[0]);
    let mut participation = Participation::default();
    findings.iter().for_each(|finding| participation.count(finding));
    let signers = findings[0].signers.as_ref().unwrap();
    assert_eq!((signers.operators.len(), signers.absent().count()), (3, 1));
    for (operator, signed) in &signers.operators {
        assert_eq!(participation.of(EpochId(1), *operator), Some((u64::from(*signed), 1)), "{operator}");
    }
}

#[tokio::test]
async fn a_block_counts_once_it_is_deep_enough_and_one_that_was_replaced_before_never() {
    let chain = EmbeddedChain::new(31_337);
    let fixture = fixture(&chain, None).await;
    let begin = fixture.head().await + 1;
    let mut indexer = fixture.indexer(begin, 2);
    let before = chain.snapshot();
    fixture.pay(7).await;
    chain.mine().unwrap();
    assert!(indexer.step(u64::MAX).await.unwrap().is_none(), "only one block follows it");

    assert!(chain.revert(before));
    for _ in 0..4 {
        chain.mine().unwrap();
    }
    let findings = indexer.step(u64::MAX).await.unwrap().unwrap();
    assert!(findings.is_empty(), "it did not happen: {findings:?}");
    assert_eq!(indexer.next_block(), begin + 2);
}

#[tokio::test]
async fn a_block_replaced_after_its_confirmations_is_an_error() {
    let chain = EmbeddedChain::new(31_337);
    let fixture = fixture(&chain, None).await;
    let mut indexer = fixture.indexer(fixture.head().await + 1, 0);
    let before = chain.snapshot();
    fixture.pay(7).await;
    assert_eq!(indexer.step(u64::MAX).await.unwrap().unwrap().len(), 1);
    let next = indexer.next_block();

    assert!(chain.revert(before));
    chain.set_next_timestamp(chain.next_timestamp() + 5).unwrap();
    for _ in 0..3 {
        chain.mine().unwrap();
    }
    let error = indexer.step(u64::MAX).await.unwrap_err().to_string();
    assert!(error.contains("was replaced") && error.contains("--from-block"), "{error}");
    assert_eq!(indexer.next_block(), next, "nothing was skipped");
}

/// A chain whose last two of four processed blocks are replaced.
#[tokio::test]
async fn after_a_deep_reorganisation_one_block_is_named_to_begin_again() {
    let chain = EmbeddedChain::new(31_337);
    let fixture = fixture(&chain, None).await;
    let begin = fixture.head().await + 1;
    let mut indexer = fixture.indexer(begin, 0);
    for _ in 0..2 {
        chain.mine().unwrap();
        indexer.step(u64::MAX).await.unwrap().unwrap();
    }
    let before = chain.snapshot();
    for nonce in [7, 8] {
        fixture.pay(nonce).await;
        indexer.step(u64::MAX).await.unwrap().unwrap();
    }
    assert!(chain.revert(before));
    chain.set_next_timestamp(chain.next_timestamp() + 5).unwrap();
    for _ in 0..4 {
        chain.mine().unwrap();
    }
    let error = indexer.step(u64::MAX).await.unwrap_err();
    let expected = BlocksReplaced { block: begin + 3, confirmations: 0, from: begin + 2 };
    assert_eq!(error.downcast_ref(), Some(&expected));
    assert!(!is_temporary(&error));
}

#[tokio::test]
async fn an_address_without_a_task_manager_is_an_error() {
    let chain = EmbeddedChain::new(31_337);
    let fixture = fixture(&chain, None).await;
    fixture.indexer(0, 0).require_task_manager().await.unwrap();
    for (address, expected) in [(STRANGER, "no contract at"), (fixture.vault, "is not a TaskManager")] {
        let settings = Settings { task_manager: address, policy_client: None, from_block: 0, confirmations: 0 };
        let error = Indexer::new(chain.provider(), settings).require_task_manager().await.unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{error:#}");
        assert!(!is_temporary(&error));
    }
}

#[tokio::test]
async fn what_is_in_an_inner_call_or_of_an_older_state_is_reported_and_not_guessed() {
    let chain = EmbeddedChain::new(31_337);
    let fixture = fixture(&chain, Some(&FORWARDER)).await;
    let from = fixture.head().await + 1;
    fixture.pay_from_inside(&[7], STRANGER).await;
    let findings = fixture.indexer(from, 0).step(u64::MAX).await.unwrap().unwrap();
    let FindingStatus::NotVisible(reason) = &findings[0].status else { panic!("{}", findings[0]) };
    assert!(reason.contains("the node gives no trace"), "{reason}");
    assert!(!findings[0].is_verified());
    // The event itself says whom to hold to account, and for what.
    let json = findings[0].to_json();
    assert_eq!((findings[0].epoch, &json["epoch"]), (EpochId(1), &1.into()));
    assert!(!findings[0].evidence.is_zero());
    assert_eq!(json["evidence"], findings[0].evidence.to_string());

    let chain = EmbeddedChain::new(31_337);
    let fixture = self::fixture(&chain, None).await;
    let from = fixture.head().await + 1;
    fixture.pay(7).await;
    for _ in 0..2 {
        chain.mine().unwrap();
    }
    let findings = fixture.indexer(from, 1).step(u64::MAX).await.unwrap().unwrap();
    let FindingStatus::Undecided(reason) = &findings[0].status else { panic!("{}", findings[0]) };
    assert!(reason.contains("only the state of the latest block"), "{reason}");
}
