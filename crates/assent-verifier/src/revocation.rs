//! Revocations of epochs by their own operators, as an `EpochMirror` verifies them.

use crate::{
    Epoch, EpochHandover, EpochId, EpochRevocation, MirrorState, OperatorSet, RevocationError, SignedByOperators,
    backend::{Backend, DefaultBackend},
    epoch_signature::{EpochWeight, require_signed},
    operators::portion_of,
    verify_handover_using,
};
use alloy_primitives::aliases::U96;

/// A revocation that was verified. Nothing else constructs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedRevocation {
    epoch: EpochId,
    weight: EpochWeight,
}

impl VerifiedRevocation {
    /// Returns the epoch, under which nothing is valid any more.
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    /// Returns the weight of the operators that signed.
    pub fn signed_weight(&self) -> U96 {
        self.weight.signed
    }

    /// Returns the weight of all operators of the epoch.
    pub fn total_weight(&self) -> U96 {
        self.weight.total
    }
}

/// Verifies the revocation of an epoch by its own operators, as `EpochMirror.revoke` and `EpochKeeper.revoke`.
///
/// # Errors
///
/// Every [`RevocationError`].
pub fn verify_revocation(
    state: &MirrorState,
    epoch: EpochId,
    non_signers: &[u8],
    signature: &[u8],
) -> Result<VerifiedRevocation, RevocationError> {
    verify_revocation_using::<DefaultBackend>(state, epoch, non_signers, signature)
}

/// Verifies a revocation by a named backend, as [`verify_revocation`].
///
/// # Errors
///
/// Every [`RevocationError`].
pub fn verify_revocation_using<B: Backend>(
    state: &MirrorState,
    epoch: EpochId,
    non_signers: &[u8],
    signature: &[u8],
) -> Result<VerifiedRevocation, RevocationError> {
    let revoked = state.epoch(epoch).ok_or(RevocationError::NoSuchEpoch(epoch))?;
    revocation_by::<B>(state, revoked, SignedByOperators { non_signers, signature })
}

/// Verifies the revocation of an epoch that is not accepted yet, as `EpochMirror.revokeAhead`.
///
/// `handover` is one with which the epoch could be accepted now, with `table` and `handed_over` as of
/// [`verify_handover`](crate::verify_handover): it proves whose epoch it is. `operators` are those of the table, which
/// revoke it: `revoked` is what they signed. Afterwards the epoch belongs to [`MirrorState::revoked_ahead`].
///
/// # Errors
///
/// Every [`RevocationError`] but [`RevocationError::NoSuchEpoch`].
pub fn verify_revocation_ahead(
    state: &MirrorState,
    handover: &EpochHandover,
    table: &[u8],
    operators: &OperatorSet,
    handed_over: SignedByOperators<'_>,
    revoked: SignedByOperators<'_>,
) -> Result<VerifiedRevocation, RevocationError> {
    verify_revocation_ahead_using::<DefaultBackend>(state, handover, table, operators, handed_over, revoked)
}

/// Verifies such a revocation by a named backend, as [`verify_revocation_ahead`].
///
/// # Errors
///
/// Every [`RevocationError`] but [`RevocationError::NoSuchEpoch`].
pub fn verify_revocation_ahead_using<B: Backend>(
    state: &MirrorState,
    handover: &EpochHandover,
    table: &[u8],
    operators: &OperatorSet,
    handed_over: SignedByOperators<'_>,
    revoked: SignedByOperators<'_>,
) -> Result<VerifiedRevocation, RevocationError> {
    let SignedByOperators { non_signers, signature } = handed_over;
    let accepted = verify_handover_using::<B>(state, handover, table, non_signers, signature)?;
    let epoch = accepted.epoch(operators.clone())?;
    revocation_by::<B>(state, &epoch, revoked)
}

/// Verifies a revocation by the operators of an epoch, which the mirror need not have.
fn revocation_by<B: Backend>(
    state: &MirrorState,
    epoch: &Epoch,
    SignedByOperators { non_signers, signature }: SignedByOperators<'_>,
) -> Result<VerifiedRevocation, RevocationError> {
    let MirrorState { home_chain, home_registry, .. } = *state;
    let revocation = EpochRevocation { home_chain, home_registry, epoch: epoch.number };
    let required = portion_of(epoch.operators.total_weight(), state.halt_quorum.max(1));
    let weight = require_signed::<B>(epoch, required, revocation.digest(), non_signers, signature)?;
    Ok(VerifiedRevocation { epoch: epoch.number, weight })
}
