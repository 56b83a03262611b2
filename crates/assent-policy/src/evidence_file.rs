//! Evidence files: everything that repeats a decision, offline and years later.

use crate::{
    content::ContentError,
    evaluation::{Evaluation, EvaluationError, EvaluationRun},
    evidence::{Evidence, ResultProof},
    input::{InputError, PolicyInput},
    json::{self, JsonError, Reader},
    policy::ExecutablePolicy,
};
use alloy_primitives::{B256, hex};
use assent_json::{Object, Value};
use assent_machine::Image;
use assent_types::Decision;
use core::fmt;

const VERSION: i32 = 1;
const KEYS: [&str; 12] = [
    "attestation",
    "data",
    "evidence",
    "image",
    "input",
    "observations",
    "parameters",
    "policyId",
    "result",
    "rules",
    "stepLimit",
    "version",
];

/// Everything that repeats a decision: the contents of the machine's regions, with what was claimed of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvidenceFile {
    /// The policy.
    pub policy: ExecutablePolicy,
    /// The content of the input region.
    pub input: Vec<u8>,
    /// The content of the data region.
    pub data: String,
    /// The result that was claimed.
    pub result: Vec<u8>,
    /// The hash that was claimed of all of it.
    pub evidence: B256,
    /// The id that was claimed of the policy.
    pub policy_id: B256,
    /// The operators' signatures of their observations.
    pub observations: Option<Value>,
    /// The attestation document that was issued on it.
    pub attestation: Option<Value>,
}

/// The file is not an evidence file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceFileError {
    /// The JSON is not what it must be.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Rules or parameters cannot be used.
    #[error(transparent)]
    Content(#[from] ContentError),
}

/// What a replay found.
///
/// The list is complete: a decision follows or it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// The decision follows from the file.
    Follows(Evaluation),
    /// It does not: the first difference.
    Differs(ReplayDifference),
}

/// The first difference between an evidence file and its repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayDifference {
    /// The policy has another id than the file claims.
    PolicyId {
        /// The id in the file.
        claimed: B256,
        /// The id of the file's policy.
        actual: B256,
    },
    /// The evaluation has another decision.
    Decision {
        /// The decision in the file.
        claimed: Decision,
        /// The decision of the repetition.
        actual: Decision,
    },
    /// The evaluation has the same decision and another result, from this byte on.
    Result {
        /// The offset of the first byte that differs.
        offset: usize,
    },
    /// The evidence has another hash than the file claims.
    Evidence {
        /// The hash in the file.
        claimed: B256,
        /// The hash of the repetition.
        actual: B256,
    },
    /// The attestation says something else.
    Attestation {
        /// The field.
        field: &'static str,
        /// What the attestation says.
        claimed: String,
        /// What follows from the file.
        actual: String,
    },
}

impl EvidenceFile {
    /// Creates the file of an evaluation.
    pub fn new(policy: ExecutablePolicy, input: &PolicyInput, data: String, evaluation: &Evaluation) -> Self {
        Self {
            input: input.encode(),
            data,
            result: evaluation.result.clone(),
            evidence: evaluation.evidence.hash(),
            policy_id: policy.id(),
            policy,
            observations: None,
            attestation: None,
        }
    }

    /// Parses an evidence file.
    ///
    /// # Errors
    ///
    /// [`EvidenceFileError`] if a key is missing, unknown or malformed. What the file claims is not checked: see
    /// [`replay`](Self::replay).
    pub fn parse(text: &[u8]) -> Result<Self, EvidenceFileError> {
        let value = json::parse(text)?;
        let reader = Reader::new(&value, "", &KEYS)?;
        let version = reader.integer("version")?;
        if version != VERSION.unsigned_abs().into() {
            let reason = format!("is not {VERSION}: use a newer version of Assent");
            return Err(json::invalid("version", &version.to_string(), reason).into());
        }
        let hash = |key: &str| json::hash(key, reader.string(key)?);
        let bytes = |key: &str| json::bytes(key, reader.string(key)?);
        let [rules, parameters] = [reader.string("rules")?, reader.string("parameters")?].map(str::to_owned);
        Ok(Self {
            policy: ExecutablePolicy::from_contents(hash("image")?, rules, reader.integer("stepLimit")?, parameters)?,
            input: bytes("input")?.to_vec(),
            data: reader.string("data")?.to_owned(),
            result: bytes("result")?.to_vec(),
            evidence: hash("evidence")?,
            policy_id: hash("policyId")?,
            observations: reader.optional("observations").cloned(),
            attestation: reader.optional("attestation").cloned(),
        })
    }

    /// Returns the file's text: canonical JSON.
    pub fn to_json(&self) -> String {
        let steps = Value::try_from(i64::try_from(self.policy.step_limit()).unwrap_or(i64::MAX)).unwrap_or_default();
        let mut file = Object::from_iter([
            ("data", Value::from(self.data.as_str())),
            ("evidence", Value::from(hex::encode_prefixed(self.evidence))),
            ("image", Value::from(hex::encode_prefixed(self.policy.image()))),
            ("input", Value::from(hex::encode_prefixed(&self.input))),
            ("parameters", Value::from(self.policy.parameters())),
            ("policyId", Value::from(hex::encode_prefixed(self.policy_id))),
            ("result", Value::from(hex::encode_prefixed(&self.result))),
            ("rules", Value::from(self.policy.rules())),
            ("stepLimit", steps),
            ("version", Value::from(VERSION)),
        ]);
        for (key, value) in [("observations", &self.observations), ("attestation", &self.attestation)] {
            if let Some(value) = value {
                file.insert(key, value.clone());
            }
        }
        json::canonical(file)
    }

    /// Decodes what was decided about.
    ///
    /// # Errors
    ///
    /// [`InputError`] if the input region does not hold an input.
    pub fn policy_input(&self) -> Result<PolicyInput, InputError> {
        PolicyInput::decode(&self.input)
    }

    /// Returns the decision that the file claims.
    pub fn claimed_decision(&self) -> Decision {
        ResultProof::new(&self.result).map_or(Decision::Deny, |proof| proof.decision())
    }

    /// Repeats the decision, and compares it with everything that the file claims.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`] if the image is not the one that the file names, or a content does not fit its region.
    pub fn replay(&self, image: &Image) -> Result<Replay, EvaluationError> {
        Ok(self.compare(self.start(image)?.finish()))
    }

    /// Prepares to repeat the decision in parts. What comes out is for [`compare`](Self::compare).
    ///
    /// # Errors
    ///
    /// As [`replay`](Self::replay).
    pub fn start(&self, image: &Image) -> Result<EvaluationRun, EvaluationError> {
        EvaluationRun::new(image, &self.policy, &self.input, &self.data)
    }

    /// Compares the decision, repeated, with everything that the file claims.
    pub fn compare(&self, evaluation: Evaluation) -> Replay {
        let difference = self.difference(&evaluation);
        difference.map_or_else(|| Replay::Follows(evaluation), Replay::Differs)
    }

    fn difference(&self, evaluation: &Evaluation) -> Option<ReplayDifference> {
        let policy_id = self.policy.id();
        if self.policy_id != policy_id {
            return Some(ReplayDifference::PolicyId { claimed: self.policy_id, actual: policy_id });
        }
        let claimed = self.claimed_decision();
        if claimed != evaluation.decision {
            return Some(ReplayDifference::Decision { claimed, actual: evaluation.decision });
        }
        if self.result != evaluation.result {
            let equal = self.result.iter().zip(&evaluation.result).take_while(|(claimed, actual)| claimed == actual);
            return Some(ReplayDifference::Result { offset: equal.count() });
        }
        let evidence = evaluation.evidence.hash();
        if self.evidence != evidence {
            return Some(ReplayDifference::Evidence { claimed: self.evidence, actual: evidence });
        }
        self.attestation.as_ref().and_then(|document| self.attestation_difference(document, evaluation.decision))
    }

    /// Compares the attestation's fields, as its JSON writes them, with what follows from the file.
    fn attestation_difference(&self, document: &Value, decision: Decision) -> Option<ReplayDifference> {
        let attestation = document.get("attestation");
        let differs = |field: &'static str, actual: String| {
            let claimed =
                attestation.and_then(|attestation| attestation.get(field)).map_or_else(|| "nothing".into(), plain);
            (!claimed.eq_ignore_ascii_case(&actual)).then_some(ReplayDifference::Attestation { field, claimed, actual })
        };
        let input = self.policy_input().ok();
        differs("policyId", hex::encode_prefixed(self.policy_id))
            .or_else(|| differs("evidence", hex::encode_prefixed(self.evidence)))
            .or_else(|| differs("decision", decision.as_str().into()))
            .or_else(|| {
                differs(
                    "policyClient",
                    input.as_ref().map(|input| hex::encode_prefixed(input.policy_client)).unwrap_or_default(),
                )
            })
            .or_else(|| differs("nonce", input.as_ref().map(|input| input.nonce.to_string()).unwrap_or_default()))
            .or_else(|| {
                differs("issuedAt", input.as_ref().map(|input| input.block.timestamp.to_string()).unwrap_or_default())
            })
            .or_else(|| {
                intent_difference(attestation.and_then(|attestation| attestation.get("intent")), input.as_ref())
            })
    }
}

fn intent_difference(claimed: Option<&Value>, input: Option<&PolicyInput>) -> Option<ReplayDifference> {
    let intent = &input?.intent;
    let fields = [
        ("from", hex::encode_prefixed(intent.from)),
        ("to", hex::encode_prefixed(intent.to)),
        ("value", intent.value.to_string()),
        ("data", hex::encode_prefixed(&intent.data)),
        ("chainId", intent.chainId.to_string()),
    ];
    fields.into_iter().find_map(|(field, actual)| {
        let claimed = claimed.and_then(|intent| intent.get(field)).map_or_else(|| "nothing".into(), plain);
        (!claimed.eq_ignore_ascii_case(&actual)).then_some(ReplayDifference::Attestation { field, claimed, actual })
    })
}

/// Returns a string's text, and any other value's JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_canonical(), str::to_owned)
}

impl fmt::Display for ReplayDifference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PolicyId { claimed, actual } => {
                write!(out, "the file claims the policy {claimed}, but its rules and parameters are {actual}")
            }
            Self::Decision { claimed, actual } => write!(
                out,
                "the file claims the decision to {}, but the evaluation decides to {}",
                claimed.as_str(),
                actual.as_str()
            ),
            Self::Result { offset } => {
                write!(out, "the decision is the same, but the result differs from byte {offset} on")
            }
            Self::Evidence { claimed, actual } => {
                write!(out, "the file claims the evidence {claimed}, but its contents are {actual}")
            }
            Self::Attestation { field, claimed, actual } => {
                write!(out, "the attestation's `{field}` is {claimed}, but {actual} follows from the file")
            }
        }
    }
}

impl EvidenceFile {
    /// Returns the roots of what the file holds, its claimed result included; nothing if a content does not fit.
    pub fn roots(&self) -> Option<Evidence> {
        use assent_machine::{Region, content_root};
        Some(Evidence {
            image: self.policy.image(),
            rules: self.policy.rules_root(),
            step_limit: self.policy.step_limit(),
            parameters: self.policy.parameters_root(),
            input: content_root(Region::Input, &self.input)?,
            data: content_root(Region::Data, self.data.as_bytes())?,
            result: content_root(Region::Result, &self.result)?,
        })
    }
}
