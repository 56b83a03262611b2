//! The storage of contracts that were live before they joined Assent: OpenZeppelin's validator compares the layouts that
//! `docs/upgrade.md` and `tests/forge/upgrade` are about.

use std::process::Command;

use crate::{
    command, forge,
    steps::{Outcome, Step, execute},
};

/// What was live, and what it is upgraded to.
const UPGRADES: [(&str, &str); 2] =
    [("SequentialVault", "AttestedSequentialVault"), ("NamespacedVault", "AttestedNamespacedVault")];

/// An upgrade that moves every variable, and what the validator must say of it: a check that never fails shows nothing.
const BROKEN: (&str, &str) = ("SequentialVault", "BrokenSequentialVault");
const FAULT: &str = "Inserted `limit`";

const PLACES: [&str; 4] = ["--out", "cache/upgrade/out", "--cache-path", "cache/upgrade/cache"];

/// The step of `cargo xtask test`.
pub fn step() -> Step {
    Step::new("upgrades: storage layouts", check).beside()
}

fn check() -> Outcome {
    // The validator refuses what was compiled in parts.
    let mut build = forge(&["build", "--force", "--build-info", "--extra-output", "storageLayout"]);
    build.args(PLACES).args(["tests/forge/upgrade/SequentialVault.sol", "tests/forge/upgrade/NamespacedVault.sol"]);
    UPGRADES
        .into_iter()
        .fold(execute(build), |outcome, (before, after)| outcome.and_then(|| execute(validation(before, after))))
        .and_then(check_that_a_fault_is_found)
}

fn check_that_a_fault_is_found() -> Outcome {
    match validation(BROKEN.0, BROKEN.1).output() {
        Ok(output) if output.status.success() => Outcome::Failed(format!("{} passes for a good upgrade", BROKEN.1)),
        Ok(output) if says(&output.stdout, FAULT) || says(&output.stderr, FAULT) => Outcome::Passed,
        Ok(output) => Outcome::Failed(format!(
            "{} was refused, but not for its storage:\n{}",
            BROKEN.1,
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => Outcome::Failed(format!("the validator could not be started: {error}")),
    }
}

fn validation(before: &str, after: &str) -> Command {
    let validator = "node_modules/@openzeppelin/upgrades-core/dist/cli/cli.js";
    command(
        "node",
        &[validator, "validate", "cache/upgrade/out/build-info", "--contract", after, "--reference", before],
    )
}

fn says(output: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(output).contains(words)
}
