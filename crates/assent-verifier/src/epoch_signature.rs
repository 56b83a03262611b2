//! Signatures of an epoch's operators under statements about epochs.

use crate::{
    Epoch, EpochSignatureError, NonSigners, NonSignersRef, Signature, backend::Backend, checks::signed_weight,
    claim::SignatureClaim, digest::EPOCH_HANDOVER_TAG,
};
use alloy_primitives::{B256, U256, aliases::U96};

/// Who signed a statement about epochs, as an `EpochMirror` is told. Not trusted.
// Complete: the struct of the contract's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedByOperators<'a> {
    /// The bitmap of the operators that did not sign.
    pub non_signers: &'a [u8],
    /// The aggregate signature.
    pub signature: &'a [u8],
}

/// How much of an epoch's weight signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EpochWeight {
    pub(crate) signed: U96,
    pub(crate) total: U96,
}

/// Returns how much of the epoch's weight signed a digest, if it is enough.
pub(crate) fn require_signed<B: Backend>(
    epoch: &Epoch,
    required: U256,
    digest: B256,
    non_signers: &[u8],
    signature: &[u8],
) -> Result<EpochWeight, EpochSignatureError> {
    let non_signers = trimmed(non_signers).ok_or(EpochSignatureError::NonSignerOutOfRange)?;
    let weight = signed_weight(epoch, non_signers).map_err(|_| EpochSignatureError::NonSignerOutOfRange)?;
    let (signed, total) = (weight.signed, weight.total);
    if U256::from(signed) < required {
        return Err(EpochSignatureError::QuorumNotReached { signed, required });
    }
    let signature_bytes = Signature::try_from(signature).map_err(|_| EpochSignatureError::MalformedSignature)?;
    let signature = B::decode_signature(&signature_bytes).map_err(|_| EpochSignatureError::MalformedSignature)?;
    let claim =
        SignatureClaim::<B> { tag: EPOCH_HANDOVER_TAG, epoch, non_signers, root: digest, signature, signature_bytes };
    if !claim.is_true(claim.hash()) {
        return Err(EpochSignatureError::InvalidSignature);
    }
    Ok(EpochWeight { signed, total })
}

/// Returns a bitmap without the zero bytes at its end, which say nothing: unlike in an authorization they are allowed.
/// `None` if it names an operator beyond those of any epoch.
fn trimmed(bitmap: &[u8]) -> Option<NonSignersRef<'_>> {
    let length = bitmap.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    let bitmap = bitmap.get(..length).filter(|bitmap| bitmap.len() <= NonSigners::MAX_BYTES)?;
    NonSignersRef::from_bytes(bitmap).ok()
}
