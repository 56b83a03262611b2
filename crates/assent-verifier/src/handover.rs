//! Handovers of epochs, as an `EpochMirror` verifies them.

use crate::{
    Epoch, EpochHandover, EpochId, HandoverError, MAX_EPOCH_LIFETIME, MirrorState, OperatorSet,
    backend::{Backend, DefaultBackend},
    epoch_signature::{EpochWeight, require_signed},
    operator_table::table_content_hash,
    operators::required_weight,
};
use alloy_primitives::{U256, aliases::U96};

/// A handover that was verified. Nothing else constructs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedHandover {
    handover: EpochHandover,
    weight: EpochWeight,
}

impl VerifiedHandover {
    /// Returns the handover.
    pub fn handover(&self) -> &EpochHandover {
        &self.handover
    }

    /// Returns the weight of the operators that signed.
    pub fn signed_weight(&self) -> U96 {
        self.weight.signed
    }

    /// Returns the weight of all operators of the epoch that signed.
    pub fn total_weight(&self) -> U96 {
        self.weight.total
    }

    /// Returns the epoch that was handed over to, with these operators. The one before it stays in force for a grace
    /// period at most, which is the mirror's.
    ///
    /// # Errors
    ///
    /// [`HandoverError::WrongContent`] if these are not the operators that were signed.
    pub fn epoch(&self, operators: OperatorSet) -> Result<Epoch, HandoverError> {
        let EpochHandover { epoch, operator_set, expires_at, content_hash, .. } = self.handover;
        let actual = operators.content_hash();
        if actual != content_hash {
            return Err(HandoverError::WrongContent { expected: content_hash, actual });
        }
        Ok(Epoch { number: epoch, operator_set, valid_until: expires_at, operators })
    }
}

/// Verifies a handover, as `EpochMirror.accept`: the same checks in the same order.
///
/// `table` is the next epoch's operator table: its code at home without the first byte, as
/// [`OperatorSet::mirror_table`] returns it. `non_signers` is the bitmap of those operators of `handover.signed_by`
/// that did not sign. A table can pass that no operator set has: a quorum can sign anything.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # use alloy_primitives::{Address, U256, aliases::U48};
/// # use assent_verifier::{EpochHandover, EpochId, HandoverError, MirrorState, digest::EPOCH_HANDOVER_TAG};
/// # let (home_registry, epochs) = (Address::repeat_byte(9), attested::context().epochs);
/// # let mut state = MirrorState {
/// #     home_chain: U256::from(1), home_registry, quorum: 6000, halt_quorum: 5000, timestamp: 1_700_000_000, epochs,
/// #     revoked_ahead: Default::default(), stored_tables: Default::default(),
/// # };
/// # let next_operators = state.epochs[0].operators.clone();
/// # let sign = |handover: &EpochHandover| {
/// #     let digest = handover.digest();
/// #     let [first, _, third] = attested::secrets().map(|key| key.sign(digest.as_slice(), EPOCH_HANDOVER_TAG, &[]));
/// #     blst::min_sig::AggregateSignature::aggregate(&[&first, &third], false).unwrap().to_signature().serialize()
/// # };
/// use assent_verifier::verify_handover;
///
/// let handover = EpochHandover {
///     home_chain: state.home_chain,
///     home_registry: state.home_registry,
///     operator_set: state.epochs[0].operator_set,
///     signed_by: state.epochs[0].number,
///     epoch: EpochId(5),
///     committed_at: U48::from(1_699_990_000),
///     expires_at: U48::from(1_700_600_000),
///     content_hash: next_operators.content_hash(),
/// };
/// let signature = sign(&handover);
/// let table = next_operators.mirror_table(&[])?;
/// let absent = [0b010]; // The second of three.
/// let verified = verify_handover(&state, &handover, &table, &absent, &signature)?;
/// state.epochs.push(verified.epoch(next_operators)?);
///
/// // Accepted once.
/// let again = verify_handover(&state, &handover, &table, &absent, &signature);
/// assert!(matches!(again, Err(HandoverError::WrongSigner { latest: EpochId(5), .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Every [`HandoverError`].
pub fn verify_handover(
    state: &MirrorState,
    handover: &EpochHandover,
    table: &[u8],
    non_signers: &[u8],
    signature: &[u8],
) -> Result<VerifiedHandover, HandoverError> {
    verify_handover_using::<DefaultBackend>(state, handover, table, non_signers, signature)
}

/// Verifies a handover by a named backend, as [`verify_handover`].
///
/// # Errors
///
/// Every [`HandoverError`].
pub fn verify_handover_using<B: Backend>(
    state: &MirrorState,
    handover: &EpochHandover,
    table: &[u8],
    non_signers: &[u8],
    signature: &[u8],
) -> Result<VerifiedHandover, HandoverError> {
    require_home(state, handover)?;
    let signer = require_signer(state, handover)?;
    require_next(state, handover, signer.number)?;
    let required = required_weight(signer.operators.total_weight(), state.quorum);
    let weight = require_signed::<B>(signer, required, handover.digest(), non_signers, signature)?;
    let actual = table_content_hash(table, &state.stored_tables)?;
    if actual != handover.content_hash {
        return Err(HandoverError::WrongContent { expected: handover.content_hash, actual });
    }
    Ok(VerifiedHandover { handover: *handover, weight })
}

fn require_home(state: &MirrorState, handover: &EpochHandover) -> Result<(), HandoverError> {
    let EpochHandover { home_chain, home_registry, .. } = *handover;
    if home_chain != state.home_chain || home_registry != state.home_registry {
        return Err(HandoverError::WrongHome { home_chain, home_registry });
    }
    Ok(())
}

/// Returns the epoch that signed.
fn require_signer<'a>(state: &'a MirrorState, handover: &EpochHandover) -> Result<&'a Epoch, HandoverError> {
    let EpochHandover { operator_set, signed_by, .. } = *handover;
    let latest = state.latest_epoch(operator_set);
    let number = latest.map_or(EpochId(0), |epoch| epoch.number);
    let signer = latest.filter(|epoch| epoch.number == signed_by);
    let signer = signer.ok_or(HandoverError::WrongSigner { signed_by, latest: number })?;
    if !signer.is_in_force(state.timestamp) {
        return Err(HandoverError::SignerExpired { signed_by, valid_until: signer.valid_until });
    }
    Ok(signer)
}

fn require_next(state: &MirrorState, handover: &EpochHandover, latest: EpochId) -> Result<(), HandoverError> {
    let EpochHandover { epoch, committed_at, expires_at, .. } = *handover;
    if epoch <= latest || state.epoch(epoch).is_some() {
        return Err(HandoverError::NotLater { epoch, latest });
    }
    if state.revoked_ahead.contains(&epoch) {
        return Err(HandoverError::EpochWasRevoked { epoch });
    }
    let (now, end) = (U256::from(state.timestamp), U256::from(expires_at));
    if U256::from(committed_at) > now {
        return Err(HandoverError::CommittedLater { epoch, committed_at });
    }
    // No lifetime is longer.
    let last = U256::from(committed_at).saturating_add(U256::from(MAX_EPOCH_LIFETIME));
    if now >= end || end > last {
        return Err(HandoverError::InvalidExpiry { epoch, expires_at });
    }
    Ok(())
}
