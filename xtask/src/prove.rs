//! The proofs of tests/symbolic: halmos executes the contracts' bytecode with symbols for values.

use crate::{
    command,
    python::Environment,
    steps::{Step, execute},
};

const HALMOS: Environment =
    Environment { name: "halmos", requirements: "script/halmos-requirements.txt", least_minor: 11 };

/// The step that proves everything.
pub fn step() -> Step {
    Step::new("contracts: symbolic proofs", || match HALMOS.install() {
        Ok(()) => execute(command(HALMOS.program("python3"), &["script/prove.py"])),
        Err(outcome) => outcome,
    })
}
