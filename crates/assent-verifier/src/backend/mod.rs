//! Curve arithmetic behind one trait, with two implementations that give the same results on all inputs.
//!
//! Functions of this crate use [`DefaultBackend`]; those whose names end in `_using` take a backend.
//! Enabling `blst` adds a backend and never changes the default where `arkworks` is enabled.
//! Name the backend where speed matters:
//!
//! ```
//! # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
//! # let (context, intent, document) = attested::example();
//! # let authorization = document.authorization()?.encode();
//! use assent_verifier::{Call, backend::DefaultBackend, verify_batch_using};
//!
//! let calls = [Call::Explicit { intent: &intent, authorization: &authorization }];
//! assert!(verify_batch_using::<DefaultBackend, _>(&context, &calls)[0].is_ok()); // Or `blst::Blst`.
//! # Ok::<(), assent_verifier::UnknownDecision>(())
//! ```

mod arithmetic;
#[cfg(feature = "arkworks")]
pub mod arkworks;
#[cfg(feature = "blst")]
pub mod blst;

use crate::{PublicKey, Signature};
use alloc::boxed::Box;
pub(crate) use arithmetic::{Arithmetic, Coefficient, Factor, Key};
use once_cell::race::OnceBox;

/// The backend of functions that do not take one: arkworks where it is enabled, else blst.
#[cfg(feature = "arkworks")]
pub type DefaultBackend = arkworks::Arkworks;
/// The backend of functions that do not take one: arkworks where it is enabled, else blst.
#[cfg(not(feature = "arkworks"))]
pub type DefaultBackend = blst::Blst;

/// BLS12-381 with signatures in G1 and public keys in G2 (the IETF draft's minimal-signature-size variant).
///
/// Implementations agree on every input. A private supertrait seals the trait: an implementation that accepts
/// everything would construct a [`VerifiedAttestation`](crate::VerifiedAttestation) of anything.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let secret = attested::secrets()[0].clone();
/// # let public_key = attested::public_key(&secret);
/// # let signature = assent_verifier::Signature(secret.sign(b"message", b"tag", &[]).serialize());
/// use assent_verifier::backend::{Backend, DefaultBackend};
///
/// let (signature, public_key) =
///     (DefaultBackend::decode_signature(&signature)?, DefaultBackend::decode_public_key(&public_key)?);
/// assert!(DefaultBackend::verify(b"message", b"tag", &signature, &public_key));
/// assert!(!DefaultBackend::verify(b"another message", b"tag", &signature, &public_key));
/// # Ok::<(), assent_verifier::backend::MalformedPoint>(())
/// ```
pub trait Backend: Arithmetic<<Self as Backend>::SignaturePoint, <Self as Backend>::PublicKeyPoint> + 'static {
    /// A point of G1's prime-order subgroup other than infinity.
    type SignaturePoint: Copy + Send + Sync;
    /// A point of G2's prime-order subgroup other than infinity.
    type PublicKeyPoint: Copy + Send + Sync;

    /// The backend's name.
    const NAME: &'static str;

    /// Decodes and validates a signature (check 10).
    ///
    /// # Errors
    ///
    /// [`MalformedPoint`] if a coordinate is not below the field's modulus, or the point is off the curve, outside the
    /// subgroup, or infinity.
    fn decode_signature(signature: &Signature) -> Result<Self::SignaturePoint, MalformedPoint>;

    /// Decodes and validates a public key.
    ///
    /// # Errors
    ///
    /// As [`decode_signature`](Self::decode_signature).
    fn decode_public_key(public_key: &PublicKey) -> Result<Self::PublicKeyPoint, MalformedPoint>;

    /// Returns the sum of public keys, and minus the sum.
    ///
    /// Both are infinity, all zero, if the keys cancel out or the list is empty.
    fn aggregate(public_keys: impl IntoIterator<Item = Self::PublicKeyPoint>) -> [PublicKey; 2];

    /// Returns an aggregate without the keys of some operators.
    ///
    /// Warning: the keys must be valid, as those of an [`OperatorSet`](crate::OperatorSet) are: no subgroup is checked.
    ///
    /// Returns `None` for infinity, under which no signature verifies, and if a key is not a point of the curve.
    fn without<'a>(
        aggregate: &PublicKey,
        absent: impl IntoIterator<Item = &'a PublicKey>,
    ) -> Option<Self::PublicKeyPoint>;

    /// Returns whether `e(signature, G2) = e(hash_to_curve(message, tag), public key)`.
    fn verify(
        message: &[u8],
        domain_separation_tag: &[u8],
        signature: &Self::SignaturePoint,
        public_key: &Self::PublicKeyPoint,
    ) -> bool;

    /// Hashes a message to a point of G1, encoded like a signature.
    ///
    /// The hash is RFC 9380's `hash_to_curve` of suite `BLS12381G1_XMD:SHA-256_SSWU_RO_`. A domain separation tag above
    /// 255 bytes is hashed (section 5.3.3).
    fn hash_to_curve(message: &[u8], domain_separation_tag: &[u8]) -> [u8; Signature::LENGTH];
}

/// The prepared keys of an operator set, for each backend that has verified under the set.
#[derive(Default)]
pub struct PreparedKeys {
    #[cfg(feature = "arkworks")]
    arkworks: OnceBox<arkworks::Keys>,
    #[cfg(feature = "blst")]
    blst: OnceBox<blst::Keys>,
}

impl PreparedKeys {
    /// Returns the keys prepared for a backend. The first call prepares them from public keys, which must be valid.
    ///
    /// Fails closed: if a key were not a point of the curve, no signature would verify.
    pub(crate) fn get_or_prepare<'a, B: Backend>(&self, public_keys: impl Iterator<Item = &'a PublicKey>) -> &B::Keys {
        B::cell(self).get_or_init(|| {
            let decoded: Result<Box<[_]>, _> = public_keys.map(B::decode_validated).collect();
            Box::new(B::prepare(decoded.unwrap_or_default()))
        })
    }

    /// Returns whether the keys are prepared for a backend.
    #[cfg(all(test, feature = "arkworks", feature = "blst"))]
    pub(crate) fn are_prepared<B: Backend>(&self) -> bool {
        B::cell(self).get().is_some()
    }
}

/// The error for bytes that are not the canonical encoding of a valid point.
///
/// A coordinate is not below the field's modulus, or the point is off the curve, outside the subgroup, or infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical encoding of a point of the curve's prime-order subgroup other than infinity")]
pub struct MalformedPoint;

/// The reason why [`verify_signature`] refuses a signature.
// Complete: either point is malformed, or the signature is not the key's.
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

/// Verifies one signature by one key over a message, and validates both points.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let secret = attested::secrets()[0].clone();
/// # let key = attested::public_key(&secret);
/// # let signature = assent_verifier::Signature(secret.sign(b"message", b"tag", &[]).serialize());
/// use assent_verifier::backend::{DefaultBackend, SignatureError, verify_signature};
///
/// // `signature` is over `message` with the domain separation tag `tag`.
/// verify_signature::<DefaultBackend>(b"message", b"tag", &signature, &key)?;
///
/// let another_tag = verify_signature::<DefaultBackend>(b"message", b"another tag", &signature, &key);
/// assert_eq!(another_tag, Err(SignatureError::InvalidSignature));
/// # Ok::<(), SignatureError>(())
/// ```
///
/// # Errors
///
/// [`SignatureError`]. The public key is validated first.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum that left out bits would accept errors that cancel in the others.
    fn every_bit_of_a_coefficient_counts<B: Backend<SignaturePoint: PartialEq>>() {
        let point = B::hash(b"message", b"tag");
        let mut multiple = point;
        for bit in 0..128 {
            let coefficient = (1u128 << bit).to_le_bytes();
            assert!(B::weighted_sum(&[point], &[coefficient]) == multiple, "bit {bit} of {}", B::NAME);
            multiple = B::sum(&[multiple, multiple]);
        }
    }

    #[test]
    #[cfg(feature = "arkworks")]
    fn every_bit_of_a_coefficient_counts_in_arkworks() {
        every_bit_of_a_coefficient_counts::<arkworks::Arkworks>();
    }

    #[test]
    #[cfg(feature = "blst")]
    fn every_bit_of_a_coefficient_counts_in_blst() {
        every_bit_of_a_coefficient_counts::<blst::Blst>();
    }
}
