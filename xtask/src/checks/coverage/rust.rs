//! The crates without std, by the compiler's own instrumentation (`-Cinstrument-coverage`) and LLVM's tools.
//!
//! Only the workspace's crates are instrumented. They are compiled through this program, which cargo calls in place of
//! the compiler for them; their dependencies are the ordinary ones, compiled once for all. (cargo-llvm-cov instruments
//! in a separate directory, in which it compiles every dependency again.)

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use super::{Missing, lcov};
use crate::{
    checks::workspace::NO_STD,
    runner::{cargo, command, execute, printed, root, rustc, this_program},
};

/// Set if cargo calls this program in place of the compiler.
const AS_COMPILER: &str = "ASSENT_INSTRUMENTING_COMPILER";

/// Compiles with instrumentation if cargo called this program to do so; returns `None` otherwise.
pub fn compile() -> Option<ExitCode> {
    std::env::var_os(AS_COMPILER)?;
    let mut arguments = std::env::args_os().skip(1);
    let mut compiler = Command::new(arguments.next()?);
    compiler.args(arguments);
    compiler.args(["-Cinstrument-coverage", "-Zcoverage-options=branch"]);
    // Code that the compiler inlines into other crates, as it does unless it compiles incrementally, is not counted
    // here.
    compiler.arg("-Zcross-crate-inline-threshold=never");
    // The two -Z options are unstable; this variable enables them in stable compilers.
    compiler.env("RUSTC_BOOTSTRAP", "1");
    let passed = compiler.status().is_ok_and(|status| status.success());
    Some(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the crates' tests with all features, and reads what they reached.
pub fn measure() -> Result<Vec<lcov::File>, Missing> {
    let tools = Tools::find().map_err(Missing::Tools)?;
    // In the clone, since several clones may share cargo's target directory.
    let directory = root().join("cache/coverage/rust");
    let _absent_is_fine = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).map_err(failure)?;
    let directory = directory.canonicalize().map_err(failure)?;

    let mut tests = instrumented(&["--no-fail-fast"], &directory)?;
    // Standard output belongs to the figures.
    tests.stdout(io::stderr());
    execute(tests).into_result().map_err(Missing::Failure)?;
    let text = tools.report(&directory, &test_executables(&directory)?)?;
    // What another clone has compiled in the same target directory names that clone's files.
    let sources = NO_STD.map(|package| format!("crates/{package}/src/"));
    let below_root = |path: &str| {
        let start = sources.iter().find_map(|sources| path.find(sources.as_str()))?;
        Some(path[start..].to_owned())
    };
    Ok(lcov::parse(&text, below_root))
}

/// `cargo test` of the crates, compiled through this program, its counters written to a directory.
fn instrumented(arguments: &[&str], directory: &Path) -> Result<Command, Missing> {
    let mut tests = cargo(&["test", "--all-features"]);
    tests.args(NO_STD.iter().flat_map(|package| ["--package", package])).args(arguments);
    tests.env("RUSTC_WORKSPACE_WRAPPER", this_program().map_err(failure)?).env(AS_COMPILER, "1");
    // One file for each executable, into which its processes merge their counts.
    tests.env("LLVM_PROFILE_FILE", directory.join("%m_%p.profraw"));
    Ok(tests)
}

/// The executables that have been run: cargo names them if asked to compile them again.
fn test_executables(directory: &Path) -> Result<Vec<String>, Missing> {
    let mut list = instrumented(&["--no-run", "--message-format", "json"], directory)?;
    let output = list.stderr(Stdio::null()).output().map_err(failure)?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let field = "\"executable\":\"";
    let named = messages.lines().filter_map(|line| line.split_once(field)?.1.split('"').next().map(str::to_owned));
    Ok(named.collect())
}

/// LLVM's programs that read the counters.
struct Tools {
    profdata: OsString,
    cov: OsString,
}

impl Tools {
    /// Those of the environment, of the toolchain, or of the system. Their version of LLVM must be the compiler's,
    /// since the format of the counters changes with it.
    fn find() -> Result<Self, String> {
        let compiler = rustc();
        let version = printed(&compiler, &["--version", "--verbose"]).unwrap_or_default();
        let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
        let (host, llvm) = (field("host:").unwrap_or_default(), field("LLVM version:").unwrap_or_default());
        let major = llvm.split('.').next().unwrap_or_default();
        let component = printed(&compiler, &["--print", "sysroot"])
            .map(|sysroot| PathBuf::from(sysroot).join("lib/rustlib").join(host).join("bin"));
        let find = |name: &str, variable: &str| {
            let of_toolchain = component.as_ref().map(|directory| directory.join(name).into_os_string());
            let of_system = [format!("{name}-{major}").into(), name.into()];
            let mut candidates = std::env::var_os(variable).into_iter().chain(of_toolchain).chain(of_system);
            candidates.find(|program| {
                printed(program, &["--version"]).is_some_and(|text| text.contains(&format!("LLVM version {major}.")))
            })
        };
        let tools = find("llvm-profdata", "LLVM_PROFDATA").zip(find("llvm-cov", "LLVM_COV"));
        tools.map(|(profdata, cov)| Self { profdata, cov }).ok_or_else(|| {
            format!(
                "llvm-profdata and llvm-cov of LLVM {major} were not found; get them: \
                 `rustup component add llvm-tools`, or `apt-get install llvm-{major}` (Debian)"
            )
        })
    }

    /// Merges the counters and returns lcov's trace file.
    fn report(&self, directory: &Path, executables: &[String]) -> Result<String, Missing> {
        let merged = directory.join("merged.profdata");
        let counters = fs::read_dir(directory).map_err(failure)?.filter_map(|entry| Some(entry.ok()?.path()));
        let mut merge = command(&self.profdata, &["merge", "--sparse", "--output"]);
        merge.arg(&merged).args(counters.filter(|path| path.extension().is_some_and(|suffix| suffix == "profraw")));
        output_of(merge, "llvm-profdata")?;
        let (first, others) =
            executables.split_first().ok_or_else(|| Missing::Failure("cargo named no test executable".to_owned()))?;
        let mut export = command(&self.cov, &["export", "--format=lcov", first]);
        export.arg("--instr-profile").arg(&merged);
        export.args(others.iter().flat_map(|executable| ["--object", executable]));
        output_of(export, "llvm-cov")
    }
}

/// Returns what one of LLVM's programs prints. Without `execute`, which would show a command that names a hundred
/// files.
fn output_of(mut program: Command, name: &str) -> Result<String, Missing> {
    let output = program.output().map_err(|error| Missing::Failure(format!("{name}: {error}")))?;
    if !output.status.success() {
        return Err(Missing::Failure(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn failure(error: io::Error) -> Missing {
    Missing::Failure(error.to_string())
}
