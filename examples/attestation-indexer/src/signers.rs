//! Which operators signed an attestation.

use alloy::primitives::Address;
use assent_verifier::{Epoch, EpochId, NonSigners};

/// Which operators of an epoch signed an attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers {
    /// The epoch.
    pub epoch: EpochId,
    /// Each operator of the epoch, in the order of its table, and whether it signed.
    pub operators: Vec<(Address, bool)>,
}

impl Signers {
    /// Returns who signed, by the bitmap that came with the signature.
    pub(crate) fn of(non_signers: &NonSigners, epoch: &Epoch) -> Self {
        let operators = epoch.operators.operators().iter();
        let mut operators: Vec<_> = operators.map(|operator| (operator.address, true)).collect();
        for index in non_signers.indices() {
            if let Some((_, signed)) = operators.get_mut(usize::from(index)) {
                *signed = false;
            }
        }
        Self { epoch: epoch.number, operators }
    }

    /// Returns the operators that did not sign.
    pub fn absent(&self) -> impl Iterator<Item = Address> + '_ {
        self.operators.iter().filter(|(_, signed)| !signed).map(|(operator, _)| *operator)
    }
}
