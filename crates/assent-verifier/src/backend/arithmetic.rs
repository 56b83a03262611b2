//! The curve arithmetic that verification needs. Private to this crate, and so free to change.

use super::{MalformedPoint, PreparedKeys};
use crate::{NonSignersRef, PublicKey};
use alloc::{boxed::Box, vec::Vec};
use once_cell::race::OnceBox;

/// The arithmetic of a [`Backend`](super::Backend).
///
/// `G1` holds signatures, hashed messages and their sums, `G2` public keys. Both may be infinity here.
pub trait Arithmetic<G1, G2>: Sized {
    /// An operator set's keys, with their sum and the lines of that sum and of the generator.
    type Keys: Send + Sync + 'static;

    /// A product of Miller loops, before the final exponentiation.
    type Product: Send;

    /// Decodes a public key that is known to be in the subgroup, or infinity.
    fn decode_validated(public_key: &PublicKey) -> Result<G2, MalformedPoint>;

    /// Prepares the keys of a set.
    fn prepare(public_keys: Box<[G2]>) -> Self::Keys;

    /// Returns this backend's cell of a set's prepared keys.
    fn cell(keys: &PreparedKeys) -> &OnceBox<Self::Keys>;

    /// Hashes a message to the curve.
    fn hash(message: &[u8], domain_separation_tag: &[u8]) -> G1;

    /// Hashes each message to the curve, in less time than one by one where that is possible.
    fn hash_each<'a>(messages: impl Iterator<Item = &'a [u8]>, domain_separation_tag: &[u8]) -> Vec<G1> {
        messages.map(|message| Self::hash(message, domain_separation_tag)).collect()
    }

    /// Returns the sum of points, each multiplied by its coefficient.
    fn weighted_sum(points: &[G1], coefficients: &[Coefficient]) -> G1;

    /// Returns the sum of points.
    fn sum(points: &[G1]) -> G1;

    /// Returns the product of the Miller loops of factors.
    fn miller_loops(factors: &[Factor<'_, Self::Keys, G1>]) -> Self::Product;

    /// Returns whether the product of all pairings is 1.
    fn is_one(products: impl IntoIterator<Item = Self::Product>) -> bool;
}

/// An integer of 128 bits, little-endian.
pub type Coefficient = [u8; 16];

/// A pairing of a G1 point with a G2 point that derives from prepared keys. It is 1 if either is infinity.
// Complete: only this crate can name it.
pub struct Factor<'a, Keys, G1> {
    pub point: G1,
    pub keys: &'a Keys,
    pub key: Key<'a>,
}

/// A G2 point, by its relation to an operator set.
// Complete: only this crate can name it.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// G2's generator.
    Generator,
    /// Minus the sum of the keys of the operators that signed.
    NegatedSigners { non_signers: NonSignersRef<'a> },
    /// One operator's key, by the operator's index in the set.
    Operator(u16),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Signature, backend::Backend};
    use ::blst::min_sig::SecretKey;

    macro_rules! in_every_backend {
        ($($name:ident,)*) => {
            #[cfg(feature = "arkworks")]
            mod arkworks {
                $(#[test] fn $name() { super::$name::<crate::backend::arkworks::Arkworks>(); })*
            }
            #[cfg(feature = "blst")]
            mod blst {
                $(#[test] fn $name() { super::$name::<crate::backend::blst::Blst>(); })*
            }
        };
    }

    in_every_backend! {
        a_pairing_with_infinity_is_one,
        many_pairings_are_multiplied,
        many_messages_are_hashed_as_each_by_itself,
    }

    fn secret(seed: u8) -> SecretKey {
        SecretKey::key_gen(&[seed; 32], &[]).unwrap()
    }

    fn public_key(secret: &SecretKey) -> PublicKey {
        let mut key = secret.sk_to_pk().serialize();
        key.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
        PublicKey(key)
    }

    fn prepare<B: Backend>(keys: &[PublicKey]) -> B::Keys {
        B::prepare(keys.iter().map(|key| B::decode_validated(key).unwrap()).collect())
    }

    fn is_one<B: Backend>(factors: &[Factor<'_, B::Keys, B::SignaturePoint>]) -> bool {
        B::is_one([B::miller_loops(factors)])
    }

    fn bitmap(bytes: &[u8]) -> NonSignersRef<'_> {
        NonSignersRef::from_bytes(bytes).unwrap()
    }

    fn a_pairing_with_infinity_is_one<B: Backend>() {
        let key = public_key(&secret(1));
        let [_, negated] = B::aggregate(B::decode_public_key(&key));
        let (lone, cancelling) = (prepare::<B>(&[key]), prepare::<B>(&[key, negated]));
        let (point, infinity) = (B::hash(b"message", b"tag"), B::sum(&[]));
        let all = Key::NegatedSigners { non_signers: NonSignersRef::default() };
        let no_signer = Key::NegatedSigners { non_signers: bitmap(&[1]) };
        for (point, keys, key, expected) in [
            (point, &lone, Key::Generator, false),
            (point, &lone, all, false),
            (point, &lone, Key::Operator(0), false),
            (infinity, &lone, Key::Generator, true),
            (infinity, &lone, all, true),
            (infinity, &lone, Key::Operator(0), true),
            (point, &lone, no_signer, true),
            (point, &lone, Key::Operator(1), true),
            (point, &cancelling, all, true),
            (point, &cancelling, no_signer, false),
        ] {
            assert_eq!(is_one::<B>(&[Factor { point, keys, key }]), expected);
        }
        assert!(B::is_one([]));
        assert!(is_one::<B>(&[]));
    }

    fn many_pairings_are_multiplied<B: Backend>() {
        let (signer, other) = (secret(1), secret(2));
        let keys = prepare::<B>(&[public_key(&signer), public_key(&other)]);
        let keys = &keys;
        let absent = [2];
        let signed = |message: u8| {
            let signature = Signature(signer.sign(&[message], b"tag", &[]).serialize());
            let hash = B::hash(&[message], b"tag");
            let key = Key::NegatedSigners { non_signers: bitmap(&absent) };
            (
                Factor { point: hash, keys, key },
                Factor { point: B::decode_signature(&signature).unwrap_or(hash), keys, key: Key::Generator },
            )
        };
        // More than are computed together, those whose lines are not known ahead first.
        for count in [1, 8, 15, 16, 17, 40] {
            let (mut factors, signatures): (Vec<_>, Vec<_>) = (0..count).map(signed).unzip();
            factors.extend(signatures);
            assert!(is_one::<B>(&factors), "{count}");
            let halves = factors.split_at(factors.len() / 2);
            assert!(B::is_one([B::miller_loops(halves.0), B::miller_loops(halves.1)]), "{count}");
            assert!(!is_one::<B>(&factors[1..]), "{count}");
            assert!(!is_one::<B>(&factors[..factors.len() - 1]), "{count}");
        }
    }

    fn many_messages_are_hashed_as_each_by_itself<B: Backend>() {
        let messages = [[1u8], [2], [3]];
        let hashes = B::hash_each(messages.iter().map(<[u8; 1]>::as_slice), b"tag");
        assert_eq!(hashes.len(), 3);
        let keys = prepare::<B>(&[public_key(&secret(1))]);
        let keys = &keys;
        for (message, hash) in messages.iter().zip(hashes) {
            // The signature under the key that all sign with pairs with the hash to one.
            let signature = Signature(secret(1).sign(message, b"tag", &[]).serialize());
            let point = B::decode_signature(&signature).unwrap_or(hash);
            let all = Key::NegatedSigners { non_signers: NonSignersRef::default() };
            let pair = [Factor { point, keys, key: Key::Generator }, Factor { point: hash, keys, key: all }];
            assert!(is_one::<B>(&pair));
        }
    }
}
