//! Check 11: whether operators signed a root.

use crate::{
    Epoch,
    admission::Admitted,
    backend::{Backend, Factor, Key},
    digest::SIGNATURE_TAG,
    non_signers::Bitmap,
};
use alloy_primitives::B256;

/// "The operators of this epoch, but for those absent, signed this root, and this is their signature."
pub(crate) struct Statement<'a, B: Backend> {
    pub(crate) epoch: &'a Epoch,
    pub(crate) absent: Bitmap<'a>,
    pub(crate) root: B256,
    pub(crate) signature: B::SignaturePoint,
}

impl<'a, B: Backend> Statement<'a, B> {
    pub(crate) fn of(admitted: &'a Admitted<'_, B>) -> Self {
        Self { epoch: admitted.epoch, absent: admitted.absent(), root: admitted.root, signature: admitted.signature }
    }

    /// Whether `e(signature, G2) · e(H(root), −signers' keys) = 1`.
    ///
    /// When the signers' keys cancel out, the second pairing is 1 and the first is not, since no signature is infinity.
    pub(crate) fn is_signed(&self) -> bool {
        let keys = B::of(self.epoch.operators.prepared_keys());
        let hashed = B::hash(self.root.as_slice(), SIGNATURE_TAG);
        let signature = Factor { point: self.signature, keys, key: Key::Generator };
        let signers = Factor { point: hashed, keys, key: Key::NegatedSigners { absent: self.absent } };
        B::is_one([B::miller_loops(&[signature, signers])])
    }
}
