//! Attestations that are signed together.

use alloy_primitives::{Address, B256, U256};
use assent_verifier::digest::{attestation_digest, intent_hash, task_id};
use assent_verifier::{Attestation, MerkleProof, MerkleTree, Signature};

use crate::SecretKey;

/// Attestations under one root, which each operator signs once.
///
/// A batch holds only attestations that can be used: each task id matches the attestation's other fields, and each
/// decision is known. If two of one client have the same nonce, using one spends the other.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// use assent_signer::{AttestationBatch, SecretKey};
/// use assent_verifier::digest::attestation_digest;
///
/// // `attestation(n)` is about a call with the nonce n.
/// let batch = AttestationBatch::new(vec![attestation(0), attestation(1)], chain_id(), TASK_MANAGER)?;
/// assert_eq!((batch.chain_id(), batch.task_manager()), (chain_id(), TASK_MANAGER));
/// assert_eq!(batch.attestations().len(), 2);
///
/// let signature = SecretKey::generate()?.sign_batch(&batch); // Both at once.
/// assert_eq!(signature.as_ref().len(), 96);
///
/// // The proof leads from an attestation to the signed root.
/// let digest = attestation_digest(&attestation(1), batch.chain_id(), batch.task_manager());
/// let proof = batch.merkle_proof(1).ok_or("there are two")?;
/// assert_eq!(proof.root(digest), batch.root());
/// assert!(batch.merkle_proof(2).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AttestationBatch {
    chain_id: U256,
    task_manager: Address,
    attestations: Vec<Attestation>,
    tree: MerkleTree,
}

/// The reason why attestations are not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationBatchError {
    /// The batch has no attestation.
    #[error("a batch needs at least one attestation")]
    Empty,
    /// An attestation's task id does not match its other fields, the chain and the TaskManager.
    ///
    /// Contracts would refuse it with `WrongTask`.
    #[error("attestation {index}: its task id is {actual}, that of its fields is {expected}")]
    WrongTask {
        /// The attestation's index in the batch.
        index: usize,
        /// The task id computed from the fields.
        expected: B256,
        /// The task id it carries.
        actual: B256,
    },
    /// An attestation's decision is neither 0 (deny) nor 1 (allow).
    #[error("attestation {index}: decision {decision} is neither 0 (deny) nor 1 (allow)")]
    UnknownDecision {
        /// The attestation's index in the batch.
        index: usize,
        /// The decision it carries.
        decision: u8,
    },
}

impl AttestationBatch {
    /// Returns a batch for a TaskManager on a chain.
    ///
    /// # Errors
    /// Every variant of [`AttestationBatchError`].
    pub fn new(
        attestations: Vec<Attestation>,
        chain_id: U256,
        task_manager: Address,
    ) -> Result<Self, AttestationBatchError> {
        for (index, attestation) in attestations.iter().enumerate() {
            check(index, attestation, chain_id, task_manager)?;
        }
        let digests =
            attestations.iter().map(|attestation| attestation_digest(attestation, chain_id, task_manager)).collect();
        let tree = MerkleTree::new(digests).ok_or(AttestationBatchError::Empty)?;
        Ok(Self { chain_id, task_manager, attestations, tree })
    }

    /// Returns the chain of the attestations' EIP-712 domain.
    pub fn chain_id(&self) -> U256 {
        self.chain_id
    }

    /// Returns the TaskManager of the attestations' EIP-712 domain.
    pub fn task_manager(&self) -> Address {
        self.task_manager
    }

    /// Returns the Merkle root of the attestations' digests, which the operators sign.
    pub fn root(&self) -> B256 {
        self.tree.root()
    }

    /// Returns the attestations, in the given order.
    pub fn attestations(&self) -> &[Attestation] {
        &self.attestations
    }

    /// Returns the proof from the attestation at an index to the root, or `None` if there is no such attestation.
    pub fn merkle_proof(&self, index: usize) -> Option<MerkleProof> {
        self.tree.proof(index)
    }
}

impl SecretKey {
    /// Signs the batch's root, and so every attestation in it.
    pub fn sign_batch(&self, batch: &AttestationBatch) -> Signature {
        self.sign_root(batch.root())
    }
}

fn check(
    index: usize,
    attestation: &Attestation,
    chain_id: U256,
    task_manager: Address,
) -> Result<(), AttestationBatchError> {
    let Attestation { taskId: actual, policyId, policyClient, nonce, decision, ref intent, .. } = *attestation;
    let expected = task_id(chain_id, task_manager, policyClient, policyId, intent_hash(intent), nonce);
    if actual != expected {
        return Err(AttestationBatchError::WrongTask { index, expected, actual });
    }
    if decision > 1 {
        return Err(AttestationBatchError::UnknownDecision { index, decision });
    }
    Ok(())
}
