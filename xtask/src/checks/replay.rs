//! Decisions on another processor: the program of tests/replay, compiled for AArch64 and run by qemu.
//!
//! The ordinary tests compare its states and files on this processor, and those of the Inspector's page in WebAssembly.

use std::{fs, path::PathBuf, process::Command};

use super::cross_compilation::{Compiler, compiler_for, found};
use crate::runner::{Outcome, Step, cargo, must_pass, root, target_directory};

/// Statically linked, so that qemu needs no libraries of the processor.
const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const QEMU: &str = "qemu-aarch64";

/// What every processor must print.
const STATES: &str = "tests/replay/states.json";

/// The step of `cargo xtask test`.
pub fn step() -> Step {
    Step::new("decisions: the same bytes on AArch64", || match Tools::find() {
        Ok(tools) => tools.check().into(),
        Err(reason) => Outcome::Skipped(reason),
    })
}

/// What compiles for the processor, and what runs it.
struct Tools {
    compiler: Compiler,
    linker: PathBuf,
    qemu: PathBuf,
}

impl Tools {
    fn find() -> Result<Self, String> {
        let program = |name: &str, package: &str| {
            found(name).ok_or_else(|| format!("{name} was not found; get it: `apt-get install {package}` (Debian)"))
        };
        Ok(Self {
            qemu: program(QEMU, "qemu-user")?,
            linker: program(LINKER, "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")?,
            compiler: compiler_for(TARGET)?,
        })
    }

    fn check(&self) -> Result<(), String> {
        let program = self.build()?;
        let expected = fs::read(root().join(STATES)).map_err(|error| format!("cannot read {STATES}: {error}"))?;
        for run in ["first", "second"] {
            let output = Command::new(&self.qemu).arg(&program).output();
            let output = output.map_err(|error| format!("cannot start {}: {error}", self.qemu.display()))?;
            if !output.status.success() {
                return Err(format!("the {run} run failed: {}", String::from_utf8_lossy(&output.stderr)));
            }
            if output.stdout != expected {
                let printed = String::from_utf8_lossy(&output.stdout);
                return Err(format!("the {run} run printed other states than {STATES} has:\n{printed}"));
            }
        }
        Ok(())
    }

    fn build(&self) -> Result<PathBuf, String> {
        // The Inspector's module has the same dependencies: what runs on this processor is compiled once for both.
        let directory = target_directory().join("inspector-module");
        let mut build = cargo(&["build", "--package", "assent-replay-tests", "--bin", "replay-states", "--release"]);
        build.args(["--target", TARGET, "--config", "profile.release.lto=\"off\""]);
        build.args(["--config", "profile.release.opt-level=1"]);
        build.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", &self.linker);
        build.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-Ctarget-feature=+crt-static");
        build.env("CARGO_INCREMENTAL", "0");
        self.compiler.compile(&mut build, "std,panic_abort");
        build.arg("--target-dir").arg(&directory);
        must_pass(build)?;
        Ok(directory.join(TARGET).join("release/replay-states"))
    }
}
