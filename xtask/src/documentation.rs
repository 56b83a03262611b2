//! The libraries' documentation: without warnings, broken links among them, and with an example of every public item. That the
//! examples are right is for the tests to say, which compile and run them.

use std::{
    env,
    ffi::{OsStr, OsString},
    process::{Command, ExitCode},
};

use crate::{
    cargo, command,
    steps::{Outcome, Step, execute},
    target_directory, this_program,
};

/// The packages that others build on, whose every public item has an example.
pub const LIBRARIES: [&str; 6] =
    ["assent-verifier", "assent-signer", "assent-contracts", "assent-client", "assent-chain", "assent-inspection"];

/// Says to this program that cargo calls it in place of rustdoc, and which rustdoc that is.
const AS_RUSTDOC: &str = "ASSENT_RUSTDOC";

/// Documents when cargo called this program to do so; `None` otherwise.
pub fn render() -> Option<ExitCode> {
    let rustdoc = env::var_os(AS_RUSTDOC)?;
    let mut rustdoc = Command::new(rustdoc);
    // JSON is an unstable output, which stable compilers write when told so. rustdoc alone is told: told to cargo, it would
    // have every dependency compiled anew whose build script looks at it.
    rustdoc.args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1");
    let passed = rustdoc.status().is_ok_and(|status| status.success());
    Some(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Documents the whole workspace, and looks for public items without an example.
pub fn step() -> Step {
    Step::new("Rust: documentation, with examples", || {
        let written = match as_json(&["--workspace", "--no-deps", "--all-features"], "-D warnings") {
            Ok(documentation) => execute(documentation),
            Err(reason) => Outcome::Failed(reason),
        };
        written.and_then(|| execute(examples()))
    })
}

/// `cargo doc` that writes JSON in place of pages. The warnings are the same.
pub fn as_json(selection: &[&str], flags: &str) -> Result<Command, String> {
    let this_program = this_program().map_err(|error| format!("this program cannot be found: {error}"))?;
    let rustdoc = env::var_os("RUSTDOC").unwrap_or_else(|| OsString::from("rustdoc"));
    let mut documentation = cargo(&["doc"]);
    documentation.args(selection).env("RUSTDOC", this_program).env(AS_RUSTDOC, rustdoc);
    documentation.env("RUSTDOCFLAGS", format!("{flags} -Z unstable-options --output-format json"));
    Ok(documentation)
}

/// Where the JSON of a library stands.
pub fn json_of(library: &str) -> OsString {
    target_directory().join("doc").join(library.replace('-', "_") + ".json").into_os_string()
}

fn examples() -> Command {
    let mut examples = command("node", &["xtask/documentation/examples.mjs"]);
    examples.args(LIBRARIES.map(json_of).iter().map(OsStr::new));
    examples
}
