//! The hashes that are signed and compared.
//!
//! Type strings come from the Solidity sources through `sol!`.

use crate::{Attestation, Intent, PublicKey};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct, SolValue};

/// Domain separation tag of attestations: the ciphersuite's name in the IETF BLS draft, section 4.2.3.
pub const SIGNATURE_TAG: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// Domain separation tag of proofs of possession: the IETF BLS draft, section 4.2.3.
pub const PROOF_OF_POSSESSION_TAG: &[u8] = b"BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

mod typed_data {
    #![allow(missing_docs)]
    alloy_sol_types::sol! {
        struct ProofOfPossession {
            address operator;
            bytes publicKey;
        }
    }
}

/// The EIP-712 domain of a contract: name `Assent`, version `1`. Attestations live in the TaskManager's, proofs of
/// possession in the OperatorRegistry's.
pub fn domain(chain_id: U256, verifying_contract: Address) -> Eip712Domain {
    Eip712Domain::new(Some("Assent".into()), Some("1".into()), Some(chain_id), Some(verifying_contract), None)
}

/// The EIP-712 struct hash of an intent.
pub fn intent_hash(intent: &Intent) -> B256 {
    intent.eip712_hash_struct()
}

/// `keccak256(abi.encode(chainId, taskManager, policyClient, policyId, intentHash, nonce))`, where `chain_id` is the
/// chain's own and not the intent's.
pub fn task_id(
    chain_id: U256,
    task_manager: Address,
    policy_client: Address,
    policy_id: B256,
    intent_hash: B256,
    nonce: U256,
) -> B256 {
    keccak256((chain_id, task_manager, policy_client, policy_id, intent_hash, nonce).abi_encode())
}

/// The EIP-712 digest of an attestation: a leaf of the tree whose root the operators sign, and the root itself when it
/// is alone.
pub fn attestation_digest(attestation: &Attestation, chain_id: U256, task_manager: Address) -> B256 {
    attestation.eip712_signing_hash(&domain(chain_id, task_manager))
}

/// The EIP-712 digest that a proof of possession signs under [`PROOF_OF_POSSESSION_TAG`]. It binds the operator's address,
/// the chain and the registry, so that nobody can register another's key.
pub fn proof_of_possession_digest(
    operator: Address,
    public_key: &PublicKey,
    chain_id: U256,
    operator_registry: Address,
) -> B256 {
    typed_data::ProofOfPossession { operator, publicKey: Bytes::copy_from_slice(public_key.as_ref()) }
        .eip712_signing_hash(&domain(chain_id, operator_registry))
}
