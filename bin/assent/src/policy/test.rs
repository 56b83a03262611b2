//! `assent policy test`: runs a policy's tests in the evaluator.

use super::{
    files::{Source, watched},
    test_report::{self, Format},
};
use crate::{
    ExitStatus,
    output::{self, Output},
};
use anyhow::{Result, bail};
use assent_policy::{TestOptions, TestOutcome, TestReport, evaluator, run_conjunction_tests, run_tests};
use clap::{Args, ValueHint};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

/// How often a watched folder is looked at.
const INTERVAL: Duration = Duration::from_millis(300);

/// The options of `assent policy test`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy test treasury
  assent policy test treasury --run 'limit' --watch
  assent policy test treasury --coverage --threshold 90
  assent policy test treasury --format junit > tests.xml

A test is a rule named test_… in a file …_test.rego; it passes if it is true. A rule named todo_test_… is skipped.
Exit status, as that of `opa test`: 0 if every test passed, 2 if one failed or was skipped or the coverage is below the
threshold, 1 if the tests could not run.")]
pub struct Arguments {
    /// The policy's folder.
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    policy: PathBuf,
    /// Run only tests whose full name matches this regular expression, as in data.treasury_test.test_limit.
    #[arg(long, value_name = "REGEX")]
    run: Option<String>,
    /// Report the lines that the tests evaluate.
    #[arg(long)]
    coverage: bool,
    /// The least share of lines that the tests must evaluate, in percent.
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: Option<u8>,
    /// The form of the report; --json is --format json.
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    format: Format,
    /// Count skipped tests as passed.
    #[arg(long)]
    exit_zero_on_skipped: bool,
    /// Run again whenever a file changes, until it is stopped.
    #[arg(long)]
    watch: bool,
}

/// Runs `assent policy test`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    if !arguments.watch {
        return arguments.run_once(output);
    }
    let mut seen = None;
    loop {
        let times = modification_times(&arguments.policy)?;
        if seen.as_ref() != Some(&times) {
            seen = Some(times);
            if let Err(error) = arguments.run_once(output) {
                output::report(&error);
            }
            output::remark("waiting for changes; Ctrl-C stops");
        }
        thread::sleep(INTERVAL);
    }
}

impl Arguments {
    fn run_once(&self, output: Output) -> Result<ExitStatus> {
        let source = Source::read_folder(&self.policy)?;
        let options = TestOptions { run: self.run.clone(), coverage: self.coverage };
        let spinner = output::spinner("Running tests");
        let report = tests_of(&source, &options)?;
        drop(spinner);
        let format = if output.is_json() { Format::Json } else { self.format };
        test_report::print(&report, format, source.name())?;
        if report.tests.is_empty() {
            output::remark("no test ran; a test is a rule named test_… in a file …_test.rego");
        }
        Ok(if self.has_passed(&report) { ExitStatus::Success } else { ExitStatus::TestsFailed })
    }

    fn has_passed(&self, report: &TestReport) -> bool {
        let passed = report.tests.iter().all(|test| match test.outcome {
            TestOutcome::Pass => true,
            TestOutcome::Skip => self.exit_zero_on_skipped,
            TestOutcome::Fail | TestOutcome::Error(_) => false,
        });
        let Some(threshold) = self.threshold else { return passed };
        let reached = report.coverage_basis_points().unwrap_or(0);
        let is_reached = reached >= usize::from(threshold) * 100;
        if !is_reached {
            output::remark(format_args!(
                "the tests evaluate {} of the lines, less than {threshold} %",
                test_report::percent(reached)
            ));
        }
        passed && is_reached
    }
}

/// Runs the tests of a folder; of a conjunction those of its policies too.
pub fn tests_of(source: &Source, options: &TestOptions) -> Result<TestReport> {
    match source {
        Source::Folder(folder) => Ok(run_tests(evaluator()?, folder, options)?),
        Source::Conjunction(conjunction) => Ok(run_conjunction_tests(evaluator()?, conjunction, options)?),
        Source::Bundle(_) => bail!("a built policy has no tests; give its folder"),
    }
}

/// Returns when each file of a policy was changed.
fn modification_times(folder: &Path) -> Result<BTreeMap<PathBuf, Option<SystemTime>>> {
    let time = |path: &PathBuf| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    Ok(watched(folder)?.into_iter().map(|path| (path.clone(), time(&path))).collect())
}
