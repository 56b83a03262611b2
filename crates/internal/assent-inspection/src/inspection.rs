//! The inspection itself.

use crate::{
    Assumption, CheckReport, DifferenceReport, Explanation, Group, OperatorReport, Payload, Submission, SubmittedCall,
    assumptions::ContextSource, checks, fields, reasons::CheckedCall,
};
use alloy_primitives::{Bytes, hex};
use assent_verifier::{
    Authorization, AuthorizationError, Context, Intent, Refusal, UnknownDecision, VerificationReport, split_trailing,
    verify_with_report,
};
use serde::Serialize;

/// The result of an inspection.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{VerdictOutcome, text};
/// use assent_verifier::EpochId;
///
/// let inspection = text::inspect(&texts("valid: 2 of 3 operators signed"))?;
/// assert_eq!(inspection.verdict.outcome, VerdictOutcome::Valid);
/// assert_eq!(inspection.checks.len(), 12);
/// assert!(inspection.authorization.is_some_and(|authorization| authorization.epoch == EpochId(5)));
///
/// // For programs: what `assent inspect --json` prints.
/// assert_eq!(serde_json::to_value(&inspection.verdict)?["outcome"], "valid");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// Whether the contracts would accept the call.
    pub verdict: Verdict,
    /// Each check in protocol order.
    pub checks: Vec<CheckReport>,
    /// The assumptions, if there is no context.
    pub assumptions: Vec<Assumption>,
    /// The fields in which the call differs from what was attested.
    pub differences: Vec<DifferenceReport>,
    /// The authorization; `None` when its bytes do not parse.
    pub authorization: Option<Authorization>,
    /// The calldata of a call in trailing form, without the authorization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Bytes>,
    /// Every field, decoded.
    pub fields: Vec<Group>,
    /// The operators of the epoch that the authorization names.
    pub operators: Vec<OperatorReport>,
}

/// Whether the contracts would accept the call, and why.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let verdict = text::inspect(&texts("valid: 2 of 3 operators signed"))?.verdict;
/// assert_eq!(verdict.sentence, "The call is authorized: operators with weight 50 of 60 in epoch 5 signed it.");
/// assert_eq!(verdict.error, None);
///
/// let verdict = text::inspect(&texts("used before"))?.verdict;
/// assert_eq!(verdict.error.map(|error| error.name), Some("AttestationAlreadySpent"));
/// assert_eq!(verdict.remedy, Some("an attestation can be used only once: have the call attested with a new nonce"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The result in one word.
    pub outcome: VerdictOutcome,
    /// The result in one plain sentence.
    pub sentence: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
    /// The error with which the contracts would revert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// Whether the contracts would accept the call. Complete: they would, they would not, or it is unknown.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{VerdictOutcome, text};
/// use assent_verifier::EpochId;
///
/// assert_eq!(text::inspect(&texts("too late"))?.verdict.outcome, VerdictOutcome::Refused);
///
/// // Only the bytes: they are decoded, but not verified.
/// let authorization = texts("too late").authorization;
/// let only_bytes = text::Texts { authorization, ..Default::default() };
/// assert_eq!(text::inspect(&only_bytes)?.verdict.outcome, VerdictOutcome::NotVerified);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum VerdictOutcome {
    /// They would.
    Valid,
    /// They would not.
    Refused,
    /// The input for the checks is missing.
    NotVerified,
}

/// A refusal, for programs.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let error = text::inspect(&texts("too late"))?.verdict.error.ok_or("it is refused")?;
/// assert_eq!(error.name, "AttestationExpired");
/// assert!(error.signature.starts_with("AttestationExpired(") && error.revert_data.starts_with("0x"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorReport {
    /// The error's name, as in Solidity.
    pub name: &'static str,
    /// The error's Solidity signature.
    pub signature: &'static str,
    /// The error as text.
    pub message: String,
    /// The bytes with which the contracts revert.
    pub revert_data: String,
}

/// The reason why there is nothing to inspect.
///
/// ```
/// use assent_inspection::{InspectionError, Payload, Submission, inspect};
///
/// assert_eq!(inspect(&Submission::default()), Err(InspectionError::Nothing));
/// let garbage = Submission { payload: Some(Payload::Authorization(vec![0xff; 3])), ..Submission::default() };
/// assert!(matches!(inspect(&garbage), Err(InspectionError::NoAuthorization(_))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InspectionError {
    /// Neither bytes nor a document.
    #[error("there is nothing to inspect: give an authorization, a call's whole calldata, or an attestation document")]
    Nothing,
    /// The bytes are not an authorization, and there is no other input that could be checked.
    #[error("the bytes are not an authorization: {0}")]
    NoAuthorization(AuthorizationError),
    /// No authorization is appended to the calldata, and there is no other input that could be checked.
    #[error("no authorization is appended to the calldata: {0}")]
    NoneAppended(AuthorizationError),
    /// The document's decision is invalid.
    #[error(transparent)]
    Decision(#[from] UnknownDecision),
}

/// Inspects a submission.
///
/// With a context and a call, [`assent_verifier::verify_with_report`] runs all checks; a malformed authorization fails
/// one. Without them, the fields are decoded, and the checks name the missing input.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{VerdictOutcome, inspect};
///
/// let mut submission = submission("valid: 2 of 3 operators signed");
/// assert_eq!(inspect(&submission)?.verdict.outcome, VerdictOutcome::Valid);
///
/// // The same call an hour later.
/// submission.timestamp = submission.context.as_ref().map(|context| context.timestamp + 3600);
/// let verdict = inspect(&submission)?.verdict;
/// assert_eq!(verdict.error.map(|error| error.name), Some("AttestationExpired"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`InspectionError`] when there is nothing to decode.
pub fn inspect(submission: &Submission) -> Result<Inspection, InspectionError> {
    let payload = payload(submission)?;
    let source = ContextSource::of(submission);
    let (parsed, data) = parse(&payload);
    let call = submitted(submission, payload);
    let (Some(context), Ok(call)) = (source.context(), &call) else {
        let authorization = parsed?;
        let reason = match (&source, &call) {
            (ContextSource::Missing(reason), _) | (_, Err(reason)) => reason,
            _ => "",
        };
        return Ok(decoded(submission, &source, authorization, data, reason));
    };
    let examination = verify_with_report(context, call.call());
    Ok(examined(submission, &source, context, call, &examination, data))
}

fn payload(submission: &Submission) -> Result<Payload, InspectionError> {
    match (&submission.payload, &submission.document) {
        (Some(payload), _) => Ok(payload.clone()),
        (None, Some(document)) => {
            let recorded = submission.recorded;
            let cut = if recorded { document.recorded_authorization() } else { document.authorization() };
            Ok(Payload::Authorization(cut?.encode()))
        }
        (None, None) => Err(InspectionError::Nothing),
    }
}

fn parse(payload: &Payload) -> (Result<Authorization, InspectionError>, Option<Bytes>) {
    match payload {
        Payload::Authorization(bytes) => (Authorization::parse(bytes).map_err(InspectionError::NoAuthorization), None),
        Payload::Calldata { bytes, .. } => match split_trailing(bytes) {
            Ok((data, authorization)) => {
                let parsed = Authorization::parse(authorization).map_err(InspectionError::NoneAppended);
                (parsed, Some(Bytes::copy_from_slice(data)))
            }
            Err(error) => (Err(InspectionError::NoneAppended(error)), None),
        },
    }
}

fn submitted(submission: &Submission, payload: Payload) -> Result<SubmittedCall, &'static str> {
    let authorization = match payload {
        Payload::Calldata { bytes, value } => return Ok(SubmittedCall::Trailing { value, calldata: bytes }),
        Payload::Authorization(bytes) => bytes,
    };
    let attested = submission.document.as_ref().map(|document| &document.attestation.intent);
    match submission.intent.as_ref().or(attested) {
        Some(intent) => Ok(SubmittedCall::Explicit { intent: intent.clone(), authorization }),
        None => Err("needs the call: its intent, the attestation document, or its whole calldata"),
    }
}

fn examined(
    submission: &Submission,
    source: &ContextSource,
    context: &Context,
    call: &SubmittedCall,
    examination: &VerificationReport,
    data: Option<Bytes>,
) -> Inspection {
    let parsed = call.parse(context).ok();
    let explanation =
        Explanation::of(examination, context, call, submission.document.as_ref(), submission.abi.as_ref());
    let checked = CheckedCall { context, submitted: call, parsed: parsed.as_ref() };
    let checks = checks::made(examination, &checked, explanation.as_ref(), source.assumptions());
    let (intent, authorization) = match parsed {
        Some((intent, authorization)) => (Some(intent), Some(authorization)),
        None => (submission.intent.clone(), None),
    };
    Inspection {
        verdict: verdict(examination, explanation.as_ref(), source),
        checks,
        assumptions: source.assumptions().to_vec(),
        differences: explanation.map(|explanation| explanation.differences).unwrap_or_default(),
        fields: groups(submission, source, authorization.as_ref(), intent.as_ref(), Some(call)),
        operators: operators(submission, source, authorization.as_ref()),
        authorization,
        data,
    }
}

fn decoded(
    submission: &Submission,
    source: &ContextSource,
    authorization: Authorization,
    data: Option<Bytes>,
    reason: &str,
) -> Inspection {
    let sentence = format!("The authorization was decoded, but not verified: that {reason}.");
    let attested = submission.document.as_ref().map(|document| &document.attestation.intent);
    let intent = submission.intent.as_ref().or(attested);
    Inspection {
        verdict: Verdict { outcome: VerdictOutcome::NotVerified, sentence, remedy: None, error: None },
        checks: checks::not_made(reason),
        assumptions: Vec::new(),
        differences: Vec::new(),
        fields: groups(submission, source, Some(&authorization), intent, None),
        operators: operators(submission, source, Some(&authorization)),
        authorization: Some(authorization),
        data,
    }
}

fn verdict(examination: &VerificationReport, explanation: Option<&Explanation>, source: &ContextSource) -> Verdict {
    let proviso = if source.assumptions().is_empty() { "" } else { ", if the assumptions hold" };
    match examination.result() {
        Ok(verified) => {
            let (signed, total, epoch) = (verified.signed_weight(), verified.total_weight(), verified.epoch());
            let sentence = format!(
                "The call is authorized: operators with weight {signed} of {total} in epoch {epoch} signed it{proviso}."
            );
            Verdict { outcome: VerdictOutcome::Valid, sentence, remedy: None, error: None }
        }
        Err(refusal) => Verdict {
            outcome: VerdictOutcome::Refused,
            sentence: explanation.map_or_else(|| refusal.to_string(), |explanation| explanation.sentence.clone()),
            remedy: explanation.map(|explanation| explanation.remedy),
            error: Some(refusal.into()),
        },
    }
}

fn groups(
    submission: &Submission,
    source: &ContextSource,
    authorization: Option<&Authorization>,
    intent: Option<&Intent>,
    call: Option<&SubmittedCall>,
) -> Vec<Group> {
    let mut groups = Vec::new();
    groups.extend(authorization.map(fields::of_authorization));
    groups.extend(submission.document.as_ref().map(fields::of_document));
    let abi = submission.abi.as_ref();
    groups.extend(intent.map(|intent| fields::of_intent(intent, fields::title_of(call), abi)));
    groups.extend(source.context().map(|context| fields::of_context(context, !source.assumptions().is_empty())));
    groups.extend(epoch(submission, source, authorization).map(fields::of_epoch));
    groups
}

fn operators(
    submission: &Submission,
    source: &ContextSource,
    authorization: Option<&Authorization>,
) -> Vec<OperatorReport> {
    epoch(submission, source, authorization).map_or_else(Vec::new, |epoch| fields::operators(epoch, authorization))
}

/// Returns the authorization's epoch, or the only one.
fn epoch<'a>(
    submission: &'a Submission,
    source: &'a ContextSource,
    authorization: Option<&Authorization>,
) -> Option<&'a assent_verifier::Epoch> {
    let epochs = source.context().map_or(&submission.epochs, |context| &context.epochs);
    match (authorization, epochs.as_slice()) {
        (Some(authorization), epochs) => epochs.iter().find(|epoch| epoch.number == authorization.epoch),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

impl From<&Refusal> for ErrorReport {
    fn from(refusal: &Refusal) -> Self {
        Self {
            name: refusal.name(),
            signature: refusal.signature(),
            message: refusal.to_string(),
            revert_data: hex::encode_prefixed(refusal.revert_data()),
        }
    }
}
