//! Replays of evidence files, with every document decoded.

mod documents;

use crate::text::{TextError, Texts};
use alloy_primitives::{B256, hex};
use assent_json::Value;
use assent_machine::Image;
use assent_policy::{
    Evaluation, EvaluationError, EvaluationRun, EvidenceFile, Replay, ReplayDifference, Rules, evaluator_with_root,
};
use serde::Serialize;

/// The most characters of a result that are shown of a difference.
const LONGEST_EXTRACT: usize = 200;

/// A replay that is made in parts, so that a page can show its progress and stop it.
///
/// ```
/// use assent_inspection::{EvidenceReplay, text::Texts};
///
/// let evidence = include_str!("../../../../tests/replay/cases/deny.json").to_owned();
/// let mut replay = EvidenceReplay::new(&Texts { evidence, ..Texts::default() })?;
/// while !replay.advance(1_000_000) {
///     println!("{} steps", replay.steps());
/// }
/// let report = replay.finish();
/// assert!(report.follows);
/// assert_eq!(report.sentence, "The evaluator decides to deny, as the evidence says.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct EvidenceReplay {
    file: EvidenceFile,
    /// An attestation document that is not in the file.
    document: Option<Value>,
    /// The hash that an attestation is known to carry.
    attested: Option<B256>,
    /// Absent if the image is unknown.
    run: Option<EvaluationRun>,
}

/// What a replay of an evidence file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EvidenceReport {
    /// Whether the decision follows from the file.
    pub follows: bool,
    /// The result, in a sentence.
    pub sentence: String,
    /// The first difference, if the decision does not follow.
    pub difference: Option<DifferenceInEvidence>,
    /// The decision of the replay: `allow` or `deny`. Absent if the image is unknown.
    pub decision: Option<&'static str>,
    /// The decision that the file claims.
    pub claimed_decision: &'static str,
    /// Why the replay denies.
    pub reasons: Vec<ReasonReport>,
    /// The steps of the replay.
    pub steps: Option<u64>,
    /// The most steps that the policy allows.
    pub step_limit: u64,
    /// The root of the image that the file names.
    pub image: B256,
    /// Whether this version has that image.
    pub is_image_known: bool,
    /// The policy's id, computed of the file.
    pub policy_id: B256,
    /// The evidence's hash, computed by the replay.
    pub evidence: Option<B256>,
    /// The hash of the machine's state before the first step.
    pub initial_state: Option<B256>,
    /// The hash of the machine's state after the last step.
    pub final_state: Option<B256>,
    /// Whether an attestation, in the file or beside it, was compared.
    pub is_attestation_compared: bool,
    /// What the file holds.
    pub documents: Vec<Document>,
}

/// Where an evidence file and its replay differ first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DifferenceInEvidence {
    /// The field; `attestation.…` for a field of the attestation.
    pub field: String,
    /// What the file claims.
    pub claimed: String,
    /// What follows.
    pub actual: String,
    /// The difference in a sentence.
    pub message: String,
}

/// Why a call is denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReasonReport {
    /// The kind, as docs/policy-reference.md lists them.
    pub kind: String,
    /// The message.
    pub message: String,
    /// The index of the policy, in a conjunction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The package of that policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

/// A document of an evidence file, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Document {
    /// The title.
    pub title: String,
    /// The fields.
    pub fields: Vec<DocumentField>,
}

/// A field of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DocumentField {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// What the value means, where it is not obvious.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the value is a text of lines.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub is_text: bool,
}

impl EvidenceReplay {
    /// Reads the evidence file, and the attestation document if there is one.
    ///
    /// # Errors
    ///
    /// [`TextError`] if either cannot be read.
    pub fn new(texts: &Texts) -> Result<Self, TextError> {
        let error = |error: &dyn ToString| TextError { input: "evidence", message: error.to_string() };
        crate::text::bounded("evidence", &texts.evidence)?;
        let file = EvidenceFile::parse(texts.evidence.trim().as_bytes()).map_err(|it| error(&it))?;
        let document = (!texts.document.trim().is_empty()).then(|| attestation(&texts.document)).transpose()?;
        let image = evaluator_with_root(file.policy.image()).ok();
        let run = image.map(|image| file.start(image).map_err(|it| error(&it))).transpose()?;
        Ok(Self { file, document, attested: None, run })
    }

    /// Replays an evidence file on an image, and compares also the hash that an attestation is known to carry.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`] if the image is another one, or a content of the file is too long.
    pub fn on_image(file: EvidenceFile, image: &Image, attested: Option<B256>) -> Result<Self, EvaluationError> {
        let run = Some(file.start(image)?);
        Ok(Self { file, document: None, attested, run })
    }

    /// Makes at most so many more steps. Returns whether the replay has ended.
    pub fn advance(&mut self, steps: u64) -> bool {
        self.run.as_mut().is_none_or(|run| run.advance(steps))
    }

    /// Returns how many steps were made.
    pub fn steps(&self) -> u64 {
        self.run.as_ref().map_or(0, EvaluationRun::steps)
    }

    /// Returns the most steps that the replay can make.
    pub fn step_limit(&self) -> u64 {
        self.file.policy.step_limit()
    }

    /// Makes the steps that remain, and reports.
    pub fn finish(self) -> EvidenceReport {
        let Self { file, document, attested, run } = self;
        let Some(mut run) = run else { return unknown_image(&file) };
        while !run.advance(u64::MAX) {}
        let final_state = run.state_hash();
        let evaluation = run.finish();
        let mut difference = match file.compare(evaluation.clone()) {
            Replay::Follows(_) => None,
            Replay::Differs(difference) => Some(difference),
        };
        if difference.is_none() && document.is_some() {
            let mut with_document = file.clone();
            with_document.attestation.clone_from(&document);
            if let Replay::Differs(other) = with_document.compare(evaluation.clone()) {
                difference = Some(other);
            }
        }
        let difference = difference.map(|it| DifferenceInEvidence::new(&it, &file, &evaluation));
        let difference = difference.or_else(|| DifferenceInEvidence::of_attested(attested?, file.evidence));
        let decision = evaluation.decision.as_str();
        let is_attestation_compared = document.is_some() || file.attestation.is_some() || attested.is_some();
        let sentence = match &difference {
            Some(difference) => format!("The first difference is in `{}`.", difference.field),
            None if is_attestation_compared => {
                format!("The evaluator decides to {decision}, as the evidence and the attestation say.")
            }
            None => format!("The evaluator decides to {decision}, as the evidence says."),
        };
        let rules = Rules::parse(file.policy.rules()).ok();
        let members = rules.as_ref().map(Rules::members).unwrap_or_default();
        let package = |index: &String| Some(members.get(index.parse::<usize>().ok()?)?.entrypoint.clone());
        let reasons = evaluation.reasons.iter().map(|reason| ReasonReport {
            kind: reason.kind.clone(),
            message: reason.message.clone(),
            policy: reason.policy.clone(),
            package: reason.policy.as_ref().and_then(package),
        });
        EvidenceReport {
            follows: difference.is_none(),
            sentence,
            difference,
            decision: Some(decision),
            reasons: reasons.collect(),
            steps: Some(evaluation.steps),
            is_image_known: true,
            evidence: Some(evaluation.evidence.hash()),
            initial_state: Some(evaluation.evidence.initial_state()),
            final_state: Some(final_state),
            is_attestation_compared,
            ..unknown_image(&file)
        }
    }
}

/// Returns what can be said without the image.
fn unknown_image(file: &EvidenceFile) -> EvidenceReport {
    let image = file.policy.image();
    let known = evaluator_with_root(image).err();
    EvidenceReport {
        follows: false,
        sentence: known.map(|error| format!("Not replayed: {error}.")).unwrap_or_default(),
        difference: None,
        decision: None,
        claimed_decision: file.claimed_decision().as_str(),
        reasons: Vec::new(),
        steps: None,
        step_limit: file.policy.step_limit(),
        image,
        is_image_known: false,
        policy_id: file.policy.id(),
        evidence: None,
        initial_state: None,
        final_state: None,
        is_attestation_compared: false,
        documents: documents::of(file),
    }
}

/// Reads an attestation document, as the evidence file holds one.
fn attestation(text: &str) -> Result<Value, TextError> {
    let error = |message: String| TextError { input: "document", message };
    crate::text::bounded("document", text)?;
    let document = assent_json::parse(text.trim().as_bytes()).map_err(|it| {
        error(format!("cannot parse it: {it}\na document is what `assent attest --document-out` writes"))
    })?;
    match document.get("attestation") {
        Some(Value::Object(_)) => Ok(document),
        _ => Err(error("it has no attestation; a document is what `assent attest --document-out` writes".to_owned())),
    }
}

impl DifferenceInEvidence {
    /// Returns the difference if an attestation carries another hash than the file has.
    fn of_attested(attested: B256, evidence: B256) -> Option<Self> {
        let message = format!("the attestation carries the evidence {attested}, but the file is {evidence}");
        let (claimed, actual) = (attested.to_string(), evidence.to_string());
        (attested != evidence).then(|| Self { field: "attestation.evidence".into(), claimed, actual, message })
    }

    fn new(difference: &ReplayDifference, file: &EvidenceFile, evaluation: &Evaluation) -> Self {
        let (field, claimed, actual) = match difference {
            ReplayDifference::PolicyId { claimed, actual } => {
                ("policyId".into(), claimed.to_string(), actual.to_string())
            }
            ReplayDifference::Decision { claimed, actual } => {
                ("decision".into(), claimed.as_str().into(), actual.as_str().into())
            }
            ReplayDifference::Result { offset } => {
                let from = |result: &[u8]| extract(result.get(*offset..).unwrap_or_default());
                (format!("result, from byte {offset} on"), from(&file.result), from(&evaluation.result))
            }
            ReplayDifference::Evidence { claimed, actual } => {
                ("evidence".into(), claimed.to_string(), actual.to_string())
            }
            ReplayDifference::Attestation { field, claimed, actual } => {
                (format!("attestation.{field}"), claimed.clone(), actual.clone())
            }
            other => ("file".into(), String::new(), other.to_string()),
        };
        Self { field, claimed, actual, message: difference.to_string() }
    }
}

/// Returns the beginning of bytes as text, or as hex if they are not text.
fn extract(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok("") => "nothing".to_owned(),
        Ok(text) => text.chars().take(LONGEST_EXTRACT).collect(),
        Err(_) => hex::encode_prefixed(bytes.get(..LONGEST_EXTRACT / 2).unwrap_or(bytes)),
    }
}
