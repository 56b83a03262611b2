//! What everything costs, measured and written to docs/performance.md.

use std::ffi::OsString;

use crate::{
    cargo, is_help, setup,
    steps::{Outcome, execute},
};

/// Runs the report, which has a crate of its own, tests/performance, with the arguments given.
///
/// # Errors
/// When the set-up failed, or something could not be measured or written.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    if !arguments.iter().any(is_help) {
        setup::tools()?;
    }
    let mut report = cargo(&["run", "--package", "assent-performance", "--"]);
    report.args(arguments);
    match execute(report) {
        Outcome::Passed => Ok(()),
        Outcome::Failed(reason) | Outcome::Skipped(reason) => Err(format!("the report did not succeed ({reason})")),
    }
}
