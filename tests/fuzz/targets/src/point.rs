//! Encodings of points: valid ones, and each known way to be invalid.

use crate::fixture::{public_key, secret};
use arbitrary::Arbitrary;
use ark_bls12_381::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField};
use assent_verifier::{PublicKey, Signature, digest::SIGNATURE_TAG};

/// Bytes of a coordinate's half.
const FIELD: usize = 48;

/// An encoding of a point, with changes to it.
#[derive(Debug, Clone, Arbitrary)]
pub struct Encoding {
    origin: Origin,
    change: Change,
    /// Offset, and what is added there by exclusive or.
    flips: [(u8, u8); 2],
}

#[derive(Debug, Clone, Arbitrary)]
enum Origin {
    Valid {
        secret: u8,
        message: u8,
    },
    Infinity,
    /// A point of the curve that is hardly ever in the subgroup.
    OfCurve {
        x: [u8; 2 * FIELD],
        greatest: bool,
    },
    Bytes(Box<[u8; 4 * FIELD]>),
}

#[derive(Debug, Clone, Arbitrary)]
enum Change {
    None,
    /// A field element plus the modulus: a second spelling, where it fits.
    AddModulus {
        element: u8,
    },
    SwapCoordinates,
    /// The halves of a G2 coordinate, as other libraries order them.
    SwapHalves,
    /// y becomes p − y.
    Negate,
}

impl Encoding {
    pub(crate) fn signature(&self) -> Signature {
        let mut bytes = [0; Signature::LENGTH];
        match &self.origin {
            Origin::Valid { secret: seed, message } => {
                bytes = secret((*seed).into()).sign(&[*message], SIGNATURE_TAG, &[]).serialize();
            }
            Origin::Infinity => {}
            Origin::OfCurve { x, greatest } => {
                let x = Fq::from_be_bytes_mod_order(&x[..FIELD]);
                if let Some(point) = G1Affine::get_point_from_x_unchecked(x, *greatest) {
                    write(&mut bytes, [point.x, point.y]);
                }
            }
            Origin::Bytes(any) => bytes.copy_from_slice(&any[..Signature::LENGTH]),
        }
        self.apply(&mut bytes);
        Signature(bytes)
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        let mut bytes = [0; PublicKey::LENGTH];
        match &self.origin {
            Origin::Valid { secret: seed, .. } => bytes = public_key(&secret((*seed).into())).0,
            Origin::Infinity => {}
            Origin::OfCurve { x, greatest } => {
                let [c0, c1] = [&x[..FIELD], &x[FIELD..]].map(Fq::from_be_bytes_mod_order);
                if let Some(point) = G2Affine::get_point_from_x_unchecked(Fq2::new(c0, c1), *greatest) {
                    write(&mut bytes, [point.x.c0, point.x.c1, point.y.c0, point.y.c1]);
                }
            }
            Origin::Bytes(any) => bytes = **any,
        }
        self.apply(&mut bytes);
        PublicKey(bytes)
    }

    fn apply(&self, bytes: &mut [u8]) {
        let length = bytes.len();
        match self.change {
            Change::None => {}
            Change::AddModulus { element } => {
                let element = usize::from(element) % (length / FIELD);
                add_modulus(&mut bytes[element * FIELD..][..FIELD]);
            }
            Change::SwapCoordinates => bytes.rotate_left(length / 2),
            Change::SwapHalves => bytes.chunks_exact_mut(2 * FIELD).for_each(|pair| pair.rotate_left(FIELD)),
            Change::Negate => bytes[length / 2..].chunks_exact_mut(FIELD).for_each(negate),
        }
        for (offset, flip) in self.flips {
            bytes[usize::from(offset) % length] ^= flip;
        }
    }
}

fn write<const N: usize>(bytes: &mut [u8], elements: [Fq; N]) {
    for (place, element) in bytes.chunks_exact_mut(FIELD).zip(elements) {
        place.copy_from_slice(&element.into_bigint().to_bytes_be());
    }
}

/// Leaves an element of 2^384 minus the modulus or more as it is.
fn add_modulus(element: &mut [u8]) {
    let mut sum = element.to_vec();
    let mut carry = 0;
    for (digit, modulus) in sum.iter_mut().rev().zip(Fq::MODULUS.to_bytes_le()) {
        let column = u16::from(*digit) + u16::from(modulus) + carry;
        [_, *digit] = column.to_be_bytes();
        carry = column >> 8;
    }
    if carry == 0 {
        element.copy_from_slice(&sum);
    }
}

fn negate(element: &mut [u8]) {
    let negated = -Fq::from_be_bytes_mod_order(element);
    element.copy_from_slice(&negated.into_bigint().to_bytes_be());
}
