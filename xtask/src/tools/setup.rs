//! What the builds need beyond cargo: checked, and installed into node_modules.

use std::{fs, io, iter, path::PathBuf, process::Command};

use crate::runner::{self, Step, command, forge, forge_path, must_pass, printed, root};

const MINIMUM_NODE: u32 = 20;

/// Installs the tools and compiles the contracts.
///
/// # Errors
/// If a tool is missing or too old, or a command failed. The message says what to do.
pub fn run() -> Result<(), String> {
    tools()?;
    prepare(forge(&["build"]))?;
    eprintln!("Assent is set up. See it work: cargo xtask demo");
    Ok(())
}

/// Runs [`tools`], then all steps.
///
/// # Errors
/// If a step failed.
pub fn then_run(steps: impl IntoIterator<Item = Step>) -> Result<(), String> {
    runner::run(iter::once(Step::essential("set-up", tools)).chain(steps).collect())
}

/// Checks Node, npm and the C compiler, and installs the npm packages if package-lock.json has changed since the last
/// installation.
///
/// Compiles nothing: forge compiles for its tests, the build script of assent-contracts for the crates.
///
/// # Errors
/// If a tool is missing or too old, or `npm ci` failed. The message says what to do.
pub fn tools() -> Result<(), String> {
    check_c_compiler()?;
    check_node()?;
    let lock_file = fs::read(root().join("package-lock.json"))
        .map_err(|error| format!("cannot read package-lock.json: {error}; is this a complete clone?"))?;
    let is_installed = fs::read(installed_lock_file()).is_ok_and(|installed| installed == lock_file);
    if is_installed && forge_path().exists() {
        return Ok(());
    }
    eprintln!("Installing forge, anvil, solc and the Solidity libraries into node_modules (about 200 MB, once)");
    prepare(command("npm", &["ci", "--no-fund", "--no-audit"]))?;
    if !forge_path().exists() {
        let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
        return Err(format!(
            "npm has no forge for this machine ({system} on {processor}); see the platforms in package.json"
        ));
    }
    fs::write(installed_lock_file(), lock_file).map_err(|error| format!("cannot write to node_modules: {error}"))
}

/// A copy of the package-lock.json that node_modules was installed from. `npm ci` first deletes node_modules, so the
/// copy exists only after a complete installation.
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
    if runner::numbers(&version).is_none_or(|(major, _)| major < MINIMUM_NODE) {
        return Err(format!("Node {MINIMUM_NODE} or newer is needed, and this is {version}\n{get_it}"));
    }
    printed("npm", &["--version"])
        .map(drop)
        .ok_or_else(|| format!("npm was not found; it installs forge, solc and the Solidity libraries\n{get_it}"))
}

fn prepare(mut command: Command) -> Result<(), String> {
    // Standard output belongs to what the set-up is for, such as the demo's JSON.
    command.stdout(io::stderr());
    must_pass(command)
}
