//! EigenLayer's core contracts for the tests: creation bytecode that a crate embeds. Only its file is fetched; nothing
//! of it is compiled, and nothing of it is committed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::runner::{Outcome, Step, cargo, cargo_home, command, execute, root};

const CRATE: &str = "eigenlayer-contract-deployer";
const VERSION: &str = "0.4.0";
/// The hash of the crate's file, as crates.io has it.
const SHA256: &str = "df259858472ebcda21942b9994352c9d09ea34c0ab4173e29b0319441082bc51";

const UNPACK: &str = "xtask/eigenlayer/unpack.mjs";
/// Where the tests read the contracts (tests/forge/stake).
const DIRECTORY: &str = "cache/eigenlayer";

/// The step before the tests that deploy the contracts. Without them, these tests are skipped.
pub fn step() -> Step {
    Step::new("contracts: EigenLayer's core, for the tests of stake", install)
}

/// Fetches and unpacks the contracts, unless they are there. `Skipped` if they cannot be fetched, but in CI `Failed`.
pub fn install() -> Outcome {
    unpack_if_needed().into()
}

fn unpack_if_needed() -> Result<(), Outcome> {
    let directory = root().join(DIRECTORY);
    let failure = |path: &Path, error| Outcome::Failed(format!("{}: {error}", path.display()));
    let script = root().join(UNPACK);
    let script = fs::read_to_string(&script).map_err(|error| failure(&script, error))?;
    // Written last, so that it exists only after a complete installation.
    let marker = directory.join("installed.txt");
    let installed = format!("{SHA256}\n{script}");
    if fs::read_to_string(&marker).is_ok_and(|before| before == installed) {
        return Ok(());
    }
    let Some(crate_file) = fetched().or_else(fetch) else {
        return Err(unavailable(&format!("crates.io could not be reached for {CRATE} {VERSION}")));
    };
    let mut unpack = command("node", &[UNPACK]);
    unpack.arg(crate_file).args([SHA256, DIRECTORY]);
    execute(unpack).into_result().map_err(|reason| Outcome::Failed(format!("cannot unpack {CRATE} ({reason})")))?;
    fs::write(&marker, installed).map_err(|error| failure(&marker, error))
}

/// The tests of stake must not be skipped unnoticed where all tests must run.
fn unavailable(reason: &str) -> Outcome {
    if env::var_os("CI").is_some_and(|value| !value.is_empty()) {
        return Outcome::Failed(reason.to_owned());
    }
    Outcome::Skipped(format!("{reason}; the tests of stake on EigenLayer's contracts are skipped, too"))
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
