//! The bytes that travel with a call.

use crate::{
    Decision, MerkleProof, NonSigners, NonSignersError, Signature, UnknownDecision, merkle::Siblings,
    non_signers::Bitmap,
};
use alloc::vec::Vec;
use alloy_primitives::{B256, U256, aliases::U48};

/// What travels with a call: the attestation's fields that the call itself does not fix, and the proof.
///
/// ```
/// use assent_verifier::{Authorization, Decision, MerkleProof, NonSigners, Signature};
/// use alloy_primitives::{B256, U256, aliases::U48};
///
/// let authorization = Authorization {
///     task_id: B256::repeat_byte(1),
///     nonce: U256::from(7),
///     expiration: U48::from(1_700_000_000u64),
///     decision: Decision::Allow,
///     evidence: B256::repeat_byte(2),
///     epoch: 1,
///     signature: Signature([3; 96]),
///     non_signers: NonSigners::NONE,
///     merkle_proof: MerkleProof::EMPTY,
/// };
/// let bytes = authorization.encode();
/// assert_eq!(bytes.len(), 205);
/// assert_eq!(Authorization::parse(&bytes)?, authorization);
/// # Ok::<(), assent_verifier::AuthorizationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authorization {
    /// The task that was attested (check 4).
    pub task_id: B256,
    /// The client's nonce that the call spends (check 7).
    pub nonce: U256,
    /// First second at which it is no longer good, Unix time (checks 5 and 6).
    pub expiration: U48,
    /// What the operators found (check 12).
    pub decision: Decision,
    /// Commits to all that the operators evaluated.
    pub evidence: B256,
    /// The operators' epoch (check 8).
    pub epoch: u32,
    /// The aggregate signature over the Merkle root (checks 10 and 11).
    pub signature: Signature,
    /// The operators that did not sign (check 9).
    pub non_signers: NonSigners,
    /// From the attestation's digest to the signed root.
    pub merkle_proof: MerkleProof,
}

/// Why bytes are not an authorization. On chain each is `MalformedAuthorization()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// The bytes end within a field.
    #[error("the authorization ends within `{field}`")]
    TooShort {
        /// The field, as docs/protocol.md names it.
        field: &'static str,
    },
    /// Something follows the Merkle proof.
    #[error("{0} bytes follow the authorization's Merkle proof")]
    LeftOver(usize),
    /// The decision is not one.
    #[error(transparent)]
    Decision(#[from] UnknownDecision),
    /// The bitmap of non-signers is not the shortest.
    #[error(transparent)]
    NonSigners(#[from] NonSignersError),
    /// The Merkle proof has more than 32 hashes.
    #[error("the Merkle proof has {0} hashes, more than 32")]
    MerkleProofTooLong(u8),
    /// The calldata ends before an authorization, or leaves fewer than 4 bytes (a selector) before it.
    #[error("the calldata of {length} bytes carries no authorization behind a selector")]
    NoTrailingAuthorization {
        /// Length of the whole calldata in bytes.
        length: usize,
    },
}

impl Authorization {
    /// Parses the bytes of `docs/protocol.md`, "Authorization".
    ///
    /// # Errors
    ///
    /// Every [`AuthorizationError`] but [`NoTrailingAuthorization`](AuthorizationError::NoTrailingAuthorization).
    pub fn parse(bytes: &[u8]) -> Result<Self, AuthorizationError> {
        ParsedAuthorization::parse(bytes).map(Self::from)
    }

    /// The bytes that [`parse`](Self::parse) reads: 205, the bitmap's, and 32 for each hash of the Merkle proof.
    pub fn encode(&self) -> Vec<u8> {
        let bitmap = self.non_signers.as_bytes();
        let hashes = self.merkle_proof.as_slice();
        let mut bytes = [
            self.task_id.as_slice(),
            &self.nonce.to_be_bytes::<32>(),
            &self.expiration.to_be_bytes::<6>(),
            &[u8::from(self.decision)],
            self.evidence.as_slice(),
            &self.epoch.to_be_bytes(),
            &self.signature.0,
            &[length_byte(bitmap.len())],
            bitmap,
            &[length_byte(hashes.len())],
        ]
        .concat();
        bytes.extend(hashes.iter().flatten());
        bytes
    }
}

/// Splits calldata in trailing form, `calldata ‖ authorization ‖ uint16 length`, into the ordinary calldata and the
/// authorization's bytes, which are not parsed here.
///
/// # Errors
///
/// [`AuthorizationError::NoTrailingAuthorization`] when the length reaches beyond the calldata or leaves fewer than 4
/// bytes before the authorization.
pub fn split_trailing(calldata: &[u8]) -> Result<(&[u8], &[u8]), AuthorizationError> {
    let missing = AuthorizationError::NoTrailingAuthorization { length: calldata.len() };
    let (rest, length) = calldata.split_last_chunk::<2>().ok_or(missing)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let start = rest.len().checked_sub(length).ok_or(missing)?;
    if start < 4 {
        return Err(missing);
    }
    rest.split_at_checked(start).ok_or(missing)
}

/// Calldata in trailing form: the ordinary calldata, the authorization, and its length in two bytes.
///
/// # Errors
///
/// [`AuthorizationError::NoTrailingAuthorization`] when the calldata is shorter than 4 bytes (a selector).
pub fn append_trailing(calldata: &[u8], authorization: &Authorization) -> Result<Vec<u8>, AuthorizationError> {
    let missing = AuthorizationError::NoTrailingAuthorization { length: calldata.len() };
    if calldata.len() < 4 {
        return Err(missing);
    }
    let authorization = authorization.encode();
    let length = u16::try_from(authorization.len()).map_err(|_| missing)?;
    Ok([calldata, &authorization, &length.to_be_bytes()].concat())
}

/// An [`Authorization`] whose parts of variable length stay where they are, so that reading one allocates nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParsedAuthorization<'a> {
    pub(crate) task_id: B256,
    pub(crate) nonce: U256,
    pub(crate) expiration: U48,
    pub(crate) decision: Decision,
    pub(crate) evidence: B256,
    pub(crate) epoch: u32,
    pub(crate) signature: Signature,
    pub(crate) non_signers: Bitmap<'a>,
    pub(crate) merkle_proof: Siblings<'a>,
}

impl<'a> ParsedAuthorization<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, AuthorizationError> {
        let mut fields = Fields(bytes);
        let authorization = Self {
            task_id: B256::new(fields.array("taskId")?),
            nonce: U256::from_be_bytes(fields.array::<32>("nonce")?),
            expiration: U48::from_be_bytes(fields.array::<6>("expiration")?),
            decision: Decision::try_from(fields.byte("decision")?)?,
            evidence: B256::new(fields.array("evidence")?),
            epoch: u32::from_be_bytes(fields.array("epoch")?),
            signature: Signature(fields.array("signature")?),
            non_signers: fields.non_signers()?,
            merkle_proof: fields.merkle_proof()?,
        };
        match fields.0.len() {
            0 => Ok(authorization),
            left_over => Err(AuthorizationError::LeftOver(left_over)),
        }
    }
}

impl From<ParsedAuthorization<'_>> for Authorization {
    fn from(parsed: ParsedAuthorization<'_>) -> Self {
        Self {
            task_id: parsed.task_id,
            nonce: parsed.nonce,
            expiration: parsed.expiration,
            decision: parsed.decision,
            evidence: parsed.evidence,
            epoch: parsed.epoch,
            signature: parsed.signature,
            non_signers: parsed.non_signers.into(),
            merkle_proof: parsed.merkle_proof.into(),
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

    fn non_signers(&mut self) -> Result<Bitmap<'a>, AuthorizationError> {
        let length = self.byte("non-signer bitmap's length")?;
        Ok(Bitmap::from_bytes(self.slice(length.into(), "non-signer bitmap")?)?)
    }

    fn merkle_proof(&mut self) -> Result<Siblings<'a>, AuthorizationError> {
        let length = self.byte("Merkle proof's length")?;
        if usize::from(length) > MerkleProof::MAX_LENGTH {
            return Err(AuthorizationError::MerkleProofTooLong(length));
        }
        let hashes = self.slice(usize::from(length).saturating_mul(32), "Merkle proof")?;
        Ok(Siblings::new(hashes.as_chunks().0))
    }
}

/// A length that its type keeps below 256.
fn length_byte(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}
