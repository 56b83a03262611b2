//! The verifier, by the compiler's own instrumentation (`-Cinstrument-coverage`) and LLVM's tools.
//!
//! Only the verifier and its tests are instrumented. They are compiled through this program, which cargo calls in place of
//! the compiler for the workspace's own packages; their dependencies are the ordinary ones, compiled once for all.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use super::{Missing, lcov};
use crate::{cargo, command, printed, steps::execute, this_program};

/// Says to this program that cargo calls it in place of the compiler.
const AS_COMPILER: &str = "ASSENT_INSTRUMENTING_COMPILER";

const SOURCES: &str = "crates/assent-verifier/src/";

/// Compiles with instrumentation when cargo called this program to do so; `None` otherwise.
pub fn compile() -> Option<ExitCode> {
    std::env::var_os(AS_COMPILER)?;
    let mut arguments = std::env::args_os().skip(1);
    let mut compiler = Command::new(arguments.next()?);
    compiler.args(arguments);
    compiler.args(["-Cinstrument-coverage", "-Zcoverage-options=branch"]);
    // What the compiler puts into other crates, which it does unless it compiles incrementally, is not counted here.
    compiler.arg("-Zcross-crate-inline-threshold=never");
    // Counting branches and this are unstable options, which stable compilers take when told so.
    compiler.env("RUSTC_BOOTSTRAP", "1");
    let passed = compiler.status().is_ok_and(|status| status.success());
    Some(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the verifier's tests with all features, and reads what they reached.
pub fn measure() -> Result<Vec<lcov::File>, Missing> {
    let tools = Tools::find().map_err(Missing::Tools)?;
    let directory = crate::target_directory().join("coverage");
    let _absent_is_fine = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).map_err(|error| Missing::Failure(error.to_string()))?;
    let directory = directory.canonicalize().map_err(|error| Missing::Failure(error.to_string()))?;

    let mut tests = instrumented(&["--no-fail-fast"], &directory).map_err(Missing::Failure)?;
    // Standard output belongs to the figures.
    tests.stdout(io::stderr());
    execute(tests).into_result().map_err(Missing::Failure)?;
    let text = tools.report(&directory, &test_executables(&directory)?)?;
    let root = crate::root().canonicalize().map_err(|error| Missing::Failure(error.to_string()))?;
    Ok(lcov::parse(&text, &root, |path| path.starts_with(SOURCES)))
}

/// `cargo test` of the verifier, compiled through this program, its counters written to a directory.
fn instrumented(arguments: &[&str], directory: &Path) -> Result<Command, String> {
    let this_program = this_program().map_err(|error| error.to_string())?;
    let mut tests = cargo(&["test", "--package", "assent-verifier", "--all-features"]);
    tests.args(arguments).env("RUSTC_WORKSPACE_WRAPPER", this_program).env(AS_COMPILER, "1");
    // One file for each executable, into which its processes merge their counts.
    tests.env("LLVM_PROFILE_FILE", directory.join("%m_%p.profraw"));
    Ok(tests)
}

/// The executables that have been run: cargo names them when asked to compile them once more.
fn test_executables(directory: &Path) -> Result<Vec<String>, Missing> {
    let mut list = instrumented(&["--no-run", "--message-format", "json"], directory).map_err(Missing::Failure)?;
    let output = list.stderr(Stdio::null()).output().map_err(|error| Missing::Failure(error.to_string()))?;
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
    /// Those of the environment, of the toolchain, or of the system; of the compiler's own version of LLVM, since the counters'
    /// format changes with it.
    fn find() -> Result<Self, String> {
        let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
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
        let (profdata, cov) = (find("llvm-profdata", "LLVM_PROFDATA"), find("llvm-cov", "LLVM_COV"));
        profdata.zip(cov).map(|(profdata, cov)| Self { profdata, cov }).ok_or_else(|| {
            format!(
                "llvm-profdata and llvm-cov of LLVM {major} were not found; get them: `rustup component add llvm-tools`, \
                 or `apt-get install llvm-{major}` (Debian)"
            )
        })
    }

    /// Merges the counters and writes lcov's trace file.
    fn report(&self, directory: &Path, executables: &[String]) -> Result<String, Missing> {
        let failure = |error: std::io::Error| Missing::Failure(error.to_string());
        let merged = directory.join("merged.profdata");
        let counters = fs::read_dir(directory).map_err(failure)?.filter_map(|entry| Some(entry.ok()?.path()));
        let mut merge = command(&self.profdata, &["merge", "--sparse", "--output"]);
        merge.arg(&merged).args(counters.filter(|path| path.extension().is_some_and(|suffix| suffix == "profraw")));
        output_of(merge, "llvm-profdata")?;
        let (first, others) =
            executables.split_first().ok_or_else(|| Missing::Failure("cargo named no test executable".to_owned()))?;
        let mut export = command(&self.cov, &["export", "--format=lcov", first]);
        export.arg("--instr-profile").arg(&merged);
        for executable in others {
            export.args(["--object", executable]);
        }
        output_of(export, "llvm-cov")
    }
}

/// What one of LLVM's programs prints. Not by `execute`, which would show a command that names a hundred files.
fn output_of(mut program: Command, name: &str) -> Result<String, Missing> {
    let output = program.output().map_err(|error| Missing::Failure(format!("{name}: {error}")))?;
    if !output.status.success() {
        return Err(Missing::Failure(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
