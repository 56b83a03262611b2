//! `assent policy test`: runs a policy's tests in the evaluator.

use super::{
    files::{LocalPolicy, watched},
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
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

/// How often a watched folder is looked at.
const INTERVAL: Duration = Duration::from_millis(200);
/// How long its files must stay the same before they are tested.
const SETTLING: Duration = Duration::from_millis(100);

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
        let files = settled(&arguments.policy);
        if seen.as_ref() != Some(&files) {
            seen = Some(files);
            clear_screen(output)?;
            match arguments.run_once(output) {
                // The reader of the output has closed it.
                Err(error) if is_broken_pipe(&error) => return Err(error),
                Err(error) => output::report(&error),
                Ok(_) => {}
            }
            output::remark("waiting for changes; Ctrl-C stops");
        }
        thread::sleep(INTERVAL);
    }
}

impl Arguments {
    fn run_once(&self, output: Output) -> Result<ExitStatus> {
        let source = LocalPolicy::read_folder(&self.policy)?;
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
pub fn tests_of(source: &LocalPolicy, options: &TestOptions) -> Result<TestReport> {
    match source {
        LocalPolicy::Folder(folder) => Ok(run_tests(evaluator()?, folder, options)?),
        LocalPolicy::Conjunction(conjunction) => Ok(run_conjunction_tests(evaluator()?, conjunction, options)?),
        LocalPolicy::Bundle(_) => bail!("a built policy has no tests; give its folder"),
    }
}

/// The files of a policy, each with its length and the time of its last change. Nothing while the folder is missing.
type Files = Option<BTreeMap<PathBuf, Option<(u64, SystemTime)>>>;

/// Returns the files once they stay the same: what is saved in several steps is tested once.
fn settled(folder: &Path) -> Files {
    let mut files = files(folder);
    loop {
        thread::sleep(SETTLING);
        let again = self::files(folder);
        if again == files {
            return files;
        }
        files = again;
    }
}

fn files(folder: &Path) -> Files {
    let change = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    Some(watched(folder).ok()?.into_iter().map(|path| (path.clone(), change(&path))).collect())
}

/// Clears a terminal that can be cleared.
fn clear_screen(output: Output) -> Result<()> {
    let is_dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
    let mut stdout = io::stdout().lock();
    if stdout.is_terminal() && !is_dumb && !output.is_json() {
        write!(stdout, "\x1b[2J\x1b[3J\x1b[H")?;
        stdout.flush()?;
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
