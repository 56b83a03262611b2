//! The repository's own commands, run as `cargo xtask <command>`.

mod checks;
mod release;
mod runner;
mod tools;

use std::{ffi::OsString, process::ExitCode};

use clap::{Args, Parser};

use checks::{components, coverage, cross_compilation, foundry_fuzz, image, inspector, lint, semver, slither, suite};
use runner::Step;
use tools::{coverage_guided, programs, setup};

/// Sets up, demonstrates and tests Assent
///
/// Every command installs the tools that it needs into node_modules or target, unless they are installed.
/// The exit status is 0 only on success.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 120, after_help = EXAMPLES)]
enum Task {
    /// Run the demo: an attested payment, and the attacks that are refused
    ///
    /// The arguments are passed to `assent demo`; `cargo xtask demo -- --help` lists them.
    Demo {
        /// Arguments of `assent demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run every test: contracts, crates, TypeScript, coverage, short fuzzing campaigns, proofs, cross-compilation
    ///
    /// All steps run, also if one fails. A table of their results is printed at the end.
    Test {
        /// Also run the steps of `lint`, which takes less time than running both
        #[arg(long)]
        lint: bool,
        #[command(flatten)]
        selection: Selection,
    },
    /// Check formatting, lints and documentation of both languages, and the dependencies
    Lint(Selection),
    /// Analyse the contracts with slither, as part of `lint` does
    Slither,
    /// Compile the verifier for bare metal and for WebAssembly, where no std exists
    ///
    /// Uses the toolchain's target if it is installed, otherwise the compiler's own sources. Installs nothing: without
    /// either, the steps are skipped with the reason.
    Nostd,
    /// Build the evaluator's image, crates/assent-policy/image/evaluator.bin
    ///
    /// It is the program that decides policies: another image makes another id of every policy. Uses a compiler that
    /// has core's sources, and the toolchain's rust-lld; evaluator.txt names both. `--check` fails if the committed
    /// image is not what the sources build, and skips with the reason if other tools are installed.
    Image(image::Arguments),
    /// Build the Inspector's page, target/inspector/inspector.html
    ///
    /// One file, which opens from a disk. The verifier in it is compiled to WebAssembly, with the toolchain's target if
    /// it is installed, otherwise from the compiler's own sources. Without either, the step is skipped with the reason.
    Inspector,
    /// Build the components of assent-policy-data in Rust, JavaScript and Python, and run them; takes minutes
    ///
    /// Compares those in Rust with the committed ones. Installs the tools of the other languages, 450 MB, below target
    /// and next to the example in JavaScript.
    Components(components::Arguments),
    /// Measure which lines and branches of the verification path the tests reach
    ///
    /// Measures the contracts, and the verifier with all its features. Fails if a test fails, or if a line or branch is
    /// not reached that xtask/src/checks/coverage/exceptions.rs does not list with a reason. Fails also if a listed one
    /// is reached. Rust needs cargo-llvm-cov, and LLVM's tools of the compiler's own version. They come from `rustup
    /// component add llvm-tools`, or from Debian's packages (llvm-22 for LLVM 22), whose programs LLVM_COV and
    /// LLVM_PROFDATA name.
    Coverage(coverage::Arguments),
    /// Compare the decisions of contracts and verifier on random cases, and stop at the first difference
    ///
    /// `--cases` and `--seed` select the cases, `--json` prints the summary for programs. See `--help`.
    #[command(disable_help_flag = true)]
    Fuzz {
        /// Arguments of tests/differential/campaign
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Compare contracts and verifier in forge's fuzz tests, which ask the Rust verifier through FFI
    ///
    /// Both must hash, parse and decide alike. forge prints the seed of a failure.
    FuzzFromForge(foundry_fuzz::Campaign),
    /// Run the coverage-guided fuzz targets of the verifier, each from its committed corpus
    ///
    /// Needs cargo-fuzz. Failing inputs are kept in tests/fuzz/artifacts; `cargo test --package assent-fuzz`, which is
    /// part of
    /// `test`, replays them and the corpora.
    FuzzCoverage(coverage_guided::Arguments),
    /// Kill operators' and gateways' processes under load, with liars among them, and check what must always hold
    ///
    /// `--rounds` says how often, `--log nats` has two gateways share a task log. See `--help`.
    #[command(disable_help_flag = true)]
    NetworkCheck {
        /// Arguments of tests/network
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run a network for hours, and check that memory is bounded, nothing is lost, and latency is stable
    ///
    /// `--hours` says how long. Built with `--release`. See `--help`.
    #[command(disable_help_flag = true)]
    Soak {
        /// Arguments of tests/network
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run operators and gateways in virtual time, with faults and liars, and stop at the first broken promise
    ///
    /// `--histories` says how many histories run, `--seed` runs one again. See `--help`.
    #[command(disable_help_flag = true)]
    NetworkSimulate {
        /// Arguments of tests/network-simulator
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Change the contracts in one small way at a time, and check that a test fails; takes hours
    ///
    /// `--sample 20` tries a few mutants, `--contract Quorum` those of one file. See `--help`.
    #[command(disable_help_flag = true)]
    Mutate {
        /// Arguments of tests/mutation
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Prove the contracts' rules for all inputs with halmos (symbolic execution); takes minutes
    ///
    /// Installs halmos into target/halmos, once. Without Python 3.11, it is skipped with the reason.
    Prove,
    /// Compare the libraries' public API with that of the latest release; takes minutes
    ///
    /// Before the first release: with the revision that xtask/semver-baseline.txt names. Needs cargo-semver-checks.
    Semver,
    /// Measure gas and times, and write docs/performance.md; takes minutes
    ///
    /// `--json` prints the figures, `--only gas` keeps the times as they are. See `--help`.
    #[command(disable_help_flag = true)]
    Report {
        /// Arguments of benchmarks
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Pack the crates and npm packages, verify contents, versions and changelog, and publish them
    ///
    /// `--dry-run` publishes nothing: use it until the first release, and install from the packed files. Crates are
    /// packed into target/package, npm packages into target/npm. Each is tried in a project outside of the repository.
    Release(release::Arguments),
    /// Install the pinned forge, solc and Solidity libraries into node_modules, and compile the contracts
    Setup,
}

/// The steps to run.
#[derive(Args)]
struct Selection {
    /// Run only the steps whose names contain this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

impl Selection {
    fn run(&self, steps: impl IntoIterator<Item = Step>) -> Result<(), String> {
        let only = self.only.as_deref().unwrap_or_default();
        let selected: Vec<_> = steps.into_iter().filter(|step| step.name().contains(only)).collect();
        if selected.is_empty() {
            return Err(format!("no step's name contains {only:?}"));
        }
        setup::then_run(selected)
    }
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                           see an attested call succeed, and others refused
  cargo xtask demo --json                    the same as JSON
  cargo xtask test                           run every test of the repository
  cargo xtask lint                           the checks that a change must pass besides the tests
  cargo xtask test --lint                    both, as CI does
  cargo xtask lint --only clippy             only the steps whose names contain `clippy`
  cargo xtask fuzz --cases 1000000           a long campaign
  cargo xtask fuzz-from-forge --runs 500     compare contracts and verifier for a minute, from forge's side
  cargo xtask fuzz-coverage --seconds 300    five minutes of each coverage-guided fuzz target
  cargo xtask network-simulate --histories 100000
                                             run operators and gateways in virtual time, with faults and liars
  cargo xtask network-check --rounds 5       kill operators and gateways under load, with liars among them
  cargo xtask soak --hours 0.2               run a network for twelve minutes; 24 hours is the long form
  cargo xtask prove                          prove that no nonce is spent twice, and other rules
  cargo xtask coverage                       check that the tests reach every line and branch that verifies
  cargo xtask mutate --sample 20             check that the tests find twenty faults
  cargo xtask release --dry-run              pack and verify what would be published
  cargo xtask report --json                  measure gas and times, as JSON";

fn main() -> ExitCode {
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
        Task::Demo { arguments } => programs::demo(&arguments),
        Task::Test { lint, selection } => {
            let lints = if lint { lint::steps() } else { Vec::new() };
            selection.run(lints.into_iter().chain(suite::steps()))
        }
        Task::Lint(selection) => selection.run(lint::steps()),
        Task::Slither => setup::then_run([slither::step()]),
        Task::Nostd => runner::run(cross_compilation::steps()),
        Task::Image(arguments) => image::run(&arguments),
        Task::Inspector => setup::then_run([inspector::build()]),
        Task::Components(arguments) => components::run(&arguments),
        Task::Coverage(arguments) => coverage::run(&arguments),
        Task::Fuzz { arguments } => programs::fuzz(&arguments),
        Task::FuzzFromForge(campaign) => foundry_fuzz::run(&campaign),
        Task::FuzzCoverage(arguments) => coverage_guided::run(&arguments),
        Task::NetworkCheck { arguments } => programs::network_check(&arguments),
        Task::Soak { arguments } => programs::soak(&arguments),
        Task::NetworkSimulate { arguments } => programs::network_simulate(&arguments),
        Task::Mutate { arguments } => programs::mutate(&arguments),
        Task::Prove => setup::then_run([suite::prove()]),
        Task::Report { arguments } => programs::report(&arguments),
        Task::Release(arguments) => release::run(&arguments),
        Task::Semver => runner::run(semver::steps()),
        Task::Setup => setup::run(),
    }
}
