//! The claim that operators signed a root.

use crate::{
    Epoch, NonSignersRef, Signature,
    backend::{Backend, Factor, Key},
    digest::SIGNATURE_TAG,
};
use alloc::vec::Vec;
use alloy_primitives::B256;

/// The claim that the operators of an epoch, without the non-signers, signed a root, and that this is their signature.
pub(crate) struct SignatureClaim<'a, B: Backend> {
    /// The domain separation tag of what was signed. All claims that are decided together have the same.
    pub(crate) tag: &'static [u8],
    pub(crate) epoch: &'a Epoch,
    pub(crate) non_signers: NonSignersRef<'a>,
    pub(crate) root: B256,
    pub(crate) signature: B::SignaturePoint,
    pub(crate) signature_bytes: Signature,
}

impl<'a, B: Backend> SignatureClaim<'a, B> {
    /// Returns what the claim says, in an order that groups claims by epoch, and within an epoch by non-signers.
    ///
    /// An epoch is identified by its number, since a context has one epoch of each number.
    pub(crate) fn identity(&self) -> impl Ord + use<'_, 'a, B> {
        (self.epoch.number, self.non_signers, self.root, self.signature_bytes)
    }

    /// Returns the epoch's keys, which the first call prepares.
    pub(crate) fn keys(&self) -> &'a B::Keys {
        self.epoch.operators.prepared_keys::<B>()
    }

    /// Returns the point that the operators sign.
    pub(crate) fn hash(&self) -> B::SignaturePoint {
        B::hash(self.root.as_slice(), self.tag)
    }

    /// Returns the points that the operators sign.
    pub(crate) fn hash_each(claims: &[&Self]) -> Vec<B::SignaturePoint> {
        let tag = claims.first().map_or(SIGNATURE_TAG, |claim| claim.tag);
        B::hash_each(claims.iter().map(|claim| claim.root.as_slice()), tag)
    }

    /// Returns whether the claim is true: whether `e(signature, G2) · e(hash, −signers' keys) = 1`.
    ///
    /// If the signers' keys cancel out, the second pairing is 1. The first is not, since no signature is infinity.
    pub(crate) fn is_true(&self, hash: B::SignaturePoint) -> bool {
        let keys = self.keys();
        let signature = Factor { point: self.signature, keys, key: Key::Generator };
        let signers = Factor { point: hash, keys, key: Key::NegatedSigners { non_signers: self.non_signers } };
        B::is_one([B::miller_loops(&[signature, signers])])
    }
}
