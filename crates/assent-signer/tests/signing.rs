//! What a key signs is what the protocol says, and verifies in both of the verifier's backends.

use alloy_primitives::{Address, B256, U256, aliases::U48, keccak256};
use assent_signer::{AttestationBatch, AttestationBatchError, SecretKey};
use assent_verifier::backend::{SignatureError, arkworks::Arkworks, blst::Blst, verify_signature};
use assent_verifier::digest::{attestation_digest, intent_hash, task_id};
use assent_verifier::{Attestation, Intent, PublicKey, Signature, verify_proof_of_possession};

// docs/protocol.md, "Signed message and proof of possession"; the ciphersuite is of draft-irtf-cfrg-bls-signature-05,
// section 4.2.3, with the suite of G1.
const SIGNATURE_TAG: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
const PROOF_TAG: &[u8] = b"BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

const TASK_MANAGER: Address = Address::repeat_byte(0x77);
const REGISTRY: Address = Address::repeat_byte(0x88);
const OPERATOR: Address = Address::repeat_byte(0x99);

fn chain() -> U256 {
    U256::from(11_155_111)
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_key_material(&[seed; 32]).unwrap()
}

fn verify(message: B256, tag: &[u8], signature: &Signature, key: &PublicKey) -> Result<(), SignatureError> {
    let [by_blst, by_arkworks] = [
        verify_signature::<Blst>(message.as_slice(), tag, signature, key),
        verify_signature::<Arkworks>(message.as_slice(), tag, signature, key),
    ];
    assert_eq!(by_blst, by_arkworks);
    by_blst
}

fn attestation(nonce: u64) -> Attestation {
    let intent = Intent {
        from: Address::repeat_byte(1),
        to: Address::repeat_byte(2),
        value: U256::from(3),
        data: vec![4; 37].into(),
        chainId: chain(),
    };
    let (policy_client, policy_id, nonce) = (Address::repeat_byte(5), B256::repeat_byte(6), U256::from(nonce));
    Attestation {
        taskId: task_id(chain(), TASK_MANAGER, policy_client, policy_id, intent_hash(&intent), nonce),
        policyId: policy_id,
        policyClient: policy_client,
        nonce,
        issuedAt: U48::from(1_899_999_400_u64),
        expiration: U48::from(1_900_000_000_u64),
        decision: 1,
        evidence: B256::repeat_byte(7),
        intent,
    }
}

#[test]
fn signs_roots_under_the_tag_of_signatures() {
    let root = keccak256("a root");
    let signature = key(1).sign_root(root);
    assert_eq!(verify(root, SIGNATURE_TAG, &signature, &key(1).public_key()), Ok(()));
    for refused in [
        verify(root, PROOF_TAG, &signature, &key(1).public_key()),
        verify(root, SIGNATURE_TAG, &signature, &key(2).public_key()),
        verify(keccak256("another root"), SIGNATURE_TAG, &signature, &key(1).public_key()),
    ] {
        assert_eq!(refused, Err(SignatureError::InvalidSignature));
    }
}

/// The digest of docs/protocol.md, put together from EIP-712's own definition.
fn proof_digest(operator: Address, public_key: &PublicKey, chain_id: U256, registry: Address) -> B256 {
    let domain = keccak256(
        [
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256("Assent"),
            keccak256("1"),
            chain_id.into(),
            registry.into_word(),
        ]
        .concat(),
    );
    let proof = keccak256(
        [keccak256("ProofOfPossession(address operator,bytes publicKey)"), operator.into_word(), keccak256(public_key)]
            .concat(),
    );
    keccak256([b"\x19\x01".as_slice(), domain.as_slice(), proof.as_slice()].concat())
}

#[test]
fn proves_possession_to_one_operator_chain_and_registry() {
    let public_key = key(1).public_key();
    let proof = key(1).prove_possession(OPERATOR, chain(), REGISTRY);
    let verdict = |digest, key| verify(digest, PROOF_TAG, &proof, key);
    assert_eq!(verdict(proof_digest(OPERATOR, &public_key, chain(), REGISTRY), &public_key), Ok(()));

    assert_eq!(verify_proof_of_possession(OPERATOR, &public_key, &proof, chain(), REGISTRY), Ok(()));

    let another_key = key(2).public_key();
    for refused in [
        verdict(proof_digest(REGISTRY, &public_key, chain(), REGISTRY), &public_key),
        verdict(proof_digest(OPERATOR, &public_key, U256::from(1), REGISTRY), &public_key),
        verdict(proof_digest(OPERATOR, &public_key, chain(), OPERATOR), &public_key),
        verdict(proof_digest(OPERATOR, &another_key, chain(), REGISTRY), &another_key),
    ] {
        assert_eq!(refused, Err(SignatureError::InvalidSignature));
    }
}

#[test]
fn never_lets_a_proof_of_possession_pass_for_a_signature() {
    let public_key = key(1).public_key();
    let proof = key(1).prove_possession(OPERATOR, chain(), REGISTRY);
    let digest = proof_digest(OPERATOR, &public_key, chain(), REGISTRY);
    assert_eq!(verify(digest, SIGNATURE_TAG, &proof, &public_key), Err(SignatureError::InvalidSignature));
}

#[test]
fn signs_a_lone_attestation_by_its_digest() {
    let batch = AttestationBatch::new(vec![attestation(1)], chain(), TASK_MANAGER).unwrap();
    assert_eq!(batch.root(), attestation_digest(&attestation(1), chain(), TASK_MANAGER));
    assert!(batch.merkle_proof(0).unwrap().as_slice().is_empty());
    assert_eq!(key(1).sign_batch(&batch), key(1).sign_root(batch.root()));
}

#[test]
fn leads_from_every_attestation_of_a_batch_to_what_is_signed() {
    for size in [2, 3, 7, 16] {
        let attestations: Vec<_> = (0..size).map(attestation).collect();
        let batch = AttestationBatch::new(attestations.clone(), chain(), TASK_MANAGER).unwrap();
        for (place, attestation) in attestations.iter().enumerate() {
            let proof = batch.merkle_proof(place).unwrap();
            assert_eq!(proof.root(attestation_digest(attestation, chain(), TASK_MANAGER)), batch.root());
        }
        assert!(batch.merkle_proof(attestations.len()).is_none());
    }
}

#[test]
fn refuses_to_sign_what_no_contract_would_accept() {
    let batch = |altered: Attestation| {
        AttestationBatch::new(vec![attestation(0), altered], chain(), TASK_MANAGER).map(|batch| batch.root())
    };
    assert!(batch(attestation(1)).is_ok());
    assert_eq!(AttestationBatch::new(vec![], chain(), TASK_MANAGER).unwrap_err(), AttestationBatchError::Empty);
    assert_eq!(
        batch(Attestation { decision: 2, ..attestation(1) }),
        Err(AttestationBatchError::UnknownDecision { index: 1, decision: 2 })
    );
    let mut other_target = attestation(1);
    other_target.intent.to = Address::repeat_byte(0xee);
    for altered in [
        other_target,
        Attestation { nonce: U256::from(2), ..attestation(1) },
        Attestation { policyId: B256::ZERO, ..attestation(1) },
        Attestation { policyClient: TASK_MANAGER, ..attestation(1) },
        Attestation { taskId: B256::ZERO, ..attestation(1) },
    ] {
        assert!(matches!(batch(altered), Err(AttestationBatchError::WrongTask { index: 1, .. })));
    }
    for (chain, task_manager) in [(U256::from(1), TASK_MANAGER), (chain(), REGISTRY)] {
        let refused = AttestationBatch::new(vec![attestation(1)], chain, task_manager).unwrap_err();
        assert!(matches!(refused, AttestationBatchError::WrongTask { index: 0, .. }));
    }
}
