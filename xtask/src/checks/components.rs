//! The components of assent-policy-data's tests, and its example for authors in three languages.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::cross_compilation::{WEB_ASSEMBLY, WebAssemblyCompiler};
use crate::{
    runner::{self, Outcome, Step, cargo, command, must_pass, root, target_directory},
    tools::python::COMPONENTIZE_PY,
};

/// Where the components of tests are, and their sources.
const CRATE: &str = "crates/internal/policy-data";

/// The components in Rust, with the files that hold them. They are committed, since they are small and reproducible.
const RUST: [(&str, &str); 7] = [
    ("price", "crates/internal/policy-data/fixtures/price.wasm"),
    ("probe", "crates/internal/policy-data/fixtures/probe.wasm"),
    ("approval", "policies/agent-session/sources/approval.wasm"),
    ("identity", "policies/kyc/sources/identity.wasm"),
    ("listed", "policies/sanctions/sources/listed.wasm"),
    ("position", "policies/health-factor/sources/position.wasm"),
    ("price", "policies/price-deviation/sources/price.wasm"),
];

/// The committed file that names the compiler of the components in Rust.
const COMPILER: &str = "fixtures/compiler.txt";

/// Arguments of `cargo xtask components`.
#[derive(Args)]
pub struct Arguments {
    /// Build only the components in this language
    #[arg(long, value_name = "LANGUAGE")]
    only: Option<Language>,
    /// Write the components in Rust to fixtures, in place of comparing them
    #[arg(long)]
    update: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
    Javascript,
    Python,
}

/// Builds the components, and runs those in JavaScript and Python.
///
/// # Errors
/// If a component cannot be built, differs from the committed one, or does not do what the one in Rust does.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let update = arguments.update;
    let is_selected = |language| arguments.only.is_none_or(|only| only == language);
    let mut steps = vec![];
    if is_selected(Language::Rust) {
        steps.push(Step::new("components: Rust", move || build_rust(update)));
    }
    if is_selected(Language::Javascript) {
        steps.push(Step::new("components: JavaScript", build_javascript));
    }
    if is_selected(Language::Python) {
        steps.push(Step::new("components: Python", build_python));
    }
    steps.push(Step::command("components: run each language", languages()));
    runner::run(steps)
}

/// The step of `cargo xtask test`: the components in Rust are those of their sources.
pub fn rust() -> Step {
    Step::new("policy data: components in Rust", || build_rust(false)).in_parallel()
}

/// The step of `cargo xtask test` for the languages whose tools and compilation take minutes.
pub fn large() -> Step {
    Step::new("policy data: JavaScript, Python", || {
        Outcome::Skipped("their tools have 450 MB; install and run them: `cargo xtask components`".to_owned())
    })
}

fn build_rust(update: bool) -> Outcome {
    match WebAssemblyCompiler::find() {
        Ok(compiler) => {
            let committed = fs::read_to_string(path(COMPILER)).unwrap_or_default();
            let version = compiler.version().unwrap_or_default();
            if !update && committed.trim() != version {
                let built_by = committed.trim();
                return Outcome::Skipped(format!(
                    "the committed components were built by {built_by}; this is {version}"
                ));
            }
            let directory = target_directory().join("policy-data-components");
            let mut build = cargo(&["build", "--locked", "--release", "--target", WEB_ASSEMBLY]);
            build.arg("--manifest-path").arg(path("components/rust/Cargo.toml"));
            build.arg("--target-dir").arg(&directory);
            compiler.compile(&mut build);
            // Without paths of this machine, the result is the same everywhere. The option is unstable.
            build.env("RUSTFLAGS", "-Zlocation-detail=none").env("RUSTC_BOOTSTRAP", "1");
            must_pass(build).and_then(|()| compare_all(&directory, update, &version)).into()
        }
        Err(reason) => Outcome::Skipped(reason),
    }
}

fn compare_all(directory: &Path, update: bool, version: &str) -> Result<(), String> {
    for (name, committed) in RUST {
        let module = directory.join(WEB_ASSEMBLY).join(format!("release/{name}.wasm"));
        let built = directory.join(format!("{name}.wasm"));
        let committed = root().join(committed);
        let mut componentize = cargo(&["run", "--quiet", "--locked"]);
        componentize.arg("--manifest-path").arg(path("components/componentize/Cargo.toml"));
        componentize.arg("--target-dir").arg(directory.join("componentize"));
        componentize.arg("--").arg(module).arg(&built);
        must_pass(componentize)?;
        let bytes = read(&built)?;
        if update {
            write(&committed, &bytes)?;
        } else if bytes != read(&committed)? {
            return Err(format!(
                "{} is not what its source compiles to; update it: `cargo xtask components --only rust --update`",
                committed.display()
            ));
        }
    }
    if update { write(&path(COMPILER), format!("{version}\n").as_bytes()) } else { Ok(()) }
}

fn build_javascript() -> Outcome {
    let sources = "components/javascript";
    let mut install = command("npm", &["ci", "--no-audit", "--no-fund", "--prefix"]);
    install.arg(path(sources));
    let mut build = command("node", &[]);
    build.arg(path("components/javascript/componentize.mjs"));
    build.arg(path("components/javascript/price.js"));
    create_built()
        .and_then(|directory| {
            build.arg(directory.join("price-javascript.wasm"));
            must_pass(install)?;
            must_pass(build)
        })
        .into()
}

fn build_python() -> Outcome {
    if let Err(outcome) = COMPONENTIZE_PY.install() {
        return outcome;
    }
    let mut build = command(COMPONENTIZE_PY.program("componentize-py"), &["--quiet", "--world", "policy-data"]);
    build.arg("--wit-path").arg(path("wit/policy-data.wit"));
    build.args(["componentize", "--stub-wasi", "price", "--python-path"]).arg(path("components/python"));
    create_built()
        .and_then(|directory| {
            build.arg("--output").arg(directory.join("price-python.wasm"));
            must_pass(build)
        })
        .into()
}

/// The tests of all languages. Optimised: the host compiles megabytes of WebAssembly.
fn languages() -> std::process::Command {
    let mut test = cargo(&["test", "--release", "--package", "assent-policy-data", "--test", "policy_data"]);
    test.args(["--", "languages", "--nocapture"]);
    test
}

fn path(relative: &str) -> PathBuf {
    let path = root().join(CRATE).join(relative);
    std::path::absolute(&path).unwrap_or(path)
}

fn create_built() -> Result<PathBuf, String> {
    let directory = target_directory().join("policy-data");
    fs::create_dir_all(&directory).map_err(|error| format!("cannot create {}: {error}", directory.display()))?;
    Ok(directory)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
