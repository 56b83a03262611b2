//! Where a call differs from what was attested.

use crate::{AttestationDocument, Authorization, Context, Intent, digest::intent_hash};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

/// A field in which a call differs from what was attested.
// Complete: a difference is a field and its two values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field's name in docs/protocol.md. Fields of the intent begin with `intent.`.
    pub field: &'static str,
    /// The attested value.
    pub attested: String,
    /// The call's value.
    pub actual: String,
}

impl<L> Context<L> {
    /// Returns each field in which a call and its authorization differ from what was attested.
    ///
    /// The result explains [`WrongTask`](crate::Refusal::WrongTask), and
    /// [`InvalidSignature`](crate::Refusal::InvalidSignature) over altered fields. It is empty if nothing differs.
    /// If `taskId` is the only difference, the document contradicts itself.
    ///
    /// ```
    /// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
    /// # let (context, intent, document) = attested::example();
    /// use alloy_primitives::U256;
    /// use assent_verifier::Intent;
    ///
    /// let another = Intent { value: U256::from(250), ..intent };
    /// let differences = context.differences(&document, &another, &document.authorization()?);
    /// assert_eq!(differences[0].to_string(), "intent.value: attested 0, but the call has 250");
    /// # Ok::<(), assent_verifier::UnknownDecision>(())
    /// ```
    pub fn differences(
        &self,
        document: &AttestationDocument,
        intent: &Intent,
        authorization: &Authorization,
    ) -> Vec<Difference> {
        let attested = &document.attestation;
        let policy_id = self.policy.as_ref().map(|policy| policy.policyId).unwrap_or_default();
        let task_id = self.task_id(policy_id, intent_hash(intent), authorization.nonce);
        [
            difference("chainId", &document.chain_id, &self.chain_id),
            difference("taskManager", &document.task_manager, &self.task_manager),
            difference("policyClient", &attested.policyClient, &self.policy_client),
            difference("policyId", &attested.policyId, &policy_id),
            difference("nonce", &attested.nonce, &authorization.nonce),
            difference("issuedAt", &attested.issuedAt, &authorization.issued_at),
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

/// Returns the difference of a field, or `None` if the values are equal.
fn difference<T: PartialEq + ToString>(field: &'static str, attested: &T, actual: &T) -> Option<Difference> {
    (attested != actual).then(|| Difference { field, attested: attested.to_string(), actual: actual.to_string() })
}
