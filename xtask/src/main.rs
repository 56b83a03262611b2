//! The repository's own commands, run as `cargo xtask <command>`.

mod coverage;
mod cross_compilation;
mod demo;
mod lint;
mod report;
mod setup;
mod steps;
mod suite;

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, ExitCode},
};

const HELP: &str = "\
Sets Assent up, shows it, tests it.

Usage: cargo xtask <command>

Commands:
  demo [--] [arguments]  Run the demo: an attested payment, and the attacks that are refused.
                         The arguments are passed on to `assent demo`
  test                   Run every test: contracts, crates, the verifier under each set of features, cross-compilation.
                         All steps run, also when one fails; a table of their results comes last
  lint                   Check formatting, lints and documentation of both languages, and the dependencies' licences,
                         sources and advisories
  coverage [arguments]   Measure which lines and branches of the verification path the tests reach, in both languages;
                         fails unless all are. `--only rust|solidity`, `--json`; `--help` says more
  nostd                  Compile the verifier for bare metal and for WebAssembly, where no std exists: with the
                         toolchain's target when it is installed, otherwise from the compiler's own sources.
                         Installs nothing; without either, the steps are skipped and say why
  report [arguments]     Measure gas and times, and write docs/performance.md; some minutes.
                         `--json` prints the figures, `--only gas` leaves the times as they were, `--help` says more
  setup                  Install the pinned forge, solc and Solidity libraries into node_modules, compile the contracts

Every command installs what it needs into node_modules when it is not there yet, and only then.
The exit status is 0 only on success.

Examples:
  cargo xtask demo             see an attested call go through, and what is refused
  cargo xtask demo --json      the same, for a program
  cargo xtask demo -- --help   what else the demo can do
  cargo xtask report --json    measure what everything costs, for a program
  cargo xtask coverage         see that the tests reach every line and branch that verifies
  cargo xtask test             run every test of the repository
  cargo xtask lint             what a change has to pass before it is merged, besides the tests";

fn main() -> ExitCode {
    if let Some(exit_code) = coverage::compile() {
        return exit_code;
    }
    match run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<OsString>) -> Result<(), String> {
    if arguments.is_empty() {
        return Err(format!("a command is needed\n\n{HELP}"));
    }
    let name = arguments.remove(0).to_string_lossy().into_owned();
    let asks_for_help = |argument: &OsString| argument == "--help" || argument == "-h";
    if name == "report" {
        return report::run(&arguments);
    }
    if name == "coverage" {
        return coverage::run(&arguments);
    }
    if name == "help" || asks_for_help(&name.as_str().into()) || arguments.first().is_some_and(asks_for_help) {
        println!("{HELP}");
        return Ok(());
    }
    if name == "demo" {
        if arguments.first().is_some_and(|argument| argument == "--") {
            arguments.remove(0);
        }
        return demo::run(&arguments);
    }
    if let Some(argument) = arguments.first() {
        return Err(format!("`{name}` takes no arguments, and got {argument:?}; try `cargo xtask --help`"));
    }
    match name.as_str() {
        "setup" => setup::run(),
        "test" => steps::run(suite::steps()),
        "lint" => steps::run(lint::steps()),
        "nostd" => steps::run(cross_compilation::steps()),
        _ => Err(format!("there is no command `{name}`; try `cargo xtask --help`")),
    }
}

/// The repository's root. cargo names this package's directory when it runs the binary, wherever the clone has moved.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("xtask"), PathBuf::from);
    package.join("..")
}

/// Where cargo puts what it makes.
fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command that starts in the repository's root.
fn command(program: impl Into<OsString>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program.into());
    command.current_dir(root()).args(arguments);
    command
}

/// The cargo that runs this command.
fn cargo(arguments: &[&str]) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// The forge that package-lock.json pins.
fn forge(arguments: &[&str]) -> Command {
    command(setup::forge_path(), arguments)
}
