//! The explanation of a refusal beyond its error.

use crate::{Abi, DifferenceReport, SubmittedCall, remedy};
use assent_verifier::{AttestationDocument, AuthorizationError, Context, Refusal, VerificationReport};

/// The explanation of a refusal beyond its error: a sentence, a remedy, and what differs.
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
/// let abi = "transfer(address to, uint256 amount)".parse().unwrap();
/// let explanation = Explanation::of(&examination, &context, &call, Some(&document), Some(&abi)).unwrap();
/// assert_eq!(explanation.sentence, "The call is not the attested one (amount: 100 attested, 101 in the call).");
/// assert_eq!(explanation.remedy, "make the call as it was attested, or have this call attested");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The refusal in one sentence.
    pub sentence: String,
    /// What to do.
    pub remedy: &'static str,
    /// Why the bytes are not an authorization.
    pub malformed: Option<AuthorizationError>,
    /// The fields in which the call differs from what was attested.
    pub differences: Vec<DifferenceReport>,
}

impl Explanation {
    /// Explains a refusal; `None` for a call that is not refused.
    ///
    /// With the document, the fields that differ from what was attested are named; with an ABI, the arguments.
    pub fn of(
        examination: &VerificationReport,
        context: &Context,
        submitted: &SubmittedCall,
        document: Option<&AttestationDocument>,
        abi: Option<&Abi>,
    ) -> Option<Self> {
        let refusal = examination.result().as_ref().err().copied()?;
        let parsed = submitted.parse(context);
        let explained_by_fields =
            matches!(refusal, Refusal::WrongTask { .. } | Refusal::InvalidSignature | Refusal::RootNotRecorded { .. });
        let differences = match (document, &parsed) {
            (Some(document), Ok((intent, authorization))) if explained_by_fields => {
                let calldata = (document.attestation.intent.data.as_ref(), intent.data.as_ref());
                let differences = context.differences(document, intent, authorization);
                differences.iter().map(|difference| DifferenceReport::new(difference, calldata, abi)).collect()
            }
            _ => Vec::new(),
        };
        let malformed = match (refusal, parsed) {
            (Refusal::MalformedAuthorization, Err(error)) => Some(error),
            _ => None,
        };
        Some(Self {
            sentence: sentence(&refusal, malformed.as_ref(), &differences),
            remedy: best_remedy(&refusal, document.is_some(), &differences),
            malformed,
            differences,
        })
    }

    /// Returns the sentence, followed by each further difference on a line.
    pub(crate) fn reason(&self) -> String {
        let differences = self.differences.iter().map(|difference| format!("\n{}", difference.sentence));
        format!("{}{}", self.sentence, differences.skip(1).collect::<String>())
    }
}

fn sentence(refusal: &Refusal, malformed: Option<&AuthorizationError>, differences: &[DifferenceReport]) -> String {
    if let Some(error) = malformed {
        return format!("The authorization cannot be parsed: {error}.");
    }
    // The task id follows from the other fields.
    let causes = differences.iter().filter(|difference| difference.field != "taskId").collect::<Vec<_>>();
    let detail = match causes.as_slice() {
        [] => String::new(),
        [cause] => format!(" ({})", cause.sentence),
        [cause, others @ ..] => format!(" ({}; and {} more)", cause.sentence, others.len()),
    };
    match refusal {
        Refusal::WrongTask { .. } => {
            format!("The call is not the attested one{detail}.")
        }
        Refusal::InvalidSignature if !causes.is_empty() => {
            format!("The authorization is not what the operators signed{detail}.")
        }
        Refusal::RootNotRecorded { .. } if !causes.is_empty() => {
            format!("The authorization is not what was recorded{detail}.")
        }
        refusal => capitalized(&refusal.to_string()),
    }
}

fn best_remedy(refusal: &Refusal, has_document: bool, differences: &[DifferenceReport]) -> &'static str {
    match refusal {
        _ if !differences.is_empty() => "make the call as it was attested, or have this call attested",
        Refusal::WrongTask { .. } if !has_document => {
            "give the attestation document (in the terminal: --document) to see which field differs"
        }
        Refusal::RootNotRecorded { .. } if has_document => {
            "`assent record` records it, and `assent context --document` reads that into the context"
        }
        refusal => remedy(refusal),
    }
}

fn capitalized(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
