//! EigenLayer's core contracts for the tests, from a crate that embeds their bytecode.

use std::{fs, path::PathBuf, process::Stdio};

use super::bytecode::Bytecode;
use crate::runner::{Outcome, Step, cargo, cargo_home, execute};

const CRATE: &str = "eigenlayer-contract-deployer";
const VERSION: &str = "0.4.0";

const BYTECODE: Bytecode = Bytecode {
    package: "eigenlayer-contract-deployer 0.4.0",
    registry: "crates.io",
    sha256: "df259858472ebcda21942b9994352c9d09ea34c0ab4173e29b0319441082bc51",
    script: "xtask/bytecode/eigenlayer.mjs",
    directory: "cache/eigenlayer",
    file: || fetched().or_else(fetch),
};

/// The step before the tests that deploy the contracts. Without them, these tests are skipped.
pub fn step() -> Step {
    Step::new("contracts: EigenLayer's core, for the tests of stake", install)
}

/// Fetches and unpacks the contracts, unless they are there. `Skipped` if they cannot be fetched, but in CI `Failed`.
pub fn install() -> Outcome {
    BYTECODE.install()
}

/// Has cargo fetch the crate's file, as it does to describe a crate.
fn fetch() -> Option<PathBuf> {
    let mut info = cargo(&["info", "--quiet", &format!("{CRATE}@{VERSION}")]);
    info.stdout(Stdio::null());
    execute(info).into_result().ok()?;
    fetched()
}

/// Finds the crate's file in cargo's cache, which has a directory for each registry.
fn fetched() -> Option<PathBuf> {
    let cache = cargo_home()?.join("registry/cache");
    let registries = fs::read_dir(cache).ok()?.flatten();
    registries.map(|registry| registry.path().join(format!("{CRATE}-{VERSION}.crate"))).find(|path| path.is_file())
}
