//! The results of tests, for people, programs and build servers.

use crate::output;
use anyhow::Result;
use assent_policy::{TestOutcome, TestReport, TestResult};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// The form of a report.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines for people.
    Pretty,
    /// JSON.
    Json,
    /// JUnit's XML, which build servers show.
    Junit,
}

/// Prints a report.
pub fn print(report: &TestReport, format: Format, policy: &str) -> Result<()> {
    let text = match format {
        Format::Pretty => pretty(report),
        Format::Json => serde_json::to_string_pretty(&to_json(report))?,
        Format::Junit => junit(report, policy),
    };
    writeln!(anstream::stdout(), "{text}").map_err(io::Error::into)
}

/// Returns hundredths of a percent as a percentage.
pub fn percent(basis_points: usize) -> String {
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}

fn pretty(report: &TestReport) -> String {
    let mut lines = Vec::new();
    let mut module = "";
    for test in &report.tests {
        if test.module != module {
            module = &test.module;
            lines.push(format!("{module}:"));
        }
        lines.push(match &test.outcome {
            TestOutcome::Error(message) => format!("  {}: ERROR\n    {message}", test.name),
            outcome => format!("  {}: {}", test.name, word(outcome)),
        });
    }
    let counts = Counts::of(report);
    lines.push({
        let tests = output::counted(report.tests.len(), "test", "tests");
        format!("{} of {tests} passed", counts.passed)
    });
    for (count, what) in [(counts.failed, "failed"), (counts.errors, "ended in an error"), (counts.skipped, "skipped")]
    {
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    }
    if let Some(basis_points) = report.coverage_basis_points() {
        lines.push(format!("{} of the lines evaluated", percent(basis_points)));
        for file in report.coverage.iter().filter(|file| !file.not_covered.is_empty()) {
            let not_covered = file.not_covered.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            lines.push(format!("  {}: not line {not_covered}", file.module));
        }
    }
    lines.join("\n")
}

fn to_json(report: &TestReport) -> Value {
    let tests = report.tests.iter().map(|test| {
        let mut object =
            json!({ "module": test.module, "name": test.name, "result": word(&test.outcome).to_lowercase() });
        if let TestOutcome::Error(message) = &test.outcome {
            object["message"] = json!(message);
        }
        object
    });
    let mut value = json!({ "tests": tests.collect::<Vec<_>>(), "steps": report.steps });
    if let Some(basis_points) = report.coverage_basis_points() {
        let files = report.coverage.iter();
        let lines =
            files.map(|file| (file.module.clone(), json!({ "covered": file.covered, "notCovered": file.not_covered })));
        value["coverage"] = json!({ "basisPoints": basis_points, "files": lines.collect::<BTreeMap<_, _>>() });
    }
    value
}

fn junit(report: &TestReport, policy: &str) -> String {
    let counts = Counts::of(report);
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(
            r#"<testsuites><testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{}">"#,
            escaped(policy),
            report.tests.len(),
            counts.failed,
            counts.errors,
            counts.skipped
        ),
    ];
    lines.extend(report.tests.iter().map(test_case));
    lines.push("</testsuite></testsuites>".to_owned());
    lines.join("\n")
}

fn test_case(test: &TestResult) -> String {
    let (package, name) = test.name.rsplit_once('.').unwrap_or(("", &test.name));
    let head = format!(r#"  <testcase classname="{}" name="{}""#, escaped(package), escaped(name));
    match &test.outcome {
        TestOutcome::Pass => format!("{head}/>"),
        TestOutcome::Skip => format!("{head}><skipped/></testcase>"),
        TestOutcome::Fail => format!("{head}><failure message=\"the rule is not true\"/></testcase>"),
        TestOutcome::Error(message) => format!("{head}><error message=\"{}\"/></testcase>", escaped(message)),
    }
}

/// Escapes text for an attribute in XML; what XML cannot contain is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' => escaped.push(' '),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

fn word(outcome: &TestOutcome) -> &'static str {
    match outcome {
        TestOutcome::Pass => "PASS",
        TestOutcome::Fail => "FAIL",
        TestOutcome::Error(_) => "ERROR",
        TestOutcome::Skip => "SKIPPED",
    }
}

struct Counts {
    passed: usize,
    failed: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of(report: &TestReport) -> Self {
        let count =
            |is_counted: fn(&TestOutcome) -> bool| report.tests.iter().filter(|test| is_counted(&test.outcome)).count();
        Self {
            passed: count(|outcome| *outcome == TestOutcome::Pass),
            failed: count(|outcome| *outcome == TestOutcome::Fail),
            errors: count(|outcome| matches!(outcome, TestOutcome::Error(_))),
            skipped: count(|outcome| *outcome == TestOutcome::Skip),
        }
    }
}
