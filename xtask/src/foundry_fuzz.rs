//! The fuzz tests in which forge asks the Rust verifier through FFI.

use std::{ffi::OsString, path::absolute};

use crate::{
    cargo, forge, setup,
    steps::{self, Outcome, Step, execute},
    target_directory,
};

/// Tests that sign and verify: one run makes 8 to 16 calls and takes about 20 times as long as a run of the others.
const SIGNING: &str = "Verification";
const SIGNING_SHARE: u32 = 20;

/// How much is tried.
#[derive(Clone)]
pub struct Campaign {
    runs: u32,
    /// forge draws one when it is given none.
    seed: Option<String>,
}

impl Campaign {
    /// For every test of the repository: some 30 seconds.
    pub const SHORT: Self = Self { runs: 500, seed: None };

    const WHOLE: Self = Self { runs: 10_000, seed: None };
}

/// Runs a campaign as the arguments say.
///
/// # Errors
/// When an argument is wrong, or a step failed.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    let mut steps = vec![Step::essential("set-up", setup::tools)];
    steps.extend(self::steps(&parse(arguments)?));
    steps::run(steps)
}

/// The steps of a campaign.
pub fn steps(campaign: &Campaign) -> Vec<Step> {
    let cheap = ask(campaign.runs, campaign, "--no-match-contract");
    let signing = ask(campaign.runs.div_ceil(SIGNING_SHARE), campaign, "--match-contract");
    vec![
        Step::new("forge asks the verifier: hashing, parsing", cheap),
        Step::new("forge asks the verifier: verification", signing),
    ]
}

/// Runs the tests that sign, or those that do not.
fn ask(runs: u32, campaign: &Campaign, selection: &'static str) -> impl FnOnce() -> Outcome + 'static {
    let Campaign { seed, .. } = campaign.clone();
    move || {
        // With the dev profile, as everything else that is tested; the workspace optimises the verifier in it.
        match execute(cargo(&["build", "--package", "assent-oracle"])) {
            Outcome::Passed => {}
            failure => return failure,
        }
        let program =
            target_directory().join("debug").join("assent-oracle").with_extension(std::env::consts::EXE_EXTENSION);
        let program = match absolute(program) {
            Ok(program) => program,
            Err(error) => return Outcome::Failed(format!("there is no present directory: {error}")),
        };
        let mut test = forge(&["test", selection, SIGNING, "--fuzz-runs", &runs.to_string()]);
        test.env("FOUNDRY_PROFILE", "ffi").env("ASSENT_ORACLE", program);
        if let Some(seed) = seed {
            test.args(["--fuzz-seed", &seed]);
        }
        execute(test)
    }
}

fn parse(arguments: &[OsString]) -> Result<Campaign, String> {
    let mut campaign = Campaign::WHOLE;
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{name}` needs a value"));
        match name.as_ref() {
            "--runs" => campaign.runs = runs(&value()?)?,
            "--seed" => campaign.seed = Some(value()?.into_owned()),
            _ => return Err(format!("there is no argument `{name}`; try `cargo xtask --help`")),
        }
    }
    Ok(campaign)
}

fn runs(value: &str) -> Result<u32, String> {
    let runs = value.replace('_', "").parse().ok().filter(|runs| *runs > 0);
    runs.ok_or_else(|| format!("`--runs` is a number of 1 or more, and got `{value}`"))
}
