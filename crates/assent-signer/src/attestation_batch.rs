//! Attestations that are signed together.

use alloy_primitives::{Address, B256, U256};
use assent_verifier::digest::{attestation_digest, intent_hash, task_id};
use assent_verifier::{Attestation, MerkleProof, MerkleTree, Signature};

use crate::SecretKey;

/// One or more attestations under one root, and so under one signature of each operator.
///
/// A batch holds only attestations that can be used: each task id is that of the attestation's other fields, and each
/// decision is one. Where two of one client have the same nonce, the first that is used spends the other. An example is in
/// the crate's documentation.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// use assent_signer::{AttestationBatch, SecretKey};
/// use assent_verifier::digest::attestation_digest;
///
/// // `attestation(n)` is what the operator found about a call with the nonce n.
/// let batch = AttestationBatch::new(vec![attestation(0), attestation(1)], chain_id(), TASK_MANAGER)?;
/// assert_eq!((batch.chain_id(), batch.task_manager()), (chain_id(), TASK_MANAGER));
/// assert_eq!(batch.attestations().len(), 2);
///
/// let signature = SecretKey::generate()?.sign_batch(&batch); // Both at once.
/// assert_eq!(signature.as_ref().len(), 96);
///
/// // What leads from an attestation to the root that was signed.
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

/// Why attestations cannot be signed together.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
/// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
/// use assent_signer::{AttestationBatch, AttestationBatchError};
///
/// let mut altered = attestation(1);
/// altered.intent.value += alloy_primitives::U256::from(1);
/// let error = AttestationBatch::new(vec![attestation(0), altered], chain_id(), TASK_MANAGER).unwrap_err();
/// assert!(matches!(error, AttestationBatchError::WrongTask { place: 1, .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttestationBatchError {
    /// There is nothing to sign.
    #[error("a batch needs at least one attestation")]
    Empty,
    /// An attestation's task id is not that of its other fields, the chain and the TaskManager: the contracts would
    /// refuse it as `WrongTask`.
    #[error("attestation {place}: its task id is {actual}, that of its fields is {expected}")]
    WrongTask {
        /// The attestation's place in the batch, from 0.
        place: usize,
        /// The task id computed from the fields.
        expected: B256,
        /// The task id it carries.
        actual: B256,
    },
    /// An attestation's decision is neither 0 (deny) nor 1 (allow).
    #[error("attestation {place}: decision {decision} is neither 0 (deny) nor 1 (allow)")]
    UnknownDecision {
        /// The attestation's place in the batch, from 0.
        place: usize,
        /// The decision it carries.
        decision: u8,
    },
}

impl AttestationBatch {
    /// A batch for the TaskManager at `task_manager` on the chain `chain_id`.
    ///
    /// # Errors
    /// Every variant of [`AttestationBatchError`].
    pub fn new(
        attestations: Vec<Attestation>,
        chain_id: U256,
        task_manager: Address,
    ) -> Result<Self, AttestationBatchError> {
        for (place, attestation) in attestations.iter().enumerate() {
            check(place, attestation, chain_id, task_manager)?;
        }
        let digests =
            attestations.iter().map(|attestation| attestation_digest(attestation, chain_id, task_manager)).collect();
        let tree = MerkleTree::new(digests).ok_or(AttestationBatchError::Empty)?;
        Ok(Self { chain_id, task_manager, attestations, tree })
    }

    /// The chain in whose EIP-712 domain the attestations are.
    pub fn chain_id(&self) -> U256 {
        self.chain_id
    }

    /// The TaskManager in whose EIP-712 domain the attestations are.
    pub fn task_manager(&self) -> Address {
        self.task_manager
    }

    /// What the operators sign: the Merkle root of the attestations' digests.
    pub fn root(&self) -> B256 {
        self.tree.root()
    }

    /// The attestations, in the order in which they were given.
    pub fn attestations(&self) -> &[Attestation] {
        &self.attestations
    }

    /// The way from the attestation at `place` (from 0) to the root; nothing when there is no such place.
    pub fn merkle_proof(&self, place: usize) -> Option<MerkleProof> {
        self.tree.proof(place)
    }
}

impl SecretKey {
    /// Signs the root of the batch: every attestation in it at once.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/epoch.rs")); }
    /// # use example::{OPERATORS, attestation, batch, chain_id, epoch, TASK_MANAGER};
    /// use assent_signer::SecretKey;
    ///
    /// let (key, batch) = (SecretKey::generate()?, batch());
    /// assert_eq!(key.sign_batch(&batch), key.sign_root(batch.root()));
    /// # Ok::<(), assent_signer::SecretKeyError>(())
    /// ```
    pub fn sign_batch(&self, batch: &AttestationBatch) -> Signature {
        self.sign_root(batch.root())
    }
}

fn check(
    place: usize,
    attestation: &Attestation,
    chain_id: U256,
    task_manager: Address,
) -> Result<(), AttestationBatchError> {
    let Attestation { taskId: actual, policyId, policyClient, nonce, decision, ref intent, .. } = *attestation;
    let expected = task_id(chain_id, task_manager, policyClient, policyId, intent_hash(intent), nonce);
    if actual != expected {
        return Err(AttestationBatchError::WrongTask { place, expected, actual });
    }
    if decision > 1 {
        return Err(AttestationBatchError::UnknownDecision { place, decision });
    }
    Ok(())
}
