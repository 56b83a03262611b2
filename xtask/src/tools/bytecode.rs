//! Contracts of others that tests deploy: creation bytecode that a published package embeds. Only the package's file is
//! fetched; nothing of it is compiled, and nothing of it is committed.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::runner::{Outcome, command, execute, root};

/// A package that embeds bytecode, and where its contracts go.
pub struct Bytecode {
    /// The package's name and version.
    pub package: &'static str,
    /// The registry that has it.
    pub registry: &'static str,
    /// The hash of the package's file, as the registry has it.
    pub sha256: &'static str,
    /// Unpacks the contracts: takes the file, its hash and the directory.
    pub script: &'static str,
    /// Where the tests read the contracts.
    pub directory: &'static str,
    /// Finds the package's file, or fetches it.
    pub file: fn() -> Option<PathBuf>,
}

impl Bytecode {
    /// Fetches and unpacks the contracts, unless they are there. `Skipped` if they cannot be fetched, but in CI
    /// `Failed`.
    pub fn install(&self) -> Outcome {
        self.unpack_if_needed().into()
    }

    fn unpack_if_needed(&self) -> Result<(), Outcome> {
        let directory = root().join(self.directory);
        let failure = |path: &Path, error| Outcome::Failed(format!("{}: {error}", path.display()));
        let script = root().join(self.script);
        let script = fs::read_to_string(&script).map_err(|error| failure(&script, error))?;
        // Written last, so that it exists only after a complete installation.
        let marker = directory.join("installed.txt");
        let installed = format!("{}\n{script}", self.sha256);
        if fs::read_to_string(&marker).is_ok_and(|before| before == installed) {
            return Ok(());
        }
        let Some(file) = (self.file)() else { return Err(self.unavailable()) };
        let mut unpack = command("node", &[self.script]);
        unpack.arg(file).args([self.sha256, self.directory]);
        let failed = |reason| Outcome::Failed(format!("cannot unpack {} ({reason})", self.package));
        execute(unpack).into_result().map_err(failed)?;
        fs::write(&marker, installed).map_err(|error| failure(&marker, error))
    }

    /// The tests that deploy the contracts must not be skipped unnoticed where all tests must run.
    fn unavailable(&self) -> Outcome {
        let reason = format!("{} could not be reached for {}", self.registry, self.package);
        if env::var_os("CI").is_some_and(|value| !value.is_empty()) {
            return Outcome::Failed(reason);
        }
        Outcome::Skipped(format!("{reason}; the tests that deploy its contracts are skipped, too"))
    }
}
