//! Assumptions in place of a missing context.

use crate::Submission;
use alloy_primitives::aliases::U48;
use assent_verifier::{Check, Context, Policy, RecordedRoots, SpentNonces};
use serde::Serialize;

/// A fact that was not given, and its assumed value.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let inspection = text::inspect(&texts("valid: only an operator set is known"))?;
/// let spent = inspection.assumptions.iter().find(|assumption| assumption.fact == "spent nonces");
/// let spent = spent.ok_or("it is assumed")?;
/// assert_eq!((spent.value.as_str(), spent.checks.as_slice()), ("none", &[7][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// The fact.
    pub fact: &'static str,
    /// The assumed value.
    pub value: String,
    /// The numbers of the checks that depend on it.
    pub checks: Vec<usize>,
}

/// The source of the verifier's context.
pub(crate) enum ContextSource {
    /// A given context.
    Given(Context),
    /// A context from the document, an operator set, the time, and assumptions.
    Assumed(Context, Vec<Assumption>),
    /// No context, for this reason.
    Missing(&'static str),
}

impl ContextSource {
    pub(crate) fn of(submission: &Submission) -> Self {
        match &submission.context {
            Some(context) => Self::Given(completed(context.clone(), submission)),
            None => assumed(submission),
        }
    }

    pub(crate) fn context(&self) -> Option<&Context> {
        match self {
            Self::Given(context) | Self::Assumed(context, _) => Some(context),
            Self::Missing(_) => None,
        }
    }

    pub(crate) fn assumptions(&self) -> &[Assumption] {
        match self {
            Self::Assumed(_, assumptions) => assumptions,
            Self::Given(_) | Self::Missing(_) => &[],
        }
    }
}

fn completed(mut context: Context, submission: &Submission) -> Context {
    context.caller = submission.caller.unwrap_or(context.caller);
    context.timestamp = submission.timestamp.unwrap_or(context.timestamp);
    for epoch in &submission.epochs {
        context.epochs.retain(|other| other.number != epoch.number);
    }
    context.epochs.extend(submission.epochs.iter().cloned());
    context
}

/// Returns a context from the document, an operator set and the time. Other state is assumed in favour of the call.
fn assumed(submission: &Submission) -> ContextSource {
    let Some(document) = &submission.document else {
        return ContextSource::Missing(
            "needs a context, which `assent context --json` prints; or the document, an operator set and the time",
        );
    };
    let Some(epoch) = submission.epochs.iter().find(|epoch| epoch.number == document.epoch) else {
        return ContextSource::Missing("needs a context, or the operator set of the document's epoch and the time");
    };
    let Some(timestamp) = submission.timestamp else {
        return ContextSource::Missing("needs a context, or the time at which the call is made");
    };
    let attestation = &document.attestation;
    let caller = submission.caller.unwrap_or(attestation.intent.from);
    let policy = Policy {
        policyId: attestation.policyId,
        operatorSet: epoch.operator_set.into(),
        // The minimum that the validator accepts.
        quorum: 5001,
        maxLifetime: U48::MAX,
    };
    let mut assumptions = vec![
        assumption(
            "chain, TaskManager, client and policy",
            "the document's",
            &[Check::PolicySet, Check::ChainAndSender, Check::Task],
        ),
        assumption("longest lifetime", "any", &[Check::Lifetime]),
        assumption("issuance floor", "none", &[Check::Lifetime]),
        assumption("spent nonces", "none", &[Check::SingleUse]),
        assumption("operator set of the policy", epoch.operator_set, &[Check::Epoch]),
        assumption("quorum", "5001 basis points, the minimum", &[Check::Quorum]),
        assumption("recorded roots", "none", &[Check::Quorum]),
    ];
    if submission.caller.is_none() {
        assumptions.insert(1, assumption("caller", caller, &[Check::ChainAndSender, Check::Task]));
    }
    let context = Context {
        chain_id: document.chain_id,
        task_manager: document.task_manager,
        policy_client: attestation.policyClient,
        policy: Some(policy),
        issuance_floor: U48::ZERO,
        caller,
        timestamp,
        epochs: submission.epochs.clone(),
        recorded_roots: RecordedRoots::default(),
        spent: SpentNonces::default(),
    };
    ContextSource::Assumed(context, assumptions)
}

fn assumption(fact: &'static str, value: impl ToString, checks: &[Check]) -> Assumption {
    Assumption { fact, value: value.to_string(), checks: checks.iter().map(|check| check.number()).collect() }
}
