//! Operators' proofs to gateways.

use crate::{
    Connection, PublicKey, Signature,
    backend::{DefaultBackend, SignatureError, verify_signature},
    digest::CONNECTION_TAG,
};
use alloy_primitives::{Address, U256};

/// Verifies an operator's answer to a gateway's challenge.
///
/// The caller must use a challenge once, and compare `connection.gateway` with the names under which it is reached.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # use alloy_primitives::{Address, B256, U256};
/// # use assent_verifier::digest::CONNECTION_TAG;
/// # let secret = attested::secrets()[0].clone();
/// # let public_key = attested::public_key(&secret);
/// # let (challenge, operator) = (B256::repeat_byte(1), Address::repeat_byte(1));
/// # let (chain_id, task_manager) = (U256::from(1), Address::repeat_byte(2));
/// use assent_verifier::{Connection, backend::SignatureError, verify_connection};
///
/// let connection = Connection { challenge, operator, gateway: "gateway.example:443".into() };
/// # let signed = secret.sign(connection.digest(chain_id, task_manager).as_slice(), CONNECTION_TAG, &[]);
/// # let proof = assent_verifier::Signature(signed.serialize());
/// verify_connection(&connection, &public_key, &proof, chain_id, task_manager)?;
///
/// // Another gateway cannot pass it on.
/// let another = Connection { gateway: "another.example:443".into(), ..connection };
/// let refused = verify_connection(&another, &public_key, &proof, chain_id, task_manager);
/// assert_eq!(refused, Err(SignatureError::InvalidSignature));
/// # Ok::<(), SignatureError>(())
/// ```
///
/// # Errors
///
/// [`SignatureError`] if the key or the proof is not a valid point, or the proof is for other values.
pub fn verify_connection(
    connection: &Connection,
    public_key: &PublicKey,
    proof: &Signature,
    chain_id: U256,
    task_manager: Address,
) -> Result<(), SignatureError> {
    let digest = connection.digest(chain_id, task_manager);
    verify_signature::<DefaultBackend>(digest.as_slice(), CONNECTION_TAG, proof, public_key)
}
