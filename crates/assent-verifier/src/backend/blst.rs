//! The blst library: C and assembly, about twice as fast.
//!
//! Only blst's safe interface is used, and of it only what runs in the calling thread.

use super::{Backend, MalformedPoint};
use crate::{PublicKey, Signature};
use ::blst::{BLST_ERROR, Pairing, blst_p1_affine, blst_p2_affine, min_sig};

/// The bits that the Zcash encoding, which blst reads, uses as flags; in an encoding without flags they are zero, since
/// the field's modulus has 381 of 384 bits.
const FLAG_BITS: u8 = 0b1110_0000;

/// [`Backend`] over blst.
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
        let mut sum = min_sig::AggregatePublicKey::from_public_key(&min_sig::PublicKey::default());
        let mut negated = sum;
        for public_key in public_keys {
            sum.add_aggregate(&min_sig::AggregatePublicKey::from_public_key(&public_key));
        }
        negated.sub_aggregate(&sum);
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
        // blst's safe interface hashes only to sign: the signature by the secret key 1 is the hash itself.
        let mut one = [0; 32];
        one[31] = 1;
        min_sig::SecretKey::from_bytes(&one)
            .map_or([0; Signature::LENGTH], |one| one.sign(message, domain_separation_tag, &[]).serialize())
    }
}

/// A point of the curve, or infinity when all is zero.
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

/// blst writes an element of the quadratic field as `c1 ‖ c0`, EIP-2537 as `c0 ‖ c1`.
fn swap_components(bytes: &[u8; PublicKey::LENGTH]) -> [u8; PublicKey::LENGTH] {
    let mut swapped = *bytes;
    for coordinate in swapped.chunks_exact_mut(PublicKey::LENGTH / 2) {
        coordinate.rotate_left(PublicKey::LENGTH / 4);
    }
    swapped
}

/// blst would read the flags' other encodings: compressed points and infinity.
fn refuse_flags(bytes: &[u8]) -> Result<(), MalformedPoint> {
    match bytes.first() {
        Some(first) if first & FLAG_BITS == 0 => Ok(()),
        _ => Err(MalformedPoint),
    }
}
