//! The libraries' public API, compared with that of an earlier revision by cargo-semver-checks.
//!
//! The revision is the latest tag `v*`, which is the latest release. Before the first release it is the one that
//! xtask/semver-baseline.txt names, so that a break is a recorded decision.

use std::fs;

use crate::runner::{Outcome, Step, cargo, execute, has_cargo, printed, root};

/// The libraries that can be published. assent-contracts, and what depends on it, is bound to the repository's Solidity
/// sources, and changes with them.
const PUBLISHED: [&str; 3] = ["assent-types", "assent-verifier", "assent-signer"];

/// The steps of `cargo xtask semver`.
pub fn steps() -> Vec<Step> {
    PUBLISHED.map(|library| Step::new(format!("Rust: semver, {library}"), move || compare(library))).into()
}

fn compare(library: &str) -> Outcome {
    if !has_cargo("semver-checks") {
        return Outcome::Skipped(
            "cargo-semver-checks is not installed; get it: cargo install --locked cargo-semver-checks".to_owned(),
        );
    }
    let Some(revision) = baseline() else {
        return Outcome::Skipped(
            "this clone lacks the revision to compare with; get it: git fetch --unshallow --tags".to_owned(),
        );
    };
    execute(cargo(&["semver-checks", "--all-features", "--package", library, "--baseline-rev", &revision]))
}

/// The latest release or, before the first, the named revision; `None` if this clone lacks it.
fn baseline() -> Option<String> {
    let root = root().into_os_string().into_string().ok()?;
    let tag = printed("git", &["-C", &root, "describe", "--tags", "--match", "v*", "--abbrev=0"]);
    let named = || {
        let text = fs::read_to_string(crate::runner::root().join("xtask/semver-baseline.txt")).ok()?;
        text.lines().find(|line| !line.starts_with('#')).map(|line| line.trim().to_owned())
    };
    let revision = tag.or_else(named)?;
    printed("git", &["-C", &root, "rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])
}
