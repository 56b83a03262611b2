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
/// checked that `Σ coefficientᵢ · errorᵢ = 0`. If some error is not zero, then whatever the other coefficients are, at
/// most one value of that error's own makes the sum zero, so that random coefficients let it pass with a probability of
/// 2^-128. Bisection looks at fewer than twice as many sums as there are statements, fixed in advance; of a thousand
/// statements a false one passes with at most 2^-117.
///
/// The coefficients are not drawn at random but hashed from everything that the equations are made of (the Fiat–Shamir
/// transform): the operators' keys, who of them is absent, the roots and the signatures. An attacker who would profit
/// from certain coefficients can only try batch after batch, each for another 2^-117: about the effort of breaking the
/// curve itself. What this buys: there is no source of randomness that could be missing, weak, or handed in twice, and
/// the outcome of a batch can be repeated.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Epoch, NonSignersRef, Operator, OperatorSet, PublicKey, Signature,
        backend::{Arithmetic, Preferred},
    };
    use alloc::vec;
    use alloy_primitives::{
        Address,
        aliases::{U48, U96},
    };

    fn epoch(seed: u8) -> Epoch {
        let key = blst::min_sig::SecretKey::key_gen(&[seed; 32], &[]).unwrap().sk_to_pk();
        let mut public_key = key.serialize();
        public_key.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
        let operator = Operator { address: Address::ZERO, public_key: PublicKey(public_key), weight: U96::from(1) };
        let operators = OperatorSet::new(vec![operator]).unwrap();
        Epoch { number: 1, operator_set: 1, valid_until: U48::MAX, operators }
    }

    fn statement<'a>(epoch: &'a Epoch, absent: &'a [u8], root: u8, signature: u8) -> Statement<'a, Preferred> {
        Statement {
            epoch,
            absent: NonSignersRef::from_bytes(absent).unwrap(),
            root: B256::repeat_byte(root),
            signature: Preferred::hash(&[signature], b"tag"),
            signature_bytes: Signature([signature; 96]),
        }
    }

    /// An attacker who could change a part and keep the coefficients could choose that part to cancel a forgery.
    #[test]
    fn every_part_of_every_statement_changes_every_coefficient() {
        let (one, other) = (epoch(1), epoch(2));
        let first = || statement(&one, &[], 1, 1);
        let second = || statement(&one, &[1], 2, 2);
        let batches = [
            vec![first(), second()],
            vec![second(), first()],
            vec![first(), statement(&other, &[1], 2, 2)],
            vec![first(), statement(&one, &[2], 2, 2)],
            vec![first(), statement(&one, &[0, 1], 2, 2)],
            vec![first(), statement(&one, &[1], 3, 2)],
            vec![first(), statement(&one, &[1], 2, 3)],
            vec![statement(&one, &[], 1, 4), second()],
            vec![first(), second(), second()],
            vec![first()],
        ];
        let mut all: Vec<_> =
            batches.iter().flat_map(|batch| coefficients(&batch.iter().collect::<Vec<_>>())).collect();
        assert_eq!(all.len(), 8 * 2 + 3 + 1);
        assert!(!all.contains(&[0; 16]));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 20, "a coefficient came twice");
    }

    #[test]
    fn the_same_batch_has_the_same_coefficients() {
        let epoch = epoch(1);
        let batch = [statement(&epoch, &[], 1, 1), statement(&epoch, &[1], 2, 2)];
        let [first, second] = &batch;
        assert_eq!(coefficients(&[first, second]), coefficients(&[first, second]));
    }
}
