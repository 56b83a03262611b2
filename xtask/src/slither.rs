//! Static analysis of the contracts by slither, which is installed apart, at the versions and hashes of
//! script/slither-requirements.txt.

use std::{
    env, fs,
    io::ErrorKind,
    iter,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    command, forge, root, setup,
    steps::{Outcome, Step, execute},
};

const REQUIREMENTS: &str = "script/slither-requirements.txt";

/// The steps of `cargo xtask slither`.
pub fn steps() -> Vec<Step> {
    vec![Step::essential("set-up", setup::tools), Step::new("Solidity: slither", check)]
}

/// Installs slither if need be, and fails on any finding that is neither excluded in slither.config.json nor answered where
/// it stands.
pub fn check() -> Outcome {
    if let Err(reason) = install() {
        return Outcome::Skipped(reason);
    }
    // In a place of its own, and without the tests, which slither is not asked about. What an earlier build left there of
    // other sources would be analysed as well.
    if let Err(error) = fs::remove_dir_all(root().join("cache/slither")) {
        if error.kind() != ErrorKind::NotFound {
            return Outcome::Failed(format!("cache/slither cannot be removed: {error}"));
        }
    }
    let places = ["--out", "cache/slither/out", "--cache-path", "cache/slither/cache"];
    let mut build = forge(&["build", "contracts", "--build-info"]);
    build.args(places);
    match execute(build) {
        Outcome::Passed => execute(analysis()),
        other => other,
    }
}

/// slither asks the forge in the path for the project's settings.
fn analysis() -> Command {
    let tools = setup::forge_path().parent().map(PathBuf::from).unwrap_or_default();
    let present = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(iter::once(tools).chain(env::split_paths(&present))).unwrap_or(present);
    let arguments = [".", "--foundry-ignore-compile", "--foundry-out-directory", "cache/slither/out"];
    let mut slither = command(environment().join("bin/slither"), &arguments);
    slither.env("PATH", path);
    slither
}

/// Installs the pinned packages into an environment of their own, unless they are there.
fn install() -> Result<(), String> {
    let requirements =
        fs::read(root().join(REQUIREMENTS)).map_err(|error| format!("{REQUIREMENTS} cannot be read: {error}"))?;
    let installed = environment().join("installed-requirements.txt");
    if fs::read(&installed).is_ok_and(|present| present == requirements) {
        return Ok(());
    }
    let version = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return Err("python3 was not found; slither, the static analyser, runs on it".to_owned());
    }
    let mut create = command("python3", &["-m", "venv", "--clear"]);
    create.arg(environment());
    let packages =
        ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement", REQUIREMENTS];
    for step in [create, command(environment().join("bin/pip"), &packages)] {
        if !matches!(execute(step), Outcome::Passed) {
            return Err("slither could not be installed".to_owned());
        }
    }
    fs::write(installed, requirements)
        .map_err(|error| format!("{} cannot be written: {error}", environment().display()))
}

fn environment() -> PathBuf {
    // Programs are started from the root, to which a relative path would then be relative twice.
    let root = fs::canonicalize(root()).unwrap_or_else(|_| root());
    root.join("target/slither")
}
