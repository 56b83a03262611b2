//! The repository's own commands, run as `cargo xtask <command>`.

mod coverage;
mod coverage_guided;
mod cross_compilation;
mod demo;
mod foundry_fuzz;
mod fuzz;
mod lint;
mod mutation;
mod prove;
mod report;
mod setup;
mod slither;
mod steps;
mod suite;

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, ExitCode},
};

use steps::Step;

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
  slither                Analyse the contracts with slither, which is installed into target/slither; part of `lint`
  mutate [arguments]     Change the contracts in one small way at a time, and see whether a test notices; hours.
                         `--sample 20` tries a few, `--contract Quorum` one file, `--help` says more
  coverage [arguments]   Measure which lines and branches of the verification path the tests reach, in both languages;
                         fails unless all are. `--only rust|solidity`, `--json`; `--help` says more
  nostd                  Compile the verifier for bare metal and for WebAssembly, where no std exists: with the
                         toolchain's target when it is installed, otherwise from the compiler's own sources.
                         Installs nothing; without either, the steps are skipped and say why
  fuzz [arguments]       Let contracts and verifier decide about random cases, and stop where they differ.
                         `--cases` and `--seed` say how many and which, `--json` prints the summary for programs
  prove                  Prove the contracts' rules for all inputs at once, with halmos (symbolic execution); minutes.
                         Installs halmos into target/halmos, once; without Python 3.11 it is skipped and says why
  fuzz-from-forge [--runs N] [--seed S]
                         Fuzz from the side of forge, which asks the Rust verifier through FFI: both must hash, parse and
                         decide alike. Each test of hashing and parsing runs N times (10,000 if not given), and each that
                         signs and verifies N / 20 times, with 8 calls or more at a time. forge prints the seed
                         of a failure
  fuzz-coverage [options]
                         Run the coverage-guided fuzz targets of tests/fuzz, from their committed corpora;
                         `--seconds N` for each, `--help` says more. Needs cargo-fuzz; not part of `test`, which replays
                         the corpora
  report [arguments]     Measure gas and times, and write docs/performance.md; some minutes.
                         `--json` prints the figures, `--only gas` leaves the times as they were, `--help` says more
  setup                  Install the pinned forge, solc and Solidity libraries into node_modules, compile the contracts

Every command installs what it needs into node_modules when it is not there yet, and only then.
The exit status is 0 only on success.

Examples:
  cargo xtask demo             see an attested call go through, and what is refused
  cargo xtask demo --json      the same, for a program
  cargo xtask demo -- --help   what else the demo can do
  cargo xtask fuzz --cases 1000000   a long campaign
  cargo xtask prove            prove that no nonce is spent twice, among other things
  cargo xtask fuzz-from-forge --runs 500
                               hold the contracts equal to the verifier, from forge's side, for a minute
  cargo xtask fuzz-coverage --seconds 300
                               five minutes of each coverage-guided fuzz target
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
    if name == "fuzz" {
        return fuzz::run(&arguments);
    }
    if name == "fuzz-coverage" {
        return coverage_guided::run(&arguments);
    }
    if name == "mutate" {
        return mutation::run(&arguments);
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
    if name == "fuzz-from-forge" {
        return foundry_fuzz::run(&arguments);
    }
    if let Some(argument) = arguments.first() {
        return Err(format!("`{name}` takes no arguments, and got {argument:?}; try `cargo xtask --help`"));
    }
    match name.as_str() {
        "setup" => setup::run(),
        "test" => steps::run(suite::steps()),
        "lint" => steps::run(lint::steps()),
        "slither" => steps::run(slither::steps()),
        "nostd" => steps::run(cross_compilation::steps()),
        "prove" => steps::run(vec![Step::essential("set-up", setup::tools), prove::step()]),
        _ => Err(format!("there is no command `{name}`; try `cargo xtask --help`")),
    }
}

/// The repository's root. cargo names this package's directory when it runs the binary, wherever the clone has moved.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("xtask"), PathBuf::from);
    package.join("..")
}

/// Where cargo puts what it builds.
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
