//! The tests of a policy, which run in the evaluator as its decisions do.

use crate::{
    conjunction::Conjunction,
    evaluation::{Reason, reasons, run},
    folder::{BuildError, PolicyFolder},
};
use assent_json::Value;
use assent_machine::{Image, MAX_STEPS};

/// Which tests run, and what is measured.
// Complete: each option has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// A regular expression: only tests whose full name matches run.
    pub run: Option<String>,
    /// Whether the lines that were evaluated are reported.
    pub coverage: bool,
}

/// The results of a policy's tests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestReport {
    /// The results, in the order of modules and rules.
    pub tests: Vec<TestResult>,
    /// The lines of the modules that are built. Empty unless it was asked for.
    pub coverage: Vec<FileCoverage>,
    /// The steps that the machine made.
    pub steps: u64,
}

/// The result of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestResult {
    /// The module.
    pub module: String,
    /// The rule, from `data` on.
    pub name: String,
    /// The result.
    pub outcome: TestOutcome,
}

/// How a test ended.
///
/// The list is complete: these are the outcomes that `opa test` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestOutcome {
    /// The rule is true.
    Pass,
    /// The rule is false or undefined.
    Fail,
    /// The evaluation ended in this error.
    Error(String),
    /// The rule is named `todo_test_…`, and was not evaluated.
    Skip,
}

/// The lines of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileCoverage {
    /// The module.
    pub module: String,
    /// The lines that were evaluated.
    pub covered: Vec<u32>,
    /// The lines that could have been evaluated and were not.
    pub not_covered: Vec<u32>,
}

/// The tests cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The policy is incomplete or too long.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The evaluator refuses the modules, or needs more steps than a run may have.
    #[error("the tests cannot run: {}", .0.iter().map(|reason| reason.message.as_str()).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Reason>),
    /// The evaluator answered something else than results.
    #[error("the evaluator's answer has no results")]
    Malformed,
}

/// Runs a policy's tests.
///
/// Without sources, the folder's parameters are `data.params`. A test of a policy with sources gives both itself, as in
/// `with data.params as {"limit": 5} with data.wasm as {"price": 1}`.
///
/// # Errors
///
/// [`TestError`] if the modules do not parse, or the tests together need more than 2^28 steps.
pub fn run_tests(image: &Image, folder: &PolicyFolder, options: &TestOptions) -> Result<TestReport, TestError> {
    let rules = folder.test_content(options.run.as_deref(), options.coverage)?;
    let parameters = if folder.manifest.sources.is_empty() { folder.parameters.to_canonical() } else { String::new() };
    let run = run(image, &rules, &parameters, &[], "", MAX_STEPS);
    if let Some(failure) = run.failure {
        return Err(TestError::Refused(vec![failure]));
    }
    let answer = run.result.get(1..).and_then(|text| assent_json::parse(text).ok()).ok_or(TestError::Malformed)?;
    if answer.get("reasons").is_some() {
        return Err(TestError::Refused(reasons(&run.result)));
    }
    let tests = answer.get("tests").and_then(Value::as_array).ok_or(TestError::Malformed)?;
    let coverage = answer.get("coverage").and_then(Value::as_array).unwrap_or_default();
    let coverage = coverage.iter().map(FileCoverage::from_value).collect::<Option<Vec<_>>>();
    let coverage = coverage.ok_or(TestError::Malformed)?.into_iter();
    Ok(TestReport {
        tests: tests.iter().map(TestResult::from_value).collect::<Option<_>>().ok_or(TestError::Malformed)?,
        coverage: coverage.filter(|file| folder.modules.contains_key(&file.module)).collect(),
        steps: run.steps,
    })
}

/// Runs the tests of a conjunction. They are those of its folder, which see the modules of all its policies. Those of
/// each policy that is a folder run, too, with its parameters in the conjunction. Modules have the policy's index
/// before their name.
///
/// # Errors
///
/// As [`run_tests`].
pub fn run_conjunction_tests(
    image: &Image,
    conjunction: &Conjunction,
    options: &TestOptions,
) -> Result<TestReport, TestError> {
    let mut all = TestReport { tests: Vec::new(), coverage: Vec::new(), steps: 0 };
    if let Some(folder) = conjunction.tested_together().map_err(BuildError::Folder)? {
        let report = run_tests(image, &folder, &TestOptions { coverage: false, ..options.clone() })?;
        all.tests = report.tests;
        all.steps = report.steps;
    }
    for (index, folder) in conjunction.folders() {
        let report = run_tests(image, &folder, options)?;
        let of_member = |module: String| format!("{index}/{module}");
        let tests = report.tests.into_iter();
        all.tests.extend(tests.map(|test| TestResult { module: of_member(test.module), ..test }));
        let coverage = report.coverage.into_iter();
        all.coverage.extend(coverage.map(|file| FileCoverage { module: of_member(file.module), ..file }));
        all.steps = all.steps.saturating_add(report.steps);
    }
    Ok(all)
}

impl TestReport {
    /// Returns the share of lines that were evaluated, in hundredths of a percent. Nothing if no line was measured.
    pub fn coverage_basis_points(&self) -> Option<usize> {
        let covered = self.coverage.iter().map(|file| file.covered.len()).sum::<usize>();
        let not_covered = self.coverage.iter().map(|file| file.not_covered.len()).sum::<usize>();
        covered.saturating_mul(10_000).checked_div(covered.saturating_add(not_covered))
    }
}

impl TestResult {
    fn from_value(value: &Value) -> Option<Self> {
        let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let outcome = match text("result")?.as_str() {
            "pass" => TestOutcome::Pass,
            "fail" => TestOutcome::Fail,
            "skip" => TestOutcome::Skip,
            "error" => TestOutcome::Error(text("message").unwrap_or_default()),
            _ => return None,
        };
        Some(Self { module: text("module")?, name: text("name")?, outcome })
    }
}

impl FileCoverage {
    fn from_value(value: &Value) -> Option<Self> {
        let lines = |key| {
            let lines = value.get(key)?.as_array()?.iter();
            lines.map(|line| u32::try_from(line.as_u64()?).ok()).collect::<Option<Vec<_>>>()
        };
        let module = value.get("module")?.as_str()?.to_owned();
        Some(Self { module, covered: lines("covered")?, not_covered: lines("notCovered")? })
    }
}
