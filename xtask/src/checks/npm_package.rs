//! The contracts as an npm package: packed, inspected, and tried in projects that install the tarball.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::runner::{Outcome, Step, command, execute, numbers, printed, root, target_directory};

/// The oldest Node that Hardhat 3 runs on.
const MINIMUM_NODE: (u32, u32) = (22, 13);

/// The npm packages that carry a Node for Hardhat, one for each platform.
const NODE_PROJECT: &str = "tests/packages/node";

/// The steps that pack and try the package.
pub fn steps() -> [Step; 3] {
    [
        Step::new("npm package: pack, contents", contents).in_parallel(),
        Step::new("npm package: forge project", || try_project("node".into(), "foundry")).in_parallel(),
        Step::new("npm package: Hardhat 3 project", || match node_for_hardhat() {
            Ok(node) => try_project(node, "hardhat"),
            Err(outcome) => outcome,
        })
        .in_parallel(),
    ]
}

fn contents() -> Outcome {
    // An earlier tarball must not be tested in place of one that cannot be packed.
    if let Err(error) = fs::remove_file(tarball())
        && tarball().exists()
    {
        return Outcome::Failed(format!("cannot remove {}: {error}", tarball().display()));
    }
    let mut pack = command("node", &["script/pack-contracts.mjs"]);
    pack.arg(directory());
    let mut inspect = command("node", &["--test", "tests/packages/contents.test.mjs"]);
    inspect.env("TARBALL", tarball());
    execute(pack).and_then(|| execute(inspect))
}

fn try_project(node: OsString, project: &str) -> Outcome {
    if !tarball().exists() {
        return Outcome::Failed("the package could not be packed".to_owned());
    }
    let mut trial = command(node, &["tests/packages/try.mjs", project]);
    trial.arg(tarball());
    execute(trial)
}

/// Returns the machine's own Node if Hardhat runs on it, otherwise one from npm.
fn node_for_hardhat() -> Result<OsString, Outcome> {
    let packaged = directory().join("node/node_modules/.bin/node").into_os_string();
    for node in ["node".into(), packaged.clone()] {
        if is_recent(&node) {
            return Ok(node);
        }
    }
    install_node(&directory().join("node")).map_err(Outcome::Failed)?;
    if is_recent(&packaged) {
        return Ok(packaged);
    }
    let (major, minor) = MINIMUM_NODE;
    Err(Outcome::Skipped(format!(
        "Hardhat 3 needs Node {major}.{minor} or newer, and npm has none for this machine; get it: https://nodejs.org"
    )))
}

fn install_node(directory: &Path) -> Result<(), String> {
    eprintln!("Installing a Node for Hardhat into {} (about 190 MB, once)", directory.display());
    fs::create_dir_all(directory).map_err(|error| format!("cannot create {}: {error}", directory.display()))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root().join(NODE_PROJECT).join(file), directory.join(file))
            .map_err(|error| format!("cannot copy {NODE_PROJECT}/{file}: {error}"))?;
    }
    let mut install = Command::new("npm");
    install.current_dir(directory).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    execute(install).into_result().map_err(|reason| format!("cannot install Node ({reason})"))
}

fn is_recent(node: &OsStr) -> bool {
    printed(node, &["--version"]).and_then(|version| numbers(&version)).is_some_and(|version| version >= MINIMUM_NODE)
}

/// Where the package is.
pub fn tarball() -> PathBuf {
    directory().join(concat!("assent-contracts-", env!("CARGO_PKG_VERSION"), ".tgz"))
}

/// Where npm packages are packed.
pub fn directory() -> PathBuf {
    target_directory().join("npm")
}
