//! The contracts as an npm package: packed, looked into, and tried in projects that install the tarball.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    command, printed, root,
    steps::{Outcome, Step, execute},
    target_directory,
};

/// What Hardhat 3 refuses to run below.
const LEAST_NODE: (u32, u32) = (22, 13);

/// The npm packages that carry a Node for Hardhat, one for each platform.
const NODE_PROJECT: &str = "tests/packages/node";

/// The steps that pack and try the package.
pub fn steps() -> Vec<Step> {
    vec![
        Step::new("npm package: pack, contents", contents).beside(),
        Step::new("npm package: forge project", || try_project("node".into(), "foundry")).beside(),
        Step::new("npm package: Hardhat 3 project", || match node_for_hardhat() {
            Ok(node) => try_project(node, "hardhat"),
            Err(outcome) => outcome,
        })
        .beside(),
    ]
}

fn contents() -> Outcome {
    // An earlier one would stand in for one that cannot be made.
    if let Err(error) = fs::remove_file(tarball())
        && tarball().exists()
    {
        return Outcome::Failed(format!("{} cannot be removed: {error}", tarball().display()));
    }
    let mut pack = command("node", &["script/pack-contracts.mjs"]);
    pack.arg(directory());
    let mut look = command("node", &["--test", "tests/packages/contents.test.mjs"]);
    look.env("TARBALL", tarball());
    execute(pack).and_then(|| execute(look))
}

fn try_project(node: OsString, project: &str) -> Outcome {
    if !tarball().exists() {
        return Outcome::Failed("the package could not be packed".to_owned());
    }
    let mut trial = command(node, &["tests/packages/try.mjs", project]);
    trial.arg(tarball());
    execute(trial)
}

/// The machine's own Node when Hardhat runs on it, otherwise one that npm has.
fn node_for_hardhat() -> Result<OsString, Outcome> {
    if is_recent("node".as_ref()) {
        return Ok("node".into());
    }
    let place = directory().join("node");
    if let Some(node) = packaged_node(&place) {
        return Ok(node);
    }
    install_node(&place).map_err(Outcome::Failed)?;
    packaged_node(&place).ok_or_else(|| {
        let (major, minor) = LEAST_NODE;
        Outcome::Skipped(format!(
            "Hardhat 3 needs Node {major}.{minor} or newer, and npm has none for this machine; get it: \
             https://nodejs.org"
        ))
    })
}

fn install_node(place: &Path) -> Result<(), String> {
    eprintln!("Installing a Node for Hardhat into {} (about 190 MB, once)", place.display());
    fs::create_dir_all(place).map_err(|error| format!("{} cannot be made: {error}", place.display()))?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(root().join(NODE_PROJECT).join(file), place.join(file))
            .map_err(|error| format!("{NODE_PROJECT}/{file} cannot be copied: {error}"))?;
    }
    let mut install = Command::new("npm");
    install.current_dir(place).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    execute(install).into_result().map_err(|reason| format!("Node could not be installed ({reason})"))
}

/// Whichever of the packages npm has installed: the one of this platform.
fn packaged_node(place: &Path) -> Option<OsString> {
    let node = place.join("node_modules/.bin/node").into_os_string();
    is_recent(&node).then_some(node)
}

fn is_recent(node: &std::ffi::OsStr) -> bool {
    let version = printed(node, &["--version"]).and_then(|version| {
        let mut parts = version.trim_start_matches('v').split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??))
    });
    version.is_some_and(|version| version >= LEAST_NODE)
}

fn tarball() -> PathBuf {
    directory().join(concat!("assent-contracts-", env!("CARGO_PKG_VERSION"), ".tgz"))
}

fn directory() -> PathBuf {
    target_directory().join("npm")
}
