//! The decision: one run of the machine.

use crate::{
    MAX_DATA,
    evidence::{Evidence, ResultProof, region_root},
    input::PolicyInput,
    policy::ExecutablePolicy,
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
    policy: &ExecutablePolicy,
    input: &PolicyInput,
    data: &str,
) -> Result<Evaluation, EvaluationError> {
    evaluate_contents(image, policy, &input.encode(), data)
}

/// Evaluates a policy about the content of an input region.
pub(crate) fn evaluate_contents(
    image: &Image,
    policy: &ExecutablePolicy,
    input: &[u8],
    data: &str,
) -> Result<Evaluation, EvaluationError> {
    Ok(EvaluationRun::new(image, policy, input, data)?.finish())
}

/// An evaluation that is made in parts, so that the caller can show progress or stop it.
///
/// ```
/// # use alloy_primitives::{Address, B256, U256};
/// # use assent_policy::{PolicyFolder, PolicyInput, ReferenceBlock, evaluate};
/// # use assent_types::Intent;
/// use assent_policy::{EvaluationRun, evaluator};
///
/// # let files = [
/// #     ("policy.json", r#"{"name": "a", "version": "1", "entrypoint": "a", "functions": ["receive()"]}"#),
/// #     ("a.rego", "package a\n\nallow := true\n"),
/// # ];
/// # let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
/// # let image = evaluator()?;
/// # let policy = PolicyFolder::read(&files)?.policy(image.root())?;
/// # let (from, to) = (Address::repeat_byte(1), Address::repeat_byte(2));
/// # let (block, value) = (ReferenceBlock { number: U256::ONE, hash: B256::ZERO, timestamp: U256::ONE }, U256::ZERO);
/// # let intent = Intent { from, to, value, data: Default::default(), chainId: U256::ONE };
/// # let input = PolicyInput { intent, policy_client: to, nonce: U256::ONE, block };
/// let mut run = EvaluationRun::new(image, &policy, &input.encode(), "")?;
/// while !run.advance(100_000) {
///     println!("{} of at most {} steps", run.steps(), policy.step_limit());
/// }
/// assert_eq!(run.finish(), evaluate(image, &policy, &input, "")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct EvaluationRun {
    machine: Machine,
    step_limit: u64,
    /// How the program ended, or the step limit.
    stop: Option<Stop>,
    /// Without the result's root.
    evidence: Evidence,
}

impl EvaluationRun {
    /// Prepares the evaluation of a policy about the content of an input region.
    ///
    /// # Errors
    ///
    /// As [`evaluate`].
    pub fn new(image: &Image, policy: &ExecutablePolicy, input: &[u8], data: &str) -> Result<Self, EvaluationError> {
        if image.root() != policy.image() {
            return Err(EvaluationError::WrongImage { expected: policy.image(), actual: image.root() });
        }
        if data.len() > MAX_DATA {
            return Err(EvaluationError::TooLong { what: "data", length: data.len(), max: MAX_DATA });
        }
        let too_long = |what, region: Region, content: &[u8]| {
            let max = usize::try_from(region.capacity()).unwrap_or(usize::MAX);
            EvaluationError::TooLong { what, length: content.len(), max }
        };
        let root = |what, region: Region, content: &[u8]| {
            region_root(region, content).ok_or_else(|| too_long(what, region, content))
        };
        let evidence = Evidence {
            image: image.root(),
            rules: policy.rules_root(),
            step_limit: policy.step_limit(),
            parameters: policy.parameters_root(),
            input: root("input", Region::Input, input)?,
            data: root("data", Region::Data, data.as_bytes())?,
            result: B256::ZERO,
        };
        let mut machine = Machine::new(image);
        for (what, region, content) in regions(policy.rules(), policy.parameters(), input, data) {
            machine.load(region, content).map_err(|_| too_long(what, region, content))?;
        }
        Ok(Self { machine, step_limit: policy.step_limit(), stop: None, evidence })
    }

    /// Makes at most so many more steps. Returns whether the evaluation has ended.
    pub fn advance(&mut self, steps: u64) -> bool {
        let target = self.machine.steps().saturating_add(steps).min(self.step_limit);
        let stop = self.machine.run(target);
        if stop != Stop::StepLimit || target == self.step_limit {
            self.stop = Some(stop);
        }
        self.stop.is_some()
    }

    /// Returns how many steps were made.
    pub const fn steps(&self) -> u64 {
        self.machine.steps()
    }

    /// Returns the hash of the machine's state after these steps.
    pub fn state_hash(&mut self) -> B256 {
        self.machine.state_hash()
    }

    /// Makes the steps that remain, and returns the decision.
    pub fn finish(mut self) -> Evaluation {
        let stop = self.stop.unwrap_or_else(|| self.machine.run(self.step_limit));
        let run = Run::of(&self.machine, stop, self.step_limit);
        let proof = ResultProof::new(&run.result);
        let evidence = Evidence { result: proof.map(|proof| proof.root()).unwrap_or_default(), ..self.evidence };
        let decision = proof.map_or(Decision::Deny, |proof| proof.decision());
        let reasons = match (decision, run.failure) {
            (Decision::Allow, _) => Vec::new(),
            (Decision::Deny, Some(failure)) => vec![failure],
            (Decision::Deny, None) => reasons(&run.result),
        };
        Evaluation { decision, reasons, steps: run.steps, result: run.result, evidence }
    }
}

/// Returns the regions with their contents and what these are.
fn regions<'a>(
    rules: &'a str,
    parameters: &'a str,
    input: &'a [u8],
    data: &'a str,
) -> [(&'static str, Region, &'a [u8]); 4] {
    [
        ("rules", Region::Rules, rules.as_bytes()),
        ("parameters", Region::Parameters, parameters.as_bytes()),
        ("input", Region::Input, input),
        ("data", Region::Data, data.as_bytes()),
    ]
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
    for (_, region, content) in regions(rules, parameters, input, data) {
        if let Err(error) = machine.load(region, content) {
            return Run { result: Vec::new(), steps: 0, failure: Some(Reason::of_host("result", error.to_string())) };
        }
    }
    let stop = machine.run(step_limit);
    Run::of(&machine, stop, step_limit)
}

impl Run {
    fn of(machine: &Machine, stop: Stop, step_limit: u64) -> Self {
        let steps = machine.steps();
        let failure = |kind: &str, message: String| Self {
            result: Vec::new(),
            steps,
            failure: Some(Reason::of_host(kind, message)),
        };
        match stop {
            Stop::Halted => match machine.content(Region::Result).filter(|content| !content.is_empty()) {
                Some(result) => Self { result, steps, failure: None },
                None => failure("result", "the evaluator ended without a result".into()),
            },
            Stop::Trapped(trap) => failure("trap", format!("the evaluator trapped: {trap}")),
            Stop::StepLimit => failure("limit", format!("the evaluation took more than {step_limit} steps")),
        }
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
