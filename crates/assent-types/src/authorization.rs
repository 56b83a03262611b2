//! The bytes that travel with a call.

use crate::{
    AuthorizationError, AuthorizationRef, Decision, EpochId, MerkleProof, NonSigners, QuorumProofRef, Signature,
    authorization_ref::{DIRECT, RECORDED},
    offset,
};
use alloc::vec::Vec;
use alloy_primitives::{B256, U256, aliases::U48};

/// The bytes that travel with a call: the attested fields that the call itself does not fix, and the proof.
///
/// ```
/// # let authorization = { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/authorization.rs")) };
/// use assent_types::{Authorization, QuorumProof};
///
/// let bytes = authorization.encode();
/// assert_eq!(bytes.len(), 212);
/// assert_eq!(Authorization::parse(&bytes)?, authorization);
///
/// let recorded = Authorization { quorum_proof: QuorumProof::Recorded, ..authorization };
/// assert_eq!(recorded.encode().len(), 115);
/// # Ok::<(), assent_types::AuthorizationError>(())
/// ```
// Complete: the layout is fixed by docs/protocol.md, and a further field would be another protocol.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authorization {
    /// The attested task (check 4).
    pub task_id: B256,
    /// The client's nonce that the call spends (check 7).
    pub nonce: U256,
    /// The time from which the attestation is valid, Unix time (checks 5 and 6).
    pub issued_at: U48,
    /// The first second at which the attestation is no longer valid, Unix time (checks 5, 6 and 9).
    pub expiration: U48,
    /// The operators' decision (check 12).
    pub decision: Decision,
    /// The hash of everything that the operators evaluated.
    pub evidence: B256,
    /// The operators' epoch (check 8).
    pub epoch: EpochId,
    /// The proof that a quorum signed the Merkle root (checks 9 to 11).
    pub quorum_proof: QuorumProof,
    /// The hashes from the attestation's digest to the signed root.
    pub merkle_proof: MerkleProof,
}

/// The proof that a quorum signed a Merkle root.
// Complete: contracts know these two kinds and refuse any other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum QuorumProof {
    /// The authorization carries the signature (kind 0).
    Direct {
        /// The aggregate signature over the Merkle root (checks 10 and 11).
        signature: Signature,
        /// The operators that did not sign (check 9).
        non_signers: NonSigners,
    },
    /// The root is recorded on chain together with the weight that signed it (kind 1).
    Recorded,
}

impl Authorization {
    /// The length in bytes of the longest authorization: with the longest bitmap and the longest Merkle proof.
    pub const MAX_LENGTH: usize = offset::BITMAP + NonSigners::MAX_BYTES + 1 + 32 * MerkleProof::MAX_LENGTH;

    /// Parses the bytes that docs/protocol.md specifies under "Authorization".
    ///
    /// # Errors
    ///
    /// Every [`AuthorizationError`] except [`NoTrailingAuthorization`](AuthorizationError::NoTrailingAuthorization).
    pub fn parse(bytes: &[u8]) -> Result<Self, AuthorizationError> {
        AuthorizationRef::parse(bytes).map(Self::from)
    }

    /// Returns the bytes that [`parse`](Self::parse) reads.
    ///
    /// They are 212 and the bitmap's if the authorization carries its signature, and 115 if the root is recorded. Each
    /// hash of the Merkle proof adds 32.
    pub fn encode(&self) -> Vec<u8> {
        let hashes = self.merkle_proof.as_slice();
        let mut bytes = [
            self.task_id.as_slice(),
            &self.nonce.to_be_bytes::<32>(),
            &self.issued_at.to_be_bytes::<6>(),
            &self.expiration.to_be_bytes::<6>(),
            &[u8::from(self.decision)],
            self.evidence.as_slice(),
            &u32::from(self.epoch).to_be_bytes(),
        ]
        .concat();
        match &self.quorum_proof {
            QuorumProof::Direct { signature, non_signers } => {
                let bitmap = non_signers.as_bytes();
                bytes.push(DIRECT);
                bytes.extend(signature.0);
                bytes.push(length_byte(bitmap.len()));
                bytes.extend(bitmap);
            }
            QuorumProof::Recorded => bytes.push(RECORDED),
        }
        bytes.push(length_byte(hashes.len()));
        bytes.extend(hashes.iter().flatten());
        bytes
    }
}

impl From<AuthorizationRef<'_>> for Authorization {
    fn from(parsed: AuthorizationRef<'_>) -> Self {
        Self {
            task_id: parsed.task_id,
            nonce: parsed.nonce,
            issued_at: parsed.issued_at,
            expiration: parsed.expiration,
            decision: parsed.decision,
            evidence: parsed.evidence,
            epoch: parsed.epoch,
            quorum_proof: parsed.quorum_proof.into(),
            merkle_proof: parsed.merkle_proof.into(),
        }
    }
}

impl From<QuorumProofRef<'_>> for QuorumProof {
    fn from(parsed: QuorumProofRef<'_>) -> Self {
        match parsed {
            QuorumProofRef::Direct { signature, non_signers } => {
                Self::Direct { signature, non_signers: non_signers.into() }
            }
            QuorumProofRef::Recorded => Self::Recorded,
        }
    }
}

/// Returns a length that its type keeps below 256.
fn length_byte(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}
