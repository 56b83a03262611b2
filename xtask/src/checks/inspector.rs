//! The Inspector's page: verifier and machine as WebAssembly, with bindings, in one file, and its tests in a browser.
//! The gateway's page takes the worker with the module, and is tested in the same browser.

use std::{env, fs, path::PathBuf};

use super::{
    cross_compilation::{WEB_ASSEMBLY, WebAssemblyCompiler, found},
    workspace::OTHERS,
};
use crate::runner::{Outcome, Step, cargo, command, execute, must_pass, target_directory};

/// The tests of the Inspector.
const INSPECTOR_TESTS: [&str; 4] = [
    "inspector/tests/evidence.test.mjs",
    "inspector/tests/garbage.test.mjs",
    "inspector/tests/inspections.test.mjs",
    "inspector/tests/presentation.test.mjs",
];

/// The tests of the gateway's page, which run a whole network.
const PAGE_TESTS: [&str; 2] = ["tests/gateway-page/decisions.test.mjs", "tests/gateway-page/presentation.test.mjs"];

/// The name of the worker with the module.
const REPLAY: &str = "assent-replay.js";

/// The names of Chromium, and of browsers built on it.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Settings that make the module small, since the page contains it. The machine runs millions of steps.
const SMALL: [&str; 4] = [
    "profile.release.opt-level=\"s\"",
    "profile.release.lto=\"fat\"",
    "profile.release.codegen-units=1",
    "profile.release.package.assent-machine.opt-level=3",
];

/// The steps of `cargo xtask test`.
pub fn steps() -> Vec<Step> {
    vec![
        build().in_parallel(),
        Step::new("inspector: browser tests", || browser_tests("round_trip", &INSPECTOR_TESTS)).in_parallel(),
        Step::new("gateway's page: browser tests", || browser_tests("gateway", &PAGE_TESTS)).in_parallel(),
    ]
}

/// The step that makes the page.
pub fn build() -> Step {
    Step::new("inspector: page", || {
        // An earlier page must not be tested in place of this one.
        let _ = fs::remove_file(page());
        match WebAssemblyCompiler::find() {
            Ok(compiler) => make(&compiler).into(),
            Err(reason) => Outcome::Skipped(reason),
        }
    })
}

fn make(compiler: &WebAssemblyCompiler) -> Result<(), String> {
    let modules = target_directory().join("inspector-module");
    let mut module = cargo(&["build", "--package", "assent-inspector-engine", "--target", WEB_ASSEMBLY, "--release"]);
    module.args(SMALL.iter().flat_map(|setting| ["--config", setting]));
    compiler.compile(&mut module);
    module.arg("--target-dir").arg(&modules);
    must_pass(module)?;

    let bindings = target_directory().join("inspector/bindings");
    fs::create_dir_all(&bindings).map_err(|error| format!("cannot create {}: {error}", bindings.display()))?;
    let mut bind = cargo(&["run", "--locked", "--manifest-path", "inspector/bindings/Cargo.toml"]);
    bind.arg("--target-dir").arg(target_directory().join("inspector-bindings"));
    let module = modules.join(WEB_ASSEMBLY).join("release/assent_inspector_engine.wasm");
    bind.arg("--").arg(module).arg(&bindings);
    must_pass(bind)?;

    let mut assemble = command("node", &["inspector/assemble.mjs"]);
    assemble.arg(bindings).arg(page()).arg(replay());
    must_pass(assemble)?;
    // Beside the programs, where the gateway looks for it.
    for profile in ["debug", "release"] {
        let directory = target_directory().join(profile);
        if directory.is_dir() {
            let copied = fs::copy(replay(), directory.join(REPLAY));
            copied.map_err(|error| format!("cannot write {REPLAY} in {}: {error}", directory.display()))?;
        }
    }
    Ok(())
}

/// Runs tests in a browser, of `assent` and of the programs of the package that has a test target.
fn browser_tests(target: &str, files: &[&str]) -> Outcome {
    if !page().is_file() {
        return Outcome::Skipped("the page was not made".to_owned());
    }
    let Some(browser) = browser() else {
        return Outcome::Skipped(
            "Chromium was not found; get it: `apt-get install chromium` (Debian), or name it in CHROMIUM".to_owned(),
        );
    };
    // Selected as for the other tests, so that it is already compiled. cargo builds a package's programs with its
    // tests.
    let mut terminal = cargo(&["test", "--no-run", "--test", "round_trip", "--test", target]);
    terminal.args(OTHERS);
    if let Err(reason) = must_pass(terminal) {
        return Outcome::Failed(reason);
    }
    let mut tests = command("node", &["--test"]);
    tests.args(files);
    tests.env("INSPECTOR", page()).env("ASSENT", target_directory().join("debug/assent")).env("CHROMIUM", browser);
    execute(tests)
}

fn browser() -> Option<PathBuf> {
    env::var_os("CHROMIUM").map(PathBuf::from).or_else(|| BROWSERS.into_iter().find_map(found))
}

/// The worker with the module, with which the gateway's page replays evidence.
fn replay() -> PathBuf {
    target_directory().join("inspector").join(REPLAY)
}

fn page() -> PathBuf {
    target_directory().join("inspector/inspector.html")
}
