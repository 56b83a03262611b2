//! The hashes that are signed and compared.
//!
//! The hashes of an attestation are computed without allocating.
//! A test compares them with those that alloy derives from the Solidity sources.

use crate::{Attestation, Intent, PublicKey};
use alloy_primitives::{Address, B256, Bytes, Keccak256, U256, aliases::U48, b256, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct};

/// The domain separation tag of attestations: the ciphersuite's name in the IETF BLS draft, section 4.2.3.
pub const SIGNATURE_TAG: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// The domain separation tag of proofs of possession: the IETF BLS draft, section 4.2.3.
///
/// It differs from [`SIGNATURE_TAG`], so that neither kind of signature is valid as the other.
pub const PROOF_OF_POSSESSION_TAG: &[u8] = b"BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// Domain separation tag of approvals of epochs: separate from that of attestations, whose roots can be any 32 bytes.
///
/// An attestation's signature is never an approval, and an approval's signature attests nothing.
pub const EPOCH_APPROVAL_TAG: &[u8] = b"ASSENT_EPOCH_APPROVAL_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// Domain separation tag of observations: an observation is never an attestation of what follows from it.
pub const OBSERVATION_TAG: &[u8] = b"ASSENT_OBSERVATION_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// Domain separation tag of connections: who has an operator sign a challenge gets a signature of nothing else.
pub const CONNECTION_TAG: &[u8] = b"ASSENT_CONNECTION_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// Domain separation tag of what an epoch's operators sign about epochs for all chains: handovers and revocations.
///
/// Separate from that of attestations, whose roots can be any 32 bytes.
pub const EPOCH_HANDOVER_TAG: &[u8] = b"ASSENT_EPOCH_HANDOVER_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// keccak256 of EIP-712's `encodeType` of an attestation: both type strings of docs/protocol.md, concatenated.
const ATTESTATION_TYPE_HASH: B256 = b256!("0xd3de8c5ec19821e0a35c3412b9f610dda0cd8ad8dd836cff559d93907f8711d9");

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

/// Returns the EIP-712 domain of a contract: name `Assent`, version `1`.
///
/// Attestations use the TaskManager's domain, proofs of possession the OperatorRegistry's.
pub fn domain(chain_id: U256, verifying_contract: Address) -> Eip712Domain {
    Eip712Domain::new(Some("Assent".into()), Some("1".into()), Some(chain_id), Some(verifying_contract), None)
}

/// Returns the EIP-712 domain of handovers and revocations: the same name and version, without chain and contract.
///
/// What is signed names the chain and the registry of the epoch, and is valid on every chain.
pub fn epoch_domain() -> Eip712Domain {
    Eip712Domain::new(Some("Assent".into()), Some("1".into()), None, None, None)
}

/// Returns the EIP-712 struct hash of an intent.
///
/// ```
/// use alloy_primitives::{U256, address, bytes};
/// use alloy_sol_types::SolStruct;
/// use assent_types::{Intent, digest::intent_hash};
///
/// let intent = Intent {
///     from: address!("0x1111111111111111111111111111111111111111"),
///     to: address!("0x2222222222222222222222222222222222222222"),
///     value: U256::ZERO,
///     data: bytes!("0xa9059cbb"),
///     chainId: U256::from(1),
/// };
/// assert_eq!(intent_hash(&intent), intent.eip712_hash_struct());
/// ```
pub fn intent_hash(intent: &Intent) -> B256 {
    intent_fields_hash(intent.from, intent.to, intent.value, &intent.data, intent.chainId)
}

/// Returns the task id, `keccak256(abi.encode(chainId, taskManager, policyClient, policyId, intentHash, nonce))`.
///
/// `chain_id` is the client's chain, which is not read from the intent.
///
/// ```
/// # let document = { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/document.rs")) };
/// use assent_types::digest::{intent_hash, task_id};
///
/// let attestation = &document.attestation;
/// let task_id = task_id(
///     document.chain_id,
///     document.task_manager,
///     attestation.policyClient,
///     attestation.policyId,
///     intent_hash(&attestation.intent),
///     attestation.nonce,
/// );
/// assert_eq!(task_id, attestation.taskId);
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

/// Returns the EIP-712 digest of an attestation: a leaf of the Merkle tree whose root the operators sign.
///
/// An attestation that is signed without others is the root itself.
///
/// ```
/// # let document = { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/document.rs")) };
/// use alloy_sol_types::SolStruct;
/// use assent_types::digest::{attestation_digest, domain};
///
/// let (attestation, chain_id, task_manager) = (&document.attestation, document.chain_id, document.task_manager);
/// let digest = attestation_digest(attestation, chain_id, task_manager);
/// // Any EIP-712 library computes the same.
/// assert_eq!(digest, attestation.eip712_signing_hash(&domain(chain_id, task_manager)));
/// ```
pub fn attestation_digest(attestation: &Attestation, chain_id: U256, task_manager: Address) -> B256 {
    let Attestation { taskId, policyId, policyClient, nonce, issuedAt, expiration, decision, evidence, intent } =
        attestation;
    AttestedFields {
        task_id: *taskId,
        policy_id: *policyId,
        policy_client: *policyClient,
        nonce: *nonce,
        issued_at: *issuedAt,
        expiration: *expiration,
        decision: *decision,
        evidence: *evidence,
        intent_hash: intent_hash(intent),
    }
    .digest(chain_id, task_manager)
}

/// Returns the [`intent_hash`] of an intent given by its fields, which need not be copied into an [`Intent`].
pub fn intent_fields_hash(from: Address, to: Address, value: U256, data: &[u8], chain_id: U256) -> B256 {
    hash_words([INTENT_TYPE_HASH, from.into_word(), to.into_word(), value.into(), keccak256(data), chain_id.into()])
}

/// The fields of an attestation, with the intent's hash instead of the intent.
// Complete: these are the fields of the EIP-712 type.
#[derive(Debug, Clone, Copy)]
pub struct AttestedFields {
    /// The attested task.
    pub task_id: B256,
    /// The policy that was evaluated.
    pub policy_id: B256,
    /// The client that the call is made to.
    pub policy_client: Address,
    /// The nonce that the call spends.
    pub nonce: U256,
    /// The time from which the attestation is valid, Unix time.
    pub issued_at: U48,
    /// The first second at which the attestation is no longer valid, Unix time.
    pub expiration: U48,
    /// The operators' decision, as its byte.
    pub decision: u8,
    /// The hash of everything that the operators evaluated.
    pub evidence: B256,
    /// The intent's [`intent_hash`].
    pub intent_hash: B256,
}

impl AttestedFields {
    /// Returns the [`attestation_digest`].
    pub fn digest(&self, chain_id: U256, task_manager: Address) -> B256 {
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
            U256::from(self.issued_at).into(),
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

/// Returns keccak256 of `abi.encode` of words.
fn hash_words<const N: usize>(words: [B256; N]) -> B256 {
    keccak256(words.map(|word| word.0).as_flattened())
}

/// Returns the EIP-712 digest that a proof of possession signs under [`PROOF_OF_POSSESSION_TAG`].
///
/// The digest binds the operator's address, the chain and the registry, so that no one can register another's key.
pub fn proof_of_possession_digest(
    operator: Address,
    public_key: &PublicKey,
    chain_id: U256,
    operator_registry: Address,
) -> B256 {
    typed_data::ProofOfPossession { operator, publicKey: Bytes::copy_from_slice(public_key.as_ref()) }
        .eip712_signing_hash(&domain(chain_id, operator_registry))
}
