//! What can be said of a refusal beyond its error.

use crate::SubmittedCall;
use assent_verifier::{AttestationDocument, AuthorizationError, Context, Difference, Refusal, VerificationReport};
use serde::Serialize;

/// What can be said of a refusal beyond its error.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{Explanation, SubmittedCall};
/// use assent_verifier::verify_with_report;
///
/// let submission = submission("another amount in the calldata");
/// let (context, document) = (submission.context.unwrap(), submission.document.unwrap());
/// let authorization = document.authorization()?.encode();
/// let call = SubmittedCall::Explicit { intent: submission.intent.unwrap(), authorization };
///
/// let examination = verify_with_report(&context, call.call());
/// let explanation = Explanation::of(&examination, &context, &call, Some(&document));
/// assert!(explanation.lines()[0].starts_with("intent.data: attested 0xa9059cbb"));
/// assert_eq!(explanation.malformed, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Why the bytes are no authorization.
    pub malformed: Option<AuthorizationError>,
    /// The fields in which the call differs from what was attested.
    pub differences: Vec<Difference>,
    /// What to do next, where that is not plain from the refusal.
    pub next_step: Option<&'static str>,
}

impl Explanation {
    /// Explains what came of a call, the better if it is known what was attested.
    pub fn of(
        examination: &VerificationReport,
        context: &Context,
        submitted: &SubmittedCall,
        document: Option<&AttestationDocument>,
    ) -> Self {
        let Err(refusal) = examination.result() else { return Self::default() };
        let (intent, authorization) = match submitted.parse(context) {
            Ok(parsed) => parsed,
            Err(error) if *refusal == Refusal::MalformedAuthorization => {
                return Self { malformed: Some(error), ..Self::default() };
            }
            Err(_) => return Self::default(),
        };
        let explained_by_fields =
            matches!(refusal, Refusal::WrongTask { .. } | Refusal::InvalidSignature | Refusal::RootNotRecorded { .. });
        let differences = match document {
            Some(document) if explained_by_fields => context.differences(document, &intent, &authorization),
            _ => Vec::new(),
        };
        let next_step = match refusal {
            Refusal::WrongTask { .. } if document.is_none() => Some(
                "give the attestation document as well (in the terminal: --document), and each field that differs is named",
            ),
            Refusal::RootNotRecorded { .. } if document.is_some() && differences.is_empty() => {
                Some("`assent record` records it, and `assent context --document` reads that into the context")
            }
            _ => None,
        };
        Self { malformed: None, differences, next_step }
    }

    /// Everything it says, a line each.
    pub fn lines(&self) -> Vec<String> {
        let malformed = self.malformed.iter().map(ToString::to_string);
        let differences = self.differences.iter().map(ToString::to_string);
        malformed.chain(differences).chain(self.next_step.map(str::to_owned)).collect()
    }
}

/// A [`Difference`] for programs.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let inspection = text::inspect(&texts("another amount in the calldata"))?;
/// let fields = inspection.differences.iter().map(|difference| difference.field).collect::<Vec<_>>();
/// assert_eq!(fields, ["intent.data", "taskId"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferenceReport {
    /// The field, as docs/protocol.md names it.
    pub field: &'static str,
    /// What the operators attested.
    pub attested: String,
    /// What the call has.
    pub actual: String,
}

impl From<&Difference> for DifferenceReport {
    fn from(difference: &Difference) -> Self {
        let Difference { field, attested, actual } = difference.clone();
        Self { field, attested, actual }
    }
}
