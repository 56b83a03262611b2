//! Other bytes for a point: some spell the same point, some another, some none.

use alloy::primitives::hex;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// Length of an element of the field.
const ELEMENT: usize = 48;

/// The field's modulus, big-endian. RFC 9380, section 8.8.1.
const MODULUS: [u8; ELEMENT] =
    hex!("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab");

/// A point of G1's curve, y² = x³ + 4, outside the subgroup: x = 0, y = 2.
const WRONG_SUBGROUP_G1: [u8; 96] = {
    let mut point = [0; 96];
    point[95] = 2;
    point
};

/// A point of G2's curve, y² = x³ + 4(1 + u), outside the subgroup: x = 2.
const WRONG_SUBGROUP_G2: [u8; 192] = hex!(
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "18c6b864ae17dc9da64203ffefb966306425a7bc6aeb7c75247438372716284a4173830420cd476ba1a365b95bfcec38"
    "172e93db764a8400a7d5071b6b6f5de0da2f0f4a063119abca014006b7c40a2cfe291a1924e65db0d6d0fcfbf3bf3d5c"
);

/// How to spell a point differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spelling {
    /// One bit inverted: nearly always off the curve.
    FlippedBit(u16),
    /// All zeros, which is how EIP-2537 writes infinity.
    Infinity,
    /// The modulus added to one of the field's elements, where it fits: the same point to code that reduces.
    PlusModulus(u16),
    /// The point's negative.
    Negated,
    /// x and y exchanged.
    Swapped,
    /// The two halves of each coordinate of G2 exchanged, as other libraries write them.
    HalvesSwapped,
    /// A point of the curve outside the subgroup.
    WrongSubgroup,
    /// Every bit set: all elements above the modulus.
    Ones,
}

impl Spelling {
    /// Writes the point, of G1 (96 bytes) or G2 (192 bytes), differently.
    pub(crate) fn apply(self, point: &mut [u8]) {
        let elements = point.len() / ELEMENT;
        match self {
            Self::FlippedBit(bit) => {
                let bit = usize::from(bit) % (point.len() * 8);
                point[bit / 8] ^= 1 << (bit % 8);
            }
            Self::Infinity => point.fill(0),
            Self::Ones => point.fill(0xff),
            Self::PlusModulus(number) => {
                let start = crate::index(number, elements) * ELEMENT;
                add_modulus(&mut point[start..start + ELEMENT]);
            }
            Self::Negated => {
                let half = point.len() / 2;
                point[half..].chunks_exact_mut(ELEMENT).for_each(negate);
            }
            Self::Swapped => point.rotate_left(point.len() / 2),
            Self::HalvesSwapped if elements == 4 => {
                point.chunks_exact_mut(2 * ELEMENT).for_each(|coordinate| coordinate.rotate_left(ELEMENT));
            }
            Self::HalvesSwapped => {}
            Self::WrongSubgroup if elements == 4 => point.copy_from_slice(&WRONG_SUBGROUP_G2),
            Self::WrongSubgroup => point.copy_from_slice(&WRONG_SUBGROUP_G1),
        }
    }
}

impl Arbitrary for Spelling {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![
            any::<u16>().prop_map(Self::FlippedBit),
            Just(Self::Infinity),
            any::<u16>().prop_map(Self::PlusModulus),
            Just(Self::Negated),
            Just(Self::Swapped),
            Just(Self::HalvesSwapped),
            Just(Self::WrongSubgroup),
            Just(Self::Ones),
        ]
        .boxed()
    }
}

/// Modulo 2^384: what does not fit is another number, which tests as much.
fn add_modulus(element: &mut [u8]) {
    let mut carry = 0;
    for (byte, addend) in element.iter_mut().zip(MODULUS).rev() {
        let sum = u16::from(*byte) + u16::from(addend) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

/// p − y.
fn negate(element: &mut [u8]) {
    let mut borrow = 0;
    for (byte, minuend) in element.iter_mut().zip(MODULUS).rev() {
        let difference = i16::from(minuend) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = difference as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assent_verifier::backend::{Backend, blst::Blst};
    use blst::BLST_ERROR;

    #[test]
    fn the_points_outside_the_subgroups_are_on_the_curves() {
        // Off the curve, blst would answer BLST_POINT_NOT_ON_CURVE. It knows x = 0 for outside the subgroup already as
        // it reads.
        let signature = blst::min_sig::Signature::deserialize(&WRONG_SUBGROUP_G1);
        let answer = signature.and_then(|signature| signature.validate(false));
        assert_eq!(answer, Err(BLST_ERROR::BLST_POINT_NOT_IN_GROUP));

        let mut key = WRONG_SUBGROUP_G2;
        Spelling::HalvesSwapped.apply(&mut key);
        let key = blst::min_sig::PublicKey::deserialize(&key).expect("on the curve");
        assert_eq!(key.validate(), Err(BLST_ERROR::BLST_POINT_NOT_IN_GROUP));
    }

    #[test]
    fn spelling_twice_gives_the_point_back() {
        let key = crate::foundation::secret_key(1).public_key().0;
        for spelling in [Spelling::Negated, Spelling::Swapped, Spelling::HalvesSwapped, Spelling::FlippedBit(700)] {
            let mut point = key;
            spelling.apply(&mut point);
            assert_ne!(point, key);
            spelling.apply(&mut point);
            assert_eq!(point, key);
        }
    }

    #[test]
    fn the_negative_is_a_point_and_what_is_above_the_modulus_is_none() {
        let mut key = crate::foundation::secret_key(1).public_key();
        Spelling::Negated.apply(&mut key.0);
        assert!(Blst::decode_public_key(&key).is_ok());
        Spelling::PlusModulus(3).apply(&mut key.0);
        assert!(Blst::decode_public_key(&key).is_err());
    }
}
