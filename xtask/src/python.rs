//! Programs written in Python, each in an environment of its own below target, at pinned versions and hashes.

use std::{fs, path::PathBuf};

use crate::{
    command, printed, root,
    steps::{Outcome, execute},
    target_directory,
};

const PYTHON: &str = "python3";

/// Where a program is installed, and from which list of packages.
pub struct Environment {
    /// What it is called in messages; its directory below target.
    pub name: &'static str,
    /// The packages with their versions and hashes, for pip.
    pub requirements: &'static str,
    /// Of Python 3, the oldest that will do.
    pub least_minor: u32,
}

impl Environment {
    /// Installs the packages, unless that was done with the same list.
    ///
    /// # Errors
    /// `Skipped` when there is no Python that will do, `Failed` when the packages could not be installed.
    pub fn install(&self) -> Result<(), Outcome> {
        let Self { name, requirements, .. } = self;
        self.check_python().map_err(Outcome::Skipped)?;
        let list = fs::read(root().join(requirements))
            .map_err(|error| Outcome::Failed(format!("{requirements} cannot be read: {error}")))?;
        // Written last, so that it is there only when an installation ran to its end.
        let installed = self.directory().join("installed-requirements.txt");
        if fs::read(&installed).is_ok_and(|before| before == list) {
            return Ok(());
        }
        eprintln!("Installing {name} into {} (once)", self.directory().display());
        let mut create = command(PYTHON, &["-m", "venv", "--clear"]);
        create.arg(self.directory());
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"];
        let mut install = command(self.program(PYTHON), &pip);
        install.arg(requirements);
        for step in [create, install] {
            let passed = execute(step).into_result();
            passed.map_err(|reason| Outcome::Failed(format!("{name} could not be installed ({reason})")))?;
        }
        fs::write(&installed, list)
            .map_err(|error| Outcome::Failed(format!("{} cannot be written: {error}", installed.display())))
    }

    /// A program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory().join("bin").join(name)
    }

    fn directory(&self) -> PathBuf {
        target_directory().join(self.name)
    }

    fn check_python(&self) -> Result<(), String> {
        let Self { name, least_minor, .. } = self;
        let version = ["-c", "import sys, venv, ensurepip; print(sys.version_info.minor)"];
        let minor = printed(PYTHON, &version).and_then(|minor| minor.parse::<u32>().ok());
        if minor.is_some_and(|minor| minor >= *least_minor) {
            return Ok(());
        }
        Err(format!(
            "{name} needs Python 3.{least_minor} or newer with venv and pip; get it: `apt-get install python3-venv` \
             (Debian, Ubuntu)"
        ))
    }
}
