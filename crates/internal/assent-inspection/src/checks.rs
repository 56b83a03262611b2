//! The results of the twelve checks, with their reasons.

use crate::{Assumption, Explanation, reasons::CheckedCall};
use assent_verifier::{Check, CheckResult, VerificationReport};
use serde::Serialize;

/// The result of a check. Complete: a check either ran or did not, and for one of two reasons.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{CheckOutcome, text};
///
/// let checks = text::inspect(&texts("too late"))?.checks;
/// let outcomes = [3, 4, 5].map(|index: usize| checks[index].outcome);
/// assert_eq!(outcomes, [CheckOutcome::Passed, CheckOutcome::Failed, CheckOutcome::NotReached]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckOutcome {
    /// It passed.
    Passed,
    /// It failed, and the call is refused.
    Failed,
    /// An earlier check failed.
    NotReached,
    /// Its input is missing.
    NotMade,
}

/// A check with its result and the reason.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let check = &text::inspect(&texts("used before"))?.checks[6];
/// assert_eq!((check.number, check.title.as_str()), (7, "not spent"));
/// assert!(check.reason.ends_with("was used or burned."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Its number in docs/protocol.md.
    pub number: usize,
    /// Its name, such as "validity period".
    pub title: String,
    /// The result.
    pub outcome: CheckOutcome,
    /// The reason.
    pub reason: String,
    /// The assumed facts on which it depends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<&'static str>,
}

/// Returns the verifier's results with their reasons.
pub(crate) fn made(
    examination: &VerificationReport,
    checked: &CheckedCall<'_>,
    explanation: Option<&Explanation>,
    assumptions: &[Assumption],
) -> Vec<CheckReport> {
    let failed = examination.checks().find(|(_, outcome)| matches!(outcome, CheckResult::Failed(_)));
    let report = |(check, outcome): (Check, CheckResult)| {
        let (outcome, reason) = match outcome {
            CheckResult::Passed => (CheckOutcome::Passed, checked.reason(check)),
            CheckResult::Failed(refusal) => {
                let reason = explanation.map_or_else(|| refusal.to_string(), Explanation::reason);
                (CheckOutcome::Failed, reason)
            }
            CheckResult::NotReached => {
                let number = failed.map_or(0, |(check, _)| check.number());
                (CheckOutcome::NotReached, format!("check {number} failed before it"))
            }
        };
        let rests_on = assumptions.iter().filter(|assumption| assumption.checks.contains(&check.number()));
        let assumed = match outcome {
            CheckOutcome::Passed | CheckOutcome::Failed => rests_on.map(|assumption| assumption.fact).collect(),
            CheckOutcome::NotReached | CheckOutcome::NotMade => Vec::new(),
        };
        CheckReport { number: check.number(), title: check.to_string(), outcome, reason, assumed }
    };
    examination.checks().map(report).collect()
}

/// Returns all checks as not made, for one reason.
pub(crate) fn not_made(reason: &str) -> Vec<CheckReport> {
    let report = |check: Check| CheckReport {
        number: check.number(),
        title: check.to_string(),
        outcome: CheckOutcome::NotMade,
        reason: reason.to_owned(),
        assumed: Vec::new(),
    };
    Check::ALL.into_iter().map(report).collect()
}
