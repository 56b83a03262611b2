//! The coefficients under which one equation decides many claims.

use crate::{
    backend::{Backend, Coefficient},
    claim::SignatureClaim,
};
use alloc::vec::Vec;
use alloy_primitives::{B256, Keccak256};

/// Separates these hashes from all others.
const DOMAIN: &[u8] = b"Assent: coefficients of a batch of signatures";

/// Returns a coefficient for each claim: 128 bits, never zero, unpredictable until every byte of every claim is fixed.
///
/// Write a claim's equation additively, as `errorᵢ = 0` in a group of prime order q > 2^254.
/// The batch checks `Σ coefficientᵢ · errorᵢ = 0` instead of each equation.
/// If an error is not zero, at most one value of its coefficient makes the sum zero, whatever the others are.
/// Random coefficients therefore accept it with a probability of at most 2^-128.
/// Bisection checks fewer than twice as many sums as there are claims, fixed in advance.
/// Among a thousand claims, a false claim is accepted with a probability of at most 2^-117.
///
/// The coefficients are hashed from everything in the equations (the Fiat–Shamir transform): the operators' keys, the
/// non-signers, the roots and the signatures.
/// An attacker who wants certain coefficients can only try batch after batch, each with that probability.
/// That takes about as much work as breaking the curve.
/// In return no source of randomness can be missing, weak or reused, and the same batch always has the same results.
pub(crate) fn coefficients<B: Backend>(claims: &[&SignatureClaim<'_, B>]) -> Vec<Coefficient> {
    let seed = transcript(claims);
    (0u64..).zip(claims).map(|(index, _)| coefficient(seed, index)).collect()
}

/// Returns the hash of all claims.
///
/// No two lists of claims have the same preimage: every part has a fixed length except the tag and the bitmap, which
/// their lengths precede.
fn transcript<B: Backend>(claims: &[&SignatureClaim<'_, B>]) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(DOMAIN);
    for claim in claims {
        let bitmap = claim.non_signers.as_bytes();
        hasher.update(claim.tag.len().to_be_bytes());
        hasher.update(claim.tag);
        hasher.update(claim.epoch.operators.public_keys_hash());
        hasher.update(bitmap.len().to_be_bytes());
        hasher.update(bitmap);
        hasher.update(claim.root);
        hasher.update(claim.signature_bytes);
    }
    hasher.finalize()
}

fn coefficient(seed: B256, index: u64) -> Coefficient {
    let mut hasher = Keccak256::new();
    hasher.update(seed);
    hasher.update(index.to_be_bytes());
    let half = hasher.finalize().0.first_chunk().map_or(0, |half| u128::from_le_bytes(*half));
    // Zero would leave its claim unchecked.
    half.max(1).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Epoch, EpochId, NonSignersRef, Operator, OperatorSet, OperatorSetId, PublicKey, Signature,
        backend::{Arithmetic, DefaultBackend},
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
        Epoch { number: EpochId(1), operator_set: OperatorSetId(1), valid_until: U48::MAX, operators }
    }

    fn claim<'a>(epoch: &'a Epoch, absent: &'a [u8], root: u8, signature: u8) -> SignatureClaim<'a, DefaultBackend> {
        SignatureClaim {
            tag: b"tag",
            epoch,
            non_signers: NonSignersRef::from_bytes(absent).unwrap(),
            root: B256::repeat_byte(root),
            signature: DefaultBackend::hash(&[signature], b"tag"),
            signature_bytes: Signature([signature; 96]),
        }
    }

    /// If a part could change without the coefficients, an attacker could choose it to cancel a forgery.
    #[test]
    fn every_part_of_every_claim_changes_every_coefficient() {
        let (one, other) = (epoch(1), epoch(2));
        let first = || claim(&one, &[], 1, 1);
        let second = || claim(&one, &[1], 2, 2);
        let batches = [
            vec![first(), second()],
            vec![second(), first()],
            vec![first(), claim(&other, &[1], 2, 2)],
            vec![first(), claim(&one, &[2], 2, 2)],
            vec![first(), claim(&one, &[0, 1], 2, 2)],
            vec![first(), claim(&one, &[1], 3, 2)],
            vec![first(), claim(&one, &[1], 2, 3)],
            vec![claim(&one, &[], 1, 4), second()],
            vec![first(), second(), second()],
            vec![first()],
        ];
        let mut tagged = [first(), second()];
        tagged[1].tag = b"another tag";
        let batches = batches.into_iter().chain([tagged.into()]).collect::<Vec<_>>();
        let mut all: Vec<_> =
            batches.iter().flat_map(|batch| coefficients(&batch.iter().collect::<Vec<_>>())).collect();
        assert_eq!(all.len(), 9 * 2 + 3 + 1);
        assert!(!all.contains(&[0; 16]));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 22, "a coefficient came twice");
    }

    /// With fewer bits a false claim would be accepted with a greater probability than the documentation says.
    #[test]
    fn coefficients_have_128_random_bits() {
        let seed = B256::repeat_byte(1);
        let coefficients = || (0..200).map(|index| u128::from_le_bytes(coefficient(seed, index)));
        assert_eq!(coefficients().fold(0, |set, coefficient| set | coefficient), u128::MAX);
        assert_eq!(coefficients().fold(u128::MAX, |set, coefficient| set & coefficient), 0);
    }

    #[test]
    fn the_same_batch_has_the_same_coefficients() {
        let epoch = epoch(1);
        let batch = [claim(&epoch, &[], 1, 1), claim(&epoch, &[1], 2, 2)];
        let [first, second] = &batch;
        assert_eq!(coefficients(&[first, second]), coefficients(&[first, second]));
    }
}
