//! Mutation testing: whether the contracts' tests notice when the contracts change.

use std::ffi::OsString;

use crate::{
    command, is_help, setup,
    steps::{Outcome, execute},
};

/// Runs tests/mutation with the arguments given. It runs on Node, like the compiler, which it keeps loaded.
///
/// # Errors
/// When the set-up failed, or a mutant survived that is not an accepted equivalent.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    if !arguments.iter().any(is_help) {
        setup::tools()?;
    }
    let mut mutation = command("node", &["tests/mutation/mutate.mjs"]);
    mutation.args(arguments);
    match execute(mutation) {
        Outcome::Passed => Ok(()),
        Outcome::Failed(reason) | Outcome::Skipped(reason) => {
            Err(format!("mutation testing did not succeed ({reason})"))
        }
    }
}
