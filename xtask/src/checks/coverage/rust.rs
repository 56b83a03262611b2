//! The crates without std, by cargo-llvm-cov.

use std::{fs, io};

use super::{Missing, lcov};
use crate::{
    checks::workspace::NO_STD,
    runner::{cargo, execute, has_cargo, printed, root, rustc, target_directory},
};

/// Runs the crates' tests with all features, and reads what they reached.
pub fn measure() -> Result<Vec<lcov::File>, Missing> {
    if !has_cargo("llvm-cov") {
        let reason = "cargo-llvm-cov was not found; get it: cargo install --locked cargo-llvm-cov";
        return Err(Missing::Tools(reason.to_owned()));
    }
    if !has_llvm_tools() {
        let reason = "llvm-cov was not found; get it: rustup component add llvm-tools, or name Debian's: \
                      LLVM_COV=llvm-cov-22 LLVM_PROFDATA=llvm-profdata-22";
        return Err(Missing::Tools(reason.to_owned()));
    }
    let trace = target_directory().join("llvm-cov-target/coverage.lcov");
    let mut tests = cargo(&["llvm-cov", "test", "--branch", "--all-features", "--no-fail-fast", "--lcov"]);
    tests.arg("--output-path").arg(&trace).args(NO_STD.iter().flat_map(|package| ["--package", package]));
    // Branches are counted with an unstable option, which this variable enables in stable compilers.
    tests.env("RUSTC_BOOTSTRAP", "1");
    // Without incremental compilation, the compiler inlines small functions into other crates, and what the integration
    // tests reach of them is lost. The option makes the same build with and without it.
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    tests.env("RUSTFLAGS", format!("{flags} -Zcross-crate-inline-threshold=never"));
    // Standard output belongs to the figures.
    tests.stdout(io::stderr());
    execute(tests).into_result().map_err(Missing::Failure)?;
    let text = fs::read_to_string(&trace).map_err(|error| Missing::Failure(format!("{}: {error}", trace.display())))?;
    let root = root().canonicalize().map_err(|error| Missing::Failure(error.to_string()))?;
    Ok(lcov::parse(&text, |path| Some(path.strip_prefix(root.to_str()?)?.trim_start_matches('/').to_owned())))
}

/// Whether cargo-llvm-cov will find LLVM's tools: in the environment or the toolchain.
fn has_llvm_tools() -> bool {
    let of_toolchain =
        || printed(rustc(), &["--print", "target-libdir"]).map(|libraries| libraries + "/../bin/llvm-cov");
    let program = std::env::var("LLVM_COV").ok().or_else(of_toolchain);
    program.is_some_and(|program| printed(program, &["--version"]).is_some())
}
