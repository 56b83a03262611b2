//! The proofs of tests/symbolic: halmos executes the contracts' bytecode with symbols for values.

use std::{ffi::OsStr, fs, path::PathBuf, process::Command};

use crate::{
    command, root,
    steps::{Outcome, Step, execute},
    target_directory,
};

/// halmos asks for Python 3.11 or newer.
const LEAST_PYTHON_MINOR: u32 = 11;
const PYTHON: &str = "python3";

/// The step that proves everything.
pub fn step() -> Step {
    Step::new("contracts: symbolic proofs", || {
        if let Err(reason) = check_python() {
            return Outcome::Skipped(reason);
        }
        match install() {
            Ok(()) => execute(command(environment_python(), &["script/prove.py"])),
            Err(reason) => Outcome::Failed(reason),
        }
    })
}

/// Installs halmos in an environment of its own, unless that was done with the same list of packages.
fn install() -> Result<(), String> {
    let required = root().join("script/halmos-requirements.txt");
    let list = fs::read(&required).map_err(|error| format!("{} cannot be read: {error}", required.display()))?;
    // Written last, so that it is there only when an installation ran to its end.
    let installed = environment().join("installed-requirements.txt");
    if fs::read(&installed).is_ok_and(|before| before == list) {
        return Ok(());
    }
    eprintln!("Installing halmos and its solvers into {} (about 200 MB, once)", environment().display());
    let mut create = Command::new(PYTHON);
    create.args(["-m", "venv", "--clear"]).arg(environment());
    must_pass(create)?;
    let mut install = Command::new(environment_python());
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--requirement",
    ]);
    install.arg(&required);
    must_pass(install)?;
    fs::write(&installed, list).map_err(|error| format!("{} cannot be written: {error}", installed.display()))
}

fn must_pass(command: Command) -> Result<(), String> {
    match execute(command) {
        Outcome::Passed => Ok(()),
        Outcome::Failed(reason) | Outcome::Skipped(reason) => Err(format!("halmos could not be installed ({reason})")),
    }
}

fn check_python() -> Result<(), String> {
    let get_it = format!(
        "halmos needs Python 3.{LEAST_PYTHON_MINOR} or newer with venv and pip; get it: \
         `apt-get install python3-venv` (Debian, Ubuntu)"
    );
    let minor = print(PYTHON.as_ref(), &["-c", "import sys, venv, ensurepip; print(sys.version_info.minor)"])
        .and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_some_and(|minor| minor >= LEAST_PYTHON_MINOR) { Ok(()) } else { Err(get_it) }
}

/// What a command prints, or nothing when it fails.
fn print(program: &OsStr, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn environment() -> PathBuf {
    target_directory().join("halmos")
}

fn environment_python() -> PathBuf {
    environment().join("bin").join(PYTHON)
}
