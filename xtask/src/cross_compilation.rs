//! The proof that the verifier needs no std: it compiles for targets that have none.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo, printed,
    steps::{Outcome, Step, execute},
    target_directory,
};

/// Bare metal: any use of std fails to compile.
const BARE_METAL: &str = "thumbv7em-none-eabihf";
/// What browsers run.
pub const WEB_ASSEMBLY: &str = "wasm32-unknown-unknown";

/// Where Debian's package `rustc-web` puts its compiler, beside whose library `rust-web-src` puts std's sources.
const SYSTEM_COMPILER: &str = "/usr/bin/rustc";

/// The steps of `cargo xtask nostd`.
pub fn steps() -> Vec<Step> {
    bare_metal().into_iter().chain([step(WEB_ASSEMBLY, "")]).collect()
}

/// The steps of `cargo xtask test`: that the verifier compiles to WebAssembly is shown there by the Inspector's page.
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

/// A compiler for a target, and what the libraries come from.
pub struct Compiler {
    path: OsString,
    /// core and what is above it have to be compiled from the compiler's sources, since they are not installed for the target.
    pub from_sources: bool,
}

impl Compiler {
    /// Has a build use this compiler, and these of Rust's own libraries.
    pub fn compile(&self, build: &mut Command, libraries: &str) {
        build.env("RUSTC", &self.path);
        if self.from_sources {
            // Building core needs an unstable option, which stable compilers take when told so.
            build.env("RUSTC_BOOTSTRAP", "1").arg(format!("-Zbuild-std={libraries}"));
        }
    }
}

fn build(compiler: &Compiler, target: &str, features: &str) -> Command {
    let mut build =
        cargo(&["build", "--package", "assent-verifier", "--lib", "--target", target, "--features", features]);
    // Code is made only to show that it can be made.
    build.args(["--release", "--config", "profile.release.opt-level=0", "--config", "profile.release.lto=\"off\""]);
    compiler.compile(&mut build, "core,alloc");
    // Apart from the other builds: two compilers' results in one directory would push each other out.
    build.arg("--target-dir").arg(target_directory().join("no-std"));
    build
}

/// The toolchain's own compiler when the target is installed, otherwise one that has core's sources.
///
/// # Errors
/// What to install when there is neither.
pub fn compiler_for(target: &str) -> Result<Compiler, String> {
    let own = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
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
                 or `apt-get install rustc-web rust-web-src` (Debian; version {} or newer)",
                least_version()
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
    release.is_some_and(|release| Some(release) >= numbers(least_version()))
}

/// The workspace's `rust-version`.
fn least_version() -> &'static str {
    env!("CARGO_PKG_RUST_VERSION")
}

fn numbers(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}
