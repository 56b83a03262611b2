//! Check 11: whether operators signed a root.

use crate::{
    Epoch, NonSignersRef, Signature,
    backend::{Backend, Factor, Key},
    digest::SIGNATURE_TAG,
};
use alloc::vec::Vec;
use alloy_primitives::B256;

/// "The operators of this epoch, but for those absent, signed this root, and this is their signature."
pub(crate) struct Statement<'a, B: Backend> {
    pub(crate) epoch: &'a Epoch,
    pub(crate) absent: NonSignersRef<'a>,
    pub(crate) root: B256,
    pub(crate) signature: B::SignaturePoint,
    pub(crate) signature_bytes: Signature,
}

impl<'a, B: Backend> Statement<'a, B> {
    /// What the statement says, in an order in which those of one epoch, and of these those of one set of signers, stand
    /// together. A context knows one epoch by a number.
    pub(crate) fn identity(&self) -> impl Ord + use<'_, 'a, B> {
        (self.epoch.number, self.absent, self.root, self.signature_bytes)
    }

    pub(crate) fn keys(&self) -> &'a B::Keys {
        B::of(self.epoch.operators.prepared_keys())
    }

    /// The point that the operators signed.
    pub(crate) fn hash(&self) -> B::SignaturePoint {
        B::hash(self.root.as_slice(), SIGNATURE_TAG)
    }

    /// The points that the operators signed.
    pub(crate) fn hash_each(statements: &[&Self]) -> Vec<B::SignaturePoint> {
        B::hash_each(statements.iter().map(|statement| statement.root.as_slice()), SIGNATURE_TAG)
    }

    /// Whether it is true: whether `e(signature, G2) · e(hash, −signers' keys) = 1`.
    ///
    /// When the signers' keys cancel out, the second pairing is 1 and the first is not, since no signature is infinity.
    pub(crate) fn is_true(&self, hash: B::SignaturePoint) -> bool {
        let keys = self.keys();
        let signature = Factor { point: self.signature, keys, key: Key::Generator };
        let signers = Factor { point: hash, keys, key: Key::NegatedSigners { absent: self.absent } };
        B::is_one([B::miller_loops(&[signature, signers])])
    }
}
