//! A handover is read in a final block, and refused for what a later block revoked or expired.

use alloy::{
    primitives::{Address, U256, aliases::U48},
    providers::{Provider, ext::AnvilApi},
};
use assent_chain_view::{ChainView, FinalHandover, HandoverFault};
use assent_contracts::{
    EpochMirror::{self, MirrorSettings},
    OperatorRegistry,
};
use assent_signer::{PartialSignature, SecretKey, aggregate_epoch_handover};
use assent_verifier::{EpochId, EpochSignatureError, HandoverError};

use crate::fixture::{Fixture, OPERATOR_SET, Result};

async fn read(fixture: &Fixture, epoch: u32, signed_by: Option<u32>) -> Result<FinalHandover, HandoverFault> {
    let view = ChainView::new(fixture.provider(), fixture.task_manager);
    view.final_handover(EpochId(epoch), signed_by.map(EpochId)).await
}

/// On anvil a block is final after 64 more.
async fn finalize(fixture: &Fixture) -> Result {
    Ok(fixture.provider().anvil_mine(Some(70), None).await?)
}

#[tokio::test]
async fn a_handover_is_of_an_epoch_that_a_final_block_has_in_force() -> Result {
    let fixture = Fixture::new().await?;
    let not_final = |epoch| Err(HandoverFault::NotFinal { epoch: EpochId(epoch) });
    // The first block of all is final, and has no contracts.
    assert_eq!(read(&fixture, 1, None).await, not_final(1));
    finalize(&fixture).await?;
    let first = HandoverFault::First { epoch: EpochId(1), operator_set: OPERATOR_SET };
    assert_eq!(read(&fixture, 1, None).await, Err(first));

    fixture.commit_epoch().await?;
    finalize(&fixture).await?;
    assert_eq!(read(&fixture, 2, None).await, not_final(2), "it is pending");
    fixture.activate_epoch(2).await?;
    assert_eq!(read(&fixture, 2, None).await, not_final(2), "it was activated in the latest block");
    finalize(&fixture).await?;
    let read_2 = read(&fixture, 2, None).await?;
    let handover = read_2.handover;
    assert_eq!((handover.home_chain, handover.home_registry), (U256::from(31_337), fixture.registry));
    assert_eq!((handover.operator_set, handover.signed_by, handover.epoch), (OPERATOR_SET, EpochId(1), EpochId(2)));
    let registry = OperatorRegistry::new(fixture.registry, fixture.provider());
    assert_eq!(handover.expires_at, registry.epochs(2).call().await?.expiresAt);
    assert_eq!(handover.committed_at, registry.committedAt(2).call().await?);
    assert_eq!(handover.content_hash, read_2.next.content_hash());
    assert_eq!(read(&fixture, 2, Some(1)).await?, read_2);
    // Superseded at home, it still hands over where its successor is not known yet.
    assert_eq!(read_2.signing.valid_until, registry.epochs(1).call().await?.expiresAt);
    assert!(read_2.signing.valid_until > registry.epochs(1).call().await?.validUntil);

    for signed_by in [2, 3] {
        let fault = HandoverFault::WrongSigner { signed_by: EpochId(signed_by), operator_set: OPERATOR_SET };
        assert_eq!(read(&fixture, 2, Some(signed_by)).await, Err(fault));
    }

    let keys = [1, 2].map(|seed| SecretKey::from_key_material(&[seed; 32]).unwrap());
    let partials: Vec<_> = fixture
        .operators
        .iter()
        .zip(&keys)
        .map(|(operator, key)| PartialSignature::new(*operator, key.hand_over_epoch(&handover)))
        .collect();
    let of = |partials: &[PartialSignature]| aggregate_epoch_handover(&read_2.signing, &handover, partials).unwrap();
    let both = of(&partials);
    read_2.verify(6_667, both.non_signers.as_bytes(), both.signature.as_ref())?;
    let one = of(&partials[..1]);
    let refused = read_2.verify(6_667, one.non_signers.as_bytes(), one.signature.as_ref());
    assert!(matches!(refused, Err(HandoverError::Signature(EpochSignatureError::QuorumNotReached { .. }))));
    Ok(())
}

#[tokio::test]
async fn a_revocation_counts_before_it_is_final_and_an_expired_epoch_hands_over_to_none() -> Result {
    let fixture = Fixture::new().await?;
    fixture.commit_epoch().await?;
    fixture.activate_epoch(2).await?;
    finalize(&fixture).await?;
    read(&fixture, 2, None).await?;
    fixture.revoke_epoch(1).await?;
    assert_eq!(read(&fixture, 2, Some(1)).await, Err(HandoverFault::Revoked { epoch: EpochId(1) }));
    finalize(&fixture).await?;
    assert_eq!(read(&fixture, 2, Some(1)).await, Err(HandoverFault::Revoked { epoch: EpochId(1) }));
    // No epoch that was in force is before it now.
    assert!(matches!(read(&fixture, 2, None).await, Err(HandoverFault::First { .. })));

    fixture.commit_epoch().await?;
    fixture.activate_epoch(3).await?;
    finalize(&fixture).await?;
    assert_eq!(read(&fixture, 3, None).await?.handover.signed_by, EpochId(2));
    // It was committed a day after epoch 2, and each lives for seven.
    fixture.provider().anvil_increase_time(132 * 60 * 60).await?;
    fixture.provider().anvil_mine(Some(1), None).await?;
    let expired = read(&fixture, 3, None).await;
    assert!(matches!(expired, Err(HandoverFault::SignerExpired { signed_by: EpochId(2), .. })), "{expired:?}");
    fixture.provider().anvil_increase_time(6 * 24 * 60 * 60).await?;
    fixture.provider().anvil_mine(Some(1), None).await?;
    let expired = read(&fixture, 3, None).await;
    assert!(matches!(expired, Err(HandoverFault::Expired { epoch: EpochId(3), .. })), "{expired:?}");
    Ok(())
}

#[tokio::test]
async fn a_mirror_is_not_the_home_of_its_epochs() -> Result {
    let fixture = Fixture::new().await?;
    let (provider, owner) = (fixture.provider(), fixture.operators[0]);
    let settings = MirrorSettings {
        homeChain: U256::from(1),
        homeRegistry: fixture.registry,
        quorum: 6_667,
        haltQuorum: 5_000,
        gracePeriod: U48::from(3_600),
        notice: U48::from(3_600),
        guardian: Address::ZERO,
    };
    let mirror = EpochMirror::deploy_builder(&provider, owner, settings).from(owner).deploy().await?;
    let first = OperatorRegistry::new(fixture.registry, &provider).epochs(1).call().await?;
    let table = provider.get_code_at(first.table).await?.slice(1..);
    let contract = EpochMirror::new(mirror, &provider);
    let genesis = contract.setGenesis(1, 5, first.expiresAt, table).from(owner);
    genesis.send().await?.get_receipt().await?;
    finalize(&fixture).await?;
    let client = assent_client::AssentClient::new(provider);
    let read = assent_chain_view::read_final_handover(&client, mirror, EpochId(5), None).await;
    assert_eq!(read, Err(HandoverFault::NotHome { registry: mirror }));
    Ok(())
}
