//! The curve arithmetic, behind one trait with two implementations that give the same results on all inputs.

mod arithmetic;
#[cfg(feature = "arkworks")]
pub mod arkworks;
#[cfg(feature = "blst")]
pub mod blst;

use crate::{Operator, OperatorSetError, PublicKey, Signature};
pub(crate) use arithmetic::{Arithmetic, Coefficient, Factor, Key};

/// The backend that [`verify`](crate::verify) uses: blst where it is enabled, else arkworks.
///
/// ```
/// use assent_verifier::backend::{Backend, Preferred};
///
/// assert_eq!(Preferred::NAME, "blst");
/// ```
#[cfg(feature = "blst")]
pub type Preferred = blst::Blst;
/// The backend that [`verify`](crate::verify) uses: blst where it is enabled, else arkworks.
///
/// ```
/// use assent_verifier::backend::{Backend, Preferred};
///
/// assert_eq!(Preferred::NAME, "arkworks");
/// ```
#[cfg(not(feature = "blst"))]
pub type Preferred = arkworks::Arkworks;

/// BLS12-381 with signatures in G1 and public keys in G2 (the IETF draft's minimal-signature-size variant).
///
/// Implementations agree on every input, so that which one is compiled in never changes what is accepted. None exist
/// outside this crate, whose private supertrait seals this one: one that says yes to everything would make a
/// [`VerifiedAttestation`](crate::VerifiedAttestation) of anything.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let secrets = attested::secrets();
/// # let keys = secrets.each_ref().map(attested::public_key);
/// # let signature = assent_verifier::Signature(secrets[0].sign(b"message", b"tag", &[]).serialize());
/// use assent_verifier::backend::{Backend, Preferred};
///
/// /// Whatever the backend. `signature` is the first key's, over `message` with the tag `tag`.
/// # fn check<B: Backend>(
/// #     signature: &assent_verifier::Signature,
/// #     keys: [assent_verifier::PublicKey; 3],
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let point = B::decode_signature(signature)?;
/// let key = B::decode_public_key(&keys[0])?;
/// assert!(B::verify(b"message", b"tag", &point, &key));
/// assert!(!B::verify(b"another message", b"tag", &point, &key));
///
/// // All keys but the second and the third: the first.
/// let all = keys.iter().map(B::decode_public_key).collect::<Result<Vec<_>, _>>()?;
/// let [sum, _minus_sum] = B::aggregate(all);
/// let first = B::without(&sum, &keys[1..]).ok_or("no operator is left")?;
/// assert!(B::verify(b"message", b"tag", &point, &first));
///
/// assert!(["arkworks", "blst"].contains(&B::NAME));
/// // A point of G1, encoded like a signature.
/// assert_eq!(B::hash_to_curve(b"message", b"tag").len(), 96);
/// #     Ok(())
/// # }
/// # check::<Preferred>(&signature, keys.try_into().unwrap())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

    /// The sum of public keys, and minus the sum: both infinity, all zero, when the keys cancel out or the list is
    /// empty.
    fn aggregate(public_keys: impl IntoIterator<Item = Self::PublicKeyPoint>) -> [PublicKey; 2];

    /// The key of those who remain when operators are taken out of an aggregate. The keys must have been validated
    /// before, as those of an [`OperatorSet`](crate::OperatorSet) have: no subgroup check is made here.
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

    /// RFC 9380 `hash_to_curve` of suite `BLS12381G1_XMD:SHA-256_SSWU_RO_`: a point of G1, encoded like a signature,
    /// from a message and a domain separation tag of any length (a tag above 255 bytes is hashed, RFC 9380 section
    /// 5.3.3).
    fn hash_to_curve(message: &[u8], domain_separation_tag: &[u8]) -> [u8; Signature::LENGTH];
}

/// The keys of an operator set, prepared once for every backend that is compiled in, so that any of them can verify
/// under it.
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

/// The bytes are not the canonical encoding of a point that may stand here: a coordinate is not below the field's
/// modulus, or the point is off the curve, outside the subgroup, or infinity.
///
/// ```
/// use assent_verifier::{PublicKey, Signature, backend::{Backend, MalformedPoint, Preferred}};
///
/// // All zero is infinity.
/// assert_eq!(Preferred::decode_public_key(&PublicKey::INFINITY).unwrap_err(), MalformedPoint);
/// // No coordinate is this great.
/// assert_eq!(Preferred::decode_signature(&Signature([0xff; 96])).unwrap_err(), MalformedPoint);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical encoding of a point of the curve's prime-order subgroup other than infinity")]
pub struct MalformedPoint;

/// Why a lone signature is refused by [`verify_signature`].
///
/// ```
/// use assent_verifier::backend::{Preferred, SignatureError, verify_signature};
/// use assent_verifier::{PublicKey, Signature};
///
/// let refused = verify_signature::<Preferred>(b"message", b"tag", &Signature([0; 96]), &PublicKey::INFINITY);
/// assert_eq!(refused, Err(SignatureError::MalformedPublicKey)); // The key is looked at first.
/// ```
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
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let secret = attested::secrets()[0].clone();
/// # let key = attested::public_key(&secret);
/// # let signature = assent_verifier::Signature(secret.sign(b"message", b"tag", &[]).serialize());
/// use assent_verifier::backend::{Preferred, SignatureError, verify_signature};
///
/// // `signature` is over `message` with the domain separation tag `tag`.
/// verify_signature::<Preferred>(b"message", b"tag", &signature, &key)?;
///
/// let another_tag = verify_signature::<Preferred>(b"message", b"another tag", &signature, &key);
/// assert_eq!(another_tag, Err(SignatureError::InvalidSignature));
/// # Ok::<(), SignatureError>(())
/// ```
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
