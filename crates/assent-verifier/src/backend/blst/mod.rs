//! Curve arithmetic by blst.
//!
//! This module uses blst's safe functions where they run in the calling thread. The rest is in the module `raw`.

#![allow(clippy::arithmetic_side_effects, reason = "the operators here are the target group's, which do not overflow")]

mod raw;

use super::{Arithmetic, Backend, Coefficient, Factor, Key, MalformedPoint, PreparedKeys};
use crate::{NonSignersRef, PublicKey, Signature};
use ::blst::{BLST_ERROR, Pairing, blst_fp12, blst_p1_affine, blst_p2_affine, min_sig};
use alloc::{boxed::Box, vec::Vec};
use once_cell::race::OnceBox;
use raw::Lines;

/// The bits that the Zcash encoding, which blst reads, uses as flags. In an encoding without flags they are zero, since
/// the field's modulus has 381 of 384 bits.
const FLAG_BITS: u8 = 0b1110_0000;

/// Curve arithmetic by blst, in C and assembly, about twice as fast as arkworks.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{Call, backend::blst::Blst, verify_with_report_using};
///
/// let authorization = document.authorization()?.encode();
/// let call = Call::Explicit { intent: &intent, authorization: &authorization };
/// assert!(verify_with_report_using::<Blst, _>(&context, call).result().is_ok());
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Blst;

impl Backend for Blst {
    type SignaturePoint = min_sig::Signature;
    type PublicKeyPoint = min_sig::PublicKey;

    const NAME: &'static str = "blst";

    fn decode_signature(signature: &Signature) -> Result<min_sig::Signature, MalformedPoint> {
        refuse_flags(&signature.0)?;
        min_sig::Signature::sig_validate(&signature.0, true).map_err(|_| MalformedPoint)
    }

    fn decode_public_key(public_key: &PublicKey) -> Result<min_sig::PublicKey, MalformedPoint> {
        let point = decode_g2(public_key)?;
        point.validate().map_err(|_| MalformedPoint)?;
        Ok(point)
    }

    fn aggregate(public_keys: impl IntoIterator<Item = min_sig::PublicKey>) -> [PublicKey; 2] {
        let negated = negated_sum(public_keys);
        let mut sum = infinity();
        sum.sub_aggregate(&negated);
        [sum, negated].map(|point| encode_g2(&point.to_public_key()))
    }

    fn without<'a>(
        aggregate: &PublicKey,
        absent: impl IntoIterator<Item = &'a PublicKey>,
    ) -> Option<min_sig::PublicKey> {
        let mut remaining = min_sig::AggregatePublicKey::from_public_key(&decode_g2(aggregate).ok()?);
        for public_key in absent {
            let public_key = decode_g2(public_key).ok()?;
            remaining.sub_aggregate(&min_sig::AggregatePublicKey::from_public_key(&public_key));
        }
        let remaining = remaining.to_public_key();
        (remaining != min_sig::PublicKey::default()).then_some(remaining)
    }

    fn verify(
        message: &[u8],
        domain_separation_tag: &[u8],
        signature: &min_sig::Signature,
        public_key: &min_sig::PublicKey,
    ) -> bool {
        let signature: &blst_p1_affine = signature.into();
        let public_key: &blst_p2_affine = public_key.into();
        // `true` selects hash_to_curve over encode_to_curve; both points were validated when they were decoded.
        let mut pairing = Pairing::new(true, domain_separation_tag);
        if pairing.aggregate(public_key, false, signature, false, message, &[]) != BLST_ERROR::BLST_SUCCESS {
            return false;
        }
        pairing.commit();
        pairing.finalverify(None)
    }

    fn hash_to_curve(message: &[u8], domain_separation_tag: &[u8]) -> [u8; Signature::LENGTH] {
        Self::hash(message, domain_separation_tag).serialize()
    }
}

/// An operator set's decoded keys.
pub struct Keys {
    operators: Box<[min_sig::PublicKey]>,
    negated_aggregate: min_sig::PublicKey,
    /// `None` if the keys cancel out.
    negated_aggregate_lines: Option<Lines>,
    generator_lines: Lines,
}

impl Arithmetic<min_sig::Signature, min_sig::PublicKey> for Blst {
    type Keys = Keys;
    type Product = blst_fp12;

    fn decode_validated(public_key: &PublicKey) -> Result<min_sig::PublicKey, MalformedPoint> {
        decode_g2(public_key)
    }

    fn prepare(operators: Box<[min_sig::PublicKey]>) -> Keys {
        let negated_aggregate = negated_sum(operators.iter().copied()).to_public_key();
        Keys {
            operators,
            negated_aggregate,
            negated_aggregate_lines: finite(negated_aggregate).map(|key| Lines::new(&key)),
            generator_lines: Lines::new(&raw::g2_generator()),
        }
    }

    fn cell(keys: &PreparedKeys) -> &OnceBox<Keys> {
        &keys.blst
    }

    fn hash(message: &[u8], domain_separation_tag: &[u8]) -> min_sig::Signature {
        raw::hash_to_curve(message, domain_separation_tag).into()
    }

    fn hash_each<'a>(
        messages: impl Iterator<Item = &'a [u8]>,
        domain_separation_tag: &[u8],
    ) -> Vec<min_sig::Signature> {
        raw::hash_each_to_curve(messages, domain_separation_tag).into_iter().map(Into::into).collect()
    }

    fn weighted_sum(points: &[min_sig::Signature], coefficients: &[Coefficient]) -> min_sig::Signature {
        let points: Vec<blst_p1_affine> = points.iter().map(|point| (*point).into()).collect();
        raw::weighted_sum(&points, coefficients).into()
    }

    fn sum(points: &[min_sig::Signature]) -> min_sig::Signature {
        let mut sum = min_sig::AggregateSignature::from_signature(&blst_p1_affine::default().into());
        for point in points {
            sum.add_aggregate(&min_sig::AggregateSignature::from_signature(point));
        }
        sum.to_signature()
    }

    fn miller_loops(factors: &[Factor<'_, Keys, min_sig::Signature>]) -> blst_fp12 {
        factors.chunks(TOGETHER).map(miller_loops_together).reduce(|one, other| one * other).unwrap_or_default()
    }

    fn is_one(products: impl IntoIterator<Item = blst_fp12>) -> bool {
        let product = products.into_iter().reduce(|one, other| one * other).unwrap_or_default();
        product.final_exp() == blst_fp12::default()
    }
}

/// The number of Miller loops that blst computes together.
const TOGETHER: usize = 16;

/// Returns the product of the Miller loops of at most [`TOGETHER`] factors.
fn miller_loops_together(factors: &[Factor<'_, Keys, min_sig::Signature>]) -> blst_fp12 {
    let mut product = blst_fp12::default();
    let mut g1 = [blst_p1_affine::default(); TOGETHER];
    let mut g2 = [blst_p2_affine::default(); TOGETHER];
    let mut free = g1.iter_mut().zip(&mut g2);
    for Factor { point, keys, key } in factors {
        let point: &blst_p1_affine = point.into();
        if *point == blst_p1_affine::default() {
            continue;
        }
        match keys.point(*key) {
            G2::WithLines(lines) => product *= lines.miller_loop(point),
            G2::Affine(key) => {
                if let Some((free_g1, free_g2)) = free.next() {
                    (*free_g1, *free_g2) = (*point, key);
                }
            }
            G2::Infinity => {}
        }
    }
    let used = TOGETHER.saturating_sub(free.len());
    let (g1, g2) = (g1.get(..used).unwrap_or_default(), g2.get(..used).unwrap_or_default());
    product * raw::miller_loops(g1, g2)
}

/// A G2 point in the form that is fastest to pair.
enum G2<'a> {
    WithLines(&'a Lines),
    Affine(blst_p2_affine),
    Infinity,
}

impl Keys {
    fn point(&self, key: Key<'_>) -> G2<'_> {
        match key {
            Key::Generator => G2::WithLines(&self.generator_lines),
            Key::NegatedSigners { non_signers } if non_signers.is_empty() => {
                self.negated_aggregate_lines.as_ref().map_or(G2::Infinity, G2::WithLines)
            }
            Key::NegatedSigners { non_signers } => {
                finite(self.negated_without(non_signers)).map_or(G2::Infinity, G2::Affine)
            }
            Key::Operator(index) => self.operator(index).map_or(G2::Infinity, |key| G2::Affine((*key).into())),
        }
    }

    fn operator(&self, index: u16) -> Option<&min_sig::PublicKey> {
        self.operators.get(usize::from(index))
    }

    /// Returns minus the sum of the keys of the operators that signed.
    fn negated_without(&self, non_signers: NonSignersRef<'_>) -> min_sig::PublicKey {
        let mut negated = min_sig::AggregatePublicKey::from_public_key(&self.negated_aggregate);
        for key in non_signers.indices().filter_map(|index| self.operator(index)) {
            add(&mut negated, key);
        }
        negated.to_public_key()
    }
}

fn infinity() -> min_sig::AggregatePublicKey {
    min_sig::AggregatePublicKey::from_public_key(&min_sig::PublicKey::default())
}

fn negated_sum(public_keys: impl IntoIterator<Item = min_sig::PublicKey>) -> min_sig::AggregatePublicKey {
    let mut sum = infinity();
    public_keys.into_iter().for_each(|public_key| add(&mut sum, &public_key));
    let mut negated = infinity();
    negated.sub_aggregate(&sum);
    negated
}

/// Adds a key, which was validated with its set. blst fails only for keys that it validates itself.
fn add(sum: &mut min_sig::AggregatePublicKey, public_key: &min_sig::PublicKey) {
    let _never_fails = sum.add_public_key(public_key, false);
}

/// Returns the point, or `None` for infinity, for which lines and Miller loops are undefined.
fn finite(public_key: min_sig::PublicKey) -> Option<blst_p2_affine> {
    (public_key != min_sig::PublicKey::default()).then(|| public_key.into())
}

/// Decodes a point of the curve, or infinity if all bytes are zero.
fn decode_g2(public_key: &PublicKey) -> Result<min_sig::PublicKey, MalformedPoint> {
    if *public_key == PublicKey::INFINITY {
        return Ok(min_sig::PublicKey::default());
    }
    let bytes = swap_components(&public_key.0);
    refuse_flags(&bytes)?;
    min_sig::PublicKey::deserialize(&bytes).map_err(|_| MalformedPoint)
}

fn encode_g2(point: &min_sig::PublicKey) -> PublicKey {
    // blst marks infinity with a flag bit.
    if *point == min_sig::PublicKey::default() {
        return PublicKey::INFINITY;
    }
    PublicKey(swap_components(&point.serialize()))
}

/// Swaps the components of quadratic field elements: blst writes `c1 ‖ c0`, EIP-2537 `c0 ‖ c1`.
fn swap_components(bytes: &[u8; PublicKey::LENGTH]) -> [u8; PublicKey::LENGTH] {
    let mut swapped = *bytes;
    for coordinate in swapped.chunks_exact_mut(PublicKey::LENGTH / 2) {
        coordinate.rotate_left(PublicKey::LENGTH / 4);
    }
    swapped
}

/// Refuses flags, with which blst would read other encodings: compressed points and infinity.
fn refuse_flags(bytes: &[u8]) -> Result<(), MalformedPoint> {
    match bytes.first() {
        Some(first) if first & FLAG_BITS == 0 => Ok(()),
        _ => Err(MalformedPoint),
    }
}
