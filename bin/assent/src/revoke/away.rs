//! Revocation on a mirror, whether it has the epoch or is behind.

use super::{Revocation, TOO_FEW, encoded, outcome::Revoked, require_valid};
use crate::{
    handover::mirrors::{MirrorAt, ReadMirror, store_tables},
    transaction::send,
};
use alloy::{
    primitives::{Address, Bytes},
    signers::local::PrivateKeySigner,
};
use anyhow::{Result, anyhow, bail};
use assent_chain_view::offer_tables;
use assent_client::gateway::GatewayHandover;
use assent_contracts::EpochMirror;
use assent_verifier::{
    Epoch, EpochId, EpochRevocation, MirrorState, RevocationError, SignedByOperators, verify_revocation_ahead,
};

/// What a mirror needs, so that an epoch is revoked there.
enum Step {
    Revoke,
    /// It does not have the epoch, but this latest epoch of it can hand over to it.
    RevokeAhead(EpochId),
    Nothing(Revoked),
}

/// Revokes an epoch on a mirror.
pub async fn revoke(
    at: &MirrorAt,
    revocation: &Revocation,
    from: Address,
    signer: Option<PrivateKeySigner>,
) -> Result<Revoked> {
    let Revocation { statement, epoch, signed, .. } = revocation;
    let read = at.read(signer, epoch.operator_set, Some(epoch.number)).await?;
    let EpochRevocation { home_chain, home_registry, .. } = *statement;
    if (read.state.home_chain, read.state.home_registry) != (home_chain, home_registry) {
        bail!("it mirrors the registry {} on chain {}", read.state.home_registry, read.state.home_chain);
    }
    match step(&read.state, epoch) {
        Step::Nothing(revoked) => Ok(revoked),
        Step::Revoke => {
            require_valid(&read.state, epoch, signed)?;
            let (non_signers, signature) = encoded(signed);
            let revoke = EpochMirror::revokeCall { epoch: epoch.number.into(), nonSigners: non_signers, signature };
            Ok(Revoked::Here(Box::new(send(&read.client, from, at.mirror, &revoke).await?)))
        }
        Step::RevokeAhead(latest) => revoke_ahead(at, read, revocation, latest, from).await,
    }
}

fn step(state: &MirrorState, epoch: &Epoch) -> Step {
    let number = epoch.number;
    if let Some(here) = state.epoch(number) {
        return if here.is_revoked() { Step::Nothing(Revoked::Already) } else { Step::Revoke };
    }
    if state.revoked_ahead.contains(&number) {
        return Step::Nothing(Revoked::Already);
    }
    let unneeded = match state.latest_epoch(epoch.operator_set) {
        None => "the mirror has no epoch of the set, which could hand over".to_owned(),
        Some(latest) if latest.number > number => {
            format!("the mirror has the later epoch {}, and accepts no earlier one", latest.number)
        }
        Some(latest) if !latest.is_in_force(state.timestamp) => {
            format!("the mirror's epoch {} has ended, and hands over to none", latest.number)
        }
        Some(latest) => return Step::RevokeAhead(latest.number),
    };
    Step::Nothing(Revoked::Unneeded(unneeded))
}

/// Has the mirror refuse an epoch that it does not have, by the handover with which it could be brought there.
async fn revoke_ahead(
    at: &MirrorAt,
    read: ReadMirror,
    revocation: &Revocation,
    latest: EpochId,
    from: Address,
) -> Result<Revoked> {
    let Revocation { epoch, signed, handovers, .. } = revocation;
    let ReadMirror { client, mut state } = read;
    let given = handovers.iter().find(|given| given.handover.signed_by == latest);
    let GatewayHandover { handover, non_signers, signature, .. } =
        given.ok_or_else(|| without_handover(epoch.number, latest))?;
    let handed_over = SignedByOperators { non_signers: non_signers.as_bytes(), signature: &signature.0 };
    let revoked = SignedByOperators { non_signers: signed.non_signers.as_bytes(), signature: &signed.signature.0 };
    let offered = offer_tables(&mut state, &epoch.operators)?;
    let verified = verify_revocation_ahead(&state, handover, &offered, &epoch.operators, handed_over, revoked);
    verified.map_err(|error| match error {
        RevocationError::Handover(cause) => anyhow!(
            "the handover is refused: {cause}; nothing was sent, give another from epoch {latest} with --handover"
        ),
        error => anyhow::Error::new(error).context(TOO_FEW),
    })?;
    let (stored, mut receipts) = store_tables(&client, from, at.mirror, &epoch.operators).await?;
    let [handed_over, revoked] = [handed_over, revoked].map(|by| EpochMirror::SignedByOperators {
        nonSigners: Bytes::copy_from_slice(by.non_signers),
        signature: Bytes::copy_from_slice(by.signature),
    });
    let call = EpochMirror::revokeAheadCall {
        handover: (*handover).into(),
        table: epoch.operators.mirror_table(&stored)?.into(),
        handedOver: handed_over,
        revoked,
    };
    receipts.push(send(&client, from, at.mirror, &call).await?);
    Ok(Revoked::Ahead(receipts))
}

fn without_handover(epoch: EpochId, latest: EpochId) -> anyhow::Error {
    anyhow!(
        "the mirror is behind: it has epoch {latest}, and could still be brought epoch {epoch}; give the handover from \
         epoch {latest} with --handover, as `assent handover request --epoch {epoch} --signed-by {latest}` writes it. \
         If operators sign none because the epoch is revoked at home, only a handover that was signed before could \
         bring it there"
    )
}
