//! Decodes an authorization field by field, and explains the result of each check.
//!
//! `assent inspect` and the Inspector's page show what this crate finds, so that they cannot disagree. It decides
//! nothing: the checks are [`assent_verifier::verify_with_report`]'s, in its order. [`inspect`] takes a [`Submission`],
//! which can be only an authorization; module [`text`] parses one from pasted texts.
//!
//! ```
//! use assent_inspection::{text, CheckOutcome};
//!
//! // Two of three operators signed. It is the worked example of docs/protocol.md.
//! let examples = include_str!("../../../../inspector/examples.json");
//! let examples: Vec<text::Example> = serde_json::from_str(examples)?;
//! let inspection = text::inspect(&examples[0].texts)?;
//! assert!(inspection.checks.iter().all(|check| check.outcome == CheckOutcome::Passed));
//! assert!(inspection.checks[4].reason.ends_with("until 1800000600 (2027-01-15T08:10:00Z), for another 600 seconds"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod abi;
mod assumptions;
mod checks;
mod differences;
mod evidence;
mod explanation;
mod fields;
mod inspection;
mod moment;
mod reasons;
mod remedies;
mod submission;
pub mod text;

pub use abi::{Abi, AbiError, LONGEST_ABI};
pub use assumptions::Assumption;
pub use checks::{CheckOutcome, CheckReport};
pub use differences::{DifferenceReport, PartKind, PartReport};
pub use evidence::{DifferenceInEvidence, Document, DocumentField, EvidenceReplay, EvidenceReport, ReasonReport};
pub use explanation::Explanation;
pub use fields::{ByteRange, Field, Group, OperatorReport};
pub use inspection::{ErrorReport, Inspection, InspectionError, Verdict, VerdictOutcome, inspect};
pub use remedies::remedy;
pub use submission::{Payload, Submission, SubmittedCall};

/// The README's example, which is tested like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
