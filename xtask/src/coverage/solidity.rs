//! The contracts, by `forge coverage`.

use std::{fs, io, path::Path};

use super::{Missing, lcov};
use crate::{forge, steps::execute};

/// foundry.toml says what the profile is for.
const PROFILE: &str = "coverage";

/// Runs the tests of the contracts without the optimiser, and reads what they reached.
pub fn measure() -> Result<Vec<lcov::File>, Missing> {
    let root = crate::root();
    let report = root.join("cache/coverage/lcov.info");
    fs::create_dir_all(report.parent().unwrap_or(Path::new(".")))
        .map_err(|error| Missing::Failure(error.to_string()))?;
    let _absent_is_fine = fs::remove_file(&report);
    let mut coverage = forge(&["coverage", "--report", "lcov", "--report-file", "cache/coverage/lcov.info"]);
    // Gas without the optimiser says nothing.
    coverage.args(["--exclude-tests", "--skip", "tests/forge/Gas*"]);
    coverage.env("FOUNDRY_PROFILE", PROFILE);
    // Deep campaigns are run on the optimised code; here they need only reach every line.
    coverage.env("FOUNDRY_FUZZ_RUNS", "16").env("FOUNDRY_INVARIANT_RUNS", "8").env("FOUNDRY_INVARIANT_DEPTH", "32");
    // Standard output belongs to the figures.
    coverage.stdout(io::stderr());
    execute(coverage).into_result().map_err(Missing::Failure)?;
    let text =
        fs::read_to_string(report).map_err(|error| Missing::Failure(format!("forge wrote no report: {error}")))?;
    Ok(lcov::parse(&text, &root, |path| path.starts_with("contracts/") && !path.starts_with("contracts/testing/")))
}
