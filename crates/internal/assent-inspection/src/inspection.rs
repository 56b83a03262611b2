//! The inspection itself.

use crate::{
    Assumption, Carried, CheckReport, DifferenceReport, Explanation, Group, OperatorReport, Submission, SubmittedCall,
    assumptions::Facts, checks, fields, reasons::Evidence,
};
use alloy_primitives::{Bytes, hex};
use assent_verifier::{
    Authorization, AuthorizationError, Context, Intent, Refusal, UnknownDecision, VerificationReport, split_trailing,
    verify_with_report,
};
use serde::Serialize;

/// Everything that can be said of a submission.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{VerdictOutcome, text};
///
/// let inspection = text::inspect(&texts("valid: 2 of 3 operators signed"))?;
/// assert_eq!(inspection.verdict.outcome, VerdictOutcome::Valid);
/// assert_eq!(inspection.checks.len(), 12);
/// assert!(inspection.authorization.is_some_and(|authorization| authorization.epoch == 5));
///
/// // For programs: what `assent inspect --json` prints.
/// assert_eq!(serde_json::to_value(&inspection.verdict)?["outcome"], "valid");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Whether the contracts would let the call through.
    pub verdict: Verdict,
    /// Each check in protocol order.
    pub checks: Vec<CheckReport>,
    /// What was assumed for want of a context.
    pub assumptions: Vec<Assumption>,
    /// The fields in which the call differs from what was attested.
    pub differences: Vec<DifferenceReport>,
    /// The authorization; `None` when its bytes do not parse.
    pub authorization: Option<Authorization>,
    /// The calldata without what follows it, of a call in trailing form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Bytes>,
    /// Every field, decoded.
    pub fields: Vec<Group>,
    /// The operators of the epoch that the authorization names.
    pub operators: Vec<OperatorReport>,
}

/// Whether the contracts would let the call through.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let verdict = text::inspect(&texts("valid: 2 of 3 operators signed"))?.verdict;
/// assert!(verdict.summary.ends_with("is authorised, signed by weight 50 of 60 of epoch 5"));
/// assert_eq!(verdict.error, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In a word.
    pub outcome: VerdictOutcome,
    /// In a sentence.
    pub summary: String,
    /// With which error they would revert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// Whether the contracts would let the call through, in a word.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{VerdictOutcome, text};
///
/// assert_eq!(text::inspect(&texts("too late"))?.verdict.outcome, VerdictOutcome::Refused);
///
/// // The bytes alone say what is in them, and not whether it is good.
/// let authorization = texts("too late").authorization;
/// let alone = text::Texts { authorization, ..Default::default() };
/// assert_eq!(text::inspect(&alone)?.verdict.outcome, VerdictOutcome::NotVerified);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum VerdictOutcome {
    /// They would.
    Valid,
    /// They would not.
    Refused,
    /// Nobody said what it takes to tell.
    NotVerified,
}

/// A refusal for programs.
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
    /// With the types of its arguments.
    pub signature: &'static str,
    /// In words.
    pub message: String,
    /// The bytes with which the contracts revert.
    pub revert_data: String,
}

/// Why there is nothing to say.
///
/// ```
/// use assent_inspection::{Carried, InspectionError, Submission, inspect};
///
/// assert_eq!(inspect(&Submission::default()), Err(InspectionError::Nothing));
/// let garbage = Submission { carried: Some(Carried::Authorization(vec![0xff; 3])), ..Submission::default() };
/// assert!(matches!(inspect(&garbage), Err(InspectionError::NoAuthorization(_))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectionError {
    /// Neither bytes nor a document.
    #[error("there is nothing to inspect: give an authorization, a call's whole calldata, or an attestation document")]
    Nothing,
    /// The bytes are no authorization, and nothing else is known that could be checked.
    #[error("the bytes are no authorization: {0}")]
    NoAuthorization(AuthorizationError),
    /// The calldata carries no authorization, and nothing else is known that could be checked.
    #[error("no authorization was found behind the calldata: {0}")]
    NoneBehindCalldata(AuthorizationError),
    /// The document's decision is none.
    #[error(transparent)]
    Decision(#[from] UnknownDecision),
}

/// Says all that can be said.
///
/// With a context and a call, all checks are made, by [`assent_verifier::verify_with_report`]; a malformed authorization is then a
/// check's failure. Without, the fields are decoded and the checks say what they need.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{VerdictOutcome, inspect};
///
/// let mut submission = submission("valid: 2 of 3 operators signed");
/// assert_eq!(inspect(&submission)?.verdict.outcome, VerdictOutcome::Valid);
///
/// // The same an hour later.
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
    let carried = carried(submission)?;
    let facts = Facts::of(submission);
    let (parsed, data) = parse(&carried);
    let call = submitted(submission, carried);
    let (Some(context), Ok(call)) = (facts.context(), &call) else {
        let authorization = parsed?;
        let reason = match (&facts, &call) {
            (Facts::Missing(reason), _) | (_, Err(reason)) => reason,
            _ => "",
        };
        return Ok(decoded(submission, &facts, authorization, data, reason));
    };
    let examination = verify_with_report(context, call.call());
    Ok(examined(submission, &facts, context, call, &examination, data))
}

fn carried(submission: &Submission) -> Result<Carried, InspectionError> {
    match (&submission.carried, &submission.document) {
        (Some(carried), _) => Ok(carried.clone()),
        (None, Some(document)) => {
            let recorded = submission.recorded;
            let cut = if recorded { document.recorded_authorization() } else { document.authorization() };
            Ok(Carried::Authorization(cut?.encode()))
        }
        (None, None) => Err(InspectionError::Nothing),
    }
}

fn parse(carried: &Carried) -> (Result<Authorization, InspectionError>, Option<Bytes>) {
    match carried {
        Carried::Authorization(bytes) => (Authorization::parse(bytes).map_err(InspectionError::NoAuthorization), None),
        Carried::Calldata { bytes, .. } => match split_trailing(bytes) {
            Ok((data, authorization)) => {
                let parsed = Authorization::parse(authorization).map_err(InspectionError::NoneBehindCalldata);
                (parsed, Some(Bytes::copy_from_slice(data)))
            }
            Err(error) => (Err(InspectionError::NoneBehindCalldata(error)), None),
        },
    }
}

fn submitted(submission: &Submission, carried: Carried) -> Result<SubmittedCall, &'static str> {
    let authorization = match carried {
        Carried::Calldata { bytes, value } => return Ok(SubmittedCall::Trailing { value, calldata: bytes }),
        Carried::Authorization(bytes) => bytes,
    };
    let attested = submission.document.as_ref().map(|document| &document.attestation.intent);
    match submission.intent.as_ref().or(attested) {
        Some(intent) => Ok(SubmittedCall::Explicit { intent: intent.clone(), authorization }),
        None => Err("needs the call: its intent, the attestation document, or its whole calldata"),
    }
}

fn examined(
    submission: &Submission,
    facts: &Facts,
    context: &Context,
    call: &SubmittedCall,
    examination: &VerificationReport,
    data: Option<Bytes>,
) -> Inspection {
    let parsed = call.parse(context).ok();
    let explanation = Explanation::of(examination, context, call, submission.document.as_ref());
    let evidence = Evidence { context, submitted: call, parsed: parsed.as_ref() };
    let checks = checks::made(examination, &evidence, &explanation, facts.assumptions());
    let (intent, authorization) = match parsed {
        Some((intent, authorization)) => (Some(intent), Some(authorization)),
        None => (submission.intent.clone(), None),
    };
    Inspection {
        verdict: verdict(examination, facts),
        checks,
        assumptions: facts.assumptions().to_vec(),
        differences: explanation.differences.iter().map(Into::into).collect(),
        fields: groups(submission, facts, authorization.as_ref(), intent.as_ref(), Some(call)),
        operators: operators(submission, facts, authorization.as_ref()),
        authorization,
        data,
    }
}

fn decoded(
    submission: &Submission,
    facts: &Facts,
    authorization: Authorization,
    data: Option<Bytes>,
    reason: &str,
) -> Inspection {
    let summary = "decoded, but not verified: see what the checks need".to_owned();
    let attested = submission.document.as_ref().map(|document| &document.attestation.intent);
    let intent = submission.intent.as_ref().or(attested);
    Inspection {
        verdict: Verdict { outcome: VerdictOutcome::NotVerified, summary, error: None },
        checks: checks::not_made(reason),
        assumptions: Vec::new(),
        differences: Vec::new(),
        fields: groups(submission, facts, Some(&authorization), intent, None),
        operators: operators(submission, facts, Some(&authorization)),
        authorization: Some(authorization),
        data,
    }
}

fn verdict(examination: &VerificationReport, facts: &Facts) -> Verdict {
    let proviso = if facts.assumptions().is_empty() { "" } else { ", if what was assumed is so" };
    match examination.result() {
        Ok(verified) => {
            let task = verified.attestation().taskId;
            let (signed, total, epoch) = (verified.signed_weight(), verified.total_weight(), verified.epoch());
            let summary =
                format!("task {task} is authorised, signed by weight {signed} of {total} of epoch {epoch}{proviso}");
            Verdict { outcome: VerdictOutcome::Valid, summary, error: None }
        }
        Err(refusal) => Verdict {
            outcome: VerdictOutcome::Refused,
            summary: format!("the contracts would revert with {}: {refusal}{proviso}", refusal.signature()),
            error: Some(refusal.into()),
        },
    }
}

fn groups(
    submission: &Submission,
    facts: &Facts,
    authorization: Option<&Authorization>,
    intent: Option<&Intent>,
    call: Option<&SubmittedCall>,
) -> Vec<Group> {
    let mut groups = Vec::new();
    groups.extend(authorization.map(fields::of_authorization));
    groups.extend(submission.document.as_ref().map(fields::of_document));
    groups.extend(intent.map(|intent| fields::of_intent(intent, fields::title_of(call))));
    groups.extend(facts.context().map(|context| fields::of_context(context, !facts.assumptions().is_empty())));
    groups.extend(epoch(submission, facts, authorization).map(fields::of_epoch));
    groups
}

fn operators(submission: &Submission, facts: &Facts, authorization: Option<&Authorization>) -> Vec<OperatorReport> {
    epoch(submission, facts, authorization).map_or_else(Vec::new, |epoch| fields::operators(epoch, authorization))
}

/// The epoch that the authorization names, or the only one there is.
fn epoch<'a>(
    submission: &'a Submission,
    facts: &'a Facts,
    authorization: Option<&Authorization>,
) -> Option<&'a assent_verifier::Epoch> {
    let epochs = facts.context().map_or(&submission.epochs, |context| &context.epochs);
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
