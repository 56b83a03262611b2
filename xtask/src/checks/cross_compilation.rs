//! The proof that the verifier needs no std: it compiles for targets that have none.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use crate::runner::{Outcome, Step, cargo, execute, numbers, printed, rustc, target_directory};

/// A target without an operating system: any use of std fails to compile.
const BARE_METAL: &str = "thumbv7em-none-eabihf";
/// The target for browsers.
pub const WEB_ASSEMBLY: &str = "wasm32-unknown-unknown";

/// The compiler of Debian's package `rustc-web`. `rust-web-src` installs std's sources for it.
const SYSTEM_COMPILER: &str = "/usr/bin/rustc";

/// The workspace's `rust-version`.
const MINIMUM_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// The steps of `cargo xtask nostd`.
pub fn steps() -> Vec<Step> {
    bare_metal().into_iter().chain([step(WEB_ASSEMBLY, "")]).collect()
}

/// The steps of `cargo xtask test`. There the Inspector's page shows that the verifier compiles to WebAssembly.
pub fn bare_metal() -> [Step; 2] {
    ["", "serde"].map(|features| step(BARE_METAL, features))
}

fn step(target: &'static str, features: &'static str) -> Step {
    let with_features = if features.is_empty() { String::new() } else { format!(", features: {features}") };
    Step::new(format!("no_std: {target}{with_features}"), move || match compiler_for(target) {
        Ok(compiler) => execute(build(&compiler, target, features)),
        Err(reason) => Outcome::Skipped(reason),
    })
}

/// A compiler for a target.
pub struct Compiler {
    path: OsString,
    /// Whether core must be compiled from the compiler's sources, because it is not installed for the target.
    pub from_sources: bool,
}

impl Compiler {
    /// Returns its version, as it prints it.
    pub fn version(&self) -> Option<String> {
        printed(&self.path, &["--version"])
    }

    /// Makes a build use this compiler, and these of Rust's own libraries.
    pub fn compile(&self, build: &mut Command, libraries: &str) {
        build.env("RUSTC", &self.path);
        if self.from_sources {
            // Building core needs an unstable option, which this variable enables in stable compilers.
            build.env("RUSTC_BOOTSTRAP", "1").arg(format!("-Zbuild-std={libraries}"));
        }
    }
}

fn build(compiler: &Compiler, target: &str, features: &str) -> Command {
    let mut build = cargo(&["build", "--package", "assent-verifier", "--lib", "--target", target]);
    // Not optimised: only whether it compiles matters.
    build.args(["--release", "--config", "profile.release.opt-level=0", "--config", "profile.release.lto=\"off\""]);
    build.args(["--features", features]);
    compiler.compile(&mut build, "core,alloc");
    // A separate directory: two compilers would replace each other's results.
    build.arg("--target-dir").arg(target_directory().join("no-std"));
    build
}

/// Returns the toolchain's own compiler if the target is installed, otherwise one that has core's sources.
///
/// # Errors
/// What to install if there is neither.
pub fn compiler_for(target: &str) -> Result<Compiler, String> {
    let own = rustc();
    if library_directory(&own, target).is_some_and(|directory| directory.is_dir()) {
        return Ok(Compiler { path: own, from_sources: false });
    }
    [own, SYSTEM_COMPILER.into()]
        .into_iter()
        .find(|compiler| is_recent(compiler) && has_sources(compiler))
        .map(|path| Compiler { path, from_sources: true })
        .ok_or_else(|| {
            format!(
                "the target is not installed; get it: `rustup target add {target}`, `rustup component add rust-src`, \
                 or `apt-get install rustc-web rust-web-src` (Debian; version {MINIMUM_VERSION} or newer)"
            )
        })
}

fn library_directory(compiler: &OsStr, target: &str) -> Option<PathBuf> {
    printed(compiler, &["--print", "target-libdir", "--target", target]).map(PathBuf::from)
}

fn has_sources(compiler: &OsStr) -> bool {
    printed(compiler, &["--print", "sysroot"])
        .is_some_and(|sysroot| Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock").is_file())
}

fn is_recent(compiler: &OsStr) -> bool {
    let release =
        printed(compiler, &["--version"]).and_then(|version| version.split_whitespace().nth(1).and_then(numbers));
    release.is_some_and(|release| Some(release) >= numbers(MINIMUM_VERSION))
}
