//! Proofs of possession and revert data, compared with the words of docs/protocol.md.

mod fixture;

use alloy_primitives::{Address, U256, aliases::U48, keccak256};
use assent_verifier::{
    PublicKey, Refusal, Signature,
    backend::SignatureError,
    digest::{PROOF_OF_POSSESSION_TAG, proof_of_possession_digest},
    verify_proof_of_possession,
};
use fixture::{public_key, secret};
use proptest::prelude::*;

#[test]
fn a_proof_of_possession_is_bound_to_operator_key_chain_and_registry() {
    let (secret, chain, registry, operator) =
        (secret(1), U256::from(31337), Address::repeat_byte(8), Address::repeat_byte(7));
    let key = public_key(&secret);
    let digest = proof_of_possession_digest(operator, &key, chain, registry);
    let proof = Signature(secret.sign(digest.as_slice(), PROOF_OF_POSSESSION_TAG, &[]).serialize());
    assert_eq!(verify_proof_of_possession(operator, &key, &proof, chain, registry), Ok(()));

    let invalid = Err(SignatureError::InvalidSignature);
    assert_eq!(verify_proof_of_possession(registry, &key, &proof, chain, registry), invalid);
    assert_eq!(verify_proof_of_possession(operator, &key, &proof, U256::ZERO, registry), invalid);
    assert_eq!(verify_proof_of_possession(operator, &key, &proof, chain, operator), invalid);
    let other = public_key(&fixture::secret(2));
    assert_eq!(verify_proof_of_possession(operator, &other, &proof, chain, registry), invalid);
    let attested = Signature(secret.sign(digest.as_slice(), assent_verifier::digest::SIGNATURE_TAG, &[]).serialize());
    assert_eq!(verify_proof_of_possession(operator, &key, &attested, chain, registry), invalid);
    let malformed = Err(SignatureError::MalformedSignature);
    assert_eq!(verify_proof_of_possession(operator, &key, &Signature([0; 96]), chain, registry), malformed);
    let malformed = Err(SignatureError::MalformedPublicKey);
    assert_eq!(verify_proof_of_possession(operator, &PublicKey::INFINITY, &proof, chain, registry), malformed);
}

#[test]
fn revert_data_is_the_selector_and_the_arguments() {
    let refusal = Refusal::AttestationExpired { expiration: U48::from(5), timestamp: U256::from(6) };
    let selector = &keccak256("AttestationExpired(uint48,uint256)")[..4];
    let mut expected = selector.to_vec();
    expected.extend(U256::from(5).to_be_bytes::<32>());
    expected.extend(U256::from(6).to_be_bytes::<32>());
    assert_eq!(refusal.revert_data(), expected);
    assert_eq!(Refusal::PolicyNotSet.revert_data(), keccak256("PolicyNotSet()")[..4]);

    assert_eq!(Refusal::decode(&expected), Some(refusal));
    assert_eq!(Refusal::decode(&[&expected[..], &[0]].concat()), None, "something follows");
    assert_eq!(Refusal::decode(&expected[..67]), None, "cut short");
    expected[4] = 1;
    assert_eq!(Refusal::decode(&expected), None, "uint48 above 48 bits");
    assert_eq!(Refusal::decode(&[]), None);
    assert_eq!(Refusal::decode(&[0; 4]), None);
}

proptest! {
    #[test]
    fn any_bytes_are_one_refusals_revert_data_or_none(bytes: Vec<u8>) {
        if let Some(refusal) = Refusal::decode(&bytes) {
            prop_assert_eq!(refusal.revert_data(), bytes);
        }
    }
}
