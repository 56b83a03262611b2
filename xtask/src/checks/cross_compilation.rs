//! The proof that the verifier needs no std: it compiles for targets that have none.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use crate::runner::{Outcome, Step, cargo, execute, numbers, printed, rustc, target_directory};

/// A target without an operating system: any use of std fails to compile.
const BARE_METAL: &str = "thumbv7em-none-eabihf";
/// The target for browsers.
pub const WEB_ASSEMBLY: &str = "wasm32-unknown-unknown";
/// The variable that names WebAssembly's linker to cargo.
const WEB_ASSEMBLY_LINKER: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER";

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
    from_sources: bool,
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

/// A compiler for WebAssembly, with the linker that its programs need.
pub struct WebAssemblyCompiler {
    compiler: Compiler,
    /// `None` if the default works.
    linker: Option<PathBuf>,
}

impl WebAssemblyCompiler {
    /// Returns the compiler and its linker.
    ///
    /// # Errors
    /// What to install if either is missing.
    pub fn find() -> Result<Self, String> {
        let compiler = compiler_for(WEB_ASSEMBLY)?;
        if !compiler.from_sources || env::var_os(WEB_ASSEMBLY_LINKER).is_some() {
            return Ok(Self { compiler, linker: None });
        }
        // LLVM's linker, which toolchains include and a distribution's compiler does not.
        let linker = rust_lld().or_else(|| found("wasm-ld"));
        let linker =
            linker.ok_or("no linker for WebAssembly was found; get it: `apt-get install lld` (Debian)".to_owned())?;
        Ok(Self { compiler, linker: Some(linker) })
    }

    /// Returns the compiler's version, as it prints it.
    pub fn version(&self) -> Option<String> {
        self.compiler.version()
    }

    /// Makes a build use the compiler, the linker, and std of the compiler's sources.
    pub fn compile(&self, build: &mut Command) {
        self.compiler.compile(build, "std,panic_abort");
        if let Some(linker) = &self.linker {
            build.env(WEB_ASSEMBLY_LINKER, linker);
        }
    }
}

/// The linker that comes with the toolchain: the compiler's own, or the one in PATH.
pub fn rust_lld() -> Option<PathBuf> {
    let of_toolchain = |compiler: OsString| {
        let libraries = printed(compiler, &["--print", "target-libdir"])?;
        Some(Path::new(&libraries).parent()?.join("bin/rust-lld")).filter(|linker| linker.is_file())
    };
    [rustc(), "rustc".into()].into_iter().find_map(of_toolchain)
}

/// A program in PATH.
pub fn found(program: &str) -> Option<PathBuf> {
    let directories = env::var_os("PATH")?;
    env::split_paths(&directories).map(|directory| directory.join(program)).find(|path| path.is_file())
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
