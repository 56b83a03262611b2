//! The repository's own commands, run as `cargo xtask <command>`.

mod coverage;
mod coverage_guided;
mod cross_compilation;
mod demo;
mod documentation;
mod foundry_fuzz;
mod inspector;
mod lint;
mod minimum_version;
mod npm_package;
mod programs;
mod prove;
mod python;
mod semver;
mod setup;
mod slither;
mod steps;
mod storage_layout;
mod suite;
mod typescript;

use std::{
    ffi::{OsStr, OsString},
    io, iter,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use clap::Parser;

use steps::Step;

/// Sets Assent up, shows it, tests it.
///
/// Every command installs what it needs into node_modules or target when it is not there yet, and only then.
/// The exit status is 0 only on success.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 120, after_help = EXAMPLES)]
enum Task {
    /// Run the demo: an attested payment, and the attacks that are refused
    ///
    /// The arguments are passed on to `assent demo`; `cargo xtask demo -- --help` says what they are.
    Demo {
        /// What `assent demo` takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run every test: contracts, crates, TypeScript, coverage, short fuzzing campaigns, proofs, cross-compilation
    ///
    /// All steps run, also when one fails; a table of their results comes last.
    Test {
        /// The steps of `lint` too, in the same run: less time than one after the other
        #[arg(long)]
        lint: bool,
    },
    /// Check formatting, lints and documentation of both languages, and the dependencies
    Lint,
    /// Analyse the contracts with slither, as part of `lint` does
    Slither,
    /// Compile the verifier for bare metal and for WebAssembly, where no std exists
    ///
    /// With the toolchain's target when it is installed, otherwise from the compiler's own sources. Installs nothing; without
    /// either, the steps are skipped and say why.
    Nostd,
    /// Make the Inspector's page, target/inspector/inspector.html
    ///
    /// One file, which opens from a disk. The verifier in it is compiled to WebAssembly, with the toolchain's target when it is
    /// installed, otherwise from the compiler's own sources; without either, the step is skipped and says why.
    Inspector,
    /// Measure which lines and branches of the verification path the tests reach
    ///
    /// Of the contracts, and of the verifier with all its features. The tests run as they are measured, and their failure is
    /// this command's. It fails when a line or a branch is not reached, but for those that xtask/src/coverage/exceptions.rs
    /// lists with a reason, and when one that is listed there is reached after all. Rust needs llvm-profdata and llvm-cov of
    /// the compiler's own LLVM: from `rustup component add llvm-tools`, or from Debian's packages (llvm-22 for LLVM 22).
    Coverage(coverage::Arguments),
    /// Let contracts and verifier decide about random cases, and stop where they differ
    ///
    /// `--cases` and `--seed` say how many and which, `--json` prints the summary for programs; `--help` says more.
    #[command(disable_help_flag = true)]
    Fuzz {
        /// What tests/differential/campaign takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Fuzz from the side of forge, which asks the Rust verifier through FFI
    ///
    /// Both must hash, parse and decide alike. forge prints the seed of a failure.
    FuzzFromForge(foundry_fuzz::Campaign),
    /// Run the coverage-guided fuzz targets of the verifier, each from its committed corpus
    ///
    /// Needs cargo-fuzz. Inputs that fail are kept in tests/fuzz/artifacts; `cargo test --package assent-fuzz`, which is part of
    /// `test`, replays them and the corpora.
    FuzzCoverage(coverage_guided::Arguments),
    /// Change the contracts in one small way at a time, and see whether a test notices; hours
    ///
    /// `--sample 20` tries a few, `--contract Quorum` one file; `--help` says more.
    #[command(disable_help_flag = true)]
    Mutate {
        /// What tests/mutation takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Prove the contracts' rules for all inputs at once, with halmos (symbolic execution); minutes
    ///
    /// Installs halmos into target/halmos, once; without Python 3.11 it is skipped and says why.
    Prove,
    /// Compare the libraries' public API with that of the latest release; a minute
    ///
    /// Before the first release, with the revision that xtask/semver-baseline.txt names. Needs cargo-semver-checks.
    Semver,
    /// Measure gas and times, and write docs/performance.md; some minutes
    ///
    /// `--json` prints the figures, `--only gas` leaves the times as they were; `--help` says more.
    #[command(disable_help_flag = true)]
    Report {
        /// What benchmarks takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Install the pinned forge, solc and Solidity libraries into node_modules, and compile the contracts
    Setup,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                           see an attested call go through, and what is refused
  cargo xtask demo --json                    the same, for a program
  cargo xtask test                           run every test of the repository
  cargo xtask lint                           what a change has to pass before it is merged, besides the tests
  cargo xtask test --lint                    both, as CI does
  cargo xtask fuzz --cases 1000000           a long campaign
  cargo xtask fuzz-from-forge --runs 500     hold the contracts equal to the verifier, from forge's side, for a minute
  cargo xtask fuzz-coverage --seconds 300    five minutes of each coverage-guided fuzz target
  cargo xtask prove                          prove that no nonce is spent twice, among other things
  cargo xtask coverage                       see that the tests reach every line and branch that verifies
  cargo xtask mutate --sample 20             see whether the tests notice twenty faults
  cargo xtask report --json                  measure what everything costs, for a program";

fn main() -> ExitCode {
    // cargo calls this program in place of the compiler while it measures coverage, and of rustdoc to have JSON.
    if let Some(status) = coverage::compile().or_else(documentation::render) {
        return status;
    }
    match run(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<(), String> {
    match task {
        Task::Demo { arguments } => demo::run(&arguments),
        Task::Test { lint } => {
            let lints = if lint { lint::steps() } else { Vec::new() };
            run_set_up(lints.into_iter().chain(suite::steps()))
        }
        Task::Lint => run_set_up(lint::steps()),
        Task::Slither => run_set_up([slither::step()]),
        Task::Nostd => steps::run(cross_compilation::steps()),
        Task::Inspector => run_set_up([inspector::build()]),
        Task::Coverage(arguments) => coverage::run(&arguments),
        Task::Fuzz { arguments } => programs::fuzz(&arguments),
        Task::FuzzFromForge(campaign) => foundry_fuzz::run(&campaign),
        Task::FuzzCoverage(arguments) => coverage_guided::run(&arguments),
        Task::Mutate { arguments } => programs::mutate(&arguments),
        Task::Prove => run_set_up([prove::step()]),
        Task::Report { arguments } => programs::report(&arguments),
        Task::Semver => steps::run(semver::steps()),
        Task::Setup => setup::run(),
    }
}

/// Runs steps, before them the set-up.
fn run_set_up(steps: impl IntoIterator<Item = Step>) -> Result<(), String> {
    steps::run(iter::once(setup::step()).chain(steps).collect())
}

/// The repository's root. cargo names this package's directory when it runs the binary, wherever the clone has moved.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("xtask"), PathBuf::from);
    package.join("..")
}

/// This program, by the name under which it was started: what is there now may be another build of it, made by the tests that
/// ran since.
fn this_program() -> io::Result<PathBuf> {
    std::path::absolute(std::env::args_os().next().unwrap_or_default())
}

/// Where cargo puts what it builds: absolute, since programs are started from the root, to which a relative path would then be
/// relative twice.
fn target_directory() -> PathBuf {
    let directory = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    std::path::absolute(&directory).unwrap_or(directory)
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

/// What a program prints, or nothing when it is not there or fails.
fn printed(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether cargo has a subcommand.
fn has_cargo(subcommand: &str) -> bool {
    let version = cargo(&[subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}
