//! Parsing of authorizations, without allocations.

use crate::{
    Decision, EpochId, MerkleProof, MerkleProofRef, NonSignersError, NonSignersRef, Signature, UnknownDecision,
};
use alloy_primitives::{B256, U256, aliases::U48};

/// The kind of an authorization that carries its signature.
pub(crate) const DIRECT: u8 = 0;
/// The kind of an authorization whose root is recorded.
pub(crate) const RECORDED: u8 = 1;

/// The reason why bytes are not an authorization. On chain each is `MalformedAuthorization()`.
///
/// ```
/// use assent_types::{Authorization, AuthorizationError};
///
/// let error = Authorization::parse(&[0; 40]).unwrap_err();
/// assert_eq!(error, AuthorizationError::TooShort { field: "nonce" });
/// assert_eq!(error.to_string(), "the authorization ends within `nonce`");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// The bytes end within a field.
    #[error("the authorization ends within `{field}`")]
    TooShort {
        /// The field's name in docs/protocol.md.
        field: &'static str,
    },
    /// Bytes follow the Merkle proof.
    #[error("{0} bytes follow the authorization's Merkle proof")]
    LeftOver(usize),
    /// The decision is unknown.
    #[error(transparent)]
    Decision(#[from] UnknownDecision),
    /// The kind is neither 0 (direct) nor 1 (recorded).
    #[error("kind {0} is neither 0 (direct) nor 1 (recorded)")]
    UnknownKind(u8),
    /// The bitmap of non-signers is not the shortest.
    #[error(transparent)]
    NonSigners(#[from] NonSignersError),
    /// The Merkle proof has more than 32 hashes.
    #[error("the Merkle proof has {0} hashes, more than 32")]
    MerkleProofTooLong(u8),
    /// The calldata carries no authorization, or fewer than 4 bytes (a selector) precede it.
    #[error("the calldata of {length} bytes carries no authorization after a selector")]
    NoTrailingAuthorization {
        /// The length of the whole calldata in bytes.
        length: usize,
    },
}

/// An [`Authorization`](crate::Authorization) that borrows its fields of variable length: parsing allocates nothing.
///
/// ```
/// # let authorization = { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/authorization.rs")) };
/// use assent_types::{Authorization, AuthorizationRef};
///
/// let bytes = authorization.encode();
/// let parsed = AuthorizationRef::parse(&bytes)?;
/// assert_eq!(parsed.nonce, authorization.nonce);
/// assert_eq!(Authorization::from(parsed), authorization);
/// # Ok::<(), assent_types::AuthorizationError>(())
/// ```
// Complete: the layout is fixed by docs/protocol.md, and a further field would be another protocol.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationRef<'a> {
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
    pub quorum_proof: QuorumProofRef<'a>,
    /// The hashes from the attestation's digest to the signed root.
    pub merkle_proof: MerkleProofRef<'a>,
}

/// A [`QuorumProof`](crate::QuorumProof) that borrows its bitmap.
// Complete, as `QuorumProof` is.
#[derive(Debug, Clone, Copy)]
pub enum QuorumProofRef<'a> {
    /// The authorization carries the signature (kind 0).
    Direct {
        /// The aggregate signature over the Merkle root (checks 10 and 11).
        signature: Signature,
        /// The operators that did not sign (check 9).
        non_signers: NonSignersRef<'a>,
    },
    /// The root is recorded on chain (kind 1).
    Recorded,
}

impl<'a> AuthorizationRef<'a> {
    /// Parses the bytes that docs/protocol.md specifies under "Authorization".
    ///
    /// # Errors
    ///
    /// Every [`AuthorizationError`] except [`NoTrailingAuthorization`](AuthorizationError::NoTrailingAuthorization).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AuthorizationError> {
        let mut fields = Fields(bytes);
        let authorization = Self {
            task_id: B256::new(fields.array("taskId")?),
            nonce: U256::from_be_bytes(fields.array::<32>("nonce")?),
            issued_at: U48::from_be_bytes(fields.array::<6>("issuedAt")?),
            expiration: U48::from_be_bytes(fields.array::<6>("expiration")?),
            decision: Decision::try_from(fields.byte("decision")?)?,
            evidence: B256::new(fields.array("evidence")?),
            epoch: u32::from_be_bytes(fields.array("epoch")?).into(),
            quorum_proof: fields.quorum_proof()?,
            merkle_proof: fields.merkle_proof()?,
        };
        match fields.0.len() {
            0 => Ok(authorization),
            left_over => Err(AuthorizationError::LeftOver(left_over)),
        }
    }
}

/// The bytes not yet read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn slice(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], AuthorizationError> {
        let (read, rest) = self.0.split_at_checked(length).ok_or(AuthorizationError::TooShort { field })?;
        self.0 = rest;
        Ok(read)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], AuthorizationError> {
        let (read, rest) = self.0.split_first_chunk().ok_or(AuthorizationError::TooShort { field })?;
        self.0 = rest;
        Ok(*read)
    }

    fn byte(&mut self, field: &'static str) -> Result<u8, AuthorizationError> {
        self.array(field).map(|[byte]| byte)
    }

    fn quorum_proof(&mut self) -> Result<QuorumProofRef<'a>, AuthorizationError> {
        match self.byte("kind")? {
            DIRECT => Ok(QuorumProofRef::Direct {
                signature: Signature(self.array("signature")?),
                non_signers: self.non_signers()?,
            }),
            RECORDED => Ok(QuorumProofRef::Recorded),
            other => Err(AuthorizationError::UnknownKind(other)),
        }
    }

    fn non_signers(&mut self) -> Result<NonSignersRef<'a>, AuthorizationError> {
        let length = self.byte("non-signer bitmap's length")?;
        Ok(NonSignersRef::from_bytes(self.slice(length.into(), "non-signer bitmap")?)?)
    }

    fn merkle_proof(&mut self) -> Result<MerkleProofRef<'a>, AuthorizationError> {
        let length = self.byte("Merkle proof's length")?;
        if usize::from(length) > MerkleProof::MAX_LENGTH {
            return Err(AuthorizationError::MerkleProofTooLong(length));
        }
        let hashes = self.slice(usize::from(length).saturating_mul(32), "Merkle proof")?;
        Ok(MerkleProofRef::new(hashes.as_chunks().0))
    }
}
