//! Curve arithmetic by arkworks.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "the operators here are the curve's group law, which does not overflow"
)]

use super::{Arithmetic, Backend, Coefficient, Factor, Key, MalformedPoint, PreparedKeys};
use crate::{NonSignersRef, PublicKey, Signature};
use alloc::{boxed::Box, vec::Vec};
use ark_bls12_381::{Bls12_381, Fq, Fq2, G1Affine, G1Projective, G2Affine, G2Projective, g1};
use ark_ec::{
    AffineRepr, CurveGroup,
    bls12::G2Prepared,
    hashing::{HashToCurve, curve_maps::wb::WBMap, map_to_curve_hasher::MapToCurveBasedHasher},
    pairing::{MillerLoopOutput, Pairing, PairingOutput},
    scalar_mul::variable_base::VariableBaseMSM,
};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField, field_hashers::DefaultFieldHasher};
use core::ops::Neg;
use once_cell::race::OnceBox;
use sha2::Sha256;

/// Bytes of a base field element.
const FIELD_LENGTH: usize = 48;

type G1Hasher = MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<Sha256>, WBMap<g1::Config>>;

/// Curve arithmetic by arkworks, in pure Rust for every target.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{Call, backend::arkworks::Arkworks, verify_with_report_using};
///
/// let authorization = document.authorization()?.encode();
/// let call = Call::Explicit { intent: &intent, authorization: &authorization };
/// assert!(verify_with_report_using::<Arkworks, _>(&context, call).result().is_ok());
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Arkworks;

impl Backend for Arkworks {
    type SignaturePoint = G1Affine;
    type PublicKeyPoint = G2Affine;

    const NAME: &'static str = "arkworks";

    fn decode_signature(signature: &Signature) -> Result<G1Affine, MalformedPoint> {
        let [x, y] = coordinates(&signature.0)?;
        // `new_unchecked` because the checking constructor panics; the checks follow.
        let point = G1Affine::new_unchecked(x, y);
        let valid = point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve() && !point.is_zero();
        valid.then_some(point).ok_or(MalformedPoint)
    }

    fn decode_public_key(public_key: &PublicKey) -> Result<G2Affine, MalformedPoint> {
        let point = decode_g2(public_key)?;
        let valid = point.is_in_correct_subgroup_assuming_on_curve() && !point.is_zero();
        valid.then_some(point).ok_or(MalformedPoint)
    }

    fn aggregate(public_keys: impl IntoIterator<Item = G2Affine>) -> [PublicKey; 2] {
        let sum = public_keys.into_iter().sum::<G2Projective>().into_affine();
        [sum, -sum].map(encode_g2)
    }

    fn without<'a>(aggregate: &PublicKey, absent: impl IntoIterator<Item = &'a PublicKey>) -> Option<G2Affine> {
        let mut remaining = decode_g2(aggregate).ok()?.into_group();
        for public_key in absent {
            remaining -= decode_g2(public_key).ok()?;
        }
        let remaining = remaining.into_affine();
        (!remaining.is_zero()).then_some(remaining)
    }

    fn verify(message: &[u8], domain_separation_tag: &[u8], signature: &G1Affine, public_key: &G2Affine) -> bool {
        let hashed = Self::hash(message, domain_separation_tag);
        // One product of two pairings instead of comparing two: e(signature, −G2) · e(hashed, public key) = 1.
        let product = Bls12_381::multi_pairing([*signature, hashed], [G2Affine::generator().neg(), *public_key]);
        product == PairingOutput::ZERO
    }

    fn hash_to_curve(message: &[u8], domain_separation_tag: &[u8]) -> [u8; Signature::LENGTH] {
        let point = Self::hash(message, domain_separation_tag);
        concatenate([point.x, point.y])
    }
}

/// An operator set's decoded keys.
pub struct Keys {
    operators: Box<[G2Affine]>,
    negated_aggregate: G2Affine,
    negated_aggregate_lines: Lines,
    generator_lines: Lines,
}

/// The half of a Miller loop that depends only on the G2 point.
type Lines = G2Prepared<ark_bls12_381::Config>;

impl Arithmetic<G1Affine, G2Affine> for Arkworks {
    type Keys = Keys;
    type Product = MillerLoopOutput<Bls12_381>;

    fn decode_validated(public_key: &PublicKey) -> Result<G2Affine, MalformedPoint> {
        decode_g2(public_key)
    }

    fn prepare(operators: Box<[G2Affine]>) -> Keys {
        let negated_aggregate = -operators.iter().sum::<G2Projective>().into_affine();
        Keys {
            operators,
            negated_aggregate,
            negated_aggregate_lines: negated_aggregate.into(),
            generator_lines: G2Affine::generator().into(),
        }
    }

    fn cell(keys: &PreparedKeys) -> &OnceBox<Keys> {
        &keys.arkworks
    }

    /// The map fails for no field element of this curve, so that no failure is mapped to infinity.
    fn hash(message: &[u8], domain_separation_tag: &[u8]) -> G1Affine {
        let hasher = G1Hasher::new(domain_separation_tag).ok();
        hasher.and_then(|hasher| hasher.hash(message).ok()).unwrap_or_else(G1Affine::zero)
    }

    fn weighted_sum(points: &[G1Affine], coefficients: &[Coefficient]) -> G1Affine {
        let coefficients = coefficients.iter().map(|coefficient| {
            let mut integer = BigInt::zero();
            for (limb, bytes) in integer.0.iter_mut().zip(coefficient.as_chunks().0) {
                *limb = u64::from_le_bytes(*bytes);
            }
            integer
        });
        G1Projective::msm_bigint(points, &coefficients.collect::<Vec<_>>()).into_affine()
    }

    fn sum(points: &[G1Affine]) -> G1Affine {
        points.iter().sum::<G1Projective>().into_affine()
    }

    fn miller_loops(factors: &[Factor<'_, Keys, G1Affine>]) -> MillerLoopOutput<Bls12_381> {
        let points = factors.iter().map(|factor| factor.point);
        Bls12_381::multi_miller_loop(points, factors.iter().map(|factor| factor.keys.lines(factor.key)))
    }

    fn is_one(products: impl IntoIterator<Item = MillerLoopOutput<Bls12_381>>) -> bool {
        let product = products.into_iter().map(|product| product.0).product();
        Bls12_381::final_exponentiation(MillerLoopOutput(product)) == Some(PairingOutput::ZERO)
    }
}

impl Keys {
    fn lines(&self, key: Key<'_>) -> Lines {
        match key {
            Key::Generator => self.generator_lines.clone(),
            Key::NegatedSigners { non_signers } if non_signers.is_empty() => self.negated_aggregate_lines.clone(),
            Key::NegatedSigners { non_signers } => self.negated_without(non_signers).into(),
            Key::Operator(index) => self.operator(index).copied().unwrap_or_else(G2Affine::zero).into(),
        }
    }

    fn operator(&self, index: u16) -> Option<&G2Affine> {
        self.operators.get(usize::from(index))
    }

    /// Returns minus the sum of the keys of the operators that signed.
    fn negated_without(&self, non_signers: NonSignersRef<'_>) -> G2Projective {
        let non_signers = non_signers.indices().filter_map(|index| self.operator(index));
        self.negated_aggregate + non_signers.sum::<G2Projective>()
    }
}

/// Decodes a point of the curve, or infinity if all bytes are zero.
fn decode_g2(public_key: &PublicKey) -> Result<G2Affine, MalformedPoint> {
    if *public_key == PublicKey::INFINITY {
        return Ok(G2Affine::zero());
    }
    let [x0, x1, y0, y1] = coordinates(&public_key.0)?;
    let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    point.is_on_curve().then_some(point).ok_or(MalformedPoint)
}

fn encode_g2(point: G2Affine) -> PublicKey {
    match point.xy() {
        Some((x, y)) => PublicKey(concatenate([x.c0, x.c1, y.c0, y.c1])),
        None => PublicKey::INFINITY,
    }
}

/// Decodes field elements of 48 bytes each, which must be below the modulus.
fn coordinates<const N: usize>(bytes: &[u8]) -> Result<[Fq; N], MalformedPoint> {
    let mut elements = [Fq::ZERO; N];
    for (element, bytes) in elements.iter_mut().zip(bytes.chunks_exact(FIELD_LENGTH)) {
        let mut integer = BigInt::<6>::zero();
        for (limb, bytes) in integer.0.iter_mut().zip(bytes.rchunks_exact(8)) {
            *limb = u64::from_be_bytes(bytes.try_into().map_err(|_| MalformedPoint)?);
        }
        *element = Fq::from_bigint(integer).ok_or(MalformedPoint)?;
    }
    Ok(elements)
}

fn concatenate<const N: usize, const LENGTH: usize>(elements: [Fq; N]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    for (bytes, element) in bytes.chunks_exact_mut(FIELD_LENGTH).zip(elements) {
        bytes.copy_from_slice(&element.into_bigint().to_bytes_be());
    }
    bytes
}
