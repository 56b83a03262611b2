//! Symbiotic's core contracts for the tests, from an npm package that embeds their bytecode.

use std::{fs, path::PathBuf, process::Stdio};

use super::bytecode::Bytecode;
use crate::runner::{Outcome, Step, command, execute, root};

const PACKAGE: &str = "@symbioticfi/core@1.0.3";
const FILE: &str = "symbioticfi-core-1.0.3.tgz";
const DOWNLOADS: &str = "cache/downloads";

const BYTECODE: Bytecode = Bytecode {
    package: "@symbioticfi/core 1.0.3",
    registry: "the npm registry",
    sha256: "d464ddb58e89b5f198a73780b64dcb213be514925f52d0d746186899147f4469",
    script: "xtask/bytecode/symbiotic.mjs",
    directory: "cache/symbiotic",
    file: fetch,
};

/// The step before the tests that deploy the contracts. Without them, these tests are skipped.
pub fn step() -> Step {
    Step::new("contracts: Symbiotic's core, for the tests of stake", install)
}

/// Fetches and unpacks the contracts, unless they are there. `Skipped` if they cannot be fetched, but in CI `Failed`.
pub fn install() -> Outcome {
    BYTECODE.install()
}

/// Has npm download the package's file, without its dependencies.
fn fetch() -> Option<PathBuf> {
    let directory = root().join(DOWNLOADS);
    fs::create_dir_all(&directory).ok()?;
    let mut pack = command("npm", &["pack", "--silent", PACKAGE, "--pack-destination", DOWNLOADS]);
    pack.stdout(Stdio::null());
    execute(pack).into_result().ok()?;
    Some(directory.join(FILE)).filter(|path| path.is_file())
}
