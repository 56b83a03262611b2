//! The hashes that are signed and compared.
//!
//! What is hashed for every attestation is hashed in place, without allocating; a test holds it equal to what alloy makes of
//! the Solidity sources through `sol!`.

use crate::{Attestation, Intent, PublicKey};
use alloy_primitives::{Address, B256, Bytes, Keccak256, U256, aliases::U48, b256, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct};

/// Domain separation tag of attestations: the ciphersuite's name in the IETF BLS draft, section 4.2.3.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (_, _, document) = attested::example();
/// # let key = *document.clone().attestation.taskId;
/// # let [first, _, third] = attested::secrets();
/// # let mut public = blst::min_sig::AggregatePublicKey::from_public_key(&first.sk_to_pk());
/// # public.add_public_key(&third.sk_to_pk(), false).unwrap();
/// # let mut public_key = public.to_public_key().serialize();
/// # public_key.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
/// # let signers_key = assent_verifier::PublicKey(public_key);
/// use assent_verifier::backend::{Preferred, verify_signature};
/// use assent_verifier::digest::SIGNATURE_TAG;
///
/// // `signers_key` is the sum of the keys of those who signed `document`.
/// let (root, signature) = (document.root(), document.signature);
/// verify_signature::<Preferred>(root.as_slice(), SIGNATURE_TAG, &signature, &signers_key)?;
/// # Ok::<(), assent_verifier::backend::SignatureError>(())
/// ```
pub const SIGNATURE_TAG: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// Domain separation tag of proofs of possession: the IETF BLS draft, section 4.2.3.
///
/// ```
/// use assent_verifier::digest::{PROOF_OF_POSSESSION_TAG, SIGNATURE_TAG};
///
/// // An attestation never passes for a proof of possession, nor a proof for an attestation.
/// assert_ne!(PROOF_OF_POSSESSION_TAG, SIGNATURE_TAG);
/// assert_eq!(PROOF_OF_POSSESSION_TAG, b"BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
/// ```
pub const PROOF_OF_POSSESSION_TAG: &[u8] = b"BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// keccak256 of EIP-712's `encodeType` of an attestation: both type strings of docs/protocol.md, one after the other.
const ATTESTATION_TYPE_HASH: B256 = b256!("0x093f45252b54193fa02ea3f3996b26b1e8d480095118f77e36c9a1de901fa618");

/// keccak256 of `encodeType` of an intent.
const INTENT_TYPE_HASH: B256 = b256!("0xc3e15847c0f2505aad68e5798871677e27db94ac3c90efa5145ca04f00bf9b3f");

/// keccak256 of `EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)`.
const DOMAIN_TYPE_HASH: B256 = b256!("0x8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f");

/// keccak256 of `Assent`.
const DOMAIN_NAME_HASH: B256 = b256!("0x170c8c0fd5b8357f87f086f3d5959e89d97a095b54209e3fdb9c948a77c1f97b");

/// keccak256 of `1`.
const DOMAIN_VERSION_HASH: B256 = b256!("0xc89efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc6");

mod typed_data {
    #![allow(missing_docs)]
    alloy_sol_types::sol! {
        struct ProofOfPossession {
            address operator;
            bytes publicKey;
        }
    } // sol!
}

/// The EIP-712 domain of a contract: name `Assent`, version `1`. Attestations live in the TaskManager's, proofs of
/// possession in the OperatorRegistry's.
///
/// ```
/// use alloy_primitives::{U256, address};
/// use assent_verifier::digest::domain;
///
/// let task_manager = address!("0x1111111111111111111111111111111111111111");
/// let domain = domain(U256::from(1), task_manager);
/// assert_eq!(domain.name.as_deref(), Some("Assent"));
/// assert_eq!(domain.verifying_contract, Some(task_manager));
/// ```
pub fn domain(chain_id: U256, verifying_contract: Address) -> Eip712Domain {
    Eip712Domain::new(Some("Assent".into()), Some("1".into()), Some(chain_id), Some(verifying_contract), None)
}

/// The EIP-712 struct hash of an intent.
///
/// ```
/// use alloy_primitives::{U256, address, bytes};
/// use alloy_sol_types::SolStruct;
/// use assent_verifier::{Intent, digest::intent_hash};
///
/// let intent = Intent {
///     from: address!("0x1111111111111111111111111111111111111111"),
///     to: address!("0x2222222222222222222222222222222222222222"),
///     value: U256::ZERO,
///     data: bytes!("0xa9059cbb"),
///     chainId: U256::from(1),
/// };
/// assert_eq!(intent_hash(&intent), intent.eip712_hash_struct());
/// assert_ne!(intent_hash(&intent), intent_hash(&Intent { value: U256::from(1), ..intent.clone() }));
/// ```
pub fn intent_hash(intent: &Intent) -> B256 {
    intent_fields_hash(intent.from, intent.to, intent.value, &intent.data, intent.chainId)
}

/// `keccak256(abi.encode(chainId, taskManager, policyClient, policyId, intentHash, nonce))`, where `chain_id` is the
/// chain's own and not the intent's.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::digest::{intent_hash, task_id};
///
/// let attestation = &document.attestation;
/// let task = task_id(
///     context.chain_id,
///     context.task_manager,
///     attestation.policyClient,
///     attestation.policyId,
///     intent_hash(&intent),
///     attestation.nonce,
/// );
/// assert_eq!(task, attestation.taskId);
/// ```
pub fn task_id(
    chain_id: U256,
    task_manager: Address,
    policy_client: Address,
    policy_id: B256,
    intent_hash: B256,
    nonce: U256,
) -> B256 {
    hash_words([
        chain_id.into(),
        task_manager.into_word(),
        policy_client.into_word(),
        policy_id,
        intent_hash,
        nonce.into(),
    ])
}

/// The EIP-712 digest of an attestation: a leaf of the tree whose root the operators sign, and the root itself when it
/// is alone.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, _, document) = attested::example();
/// use alloy_sol_types::SolStruct;
/// use assent_verifier::digest::{attestation_digest, domain};
///
/// let attestation = &document.attestation;
/// let digest = attestation_digest(attestation, context.chain_id, context.task_manager);
/// // What any EIP-712 library makes of it.
/// assert_eq!(digest, attestation.eip712_signing_hash(&domain(context.chain_id, context.task_manager)));
/// assert_eq!(digest, document.root()); // It was signed alone.
/// ```
pub fn attestation_digest(attestation: &Attestation, chain_id: U256, task_manager: Address) -> B256 {
    let Attestation { taskId, policyId, policyClient, nonce, expiration, decision, evidence, intent } = attestation;
    AttestedFields {
        task_id: *taskId,
        policy_id: *policyId,
        policy_client: *policyClient,
        nonce: *nonce,
        expiration: *expiration,
        decision: *decision,
        evidence: *evidence,
        intent_hash: intent_hash(intent),
    }
    .digest(chain_id, task_manager)
}

/// [`intent_hash`] of an intent that stands in parts.
pub(crate) fn intent_fields_hash(from: Address, to: Address, value: U256, data: &[u8], chain_id: U256) -> B256 {
    hash_words([INTENT_TYPE_HASH, from.into_word(), to.into_word(), value.into(), keccak256(data), chain_id.into()])
}

/// An attestation, of whose intent the hash is enough.
pub(crate) struct AttestedFields {
    pub(crate) task_id: B256,
    pub(crate) policy_id: B256,
    pub(crate) policy_client: Address,
    pub(crate) nonce: U256,
    pub(crate) expiration: U48,
    pub(crate) decision: u8,
    pub(crate) evidence: B256,
    pub(crate) intent_hash: B256,
}

impl AttestedFields {
    /// [`attestation_digest`].
    pub(crate) fn digest(&self, chain_id: U256, task_manager: Address) -> B256 {
        let domain_separator = hash_words([
            DOMAIN_TYPE_HASH,
            DOMAIN_NAME_HASH,
            DOMAIN_VERSION_HASH,
            chain_id.into(),
            task_manager.into_word(),
        ]);
        let struct_hash = hash_words([
            ATTESTATION_TYPE_HASH,
            self.task_id,
            self.policy_id,
            self.policy_client.into_word(),
            self.nonce.into(),
            U256::from(self.expiration).into(),
            U256::from(self.decision).into(),
            self.evidence,
            self.intent_hash,
        ]);
        // EIP-712: "\x19\x01" ‖ domain separator ‖ struct hash.
        let mut hasher = Keccak256::new();
        hasher.update([0x19, 0x01]);
        hasher.update(domain_separator);
        hasher.update(struct_hash);
        hasher.finalize()
    }
}

/// keccak256 of `abi.encode` of words.
fn hash_words<const N: usize>(words: [B256; N]) -> B256 {
    keccak256(words.map(|word| word.0).as_flattened())
}

/// The EIP-712 digest that a proof of possession signs under [`PROOF_OF_POSSESSION_TAG`]. It binds the operator's address,
/// the chain and the registry, so that nobody can register another's key.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let secret = attested::secrets()[0].clone();
/// # let public_key = attested::public_key(&secret);
/// # let sign = |message: &[u8], tag: &[u8]| assent_verifier::Signature(secret.sign(message, tag, &[]).serialize());
/// use alloy_primitives::{U256, address};
/// use assent_verifier::digest::{PROOF_OF_POSSESSION_TAG, proof_of_possession_digest};
/// use assent_verifier::verify_proof_of_possession;
///
/// let operator = address!("0x00000000000000000000000000000000000000a1");
/// let registry = address!("0x00000000000000000000000000000000000000b2");
/// let digest = proof_of_possession_digest(operator, &public_key, U256::from(1), registry);
/// let proof = sign(digest.as_slice(), PROOF_OF_POSSESSION_TAG); // With the secret key, by whatever library.
/// verify_proof_of_possession(operator, &public_key, &proof, U256::from(1), registry)?;
/// # Ok::<(), assent_verifier::backend::SignatureError>(())
/// ```
pub fn proof_of_possession_digest(
    operator: Address,
    public_key: &PublicKey,
    chain_id: U256,
    operator_registry: Address,
) -> B256 {
    typed_data::ProofOfPossession { operator, publicKey: Bytes::copy_from_slice(public_key.as_ref()) }
        .eip712_signing_hash(&domain(chain_id, operator_registry))
}
