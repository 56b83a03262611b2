//! Formatting, lints, documentation and dependencies of both languages.

use std::{fs, process::Command};

use super::{slither, sources, workspace};
use crate::runner::{Outcome, Step, cargo, command, execute, forge, has_cargo, printed, rustc};

/// The oldest Rust that the crates promise to compile with, as Cargo.toml states it.
const MINIMUM_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// The evaluator's workspace. Without the guest, which compiles only for the machine; `cargo xtask image` does.
const EVALUATOR: &str = "evaluator/Cargo.toml";

/// The steps of `cargo xtask lint`, without the set-up.
pub fn steps() -> Vec<Step> {
    let mut documentation = cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    let mut steps = vec![
        Step::new("all sources: line width, import cycles, scratch memory", sources::check),
        Step::command("all sources: vocabulary", command("node", &["xtask/vocabulary/check.mjs"])),
        Step::new("Rust: format", || component("fmt", "rustfmt", cargo(&["fmt", "--all", "--check"]))),
        Step::new("evaluator: format", || {
            component("fmt", "rustfmt", cargo(&["fmt", "--all", "--check", "--manifest-path", EVALUATOR]))
        }),
        Step::new("evaluator: clippy", || clippy(&["--manifest-path", EVALUATOR, "--all-targets"])),
        Step::new("Rust: clippy", || clippy(&["--workspace", "--all-targets", "--all-features"])),
    ];
    steps.extend(workspace::VERIFIER_FEATURES.map(|(name, features)| {
        // Only the library: checking its tests would check their dependencies again under these features, for a minute.
        let selection = [&["--package", "assent-verifier", "--lib"], features].concat();
        Step::new(format!("Rust: clippy, verifier, features: {name}"), move || clippy(&selection))
    }));
    steps.extend([
        Step::command("Rust: documentation", documentation),
        Step::new("Rust: minimum version", minimum_version),
        Step::command("Solidity: format", forge(&["fmt", "--check", "contracts", "script", "tests"])).in_parallel(),
        Step::command("Solidity: lint", solidity_lints()).in_parallel(),
        Step::command("Solidity: compiler warnings", compiler_warnings()).in_parallel(),
        slither::step().in_parallel(),
        Step::new("dependencies: licences, bans, sources", || {
            cargo_deny(&["deny", "check", "licenses", "bans", "sources"])
        }),
        Step::new("evaluator: dependencies", || {
            cargo_deny(&["deny", "--manifest-path", EVALUATOR, "check", "licenses", "bans", "sources"])
        }),
        Step::new("dependencies: advisories", advisories),
    ]);
    steps
}

fn clippy(selection: &[&str]) -> Outcome {
    let mut clippy = cargo(&["clippy"]);
    clippy.args(selection).args(["--", "-D", "warnings"]);
    component("clippy", "clippy", clippy)
}

/// Runs a cargo command that is a component of the toolchain.
fn component(subcommand: &str, component: &str, command: Command) -> Outcome {
    if has_cargo(subcommand) {
        execute(command)
    } else {
        Outcome::Failed(format!("cargo {subcommand} was not found; get it: rustup component add {component}"))
    }
}

/// Fails if a README states another minimum version than Cargo.toml. With exactly that version in use, the other steps
/// show that everything compiles with it: cargo refuses a dependency that needs a newer one.
fn minimum_version() -> Outcome {
    let promise = format!("Rust {MINIMUM_VERSION} or newer");
    let libraries = match workspace::libraries() {
        Ok(libraries) => libraries,
        Err(error) => return Outcome::Failed(format!("cannot list the libraries: {error}")),
    };
    for readme in libraries.iter().map(|directory| directory.join("README.md")) {
        if !fs::read_to_string(&readme).is_ok_and(|text| text.contains(&promise)) {
            return Outcome::Failed(format!("{} does not say \"{promise}\", as Cargo.toml does", readme.display()));
        }
    }
    let version = printed(rustc(), &["--version"]).unwrap_or_default();
    let release = version.split_whitespace().nth(1).unwrap_or_default();
    if release == MINIMUM_VERSION || release.starts_with(&format!("{MINIMUM_VERSION}.")) {
        return Outcome::Passed;
    }
    Outcome::Skipped(format!(
        "not compiled with Rust {MINIMUM_VERSION}: {version} is in use; get it: rustup toolchain install \
         {MINIMUM_VERSION}, then cargo +{MINIMUM_VERSION} test"
    ))
}

/// Writes to a separate directory: forge's lints compile without bytecode, and forge would take the result as up to
/// date.
fn solidity_lints() -> Command {
    forge(&["lint", "--deny", "notes", "--out", "cache/lint/out", "--cache-path", "cache/lint/cache"])
}

/// Compiles everything in a separate directory: forge does not repeat the warnings about a source that it has compiled.
fn compiler_warnings() -> Command {
    let mut build = forge(&["build", "contracts", "script", "--force", "--deny", "warnings"]);
    build.args(["--out", "cache/warnings/out", "--cache-path", "cache/warnings/cache"]);
    build
}

fn cargo_deny(arguments: &[&str]) -> Outcome {
    if has_cargo("deny") {
        execute(cargo(arguments))
    } else {
        Outcome::Skipped("cargo-deny is not installed; get it: cargo install --locked cargo-deny".to_owned())
    }
}

/// Checks the dependencies against the database of advisories, a git repository that not every machine can reach.
fn advisories() -> Outcome {
    if !has_cargo("deny") {
        return cargo_deny(&[]);
    }
    match execute(cargo(&["deny", "fetch", "db"])) {
        Outcome::Passed => execute(cargo(&["deny", "--offline", "check", "advisories"])),
        _ => Outcome::Skipped("the database of advisories could not be fetched".to_owned()),
    }
}
