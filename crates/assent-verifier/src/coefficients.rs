//! The coefficients under which many statements are decided by one equation.

use crate::{
    backend::{Backend, Coefficient},
    statement::Statement,
};
use alloc::vec::Vec;
use alloy_primitives::{B256, Keccak256};

/// Keeps these hashes apart from all others.
const DOMAIN: &[u8] = b"Assent: coefficients of a batch of signatures";

/// One coefficient for each statement, of 128 bits, never zero, unknown before the last byte of the last statement is
/// fixed.
///
/// Write a statement's equation additively, as `errorᵢ = 0` in a group of prime order q > 2^254. In place of all it is
/// checked that `Σ coefficientᵢ · errorᵢ = 0`. If some error is not zero, then whatever the other coefficients are, at most
/// one value of that error's own makes the sum zero, so that random coefficients let it pass with a probability of 2^-128.
/// Bisection looks at fewer than twice as many sums as there are statements, fixed in advance; of a thousand statements a
/// false one passes with at most 2^-117.
///
/// The coefficients are not drawn at random but hashed from everything that the equations are made of (the Fiat–Shamir
/// transform): the operators' keys, who of them is absent, the roots and the signatures. Whoever would profit from certain
/// coefficients can only try batch after batch, each for another 2^-117: about the effort of breaking the curve itself. What
/// this buys: there is no source of randomness that could be missing, weak, or handed in twice, and the outcome of a batch
/// can be repeated.
pub(crate) fn coefficients<B: Backend>(statements: &[&Statement<'_, B>]) -> Vec<Coefficient> {
    let seed = transcript(statements);
    (0u64..).zip(statements).map(|(place, _)| coefficient(seed, place)).collect()
}

/// Of one reading only: every part has a fixed length but for the bitmap, which follows its own.
fn transcript<B: Backend>(statements: &[&Statement<'_, B>]) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(DOMAIN);
    for statement in statements {
        let bitmap = statement.absent.as_bytes();
        hasher.update(statement.epoch.operators.public_keys_hash());
        hasher.update(bitmap.len().to_be_bytes());
        hasher.update(bitmap);
        hasher.update(statement.root);
        hasher.update(statement.signature_bytes);
    }
    hasher.finalize()
}

fn coefficient(seed: B256, place: u64) -> Coefficient {
    let mut hasher = Keccak256::new();
    hasher.update(seed);
    hasher.update(place.to_be_bytes());
    let half = hasher.finalize().0.first_chunk().map_or(0, |half| u128::from_le_bytes(*half));
    // Zero would leave its statement unchecked.
    half.max(1).to_le_bytes()
}
