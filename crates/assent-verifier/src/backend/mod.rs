//! The curve arithmetic, behind one trait with two implementations that give the same results on all inputs.

mod arithmetic;
#[cfg(feature = "arkworks")]
pub mod arkworks;
#[cfg(feature = "blst")]
pub mod blst;

use crate::{Operator, OperatorSetError, PublicKey, Signature};
pub(crate) use arithmetic::{Arithmetic, Coefficient, Factor, Key};

/// The backend that [`verify`](crate::verify) uses: blst where it is enabled, else arkworks.
#[cfg(feature = "blst")]
pub type Preferred = blst::Blst;
/// The backend that [`verify`](crate::verify) uses: blst where it is enabled, else arkworks.
#[cfg(not(feature = "blst"))]
pub type Preferred = arkworks::Arkworks;

/// BLS12-381 with signatures in G1 and public keys in G2 (the IETF draft's minimal-signature-size variant).
///
/// Implementations agree on every input, so that which one is compiled in never changes what is accepted. There are none
/// outside this crate, whose private supertrait seals this one: one that says yes to everything would make a
/// [`VerifiedAttestation`](crate::VerifiedAttestation) of anything.
pub trait Backend: Arithmetic<<Self as Backend>::SignaturePoint, <Self as Backend>::PublicKeyPoint> + 'static {
    /// A point of G1's prime-order subgroup other than infinity.
    type SignaturePoint: Copy + Send + Sync;
    /// A point of G2's prime-order subgroup other than infinity.
    type PublicKeyPoint: Copy + Send + Sync;

    /// The backend's name, for people.
    const NAME: &'static str;

    /// Decodes and validates a signature (check 10).
    ///
    /// # Errors
    ///
    /// [`MalformedPoint`] when a coordinate is not below the field's modulus, or the point is off the curve, outside the
    /// subgroup, or infinity.
    fn decode_signature(signature: &Signature) -> Result<Self::SignaturePoint, MalformedPoint>;

    /// Decodes and validates a public key.
    ///
    /// # Errors
    ///
    /// As [`decode_signature`](Self::decode_signature).
    fn decode_public_key(public_key: &PublicKey) -> Result<Self::PublicKeyPoint, MalformedPoint>;

    /// The sum of public keys, and minus the sum: both infinity, all zero, when the keys cancel out or there are none.
    fn aggregate(public_keys: impl IntoIterator<Item = Self::PublicKeyPoint>) -> [PublicKey; 2];

    /// The key of those who remain when operators are taken out of an aggregate. The keys must have been validated before,
    /// as those of an [`OperatorSet`](crate::OperatorSet) have: no subgroup check is made here.
    ///
    /// `None` when nothing remains (infinity, under which no signature verifies), or a key is not a point of the curve.
    fn without<'a>(
        aggregate: &PublicKey,
        absent: impl IntoIterator<Item = &'a PublicKey>,
    ) -> Option<Self::PublicKeyPoint>;

    /// Whether `e(signature, G2) = e(hash_to_curve(message, tag), public key)`.
    fn verify(
        message: &[u8],
        domain_separation_tag: &[u8],
        signature: &Self::SignaturePoint,
        public_key: &Self::PublicKeyPoint,
    ) -> bool;

    /// RFC 9380 `hash_to_curve` of suite `BLS12381G1_XMD:SHA-256_SSWU_RO_`: a point of G1, encoded like a signature, from a
    /// message and a domain separation tag of any length (a tag above 255 bytes is hashed, RFC 9380 section 5.3.3).
    fn hash_to_curve(message: &[u8], domain_separation_tag: &[u8]) -> [u8; Signature::LENGTH];
}

/// The keys of an operator set, prepared once for every backend that is compiled in, so that any of them can verify under it.
pub struct PreparedKeys {
    #[cfg(feature = "arkworks")]
    arkworks: arkworks::Keys,
    #[cfg(feature = "blst")]
    blst: blst::Keys,
}

impl PreparedKeys {
    /// Prepares the keys of operators, which were validated before.
    ///
    /// # Errors
    ///
    /// [`OperatorSetError::MalformedPublicKey`] for what is not a point of the curve; never for a key that was validated.
    pub(crate) fn new(operators: &[Operator]) -> Result<Self, OperatorSetError> {
        Ok(Self {
            #[cfg(feature = "arkworks")]
            arkworks: prepare::<arkworks::Arkworks>(operators)?,
            #[cfg(feature = "blst")]
            blst: prepare::<blst::Blst>(operators)?,
        })
    }
}

fn prepare<B: Backend>(operators: &[Operator]) -> Result<B::Keys, OperatorSetError> {
    let decoded = operators.iter().map(|&Operator { address, ref public_key, .. }| {
        B::decode_validated(public_key).map_err(|_| OperatorSetError::MalformedPublicKey { address })
    });
    Ok(B::prepare(decoded.collect::<Result<_, _>>()?))
}

/// The bytes are not the canonical encoding of a point that may stand here: a coordinate is not below the field's modulus,
/// or the point is off the curve, outside the subgroup, or infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical encoding of a point of the curve's prime-order subgroup other than infinity")]
pub struct MalformedPoint;

/// Why a lone signature is refused by [`verify_signature`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The public key is not a valid point.
    #[error("the public key is not the encoding of a point of G2's subgroup other than infinity")]
    MalformedPublicKey,
    /// The signature is not a valid point.
    #[error("the signature is not the encoding of a point of G1's subgroup other than infinity")]
    MalformedSignature,
    /// The holder of the key did not sign this message under this tag.
    #[error("the signature is not this key's over this message")]
    InvalidSignature,
}

/// Verifies one signature by one key over a message, everything checked.
///
/// # Errors
///
/// [`SignatureError`]; the public key is looked at first.
pub fn verify_signature<B: Backend>(
    message: &[u8],
    domain_separation_tag: &[u8],
    signature: &Signature,
    public_key: &PublicKey,
) -> Result<(), SignatureError> {
    let public_key = B::decode_public_key(public_key).map_err(|_| SignatureError::MalformedPublicKey)?;
    let signature = B::decode_signature(signature).map_err(|_| SignatureError::MalformedSignature)?;
    if !B::verify(message, domain_separation_tag, &signature, &public_key) {
        return Err(SignatureError::InvalidSignature);
    }
    Ok(())
}
