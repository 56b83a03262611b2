//! Contracts and verifier against each other, on any number of random cases.

use std::ffi::OsString;

use crate::{
    cargo, is_help, setup,
    steps::{Outcome, execute},
};

/// Runs a campaign, which has a crate of its own, tests/differential, with the arguments given.
///
/// # Errors
/// When the set-up failed, the two sides differed, or an error of the protocol was never reached.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    if !arguments.iter().any(is_help) {
        setup::tools()?;
    }
    let mut fuzz = cargo(&["run", "--package", "assent-differential", "--"]);
    fuzz.args(arguments);
    match execute(fuzz) {
        Outcome::Passed => Ok(()),
        Outcome::Failed(reason) | Outcome::Skipped(reason) => Err(format!("the campaign did not succeed ({reason})")),
    }
}
