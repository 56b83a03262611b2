//! Signing of roots, proofs of possession, approvals, handovers, observations and connections.

use alloy_primitives::{Address, B256, U256};
use assent_verifier::digest::{
    CONNECTION_TAG, EPOCH_APPROVAL_TAG, EPOCH_HANDOVER_TAG, OBSERVATION_TAG, PROOF_OF_POSSESSION_TAG, SIGNATURE_TAG,
    proof_of_possession_digest,
};
use assent_verifier::{Connection, EpochApproval, EpochHandover, EpochRevocation, Observation, Signature};

use crate::SecretKey;

impl SecretKey {
    /// Signs the root of a Merkle tree of attestation digests. The only leaf of a tree is its root.
    ///
    /// The root does not show what is signed. An operator that evaluated the attestations signs an
    /// [`AttestationBatch`](crate::AttestationBatch) instead, which computes the root from them.
    pub fn sign_root(&self, root: B256) -> Signature {
        self.sign(root.as_slice(), SIGNATURE_TAG)
    }

    /// Signs a proof of possession, by which an operator registers this key with one OperatorRegistry on one chain.
    ///
    /// A proof has a separate domain separation tag, so that neither kind of signature is valid as the other.
    ///
    /// ```
    /// use alloy_primitives::{U256, address};
    /// use assent_signer::SecretKey;
    ///
    /// let key = SecretKey::generate()?;
    /// let operator = address!("0x00000000000000000000000000000000000000a1");
    /// let registry = address!("0x00000000000000000000000000000000000000b2");
    /// let proof = key.prove_possession(operator, U256::from(1), registry);
    /// assert_ne!(proof, key.prove_possession(operator, U256::from(10), registry)); // another chain
    /// # Ok::<(), assent_signer::SecretKeyError>(())
    /// ```
    pub fn prove_possession(&self, operator: Address, chain_id: U256, operator_registry: Address) -> Signature {
        let digest = proof_of_possession_digest(operator, &self.public_key(), chain_id, operator_registry);
        self.sign(digest.as_slice(), PROOF_OF_POSSESSION_TAG)
    }

    /// Approves the next operators of a set, for the registry on the chain `chain_id`.
    ///
    /// Compare `set_hash` with the operators that you expect before you sign. With a quorum of such signatures they
    /// decide what the set's clients execute, without notice.
    ///
    /// ```
    /// use alloy_primitives::{B256, U256, address, aliases::U48};
    /// use assent_signer::SecretKey;
    /// use assent_verifier::{EpochApproval, EpochId, OperatorSetId};
    ///
    /// let key = SecretKey::generate()?;
    /// let approval = EpochApproval {
    ///     registry: address!("0x00000000000000000000000000000000000000b2"),
    ///     operator_set: OperatorSetId(1),
    ///     signed_by: EpochId(4),
    ///     set_hash: B256::repeat_byte(5),
    ///     deadline: U48::from(1_800_000_000),
    /// };
    /// let signature = key.approve_epoch(&approval, U256::from(1));
    /// // Not what it would sign as the root of attestations.
    /// assert_ne!(signature, key.sign_root(approval.digest(U256::from(1))));
    /// # Ok::<(), assent_signer::SecretKeyError>(())
    /// ```
    pub fn approve_epoch(&self, approval: &EpochApproval, chain_id: U256) -> Signature {
        self.sign(approval.digest(chain_id).as_slice(), EPOCH_APPROVAL_TAG)
    }

    /// Hands over to a later epoch, on every chain.
    ///
    /// Warning: a handover that differs from the registry's record of the epoch is an offence. Sign only epochs that
    /// are final on the home chain, and record what is signed durably before.
    ///
    /// ```
    /// use alloy_primitives::{B256, U256, address, aliases::U48};
    /// use assent_signer::SecretKey;
    /// use assent_verifier::{EpochHandover, EpochId, OperatorSetId};
    ///
    /// let key = SecretKey::generate()?;
    /// let handover = EpochHandover {
    ///     home_chain: U256::from(1),
    ///     home_registry: address!("0x00000000000000000000000000000000000000b2"),
    ///     operator_set: OperatorSetId(1),
    ///     signed_by: EpochId(4),
    ///     epoch: EpochId(5),
    ///     committed_at: U48::from(1_799_400_000),
    ///     expires_at: U48::from(1_800_000_000),
    ///     content_hash: B256::repeat_byte(5),
    /// };
    /// // Not what it would sign as the root of attestations.
    /// assert_ne!(key.hand_over_epoch(&handover), key.sign_root(handover.digest()));
    /// # Ok::<(), assent_signer::SecretKeyError>(())
    /// ```
    pub fn hand_over_epoch(&self, handover: &EpochHandover) -> Signature {
        self.sign(handover.digest().as_slice(), EPOCH_HANDOVER_TAG)
    }

    /// Revokes an epoch with its other operators, on every chain and for good.
    ///
    /// ```
    /// use alloy_primitives::{U256, address};
    /// use assent_signer::SecretKey;
    /// use assent_verifier::{EpochId, EpochRevocation};
    ///
    /// let key = SecretKey::generate()?;
    /// let home_registry = address!("0x00000000000000000000000000000000000000b2");
    /// let revocation = EpochRevocation { home_chain: U256::from(1), home_registry, epoch: EpochId(4) };
    /// assert_ne!(key.revoke_epoch(&revocation), key.sign_root(revocation.digest()));
    /// # Ok::<(), assent_signer::SecretKeyError>(())
    /// ```
    pub fn revoke_epoch(&self, revocation: &EpochRevocation) -> Signature {
        self.sign(revocation.digest().as_slice(), EPOCH_HANDOVER_TAG)
    }

    /// Signs what a source answered for a task, for the TaskManager on the chain `chain_id`.
    ///
    /// Warning: two signatures of different observations of one task and source are an offence. Record an observation
    /// durably before it is signed.
    ///
    /// ```
    /// use alloy_primitives::{B256, U256, address};
    /// use assent_signer::SecretKey;
    /// use assent_verifier::{Observation, verify_observation};
    ///
    /// let key = SecretKey::generate()?;
    /// let observation = Observation::new(B256::repeat_byte(1), "price", B256::repeat_byte(2), br#"{"usd":"1"}"#);
    /// let (chain_id, task_manager) = (U256::from(1), address!("0x00000000000000000000000000000000000000a1"));
    /// let signature = key.sign_observation(&observation, chain_id, task_manager);
    /// verify_observation(&observation, &key.public_key(), &signature, chain_id, task_manager)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign_observation(&self, observation: &Observation, chain_id: U256, task_manager: Address) -> Signature {
        self.sign(observation.digest(chain_id, task_manager).as_slice(), OBSERVATION_TAG)
    }

    /// Answers a gateway's challenge, by which an operator proves this key when it connects.
    ///
    /// `connection.gateway` must be what the operator dialled, never what the gateway says that it is. Otherwise the
    /// gateway could answer another gateway's challenge with the signature.
    ///
    /// ```
    /// use alloy_primitives::{B256, U256, address};
    /// use assent_signer::SecretKey;
    /// use assent_verifier::{Connection, verify_connection};
    ///
    /// let key = SecretKey::generate()?;
    /// let operator = address!("0x00000000000000000000000000000000000000a1");
    /// let (chain_id, task_manager) = (U256::from(1), address!("0x00000000000000000000000000000000000000b2"));
    /// let (challenge, gateway) = (B256::repeat_byte(1), "gateway.example:443".into());
    /// let connection = Connection { challenge, operator, gateway };
    /// let signature = key.prove_connection(&connection, chain_id, task_manager);
    /// verify_connection(&connection, &key.public_key(), &signature, chain_id, task_manager)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prove_connection(&self, connection: &Connection, chain_id: U256, task_manager: Address) -> Signature {
        self.sign(connection.digest(chain_id, task_manager).as_slice(), CONNECTION_TAG)
    }
}
