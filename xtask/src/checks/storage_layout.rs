//! The storage of contracts that were live before they joined Assent: OpenZeppelin's validator compares the layouts
//! that
//! `docs/upgrade.md` and `tests/forge/upgrade` describe.

use std::process::Command;

use crate::runner::{Outcome, Step, command, execute, forge};

/// The contracts before and after the upgrade.
const UPGRADES: [(&str, &str); 2] =
    [("SequentialVault", "AttestedSequentialVault"), ("NamespacedVault", "AttestedNamespacedVault")];

/// An upgrade that moves every variable, and what the validator must print about it. It shows that the validator finds
/// faults.
const BROKEN: (&str, &str) = ("SequentialVault", "BrokenSequentialVault");
const FAULT: &str = "Inserted `limit`";

/// The step of `cargo xtask test`.
pub fn step() -> Step {
    Step::new("upgrades: storage layouts", check).in_parallel()
}

fn check() -> Outcome {
    // The validator refuses what was compiled in parts.
    let mut build = forge(&["build", "--force", "--build-info", "--extra-output", "storageLayout"]);
    build.args(["--out", "cache/upgrade/out", "--cache-path", "cache/upgrade/cache"]);
    build.args(["tests/forge/upgrade/SequentialVault.sol", "tests/forge/upgrade/NamespacedVault.sol"]);
    UPGRADES
        .into_iter()
        .fold(execute(build), |outcome, (before, after)| outcome.and_then(|| execute(validation(before, after))))
        .and_then(finds_the_fault)
}

fn finds_the_fault() -> Outcome {
    match validation(BROKEN.0, BROKEN.1).output() {
        Ok(output) if output.status.success() => Outcome::Failed(format!("{} passes as a valid upgrade", BROKEN.1)),
        Ok(output) if says(&output.stdout, FAULT) || says(&output.stderr, FAULT) => Outcome::Passed,
        Ok(output) => Outcome::Failed(format!(
            "{} was refused, but not for its storage:\n{}",
            BROKEN.1,
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => Outcome::Failed(format!("cannot start the validator: {error}")),
    }
}

fn validation(before: &str, after: &str) -> Command {
    let validator = "node_modules/@openzeppelin/upgrades-core/dist/cli/cli.js";
    let arguments = [validator, "validate", "cache/upgrade/out/build-info", "--contract", after, "--reference", before];
    command("node", &arguments)
}

fn says(output: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(output).contains(words)
}
