//! What verification asks of a backend. Out of reach from outside this crate, and so free to change.

use super::{MalformedPoint, PreparedKeys};
use crate::{PublicKey, non_signers::Bitmap};
use alloc::{boxed::Box, vec::Vec};

/// The arithmetic behind [`Backend`](super::Backend). `G1` holds signatures, hashed messages and sums of either, `G2`
/// public keys; here both may be infinity.
pub trait Arithmetic<G1, G2>: Sized {
    /// An operator set's keys with all about them that never changes: their sum, and the lines of that sum and of the
    /// generator.
    type Keys: Send + Sync;

    /// A product of Miller loops: an element of the pairing's target group before the final exponentiation.
    type Product: Send;

    /// Decodes a public key that is known to be in the subgroup, or infinity.
    fn decode_validated(public_key: &PublicKey) -> Result<G2, MalformedPoint>;

    /// Prepares the keys of a set.
    fn prepare(public_keys: Box<[G2]>) -> Self::Keys;

    /// This backend's part of a set's prepared keys.
    fn of(keys: &PreparedKeys) -> &Self::Keys;

    /// `hash_to_curve`.
    fn hash(message: &[u8], domain_separation_tag: &[u8]) -> G1;

    /// [`hash`](Self::hash) of each message, in less time where that is possible.
    fn hash_each<'a>(messages: impl Iterator<Item = &'a [u8]>, domain_separation_tag: &[u8]) -> Vec<G1> {
        messages.map(|message| Self::hash(message, domain_separation_tag)).collect()
    }

    /// The sum of points, each multiplied by its coefficient.
    fn weighted_sum(points: &[G1], coefficients: &[Coefficient]) -> G1;

    /// The sum of points.
    fn sum(points: &[G1]) -> G1;

    /// The Miller loops of some factors, multiplied.
    fn miller_loops(factors: &[Factor<'_, Self::Keys, G1>]) -> Self::Product;

    /// Whether the pairings, all multiplied, give 1.
    fn is_one(products: impl IntoIterator<Item = Self::Product>) -> bool;
}

/// An integer of 128 bits, little-endian.
pub type Coefficient = [u8; 16];

/// A pairing: of a G1 point with a G2 point that is cached, or made of cached ones. It is 1 when either is infinity.
pub struct Factor<'a, Keys, G1> {
    pub point: G1,
    pub keys: &'a Keys,
    pub key: Key<'a>,
}

/// A G2 point, by what it is to an operator set.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// G2's generator.
    Generator,
    /// Minus the sum of the keys of the operators that are not absent.
    NegatedSigners { absent: Bitmap<'a> },
    /// One operator's key, by the operator's place in the set.
    Operator(u16),
}
