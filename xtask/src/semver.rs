//! Whether the libraries keep what they promised: their public API against that of an earlier revision, by
//! cargo-semver-checks.
//!
//! The revision is the latest tag `v*`, which is the latest release. Before the first, it is the one that
//! xtask/semver-baseline.txt names, so that a break is still a decision that somebody wrote down.
//!
//! cargo-semver-checks is handed both APIs as rustdoc's JSON. Left to itself it would compile every dependency twice more, of
//! versions that Cargo.lock does not name.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    cargo, command, documentation, has_cargo, printed, root,
    steps::{Outcome, Step, execute},
    target_directory,
};

/// The libraries that can be published. assent-contracts, and what depends on it, is bound to the repository's Solidity sources,
/// and changes with them.
const PUBLISHED: [&str; 3] = ["assent-verifier", "assent-signer", "assent-chain"];

/// The steps of `cargo xtask semver`.
pub fn steps() -> Vec<Step> {
    PUBLISHED.map(step).into()
}

/// Compares the verifier alone: what the lints do, since the others take their dependencies' compilation once more.
pub fn verifier() -> Step {
    step("assent-verifier")
}

fn step(library: &'static str) -> Step {
    Step::new(format!("Rust: semver, {library}"), move || {
        if !has_cargo("semver-checks") {
            return Outcome::Skipped(
                "cargo-semver-checks is not installed; get it: cargo install --locked cargo-semver-checks".to_owned(),
            );
        }
        let Some(revision) = baseline() else {
            return Outcome::Skipped(
                "the revision to compare with is not in this clone; get it: git fetch --unshallow --tags".to_owned(),
            );
        };
        compare(library, &revision).map_or_else(Outcome::Failed, |()| Outcome::Passed)
    })
}

fn compare(library: &str, revision: &str) -> Result<(), String> {
    let place = target_directory().join("semver");
    let sources = check_out(revision, &place)?;
    let before = api(library, Some(&sources), &place.join(format!("{library}-before.json")))?;
    let now = api(library, None, &place.join(format!("{library}-now.json")))?;
    let mut check = cargo(&["semver-checks", "--baseline-rustdoc"]);
    check.arg(before).arg("--current-rustdoc").arg(now);
    eprintln!("comparing with {revision}");
    execute(check).into_result()
}

/// The latest release, or what stands in for it; `None` when this clone does not have it.
fn baseline() -> Option<String> {
    let root = root().into_os_string().into_string().ok()?;
    let tag = printed("git", &["-C", &root, "describe", "--tags", "--match", "v*", "--abbrev=0"]);
    let named = || {
        let text = fs::read_to_string(crate::root().join("xtask/semver-baseline.txt")).ok()?;
        text.lines().find(|line| !line.starts_with('#')).map(|line| line.trim().to_owned())
    };
    let revision = tag.or_else(named)?;
    printed("git", &["-C", &root, "rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])
}

/// The revision's files, without the work tree noticing.
fn check_out(revision: &str, place: &std::path::Path) -> Result<PathBuf, String> {
    let sources = place.join(revision);
    if sources.join("Cargo.toml").is_file() {
        return Ok(sources);
    }
    fs::create_dir_all(&sources).map_err(|error| format!("{}: {error}", sources.display()))?;
    let archive = place.join("baseline.tar");
    let mut export = command("git", &["archive", "--format=tar", "--output"]);
    export.arg(&archive).arg(revision);
    execute(export).into_result()?;
    let mut unpack = command("tar", &["--extract", "--file"]);
    unpack.arg(&archive).arg("--directory").arg(&sources);
    execute(unpack).into_result()?;
    Ok(sources)
}

/// Writes a library's API to a file.
fn api(library: &str, sources: Option<&PathBuf>, file: &PathBuf) -> Result<PathBuf, String> {
    let selection = ["--package", library, "--lib", "--no-deps", "--all-features"];
    let mut documentation: Command = documentation::as_json(&selection, "")?;
    if let Some(sources) = sources {
        documentation.arg("--manifest-path").arg(sources.join("Cargo.toml"));
    }
    documentation.arg("--target-dir").arg(target_directory());
    execute(documentation).into_result()?;
    fs::copy(documentation::json_of(library), file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file.clone())
}
