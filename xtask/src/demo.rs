//! The demo, from a clean clone.

use std::ffi::OsString;

use crate::{cargo, setup, steps::execute};

/// Runs `assent demo` with the arguments given.
///
/// Built with the dev profile, in which the workspace optimises the curve arithmetic and the EVM: from a clean clone its
/// result is there well before a release build with link-time optimisation would be. Without TLS, which takes another
/// minute to compile: a node for the demo is on this machine.
///
/// # Errors
/// When the set-up failed, or the demo exited with anything but 0.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    setup::tools()?;
    eprintln!("Building the contracts and the demo (some minutes the first time)");
    let mut demo = cargo(&["run", "--package", "assent", "--no-default-features", "--", "demo"]);
    demo.args(arguments);
    execute(demo).into_result().map_err(|reason| format!("the demo did not succeed ({reason})"))
}
