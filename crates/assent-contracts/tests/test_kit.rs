//! What integrators test against is what is deployed: the test kit's bytecode is that of the contracts, to the byte.

use assent_contracts::{OperatorRegistry, OwnerStakeSource, TaskManager};
use std::{fmt::Write, fs, path::Path};

/// After a change of a contract, this variable has the test write the file anew.
const UPDATE: &str = "UPDATE_TEST_KIT";

#[test]
fn the_test_kit_deploys_the_contracts_to_the_byte() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/testing/AssentBytecode.sol");
    let expected = source();
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&file, &expected).expect("AssentBytecode.sol can be written");
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == expected,
        "contracts/testing/AssentBytecode.sol is not what the contracts compile to; write it anew: \
         {UPDATE}=1 cargo test --package assent-contracts --test test_kit"
    );
}

fn source() -> String {
    let mut source = String::from(
        "// SPDX-License-Identifier: MIT OR Apache-2.0\n\
         pragma solidity ^0.8.28;\n\
         \n\
         /// @title AssentBytecode\n\
         /// @notice The creation code of the contracts without constructor arguments, so that tests with any\n\
         /// compiler and any settings use the code that runs on chain.\n\
         /// @dev Written by crates/assent-contracts/tests/test_kit.rs, which also compares it with the contracts.\n\
         library AssentBytecode {\n",
    );
    for (name, code) in [
        ("OWNER_STAKE_SOURCE", &OwnerStakeSource::BYTECODE),
        ("OPERATOR_REGISTRY", &OperatorRegistry::BYTECODE),
        ("TASK_MANAGER", &TaskManager::BYTECODE),
    ] {
        let digits = code.to_string();
        let digits = digits.trim_start_matches("0x");
        writeln!(source, "    bytes internal constant {name} =\n        hex\"{digits}\";").expect("strings grow");
    }
    source + "}\n"
}
