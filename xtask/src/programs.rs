//! Commands that have a program of their own, which takes the arguments as they are.

use std::{ffi::OsString, process::Command};

use crate::{cargo, command, setup, steps::execute};

/// Contracts and verifier against each other, on any number of random cases: tests/differential/campaign.
///
/// # Errors
/// When the set-up failed, the two sides differed, or an error of the protocol was never reached.
pub fn fuzz(arguments: &[OsString]) -> Result<(), String> {
    run(cargo(&["run", "--package", "assent-differential", "--"]), arguments, "the campaign")
}

/// What everything costs, measured and written to docs/performance.md: benchmarks.
///
/// # Errors
/// When the set-up failed, or something could not be measured or written.
pub fn report(arguments: &[OsString]) -> Result<(), String> {
    run(cargo(&["run", "--package", "assent-performance", "--"]), arguments, "the report")
}

/// Whether the contracts' tests notice when the contracts change: tests/mutation. It runs on Node, like the compiler, which it
/// keeps loaded.
///
/// # Errors
/// When the set-up failed, or a mutant survived that is not an accepted equivalent.
pub fn mutate(arguments: &[OsString]) -> Result<(), String> {
    run(command("node", &["tests/mutation/mutate.mjs"]), arguments, "mutation testing")
}

/// Sets up, unless only help is asked for, and runs a program.
fn run(mut program: Command, arguments: &[OsString], what: &str) -> Result<(), String> {
    if !arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        setup::tools()?;
    }
    program.args(arguments);
    execute(program).into_result().map_err(|reason| format!("{what} did not succeed ({reason})"))
}
