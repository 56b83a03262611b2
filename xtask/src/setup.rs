//! What the builds need beyond cargo: checked, and installed into node_modules.

use std::{fs, io, path::PathBuf, process::Command};

use crate::{
    command, forge, printed, root,
    steps::{self, Step},
};

const LEAST_NODE_MAJOR: u32 = 20;

/// Installs the tools and compiles the contracts.
///
/// # Errors
/// When a tool is missing or too old, or a command failed; the message says what to do.
pub fn run() -> Result<(), String> {
    tools()?;
    prepare(forge(&["build"]))?;
    eprintln!("Assent is set up. See it work: cargo xtask demo");
    Ok(())
}

/// [`tools`] as a step, without which the others are not tried.
pub fn step() -> Step {
    Step::essential("set-up", tools)
}

/// Checks Node, npm and the C compiler, and installs the npm packages when package-lock.json has changed since it last did.
///
/// Compiling is left to whoever needs it: forge for its tests, the build script of assent-contracts for the crates. So
/// nothing is compiled that the command at hand does not use.
///
/// # Errors
/// When a tool is missing or too old, or `npm ci` failed; the message says what to do.
pub fn tools() -> Result<(), String> {
    check_c_compiler()?;
    check_node()?;
    let lock_file = fs::read(root().join("package-lock.json"))
        .map_err(|error| format!("package-lock.json cannot be read: {error}; is this a complete clone?"))?;
    let forge_is_there = forge_path().exists();
    if forge_is_there && fs::read(installed_lock_file()).is_ok_and(|installed| installed == lock_file) {
        return Ok(());
    }
    eprintln!("Installing forge, anvil, solc and the Solidity libraries into node_modules (about 200 MB, once)");
    prepare(command("npm", &["ci", "--no-fund", "--no-audit"]))?;
    if !forge_path().exists() {
        return Err(format!(
            "npm has no forge for this machine ({} on {}); package.json lists the platforms it has",
            std::env::consts::OS,
            std::env::consts::ARCH
        ));
    }
    fs::write(installed_lock_file(), lock_file).map_err(|error| format!("node_modules cannot be written: {error}"))
}

/// Where npm puts the pinned forge.
pub fn forge_path() -> PathBuf {
    root().join("node_modules/.bin/forge")
}

/// A copy of the package-lock.json that node_modules was installed from. `npm ci` starts by deleting node_modules, so
/// the copy is there only when an installation ran to its end.
fn installed_lock_file() -> PathBuf {
    root().join("node_modules/.installed-package-lock.json")
}

fn check_c_compiler() -> Result<(), String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    printed(&compiler, &["--version"]).map(drop).ok_or_else(|| {
        format!(
            "no C compiler ({compiler}) was found; blst, the signature library, is built with one\n\
             get it: `apt-get install build-essential` (Debian, Ubuntu), `xcode-select --install` (macOS)"
        )
    })
}

fn check_node() -> Result<(), String> {
    let get_it = "get Node and npm: https://nodejs.org, or `apt-get install nodejs npm` (Debian, Ubuntu)";
    let version = printed("node", &["--version"])
        .ok_or_else(|| format!("Node was not found; solc, the Solidity compiler, runs on it\n{get_it}"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < LEAST_NODE_MAJOR) {
        return Err(format!("Node {LEAST_NODE_MAJOR} or newer is needed, and this is {version}\n{get_it}"));
    }
    printed("npm", &["--version"])
        .map(drop)
        .ok_or_else(|| format!("npm was not found; it installs forge, solc and the Solidity libraries\n{get_it}"))
}

fn prepare(mut command: Command) -> Result<(), String> {
    // Standard output belongs to what the set-up is for, which may be the demo's JSON.
    command.stdout(io::stderr());
    steps::must_pass(command)
}
