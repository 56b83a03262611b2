//! Formatting, lints, documentation and dependencies of both languages.

use std::process::Command;

use crate::{
    cargo, documentation, forge, has_cargo, minimum_version, semver, slither,
    steps::{Outcome, Step, execute},
};

/// The steps of `cargo xtask lint`, but for the set-up.
pub fn steps() -> Vec<Step> {
    vec![
        Step::new("Rust: format", || component("fmt", "rustfmt", cargo(&["fmt", "--all", "--check"]))),
        Step::new("Rust: clippy", || clippy(&["--workspace", "--all-targets", "--all-features"])),
        // The library alone: what its tests depend on would be checked anew under these features, for a minute.
        Step::new("Rust: clippy, verifier by default", || clippy(&["--package", "assent-verifier", "--lib"])),
        Step::new("Rust: clippy, verifier with blst alone", || {
            clippy(&["--package", "assent-verifier", "--lib", "--no-default-features", "--features", "blst"])
        }),
        documentation::step(),
        semver::verifier(),
        minimum_version::step(),
        Step::command("Solidity: format", forge(&["fmt", "--check", "contracts", "script", "tests"])).beside(),
        Step::command("Solidity: lint", solidity_lints()).beside(),
        Step::command("Solidity: compiler warnings", compiler_warnings()).beside(),
        slither::step().beside(),
        Step::new("dependencies: licences, bans, sources", || {
            cargo_deny(&["deny", "check", "licenses", "bans", "sources"])
        }),
        Step::new("dependencies: advisories", advisories),
    ]
}

fn clippy(selection: &[&str]) -> Outcome {
    let mut clippy = cargo(&["clippy"]);
    clippy.args(selection).args(["--", "-D", "warnings"]);
    component("clippy", "clippy", clippy)
}

/// Runs a cargo command that comes as a component of the toolchain.
fn component(subcommand: &str, component: &str, command: Command) -> Outcome {
    if has_cargo(subcommand) {
        execute(command)
    } else {
        Outcome::Failed(format!("cargo {subcommand} was not found; get it: rustup component add {component}"))
    }
}

/// In a place of its own, since what forge compiles for its lints has no bytecode, and forge would take it for up to date.
fn solidity_lints() -> Command {
    forge(&["lint", "--deny", "notes", "--out", "cache/lint/out", "--cache-path", "cache/lint/cache"])
}

/// Compiles in a place of its own and from nothing, since forge is silent about a source that it compiled before.
fn compiler_warnings() -> Command {
    let places = ["--out", "cache/warnings/out", "--cache-path", "cache/warnings/cache"];
    let mut build = forge(&["build", "contracts", "script", "--force", "--deny", "warnings"]);
    build.args(places);
    build
}

fn cargo_deny(arguments: &[&str]) -> Outcome {
    if has_cargo("deny") {
        execute(cargo(arguments))
    } else {
        Outcome::Skipped("cargo-deny is not installed; get it: cargo install --locked cargo-deny".to_owned())
    }
}

/// The database of advisories is a git repository on a server that not every machine can reach.
fn advisories() -> Outcome {
    if !has_cargo("deny") {
        return cargo_deny(&[]);
    }
    match execute(cargo(&["deny", "fetch", "db"])) {
        Outcome::Passed => execute(cargo(&["deny", "--offline", "check", "advisories"])),
        _ => Outcome::Skipped("the database of advisories could not be fetched".to_owned()),
    }
}
