//! Attestations in full, for archives and offline verification.

use crate::{
    Attestation, Authorization, Decision, EpochId, MerkleProof, NonSigners, QuorumProof, Signature, UnknownDecision,
    digest::attestation_digest,
};
use alloy_primitives::{Address, B256, U256};

/// An attestation with every attested field and its proof, from which the authorization is derived.
///
/// ```
/// # let document = { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/document.rs")) };
/// let authorization = document.authorization()?;
/// assert_eq!(authorization.task_id, document.attestation.taskId);
/// // Signed without others, an attestation is its own root.
/// assert_eq!(document.digest(), document.root());
/// # Ok::<(), assent_types::UnknownDecision>(())
/// ```
// Complete: the JSON of docs/protocol.md has these fields and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationDocument {
    /// The chain of the EIP-712 domain.
    pub chain_id: U256,
    /// The TaskManager of the EIP-712 domain.
    pub task_manager: Address,
    /// The attested fields.
    pub attestation: Attestation,
    /// The operators' epoch.
    pub epoch: EpochId,
    /// The aggregate signature over the Merkle root.
    pub signature: Signature,
    /// The operators that did not sign.
    pub non_signers: NonSigners,
    /// The hashes from the attestation's digest to the signed root.
    pub merkle_proof: MerkleProof,
}

impl AttestationDocument {
    /// Returns the authorization that carries the signature.
    ///
    /// # Errors
    ///
    /// [`UnknownDecision`] if the attestation's decision is above 1.
    pub fn authorization(&self) -> Result<Authorization, UnknownDecision> {
        self.authorization_with(QuorumProof::Direct {
            signature: self.signature,
            non_signers: self.non_signers.clone(),
        })
    }

    /// Returns the authorization without signature, for a root that is recorded on chain.
    ///
    /// # Errors
    ///
    /// As [`authorization`](Self::authorization).
    pub fn recorded_authorization(&self) -> Result<Authorization, UnknownDecision> {
        self.authorization_with(QuorumProof::Recorded)
    }

    fn authorization_with(&self, quorum_proof: QuorumProof) -> Result<Authorization, UnknownDecision> {
        Ok(Authorization {
            task_id: self.attestation.taskId,
            nonce: self.attestation.nonce,
            issued_at: self.attestation.issuedAt,
            expiration: self.attestation.expiration,
            decision: Decision::try_from(self.attestation.decision)?,
            evidence: self.attestation.evidence,
            epoch: self.epoch,
            quorum_proof,
            merkle_proof: self.merkle_proof.clone(),
        })
    }

    /// Returns the EIP-712 digest of the attestation.
    pub fn digest(&self) -> B256 {
        attestation_digest(&self.attestation, self.chain_id, self.task_manager)
    }

    /// Returns the Merkle root that the operators signed.
    pub fn root(&self) -> B256 {
        self.merkle_proof.root(self.digest())
    }
}
