//! Proofs of possession.

use crate::{
    PublicKey, Signature,
    backend::{DefaultBackend, SignatureError, verify_signature},
    digest::{PROOF_OF_POSSESSION_TAG, proof_of_possession_digest},
};
use alloy_primitives::{Address, U256};

/// Verifies that an operator's proof shows possession of a key, for one registry on one chain.
///
/// Without the proof, an operator could register a key computed from other operators' keys, and sign for all of them (a
/// rogue key).
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # use assent_verifier::digest::{PROOF_OF_POSSESSION_TAG, proof_of_possession_digest};
/// # let secret = attested::secrets()[0].clone();
/// # let public_key = attested::public_key(&secret);
/// # let operator = alloy_primitives::Address::repeat_byte(1);
/// # let (chain_id, registry) = (alloy_primitives::U256::from(1), alloy_primitives::Address::repeat_byte(2));
/// # let digest = proof_of_possession_digest(operator, &public_key, chain_id, registry);
/// # let signed = secret.sign(digest.as_slice(), PROOF_OF_POSSESSION_TAG, &[]);
/// # let proof = assent_verifier::Signature(signed.serialize());
/// use assent_verifier::{backend::SignatureError, verify_proof_of_possession};
///
/// // The operator sends `proof` to the registry with its key.
/// verify_proof_of_possession(operator, &public_key, &proof, chain_id, registry)?;
///
/// // No other operator can register the key with it.
/// let thief = alloy_primitives::Address::repeat_byte(0xee);
/// let refused = verify_proof_of_possession(thief, &public_key, &proof, chain_id, registry);
/// assert_eq!(refused, Err(SignatureError::InvalidSignature));
/// # Ok::<(), SignatureError>(())
/// ```
///
/// # Errors
///
/// [`SignatureError`] if the key or the proof is not a valid point, or the proof is for other values.
pub fn verify_proof_of_possession(
    operator: Address,
    public_key: &PublicKey,
    proof: &Signature,
    chain_id: U256,
    operator_registry: Address,
) -> Result<(), SignatureError> {
    let digest = proof_of_possession_digest(operator, public_key, chain_id, operator_registry);
    verify_signature::<DefaultBackend>(digest.as_slice(), PROOF_OF_POSSESSION_TAG, proof, public_key)
}
