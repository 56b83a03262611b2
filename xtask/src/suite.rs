//! Every test of the repository.

use crate::{
    cargo,
    coverage::{self, Language},
    cross_compilation, forge, foundry_fuzz, inspector, npm_package, prove,
    steps::{Outcome, Step, execute},
    storage_layout, typescript,
};

/// The sets of features under which the verifier must give the same answers, besides all together: under those its coverage
/// is measured.
const VERIFIER_FEATURES: [(&str, &[&str]); 2] =
    [("default", &[]), ("blst alone", &["--no-default-features", "--features", "blst"])];

/// The packages whose tests run together: all but the verifier, which runs apart for its coverage.
pub const OTHERS: [&str; 3] = ["--workspace", "--exclude", "assent-verifier"];

/// The steps of `cargo xtask test`, but for the set-up.
pub fn steps() -> Vec<Step> {
    let mut contracts = forge(&["test"]);
    // Gas is exact: a figure that differs from the committed snapshot fails the test that measured it.
    contracts.env("FORGE_SNAPSHOT_CHECK", "true");
    let mut crates = cargo(&["test", "--no-fail-fast"]);
    crates.args(OTHERS);
    let mut steps = vec![
        Step::command("contracts: forge test", contracts).beside(),
        Step::command("crates: cargo test, with doc tests", crates),
        coverage::step(Language::Solidity, "contracts: coverage", || Outcome::Passed).beside(),
        coverage::step(Language::Rust, "verifier, all features: tests, coverage", || {
            execute(cargo(&["test", "--package", "assent-verifier", "--all-features", "--no-fail-fast"]))
        }),
    ];
    steps.extend(VERIFIER_FEATURES.map(|(name, features)| {
        let mut test = cargo(&["test", "--package", "assent-verifier", "--no-fail-fast"]);
        test.args(features);
        Step::command(format!("verifier, features: {name}"), test)
    }));
    steps.extend(typescript::steps());
    steps.extend(foundry_fuzz::steps(&foundry_fuzz::Campaign::SHORT, &OTHERS));
    steps.extend(cross_compilation::bare_metal());
    steps.extend(npm_package::steps());
    steps.push(storage_layout::step());
    steps.extend(inspector::steps());
    steps.push(prove::step().beside());
    steps
}
