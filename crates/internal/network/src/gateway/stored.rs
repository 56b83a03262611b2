//! The form in which the task log keeps what a gateway records: canonical JSON with a version.
//!
//! An accepted task is the body of the log's task, the observations are its note, and the end is its outcome.
//! Each is read only with exactly its own fields. An end repeats nothing of the task, from which an attestation is
//! derived.

use std::{collections::BTreeMap, sync::Arc};

use assent_json::{Object, Value};
use assent_policy::{MAX_SOURCES, Rules};
use assent_types::{AttestationDocument, Decision, MerkleProof, NonSigners};
use assent_verifier::Policy;

use super::{Accepted, AcceptedSources, Failure, FailureCode, TaskOutcome};
use crate::{
    Domain,
    fields::{Fields, hash_of, hex_value, integer_value, invalid, object},
    message::{
        AgreedOutput, MAX_OBSERVERS, MessageError, decision, outputs_to_value, parse, reasons, task_from_value,
        task_to_value,
    },
};

/// The version of an accepted task. A program reads that before it, too, since it finds tasks of the program before.
const TASK_VERSION: u32 = 2;
/// The version of observations and ends, and of an accepted task without the rules of its sources.
const VERSION: u32 = 1;

impl Accepted {
    /// Returns the form that the task log keeps.
    pub fn to_stored(&self) -> String {
        let Self { task, client_policy, issuance_floor, sources } = self;
        let Policy { policyId, operatorSet, quorum, maxLifetime } = client_policy;
        let (sources, version) = match sources {
            AcceptedSources::Rules(rules) => (("rules", Value::from(rules.to_canonical())), TASK_VERSION),
            AcceptedSources::Identity(sources) => {
                let sources: Object = sources.iter().map(|(name, identical)| (name.as_str(), *identical)).collect();
                (("sources", Value::from(sources)), VERSION)
            }
        };
        object([
            (
                "clientPolicy",
                object([
                    ("maxLifetime", integer_value(maxLifetime.to())),
                    ("operatorSet", Value::from(*operatorSet)),
                    ("policyId", hex_value(policyId)),
                    ("quorum", Value::from(u32::from(*quorum))),
                ]),
            ),
            ("issuanceFloor", integer_value(issuance_floor.to())),
            sources,
            ("task", task_to_value(task)),
            ("version", Value::from(version)),
        ])
        .to_canonical()
    }

    /// Reads the form that the task log keeps.
    ///
    /// # Errors
    ///
    /// [`MessageError`].
    pub fn from_stored(text: &[u8]) -> Result<Self, MessageError> {
        let value = parse(text)?;
        let is_earlier = value.get("version").and_then(Value::as_u64) == Some(VERSION.into());
        let (sources_key, version) = if is_earlier { ("sources", VERSION) } else { ("rules", TASK_VERSION) };
        let keys = ["clientPolicy", "issuanceFloor", sources_key, "task", "version"];
        let fields = versioned(&value, &keys, version)?;
        let policy = Fields::new(fields.value("clientPolicy")?, &["maxLifetime", "operatorSet", "policyId", "quorum"])?;
        let sources = if is_earlier { identity(&fields)? } else { rules(&fields)? };
        Ok(Self {
            task: task_from_value(fields.value("task")?)?,
            client_policy: Policy {
                policyId: policy.hash("policyId")?,
                operatorSet: policy.small("operatorSet")?,
                quorum: policy.small("quorum")?,
                maxLifetime: policy.small("maxLifetime")?,
            },
            issuance_floor: fields.small("issuanceFloor")?,
            sources,
        })
    }
}

/// Returns the form in which the task log keeps the observations to decide on.
pub fn agreed_to_stored(agreed: &[AgreedOutput]) -> String {
    object([("observations", outputs_to_value(agreed)), ("version", Value::from(VERSION))]).to_canonical()
}

/// Reads the observations to decide on.
///
/// # Errors
///
/// [`MessageError`].
pub fn agreed_from_stored(text: &[u8]) -> Result<Vec<AgreedOutput>, MessageError> {
    let value = parse(text)?;
    let fields = versioned(&value, &["observations", "version"], VERSION)?;
    fields.list("observations", MAX_SOURCES.saturating_mul(MAX_OBSERVERS), AgreedOutput::from_value)
}

impl TaskOutcome {
    /// Returns the form that the task log keeps.
    pub fn to_stored(&self) -> String {
        let fields = match self {
            Self::Attested { document, reasons } => {
                let AttestationDocument { attestation, signature, non_signers, merkle_proof, .. } = &**document;
                let decision = Decision::try_from(attestation.decision).map_or("", Decision::as_str);
                let merkle_proof: Vec<_> = merkle_proof.as_slice().iter().map(hex_value).collect();
                let attested = object([
                    ("decision", Value::from(decision)),
                    ("evidence", hex_value(attestation.evidence)),
                    ("merkleProof", Value::from(merkle_proof)),
                    ("nonSigners", hex_value(non_signers.as_bytes())),
                    ("reasons", Value::from(reasons.iter().map(String::as_str).collect::<Vec<_>>())),
                    ("signature", hex_value(signature)),
                ]);
                ("attested", attested)
            }
            Self::Failed(Failure { code, message, retryable }) => {
                let failed = object([
                    ("code", Value::from(code.as_str())),
                    ("message", Value::from(message.as_str())),
                    ("retryable", Value::from(*retryable)),
                ]);
                ("failed", failed)
            }
        };
        object([fields, ("version", Value::from(VERSION))]).to_canonical()
    }

    /// Reads the form that the task log keeps of an accepted task's end.
    ///
    /// # Errors
    ///
    /// [`MessageError`].
    pub fn from_stored(text: &[u8], accepted: &Accepted, domain: Domain) -> Result<Self, MessageError> {
        let value = parse(text)?;
        if value.get("failed").is_some() {
            let fields = versioned(&value, &["failed", "version"], VERSION)?;
            let failed = Fields::new(fields.value("failed")?, &["code", "message", "retryable"])?;
            let code = failed.text("code")?;
            let code = FailureCode::ALL.iter().find(|known| known.as_str() == code);
            return Ok(Self::Failed(Failure {
                code: *code.ok_or_else(|| invalid("code", "is unknown"))?,
                message: failed.text("message")?.to_owned(),
                retryable: failed.boolean("retryable")?,
            }));
        }
        let fields = versioned(&value, &["attested", "version"], VERSION)?;
        let keys = ["decision", "evidence", "merkleProof", "nonSigners", "reasons", "signature"];
        let attested = Fields::new(fields.value("attested")?, &keys)?;
        let decision = decision(&attested)?;
        let hashes = attested.list("merkleProof", MAX_PROOF, |hash| hash_of("merkleProof", hash))?;
        let reasons = reasons(&attested)?;
        let document = AttestationDocument {
            chain_id: domain.chain_id,
            task_manager: domain.task_manager,
            attestation: accepted.task.attestation(domain, decision, attested.hash("evidence")?),
            epoch: accepted.task.epoch,
            signature: attested.signature("signature")?,
            non_signers: NonSigners::from_bytes(&attested.bytes("nonSigners")?)
                .map_err(|_| invalid("nonSigners", "is not a bitmap"))?,
            merkle_proof: MerkleProof::try_from(hashes).map_err(|_| invalid("merkleProof", "is too long"))?,
        };
        Ok(Self::Attested { document: Box::new(document), reasons })
    }
}

/// More hashes than any proof has.
const MAX_PROOF: usize = 64;

/// Returns the fields of a value with a version.
fn versioned<'a>(value: &'a Value, keys: &[&str], version: u32) -> Result<Fields<'a>, MessageError> {
    let fields = Fields::new(value, keys)?;
    if fields.small::<u32>("version")? != version {
        return Err(invalid("version", "is another program's"));
    }
    Ok(fields)
}

fn rules(fields: &Fields<'_>) -> Result<AcceptedSources, MessageError> {
    let rules = Rules::parse(fields.text("rules")?).map_err(|_| invalid("rules", "are not a policy's"))?;
    Ok(AcceptedSources::Rules(Arc::new(rules)))
}

/// Returns what version 1 has of the sources.
fn identity(fields: &Fields<'_>) -> Result<AcceptedSources, MessageError> {
    let sources = fields.value("sources")?.as_object().ok_or_else(|| invalid("sources", "is not an object"))?;
    let sources = sources.iter().map(|(name, identical)| {
        let identical = identical.as_bool().ok_or_else(|| invalid("sources", "has an invalid member"))?;
        Ok((name.to_owned(), identical))
    });
    Ok(AcceptedSources::Identity(sources.collect::<Result<BTreeMap<_, _>, MessageError>>()?))
}
