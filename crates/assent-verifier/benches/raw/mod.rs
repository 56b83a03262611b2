//! The least work of a verification: the libraries' own functions on decoded points, with precomputed lines for the two
//! fixed G2 points and subgroup checks. Nothing is parsed or hashed, and only the library allocates.

use assent_verifier::{PublicKey, Signature};

#[cfg(feature = "arkworks")]
pub mod arkworks;
#[cfg(feature = "blst")]
pub mod blst;

/// Bytes of a coefficient.
pub const COEFFICIENT: usize = 16;

/// One set of operators who all sign.
pub trait Raw {
    type Signature;

    fn new(aggregate: &PublicKey) -> Self;

    fn decode(signature: &Signature) -> Self::Signature;

    /// One signature over one root.
    fn verify(&self, root: &[u8], signature: &Self::Signature) -> bool;

    /// Many signatures over as many roots, by a random linear combination.
    fn verify_batch(
        &mut self,
        roots: &[[u8; 32]],
        signatures: &[Self::Signature],
        coefficients: &[[u8; COEFFICIENT]],
    ) -> bool;
}
