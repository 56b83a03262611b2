//! The contracts, by `forge coverage`.

use std::{fs, io};

use super::{Missing, lcov};
use crate::{
    runner::{Outcome, execute, forge, root},
    tools::{eigenlayer, symbiotic},
};

const REPORT: &str = "cache/coverage/lcov.info";

/// Runs the contracts' tests without the optimiser, and reads what they reached.
pub fn measure() -> Result<Vec<lcov::File>, Missing> {
    let root = root();
    let failure = |error: io::Error| Missing::Failure(format!("{REPORT}: {error}"));
    fs::create_dir_all(root.join("cache/coverage")).map_err(failure)?;
    let _absent_is_fine = fs::remove_file(root.join(REPORT));
    for install in [eigenlayer::install, symbiotic::install] {
        match install() {
            Outcome::Passed => {}
            Outcome::Failed(reason) => return Err(Missing::Failure(reason)),
            Outcome::Skipped(reason) => return Err(Missing::Tools(reason)),
        }
    }
    let mut coverage = forge(&["coverage", "--report", "lcov", "--report-file", REPORT]);
    // Gas without the optimiser says nothing.
    coverage.args(["--exclude-tests", "--skip", "tests/forge/gas/*"]);
    coverage.env("FOUNDRY_PROFILE", "coverage");
    // Long campaigns run on the optimised code; here they need only reach every line.
    coverage.env("FOUNDRY_FUZZ_RUNS", "16").env("FOUNDRY_INVARIANT_RUNS", "8").env("FOUNDRY_INVARIANT_DEPTH", "32");
    // Standard output belongs to the figures.
    coverage.stdout(io::stderr());
    execute(coverage).into_result().map_err(Missing::Failure)?;
    let text = fs::read_to_string(root.join(REPORT)).map_err(failure)?;
    Ok(lcov::parse(&text, |path| {
        let path = path.strip_prefix(&*root.to_string_lossy()).unwrap_or(path).trim_start_matches('/');
        let is_wanted = path.starts_with("contracts/") && !path.starts_with("contracts/testing/");
        is_wanted.then(|| path.to_owned())
    }))
}
