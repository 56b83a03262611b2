//! The Solidity of README.md compiles as pasted.

use std::{fs, path::Path, process::Command};

/// Where the block is compiled, from the repository's root.
const FOLDER: &str = "cache/readme";

#[test]
fn the_solidity_in_the_readme_compiles_as_pasted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let blocks: Vec<_> = blocks(&readme).collect();
    let [block] = blocks[..] else { panic!("{} blocks of Solidity in README.md, not one", blocks.len()) };

    let source = format!("{FOLDER}/Readme.sol");
    fs::create_dir_all(root.join(FOLDER)).expect("a folder");
    fs::write(root.join(&source), format!("// SPDX-License-Identifier: MIT\n{block}")).expect("the source");
    let mut forge = Command::new(root.join("node_modules/.bin/forge"));
    forge.current_dir(&root).args(["build", &source, "--deny", "warnings"]);
    forge.args(["--out", &format!("{FOLDER}/out"), "--cache-path", &format!("{FOLDER}/cache")]);
    let output = forge.output().expect("forge runs: `cargo xtask setup` installs it");
    let printed = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "the block does not compile:\n{}", String::from_utf8_lossy(&printed));
}

/// Every block of Solidity on a page.
fn blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```solidity\n").skip(1).filter_map(|rest| rest.split("```").next())
}
