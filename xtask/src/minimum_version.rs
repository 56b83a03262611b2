//! The oldest Rust that the crates promise to compile with: `rust-version` in Cargo.toml.

use std::fs;

use crate::{
    cargo, command, documentation,
    steps::{Outcome, Step, execute},
};

/// What Cargo.toml states.
const STATED: &str = env!("CARGO_PKG_RUST_VERSION");

/// Fails when something says another version than Cargo.toml, or a dependency needs a newer one. Whether the crates compile with
/// exactly that version is shown by the lints and tests themselves, where it is the one in use; elsewhere the step says that
/// it was not.
pub fn step() -> Step {
    Step::new("Rust: minimum version", || match documented().and_then(|()| dependencies()) {
        Err(reason) => Outcome::Failed(reason),
        Ok(()) => in_use(),
    })
}

/// Each library's README says what a program that uses it needs.
fn documented() -> Result<(), String> {
    for library in documentation::LIBRARIES {
        let path = crate::root().join("crates").join(library).join("README.md");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if !text.contains(&format!("Rust {STATED} or newer")) {
            return Err(format!(
                "crates/{library}/README.md does not say \"Rust {STATED} or newer\", as Cargo.toml has it"
            ));
        }
    }
    Ok(())
}

/// Every package in Cargo.lock states what it needs itself.
fn dependencies() -> Result<(), String> {
    let metadata = cargo(&["metadata", "--locked", "--format-version", "1"]).output();
    let metadata = metadata.map_err(|error| format!("cargo metadata could not be started: {error}"))?;
    if !metadata.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&metadata.stderr).trim()));
    }
    let path = crate::target_directory().join("metadata.json");
    fs::write(&path, metadata.stdout).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut check = command("node", &["xtask/documentation/minimum-version.mjs", STATED]);
    check.arg(path);
    execute(check).into_result().map_err(|reason| format!("a dependency needs a newer Rust ({reason})"))
}

/// Which compiler everything before and after this step is compiled with.
fn in_use() -> Outcome {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = crate::printed(&compiler, &["--version"]).unwrap_or_default();
    let release = version.split_whitespace().nth(1).unwrap_or_default();
    if release == STATED || release.starts_with(&format!("{STATED}.")) {
        eprintln!("all that is compiled here is compiled with Rust {release}, the version that Cargo.toml states");
        return Outcome::Passed;
    }
    Outcome::Skipped(format!(
        "compiling with Rust {STATED}: {version} is in use; get it: rustup toolchain install {STATED}, then \
         cargo +{STATED} test"
    ))
}
