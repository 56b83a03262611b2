//! Static analysis of the contracts by slither.

use std::{env, fs, io::ErrorKind, iter, path::PathBuf, process::Command};

use crate::{
    command, forge,
    python::Environment,
    root, setup,
    steps::{Outcome, Step, execute},
};

const SLITHER: Environment =
    Environment { name: "slither", requirements: "script/slither-requirements.txt", least_minor: 9 };

/// Installs slither if need be, and fails on any finding that is neither excluded in slither.config.json nor answered where
/// it stands.
pub fn step() -> Step {
    Step::new("Solidity: slither", check)
}

fn check() -> Outcome {
    if let Err(outcome) = SLITHER.install() {
        return outcome;
    }
    // In a place of its own, and without the tests, which slither is not asked about. What an earlier build left there of
    // other sources would be analysed as well.
    if let Err(error) = fs::remove_dir_all(root().join("cache/slither"))
        && error.kind() != ErrorKind::NotFound
    {
        return Outcome::Failed(format!("cache/slither cannot be removed: {error}"));
    }
    let places = ["--out", "cache/slither/out", "--cache-path", "cache/slither/cache"];
    let mut build = forge(&["build", "contracts", "--build-info"]);
    build.args(places);
    execute(build).and_then(|| execute(analysis()))
}

/// slither asks the forge in the path for the project's settings.
fn analysis() -> Command {
    let tools = setup::forge_path().parent().map(PathBuf::from).unwrap_or_default();
    let present = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(iter::once(tools).chain(env::split_paths(&present))).unwrap_or(present);
    let arguments = [".", "--foundry-ignore-compile", "--foundry-out-directory", "cache/slither/out"];
    let mut slither = command(SLITHER.program("slither"), &arguments);
    slither.env("PATH", path);
    slither
}
