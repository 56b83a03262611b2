//! Attestations that passed every check.

use crate::{Attestation, EpochId, Intent};
use alloy_primitives::{Address, B256, U256, aliases::U96};

/// An attestation that passed every check. Only verification constructs one.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use alloy_primitives::aliases::U96;
///
/// let verified = assent_verifier::verify(&context, &intent, &document.authorization()?.encode())?;
/// assert_eq!(*verified.intent(), intent);
/// assert_eq!((verified.epoch(), verified.root()), (document.epoch, document.root()));
/// assert_eq!((verified.signed_weight(), verified.total_weight()), (U96::from(200), U96::from(300)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAttestation {
    pub(crate) attestation: Attestation,
    pub(crate) root: B256,
    pub(crate) epoch: EpochId,
    pub(crate) signed_weight: U96,
    pub(crate) total_weight: U96,
}

impl VerifiedAttestation {
    /// Returns everything that the operators attested.
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }

    /// Returns the authorized call, which may be made once.
    pub fn intent(&self) -> &Intent {
        &self.attestation.intent
    }

    /// Returns the client whose nonce the call spends.
    pub fn policy_client(&self) -> Address {
        self.attestation.policyClient
    }

    /// Returns the nonce that the call spends.
    pub fn nonce(&self) -> U256 {
        self.attestation.nonce
    }

    /// Returns the signed Merkle root.
    pub fn root(&self) -> B256 {
        self.root
    }

    /// Returns the epoch whose operators signed.
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    /// Returns the weight of the operators that signed.
    pub fn signed_weight(&self) -> U96 {
        self.signed_weight
    }

    /// Returns the total weight of the epoch.
    pub fn total_weight(&self) -> U96 {
        self.total_weight
    }
}
