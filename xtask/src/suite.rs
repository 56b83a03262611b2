//! Every test of the repository.

use crate::{cargo, cross_compilation, forge, setup, steps::Step};

/// The sets of features under which the verifier must give the same answers.
const VERIFIER_FEATURES: [(&str, &[&str]); 4] = [
    ("default", &[]),
    ("blst", &["--features", "blst"]),
    ("serde", &["--features", "serde"]),
    ("blst alone", &["--no-default-features", "--features", "blst"]),
];

/// The steps of `cargo xtask test`.
pub fn steps() -> Vec<Step> {
    let mut steps = vec![
        Step::essential("set-up", setup::tools),
        Step::command("contracts: forge test", forge(&["test"])),
        Step::command("crates: cargo test, with doc tests", cargo(&["test", "--workspace", "--no-fail-fast"])),
    ];
    steps.extend(VERIFIER_FEATURES.map(|(name, features)| {
        let mut test = cargo(&["test", "--package", "assent-verifier", "--no-fail-fast"]);
        test.args(features);
        Step::command(format!("verifier, features: {name}"), test)
    }));
    steps.extend(cross_compilation::steps());
    steps
}
