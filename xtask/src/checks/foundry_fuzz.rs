//! The fuzz tests in which forge asks the Rust verifier through FFI.

use clap::Args;

use crate::{
    runner::{Outcome, Step, cargo, execute, forge, target_directory},
    tools::setup,
};

/// The tests that sign and verify. One run makes 8 to 16 calls and takes about 20 times as long as a run of the others.
const SIGNING: &str = "Verification";
const SIGNING_SHARE: u32 = 20;

/// The number of runs and their seed.
#[derive(Clone, Args)]
pub struct Campaign {
    /// Runs of each test of hashing and parsing. Each that signs and verifies runs a twentieth as often, with 8 calls
    /// or more at a time
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// The seed of the fuzzing; by default forge draws one
    #[arg(long)]
    seed: Option<String>,
}

impl Campaign {
    /// The campaign of `cargo xtask test`: some 30 seconds.
    pub const SHORT: Self = Self { runs: 500, seed: None };
}

/// Runs a campaign.
///
/// # Errors
/// If a step failed.
pub fn run(campaign: &Campaign) -> Result<(), String> {
    setup::then_run(steps(campaign, &["--package", "assent-oracle"]))
}

/// The steps of a campaign. cargo compiles dependencies again for another selection of packages. After other tests, the
/// oracle is already built if it is selected together with their packages.
pub fn steps(campaign: &Campaign, packages: &'static [&'static str]) -> Vec<Step> {
    let cheap = ask(campaign.runs, campaign, packages, "--no-match-contract");
    let signing = ask(campaign.runs.div_ceil(SIGNING_SHARE), campaign, packages, "--match-contract");
    vec![
        Step::new("forge asks the verifier: hashing, parsing", cheap),
        Step::new("forge asks the verifier: verification", signing),
    ]
}

/// Runs the tests that sign, or those that do not.
fn ask(
    runs: u32,
    campaign: &Campaign,
    packages: &'static [&'static str],
    selection: &'static str,
) -> impl FnOnce() -> Outcome + 'static {
    let Campaign { seed, .. } = campaign.clone();
    move || {
        // With the dev profile, in which the verifier is optimised. cargo builds a package's programs with its tests.
        let mut build = cargo(&["test", "--no-run", "--test", "any_input"]);
        build.args(packages);
        let program =
            target_directory().join("debug").join("assent-oracle").with_extension(std::env::consts::EXE_EXTENSION);
        let mut test = forge(&["test", selection, SIGNING, "--fuzz-runs", &runs.to_string()]);
        test.env("FOUNDRY_PROFILE", "ffi").env("ASSENT_ORACLE", program);
        if let Some(seed) = seed {
            test.args(["--fuzz-seed", &seed]);
        }
        execute(build).and_then(|| execute(test))
    }
}
