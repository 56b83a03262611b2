//! Compiles the Solidity sources with forge, for `src/bindings.rs` to read the artifacts.
//!
//! forge writes into `OUT_DIR` and keeps its cache there, so that it is independent of what `forge test` leaves in the
//! repository's `out` and `cache`. A build after a change compiles only what changed.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, exit},
};

/// What decides the bytecode, from the repository's root. npm writes the last one when it has installed packages.
const INPUTS: [&str; 7] = [
    "contracts",
    EIGENLAYER,
    SYMBIOTIC,
    "foundry.toml",
    "script/solc",
    "package-lock.json",
    "node_modules/.package-lock.json",
];

/// What is used of EigenLayer's core, which the tests in forge declare. Only interfaces: without bytecode.
const EIGENLAYER: &str = "tests/forge/stake/IEigenLayerCore.sol";
/// The same of Symbiotic's core.
const SYMBIOTIC: &str = "tests/forge/stake/ISymbioticCore.sol";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Err(message) = compile_contracts() {
        for line in message.lines() {
            println!("cargo::error={line}");
        }
        exit(1);
    }
}

fn compile_contracts() -> Result<(), String> {
    let root = repository_root()?;
    for input in INPUTS {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?);
    println!("cargo::metadata=artifacts={}", out.join("artifacts").display());
    let forge = forge(&root)?;

    let build = Command::new(&forge)
        .current_dir(&root)
        .arg("build")
        // The test kit has no bytecode that is not the contracts'.
        .args(["--skip", "test", "--skip", "script", "--skip", "contracts/testing/**", "--color", "never"])
        .arg("--out")
        .arg(out.join("artifacts"))
        .arg("--cache-path")
        .arg(out.join("forge-cache"))
        .args(["contracts", EIGENLAYER, SYMBIOTIC])
        // Another profile's settings would make other bytecode, and so other addresses.
        .env("FOUNDRY_PROFILE", "default")
        .output()
        .map_err(|error| {
            format!(
                "forge, which compiles the contracts, could not be started ({}: {error})\n\
                 run `npm ci` in {} to install it",
                forge.display(),
                root.display()
            )
        })?;
    if !build.status.success() {
        return Err(format!(
            "forge could not compile the contracts ({}):\n{}{}",
            build.status,
            String::from_utf8_lossy(&build.stdout),
            String::from_utf8_lossy(&build.stderr)
        ));
    }
    Ok(())
}

fn repository_root() -> Result<PathBuf, String> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo did not set CARGO_MANIFEST_DIR")?);
    package.ancestors().find(|directory| directory.join("foundry.toml").is_file()).map(Path::to_path_buf).ok_or_else(
        || {
            format!(
                "the Solidity sources are missing: no foundry.toml in any directory above {}\n\
                 build assent-contracts in a clone of the repository",
                package.display()
            )
        },
    )
}

/// The forge that package-lock.json pins, or one on the PATH.
fn forge(root: &Path) -> Result<PathBuf, String> {
    for package in ["solc", "solady", "@openzeppelin/contracts"] {
        if !root.join("node_modules").join(package).is_dir() {
            return Err(format!(
                "the npm package {package}, which the contracts are built with, is not installed\n\
                 run `npm ci` in {}",
                root.display()
            ));
        }
    }
    let pinned = root.join("node_modules/.bin/forge");
    Ok(if pinned.exists() { pinned } else { PathBuf::from("forge") })
}
