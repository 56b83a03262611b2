//! Attestations in full, for people, stores and offline verification.

use crate::{
    Attestation, Authorization, Context, Decision, Intent, MerkleProof, NonSigners, QuorumProof, Signature,
    UnknownDecision,
    digest::{attestation_digest, intent_hash},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use alloy_primitives::{Address, B256, U256};
use core::fmt;

/// An attestation with every attested field and its proof. The authorization can be cut from it.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use assent_verifier::{MerkleProof, verify};
///
/// // What travels with the call is cut from it.
/// let authorization = document.authorization()?;
/// assert!(verify(&context, &intent, &authorization.encode()).is_ok());
/// assert_eq!(document.recorded_authorization()?.merkle_proof, authorization.merkle_proof);
///
/// // Signed alone, an attestation is its own root.
/// assert_eq!(document.merkle_proof, MerkleProof::EMPTY);
/// assert_eq!(document.digest(), document.root());
/// # Ok::<(), assent_verifier::UnknownDecision>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationDocument {
    /// The chain of the EIP-712 domain, in which the digest was made.
    pub chain_id: U256,
    /// The TaskManager of the EIP-712 domain.
    pub task_manager: Address,
    /// What the operators attested.
    pub attestation: Attestation,
    /// The operators' epoch.
    pub epoch: u32,
    /// The aggregate signature over the Merkle root.
    pub signature: Signature,
    /// The operators that did not sign.
    pub non_signers: NonSigners,
    /// From the attestation's digest to the signed root.
    pub merkle_proof: MerkleProof,
}

/// A field in which a call differs from what was attested.
///
/// ```
/// use assent_verifier::Difference;
///
/// let difference = Difference { field: "nonce", attested: "7".to_owned(), actual: "8".to_owned() };
/// assert_eq!(difference.to_string(), "nonce: attested 7, but the call has 8");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field, as docs/protocol.md names it; those of the intent begin with `intent.`.
    pub field: &'static str,
    /// What the operators attested.
    pub attested: String,
    /// What the call has.
    pub actual: String,
}

impl AttestationDocument {
    /// What travels with the call, the signature included.
    ///
    /// # Errors
    ///
    /// [`UnknownDecision`] when the attestation's decision is above 1.
    pub fn authorization(&self) -> Result<Authorization, UnknownDecision> {
        self.cut(QuorumProof::Direct { signature: self.signature, non_signers: self.non_signers.clone() })
    }

    /// What travels with the call once the document's root is recorded on chain: no signature.
    ///
    /// # Errors
    ///
    /// As [`authorization`](Self::authorization).
    pub fn recorded_authorization(&self) -> Result<Authorization, UnknownDecision> {
        self.cut(QuorumProof::Recorded)
    }

    fn cut(&self, quorum_proof: QuorumProof) -> Result<Authorization, UnknownDecision> {
        Ok(Authorization {
            task_id: self.attestation.taskId,
            nonce: self.attestation.nonce,
            expiration: self.attestation.expiration,
            decision: Decision::try_from(self.attestation.decision)?,
            evidence: self.attestation.evidence,
            epoch: self.epoch,
            quorum_proof,
            merkle_proof: self.merkle_proof.clone(),
        })
    }

    /// The EIP-712 digest of the attestation.
    pub fn digest(&self) -> B256 {
        attestation_digest(&self.attestation, self.chain_id, self.task_manager)
    }

    /// The Merkle root that the operators signed.
    pub fn root(&self) -> B256 {
        self.merkle_proof.root(self.digest())
    }

    /// Names each field in which a call and the authorization it carries differ from what was attested: the explanation of
    /// [`WrongTask`](crate::Refusal::WrongTask) and of an [`InvalidSignature`](crate::Refusal::InvalidSignature) over
    /// altered fields. Empty when nothing differs.
    ///
    /// A last difference in `taskId` beside no other means that the document contradicts itself.
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let (context, intent, document) = attested::example();
    /// use alloy_primitives::U256;
    /// use assent_verifier::{Intent, Refusal, verify};
    ///
    /// let authorization = document.authorization()?;
    /// let dearer = Intent { value: U256::from(250), ..intent };
    /// let refusal = verify(&context, &dearer, &authorization.encode()).unwrap_err();
    /// assert!(matches!(refusal, Refusal::WrongTask { .. }));
    ///
    /// let differences = document.explain(&context, &dearer, &authorization);
    /// assert_eq!(differences[0].to_string(), "intent.value: attested 0, but the call has 250");
    /// # Ok::<(), assent_verifier::UnknownDecision>(())
    /// ```
    pub fn explain<L>(&self, context: &Context<L>, intent: &Intent, authorization: &Authorization) -> Vec<Difference> {
        let attested = &self.attestation;
        let policy_id = context.policy.as_ref().map(|policy| policy.policyId).unwrap_or_default();
        let task_id = context.task_id(policy_id, intent_hash(intent), authorization.nonce);
        [
            difference("chainId", &self.chain_id, &context.chain_id),
            difference("taskManager", &self.task_manager, &context.task_manager),
            difference("policyClient", &attested.policyClient, &context.policy_client),
            difference("policyId", &attested.policyId, &policy_id),
            difference("nonce", &attested.nonce, &authorization.nonce),
            difference("expiration", &attested.expiration, &authorization.expiration),
            difference("decision", &attested.decision, &u8::from(authorization.decision)),
            difference("evidence", &attested.evidence, &authorization.evidence),
            difference("intent.from", &attested.intent.from, &intent.from),
            difference("intent.to", &attested.intent.to, &intent.to),
            difference("intent.value", &attested.intent.value, &intent.value),
            difference("intent.data", &attested.intent.data, &intent.data),
            difference("intent.chainId", &attested.intent.chainId, &intent.chainId),
            difference("taskId", &attested.taskId, &task_id),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: attested {}, but the call has {}", self.field, self.attested, self.actual)
    }
}

fn difference<T: PartialEq + ToString>(field: &'static str, attested: &T, actual: &T) -> Option<Difference> {
    (attested != actual).then(|| Difference { field, attested: attested.to_string(), actual: actual.to_string() })
}
