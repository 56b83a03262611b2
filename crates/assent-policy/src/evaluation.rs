//! The decision: one run of the machine.

use crate::{
    MAX_DATA,
    evidence::{Evidence, ResultProof, region_root},
    input::PolicyInput,
    policy::Policy,
};
use alloy_primitives::B256;
use assent_json::Value;
use assent_machine::{Image, Machine, Region, Stop};
use assent_types::Decision;

/// The result of a policy's evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The decision.
    pub decision: Decision,
    /// Why the call is denied; empty if it is allowed.
    pub reasons: Vec<Reason>,
    /// The steps that the machine made.
    pub steps: u64,
    /// The content of the result region; empty if the evaluator trapped or reached the step limit.
    pub result: Vec<u8>,
    /// What the decision was computed from, and its result.
    pub evidence: Evidence,
}

/// Why a call is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The kind, as docs/policy-reference.md lists them: `denied`, `notAllowed`, `calldata`, `function`, …
    pub kind: String,
    /// The message.
    pub message: String,
    /// The index of the policy, in a conjunction.
    pub policy: Option<String>,
}

/// A policy cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// The policy is for another image.
    #[error("the policy is for the evaluator {expected}, not {actual}")]
    WrongImage {
        /// The image that the policy names.
        expected: B256,
        /// The root of the image that was given.
        actual: B256,
    },
    /// A content is larger than its region.
    #[error("the {what} has {length} bytes, more than {max}")]
    TooLong {
        /// "input" or "data".
        what: &'static str,
        /// The length.
        length: usize,
        /// The greatest length.
        max: usize,
    },
}

/// Evaluates a policy about an input. `data` is the content of the data region: empty for a policy without sources.
///
/// Whatever goes wrong in the evaluation is a denial with a reason, and not an error.
///
/// # Errors
///
/// [`EvaluationError`] if the policy is for another image, or input or data are too long.
pub fn evaluate(
    image: &Image,
    policy: &Policy,
    input: &PolicyInput,
    data: &str,
) -> Result<Evaluation, EvaluationError> {
    evaluate_contents(image, policy, &input.encode(), data)
}

/// Evaluates a policy about the content of an input region.
pub(crate) fn evaluate_contents(
    image: &Image,
    policy: &Policy,
    input: &[u8],
    data: &str,
) -> Result<Evaluation, EvaluationError> {
    if image.root() != policy.image() {
        return Err(EvaluationError::WrongImage { expected: policy.image(), actual: image.root() });
    }
    if data.len() > MAX_DATA {
        return Err(EvaluationError::TooLong { what: "data", length: data.len(), max: MAX_DATA });
    }
    let root = |what, region: Region, content: &[u8]| {
        let max = usize::try_from(region.capacity()).unwrap_or(usize::MAX);
        region_root(region, content).ok_or(EvaluationError::TooLong { what, length: content.len(), max })
    };
    let (input_root, data_root) = (root("input", Region::Input, input)?, root("data", Region::Data, data.as_bytes())?);

    let run = run(image, policy.rules(), policy.parameters(), input, data, policy.step_limit());
    let proof = ResultProof::new(&run.result);
    let evidence = Evidence {
        image: image.root(),
        rules: policy.rules_root(),
        step_limit: policy.step_limit(),
        parameters: policy.parameters_root(),
        input: input_root,
        data: data_root,
        result: proof.map(|proof| proof.root()).unwrap_or_default(),
    };
    let decision = proof.map_or(Decision::Deny, |proof| proof.decision());
    let reasons = match (decision, run.failure) {
        (Decision::Allow, _) => Vec::new(),
        (Decision::Deny, Some(failure)) => vec![failure],
        (Decision::Deny, None) => reasons(&run.result),
    };
    Ok(Evaluation { decision, reasons, steps: run.steps, result: run.result, evidence })
}

/// The end of a run.
pub(crate) struct Run {
    /// The content of the result region; empty if the program did not end by itself.
    pub(crate) result: Vec<u8>,
    pub(crate) steps: u64,
    /// Why there is no result.
    pub(crate) failure: Option<Reason>,
}

/// Runs the evaluator once. Contents that do not fit their regions end as a failure.
pub(crate) fn run(image: &Image, rules: &str, parameters: &str, input: &[u8], data: &str, step_limit: u64) -> Run {
    let mut machine = Machine::new(image);
    let regions = [
        (Region::Rules, rules.as_bytes()),
        (Region::Parameters, parameters.as_bytes()),
        (Region::Input, input),
        (Region::Data, data.as_bytes()),
    ];
    for (region, content) in regions {
        if let Err(error) = machine.load(region, content) {
            return Run { result: Vec::new(), steps: 0, failure: Some(Reason::of_host("result", error.to_string())) };
        }
    }
    let stop = machine.run(step_limit);
    let steps = machine.steps();
    let failure =
        |kind: &str, message: String| Run { result: Vec::new(), steps, failure: Some(Reason::of_host(kind, message)) };
    match stop {
        Stop::Halted => match machine.content(Region::Result).filter(|content| !content.is_empty()) {
            Some(result) => Run { result, steps, failure: None },
            None => failure("result", "the evaluator ended without a result".into()),
        },
        Stop::Trapped(trap) => failure("trap", format!("the evaluator trapped: {trap}")),
        Stop::StepLimit => failure("limit", format!("the evaluation took more than {step_limit} steps")),
    }
}

/// Reads the reasons behind the decision byte.
pub(crate) fn reasons(result: &[u8]) -> Vec<Reason> {
    let value = result.get(1..).and_then(|text| assent_json::parse(text).ok());
    let reasons = value.as_ref().and_then(|value| value.get("reasons")).and_then(Value::as_array);
    let reasons = reasons.and_then(|reasons| reasons.iter().map(Reason::from_value).collect::<Option<Vec<_>>>());
    reasons.unwrap_or_else(|| vec![Reason::of_host("result", "the evaluator gave no reasons that can be read".into())])
}

impl Reason {
    fn of_host(kind: &str, message: String) -> Self {
        Self { kind: kind.into(), message, policy: None }
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self { kind: text("kind")?, message: text("message")?, policy: text("policy") })
    }
}
