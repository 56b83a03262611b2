//! Commands that a separate program runs, which takes the arguments as they are.

use std::{ffi::OsString, process::Command};

use super::setup;
use crate::runner::{cargo, command, execute};

/// Runs `assent demo`.
///
/// Built with the dev profile, in which the curve arithmetic and the EVM are optimised. From a clean clone that is much
/// faster than a release build with link-time optimisation.
///
/// # Errors
/// If the set-up or the demo failed.
pub fn demo(arguments: &[OsString]) -> Result<(), String> {
    setup::tools()?;
    eprintln!("Building the contracts and the demo (some minutes the first time)");
    run(cargo(&["run", "--package", "assent", "--", "demo"]), arguments, "the demo")
}

/// Runs contracts and verifier on any number of random cases: tests/differential/campaign.
///
/// # Errors
/// If the set-up failed, the two sides differed, or an error of the protocol was never reached.
pub fn fuzz(arguments: &[OsString]) -> Result<(), String> {
    run_set_up(cargo(&["run", "--package", "assent-differential", "--"]), arguments, "the campaign")
}

/// Runs operators and gateways in virtual time: tests/network-simulator.
///
/// Built with the dev profile, in which what takes the time is optimised.
///
/// # Errors
/// If a history broke a promise.
pub fn network_simulate(arguments: &[OsString]) -> Result<(), String> {
    run(cargo(&["run", "--package", "assent-network-simulator", "--"]), arguments, "the simulation")
}

/// Kills processes of operators and gateways under load, with liars among them: tests/network.
///
/// Built with the dev profile, in which what takes the time is optimised.
///
/// # Errors
/// If the set-up failed, or something does not hold that must.
pub fn network_check(arguments: &[OsString]) -> Result<(), String> {
    let command = ["run", "--package", "assent-network-tests", "--", "network-check"];
    run_set_up(cargo(&command), arguments, "the check")
}

/// Runs operators' and gateways' processes for hours: tests/network.
///
/// # Errors
/// If the set-up failed, memory grew, a task was lost, or latency rose.
pub fn soak(arguments: &[OsString]) -> Result<(), String> {
    let command = ["run", "--release", "--package", "assent-network-tests", "--", "soak"];
    run_set_up(cargo(&command), arguments, "the soak")
}

/// Measures gas and times, and writes docs/performance.md: benchmarks.
///
/// # Errors
/// If the set-up failed, or a figure could not be measured or written.
pub fn report(arguments: &[OsString]) -> Result<(), String> {
    run_set_up(cargo(&["run", "--package", "assent-performance", "--"]), arguments, "the report")
}

/// Changes the contracts and runs their tests: tests/mutation. It runs on Node, as the compiler does, which it keeps
/// loaded.
///
/// # Errors
/// If the set-up failed, or a mutant survived that is not an accepted equivalent.
pub fn mutate(arguments: &[OsString]) -> Result<(), String> {
    run_set_up(command("node", &["tests/mutation/mutate.mjs"]), arguments, "mutation testing")
}

fn run_set_up(program: Command, arguments: &[OsString], what: &str) -> Result<(), String> {
    let is_help = arguments.iter().any(|argument| argument == "--help" || argument == "-h");
    if !is_help {
        setup::tools()?;
    }
    run(program, arguments, what)
}

fn run(mut program: Command, arguments: &[OsString], what: &str) -> Result<(), String> {
    program.args(arguments);
    execute(program).into_result().map_err(|reason| format!("{what} failed ({reason})"))
}
