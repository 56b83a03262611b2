//! Every test of the repository.

use super::{
    components, conformance,
    coverage::{self, Language},
    cross_compilation, foundry_fuzz, image, inspector, npm_package, replay, storage_layout,
    workspace::{NO_STD, OTHERS, VERIFIER_FEATURES},
};
use crate::{
    runner::{Outcome, Step, cargo, command, execute, forge},
    tools::{
        eigenlayer,
        python::{HALMOS, MOTO},
        symbiotic,
    },
};

/// The steps of `cargo xtask test`, without the set-up.
pub fn steps() -> Vec<Step> {
    let mut contracts = forge(&["test"]);
    // Gas is exact: a figure that differs from the committed snapshot fails the test that measured it.
    contracts.env("FORGE_SNAPSHOT_CHECK", "true");
    let mut libraries = forge(&["test"]);
    // The profile of foundry.toml: only the tests of the libraries.
    libraries.env("FOUNDRY_PROFILE", "ir");
    let mut steps = vec![
        eigenlayer::step().in_parallel(),
        symbiotic::step().in_parallel(),
        Step::command("contracts: forge test", contracts).in_parallel(),
        Step::command("contracts: libraries, through the IR", libraries).in_parallel(),
        moto(),
        Step::command("crates: cargo test, with doc tests", test(&OTHERS, &[])),
        coverage::step(Language::Solidity, "contracts: coverage", || Outcome::Passed).in_parallel(),
        coverage::step(Language::Rust, "verifier, all features: tests, coverage", || {
            execute(test(&["--all-features"], &NO_STD))
        }),
    ];
    steps.extend(VERIFIER_FEATURES.map(|(name, features)| {
        Step::command(format!("verifier, features: {name}"), test(features, &["assent-verifier"]))
    }));
    steps.push(Step::new("TypeScript: @assent/viem", viem).in_parallel());
    steps.extend(foundry_fuzz::steps(&foundry_fuzz::Campaign::SHORT, &OTHERS));
    steps.extend(cross_compilation::bare_metal());
    steps.push(Step::command("evaluator: cargo test", cargo(&["test", "--manifest-path", "evaluator/Cargo.toml"])));
    steps.push(image::step());
    steps.push(conformance::step());
    steps.extend(npm_package::steps());
    steps.push(storage_layout::step());
    steps.extend(inspector::steps());
    steps.push(replay::step());
    steps.extend([components::rust(), components::large()]);
    steps.push(prove().in_parallel());
    steps
}

/// The step that proves the rules of tests/symbolic: halmos executes the contracts' bytecode with symbols for values.
pub fn prove() -> Step {
    Step::new("contracts: symbolic proofs", || match HALMOS.install() {
        Ok(()) => execute(command(HALMOS.program("python3"), &["script/prove.py"])),
        Err(outcome) => outcome,
    })
}

/// The step that installs a server of S3's protocol. Without it the tests of stores in S3 are skipped, which this step
/// says.
pub fn moto() -> Step {
    Step::new("stores in S3: moto for the crates' tests", || MOTO.install())
}

fn test(arguments: &[&str], packages: &[&str]) -> std::process::Command {
    let mut test = cargo(&["test", "--no-fail-fast"]);
    test.args(arguments).args(packages.iter().flat_map(|package| ["--package", package]));
    test
}

fn viem() -> Outcome {
    // The tests deploy the contracts from forge's artifacts, which must be those of the sources.
    execute(forge(&["build", "contracts"])).and_then(|| execute(command("npm", &["test", "--prefix", "packages/viem"])))
}
