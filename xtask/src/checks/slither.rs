//! Static analysis of the contracts by slither.

use std::{env, fs, io::ErrorKind, iter, path::PathBuf, process::Command};

use crate::{
    runner::{Outcome, Step, command, execute, forge, forge_path, root},
    tools::python::SLITHER,
};

/// The step that fails on any finding that is neither excluded in slither.config.json nor answered in the source.
pub fn step() -> Step {
    Step::new("Solidity: slither", check)
}

fn check() -> Outcome {
    if let Err(outcome) = SLITHER.install() {
        return outcome;
    }
    // A separate directory, without the tests, which are not analysed. Results of an earlier build would be analysed as
    // well.
    if let Err(error) = fs::remove_dir_all(root().join("cache/slither"))
        && error.kind() != ErrorKind::NotFound
    {
        return Outcome::Failed(format!("cannot remove cache/slither: {error}"));
    }
    let mut build = forge(&["build", "contracts", "--build-info"]);
    build.args(["--out", "cache/slither/out", "--cache-path", "cache/slither/cache"]);
    execute(build).and_then(|| execute(analysis()))
}

/// slither asks the first forge in PATH for the project's settings.
fn analysis() -> Command {
    let tools = forge_path().parent().map(PathBuf::from).unwrap_or_default();
    let current = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(iter::once(tools).chain(env::split_paths(&current))).unwrap_or(current);
    let arguments = [".", "--foundry-ignore-compile", "--foundry-out-directory", "cache/slither/out"];
    let mut slither = command(SLITHER.program("slither"), &arguments);
    slither.env("PATH", path);
    slither
}
