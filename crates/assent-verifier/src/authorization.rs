//! The bytes that travel with a call.

use crate::{
    Decision, MerkleProof, NonSigners, NonSignersError, Signature, UnknownDecision, merkle::Siblings,
    non_signers::Bitmap,
};
use alloc::vec::Vec;
use alloy_primitives::{B256, U256, aliases::U48};

/// The kind of an authorization that carries its signature.
const DIRECT: u8 = 0;
/// The kind of one whose root is recorded.
const RECORDED: u8 = 1;

/// What travels with a call: the attestation's fields that the call itself does not fix, and the proof.
///
/// ```
/// use assent_verifier::{Authorization, Decision, MerkleProof, NonSigners, QuorumProof, Signature};
/// use alloy_primitives::{B256, U256, aliases::U48};
///
/// let authorization = Authorization {
///     task_id: B256::repeat_byte(1),
///     nonce: U256::from(7),
///     expiration: U48::from(1_700_000_000u64),
///     decision: Decision::Allow,
///     evidence: B256::repeat_byte(2),
///     epoch: 1,
///     quorum_proof: QuorumProof::Direct { signature: Signature([3; 96]), non_signers: NonSigners::NONE },
///     merkle_proof: MerkleProof::EMPTY,
/// };
/// let bytes = authorization.encode();
/// assert_eq!(bytes.len(), 206);
/// assert_eq!(Authorization::parse(&bytes)?, authorization);
///
/// let recorded = Authorization { quorum_proof: QuorumProof::Recorded, ..authorization };
/// assert_eq!(recorded.encode().len(), 109);
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
    /// What shows that a quorum signed the Merkle root (checks 9 to 11).
    pub quorum_proof: QuorumProof,
    /// From the attestation's digest to the signed root.
    pub merkle_proof: MerkleProof,
}

/// What shows that a quorum signed a Merkle root.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (mut context, intent, document) = attested::example();
/// use assent_verifier::{QuorumProof, verify};
///
/// let direct = document.authorization()?;
/// assert!(matches!(direct.quorum_proof, QuorumProof::Direct { .. }));
/// assert!(verify(&context, &intent, &direct.encode()).is_ok());
///
/// // The short one is good only where the root is recorded.
/// let recorded = document.recorded_authorization()?;
/// assert_eq!(recorded.quorum_proof, QuorumProof::Recorded);
/// assert_eq!(verify(&context, &intent, &recorded.encode()).unwrap_err().name(), "RootNotRecorded");
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum QuorumProof {
    /// The signature travels along (kind 0).
    Direct {
        /// The aggregate signature over the Merkle root (checks 10 and 11).
        signature: Signature,
        /// The operators that did not sign (check 9).
        non_signers: NonSigners,
    },
    /// The root was recorded on chain together with the weight that signed it (kind 1).
    Recorded,
}

/// Why bytes are not an authorization. On chain each is `MalformedAuthorization()`.
///
/// ```
/// use assent_verifier::{Authorization, AuthorizationError};
///
/// let error = Authorization::parse(&[0; 40]).unwrap_err();
/// assert_eq!(error, AuthorizationError::TooShort { field: "nonce" });
/// assert_eq!(error.to_string(), "the authorization ends within `nonce`");
/// ```
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
    /// The kind is neither 0 (direct) nor 1 (recorded).
    #[error("kind {0} is neither 0 (direct) nor 1 (recorded)")]
    UnknownKind(u8),
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
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let (_, _, document) = attested::example();
    /// use assent_verifier::{Authorization, AuthorizationError, NonSigners, QuorumProof};
    ///
    /// let mut bytes = document.authorization()?.encode();
    /// let authorization = Authorization::parse(&bytes)?;
    /// assert_eq!(authorization.task_id, document.attestation.taskId);
    /// let non_signers = NonSigners::from_indices([1])?;
    /// assert_eq!(authorization.quorum_proof, QuorumProof::Direct { signature: document.signature, non_signers });
    ///
    /// bytes.push(0);
    /// assert_eq!(Authorization::parse(&bytes), Err(AuthorizationError::LeftOver(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every [`AuthorizationError`] but [`NoTrailingAuthorization`](AuthorizationError::NoTrailingAuthorization).
    pub fn parse(bytes: &[u8]) -> Result<Self, AuthorizationError> {
        ParsedAuthorization::parse(bytes).map(Self::from)
    }

    /// The bytes that [`parse`](Self::parse) reads: 206 and the bitmap's when the signature travels along, 109 when the root
    /// is recorded, and 32 for each hash of the Merkle proof.
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let (_, _, document) = attested::example();
    /// let authorization = document.authorization()?;
    /// assert_eq!(authorization.encode().len(), 206 + 1); // One byte names the operator that did not sign.
    /// assert_eq!(document.recorded_authorization()?.encode().len(), 109);
    /// # Ok::<(), assent_verifier::UnknownDecision>(())
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let hashes = self.merkle_proof.as_slice();
        let mut bytes = [
            self.task_id.as_slice(),
            &self.nonce.to_be_bytes::<32>(),
            &self.expiration.to_be_bytes::<6>(),
            &[u8::from(self.decision)],
            self.evidence.as_slice(),
            &self.epoch.to_be_bytes(),
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

/// Splits calldata in trailing form, `calldata ‖ authorization ‖ uint16 length`, into the ordinary calldata and the
/// authorization's bytes, which are not parsed here.
///
/// ```
/// use assent_verifier::split_trailing;
///
/// // A selector, an authorization (of one byte, which would not parse), and its length.
/// let (ordinary, authorization) = split_trailing(&[0xa9, 0x05, 0x9c, 0xbb, 0x07, 0, 1])?;
/// assert_eq!(ordinary, [0xa9, 0x05, 0x9c, 0xbb]);
/// assert_eq!(authorization, [0x07]);
///
/// assert!(split_trailing(&[0xa9, 0x05, 0x9c, 0, 1]).is_err()); // No selector is left.
/// # Ok::<(), assent_verifier::AuthorizationError>(())
/// ```
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
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use alloy_primitives::U256;
/// use assent_verifier::{append_trailing, split_trailing, verify_trailing};
///
/// let authorization = document.authorization()?;
/// let calldata = append_trailing(&intent.data, &authorization)?;
/// assert_eq!(split_trailing(&calldata)?, (&intent.data[..], &authorization.encode()[..]));
/// assert!(verify_trailing(&context, U256::ZERO, &calldata).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    pub(crate) quorum_proof: ParsedQuorumProof<'a>,
    pub(crate) merkle_proof: Siblings<'a>,
}

/// A [`QuorumProof`] whose bitmap stays where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ParsedQuorumProof<'a> {
    Direct { signature: Signature, non_signers: Bitmap<'a> },
    Recorded,
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
            quorum_proof: fields.quorum_proof()?,
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
            quorum_proof: parsed.quorum_proof.into(),
            merkle_proof: parsed.merkle_proof.into(),
        }
    }
}

impl From<ParsedQuorumProof<'_>> for QuorumProof {
    fn from(parsed: ParsedQuorumProof<'_>) -> Self {
        match parsed {
            ParsedQuorumProof::Direct { signature, non_signers } => {
                Self::Direct { signature, non_signers: non_signers.into() }
            }
            ParsedQuorumProof::Recorded => Self::Recorded,
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

    fn quorum_proof(&mut self) -> Result<ParsedQuorumProof<'a>, AuthorizationError> {
        match self.byte("kind")? {
            DIRECT => Ok(ParsedQuorumProof::Direct {
                signature: Signature(self.array("signature")?),
                non_signers: self.non_signers()?,
            }),
            RECORDED => Ok(ParsedQuorumProof::Recorded),
            other => Err(AuthorizationError::UnknownKind(other)),
        }
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
