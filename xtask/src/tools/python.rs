//! Programs written in Python, each in a separate environment below target, at pinned versions and hashes.

use std::{fs, path::PathBuf};

use crate::runner::{Outcome, command, execute, printed, root, target_directory};

const PYTHON: &str = "python3";

/// Symbolic execution.
pub const HALMOS: Environment =
    Environment { name: "halmos", requirements: "script/halmos-requirements.txt", minimum_minor: 11 };

/// Static analysis.
pub const SLITHER: Environment =
    Environment { name: "slither", requirements: "script/slither-requirements.txt", minimum_minor: 9 };

/// A server that speaks S3's protocol, for the tests of stores. They find it below target.
pub const MOTO: Environment =
    Environment { name: "moto", requirements: "script/moto-requirements.txt", minimum_minor: 10 };

/// Components in Python.
pub const COMPONENTIZE_PY: Environment =
    Environment { name: "componentize-py", requirements: "script/componentize-py-requirements.txt", minimum_minor: 10 };

/// An environment, and the list of packages that it is installed from.
pub struct Environment {
    /// Its name in messages, and that of its directory below target.
    name: &'static str,
    /// The packages with their versions and hashes, for pip.
    requirements: &'static str,
    /// The oldest Python 3 that the packages support.
    minimum_minor: u32,
}

impl Environment {
    /// Installs the packages, unless they are installed from the same list.
    ///
    /// # Errors
    /// `Skipped` if there is no Python recent enough, `Failed` if the packages could not be installed.
    pub fn install(&self) -> Result<(), Outcome> {
        let Self { name, requirements, .. } = self;
        self.check_python().map_err(Outcome::Skipped)?;
        let list = fs::read(root().join(requirements))
            .map_err(|error| Outcome::Failed(format!("cannot read {requirements}: {error}")))?;
        // Written last, so that it exists only after a complete installation.
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
        let passed = execute(create).and_then(|| execute(install)).into_result();
        passed.map_err(|reason| Outcome::Failed(format!("cannot install {name} ({reason})")))?;
        fs::write(&installed, list)
            .map_err(|error| Outcome::Failed(format!("cannot write {}: {error}", installed.display())))
    }

    /// A program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory().join("bin").join(name)
    }

    fn directory(&self) -> PathBuf {
        target_directory().join(self.name)
    }

    fn check_python(&self) -> Result<(), String> {
        let Self { name, minimum_minor, .. } = self;
        let version = ["-c", "import sys, venv, ensurepip; print(sys.version_info.minor)"];
        let minor = printed(PYTHON, &version).and_then(|minor| minor.parse::<u32>().ok());
        if minor.is_some_and(|minor| minor >= *minimum_minor) {
            return Ok(());
        }
        Err(format!(
            "{name} needs Python 3.{minimum_minor} or newer with venv and pip; get it: `apt-get install python3-venv` \
             (Debian, Ubuntu)"
        ))
    }
}
