//! Which operators signed an attestation.

use alloy::primitives::Address;
use assent_verifier::{Authorization, Epoch, EpochId, QuorumProof};

/// Which operators of an epoch signed an attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers {
    /// The epoch.
    pub epoch: EpochId,
    /// Each operator of the epoch, in the order of its table, and whether it signed.
    pub operators: Vec<(Address, bool)>,
}

impl Signers {
    /// Returns who signed, by the bitmap of an authorization. `None` under a recorded root, which carries no bitmap.
    pub(crate) fn of(authorization: &Authorization, epoch: &Epoch) -> Option<Self> {
        let QuorumProof::Direct { non_signers, .. } = &authorization.quorum_proof else { return None };
        let operators = epoch.operators.operators().iter();
        let mut operators: Vec<_> = operators.map(|operator| (operator.address, true)).collect();
        for index in non_signers.indices() {
            if let Some((_, signed)) = operators.get_mut(usize::from(index)) {
                *signed = false;
            }
        }
        Some(Self { epoch: epoch.number, operators })
    }

    /// Returns the operators that did not sign.
    pub fn absent(&self) -> impl Iterator<Item = Address> + '_ {
        self.operators.iter().filter(|(_, signed)| !signed).map(|(operator, _)| *operator)
    }
}
