//! The TypeScript package: compiled, and tested against anvil with the contracts as forge compiles them.

use crate::{
    command, forge,
    steps::{Outcome, Step, execute},
};

/// The steps of `cargo xtask test` for TypeScript. They need what the set-up installs, and nothing else.
pub fn steps() -> Vec<Step> {
    vec![Step::new("TypeScript: @assent/viem", viem).beside()]
}

fn viem() -> Outcome {
    // The tests deploy the contracts from forge's artifacts, which must be those of the sources.
    execute(forge(&["build", "contracts"])).and_then(|| execute(command("npm", &["test", "--prefix", "packages/viem"])))
}
