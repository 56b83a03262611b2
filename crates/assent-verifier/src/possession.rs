//! Proofs of possession.

use crate::{
    PublicKey, Signature,
    backend::{Preferred, SignatureError, verify_signature},
    digest::{PROOF_OF_POSSESSION_TAG, proof_of_possession_digest},
};
use alloy_primitives::{Address, U256};

/// Verifies that an operator's proof shows possession of a key, for one registry on one chain.
///
/// Without it, a key computed from others' keys could be registered that lets its maker sign for all of them (a rogue key).
///
/// # Errors
///
/// [`SignatureError`]: the key or the proof is not a valid point, or the proof is another's.
pub fn verify_proof_of_possession(
    operator: Address,
    public_key: &PublicKey,
    proof: &Signature,
    chain_id: U256,
    operator_registry: Address,
) -> Result<(), SignatureError> {
    let digest = proof_of_possession_digest(operator, public_key, chain_id, operator_registry);
    verify_signature::<Preferred>(digest.as_slice(), PROOF_OF_POSSESSION_TAG, proof, public_key)
}
