//! The coverage-guided fuzz targets, each from its committed corpus.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;

use crate::runner::{cargo, has_cargo, must_pass, root, target_directory};

/// The directories of cargo-fuzz's packages. The evaluator's workspace is a separate one.
const PACKAGES: [&str; 2] = ["tests/fuzz", "evaluator/fuzz"];

/// The single allocation that counts as a crash, in megabytes: more than the machine's memory, which has 64.
const LARGEST_ALLOCATION: u32 = 65;

/// The longest run of one input, in seconds. More counts as a crash.
const LONGEST_RUN: u32 = 20;

/// The targets to run, and for how long.
#[derive(Args)]
pub struct Arguments {
    /// Seconds for each target
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Run only this target: a name in tests/fuzz/fuzz_targets or evaluator/fuzz/fuzz_targets
    #[arg(long)]
    target: Option<String>,
    /// Then write the inputs that were found into the corpus, without those that reach nothing new
    #[arg(long)]
    minimise: bool,
    /// Run without AddressSanitizer: for `machine`, whose memory it makes slow, and which has no unsafe code
    #[arg(long)]
    unsanitised: bool,
}

/// Runs the targets and prints a table of the results.
///
/// # Errors
/// If a target does not exist or does not compile, cargo-fuzz is missing, or an input made a target fail.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let targets = targets(arguments.target.as_deref())?;
    let build = Build { unsanitised: arguments.unsanitised };
    let only: Vec<_> = arguments.target.as_deref().into_iter().collect();
    if !has_cargo("fuzz") {
        return Err("cargo-fuzz is not installed; get it: cargo install --locked cargo-fuzz".to_owned());
    }
    for package in PACKAGES.iter().filter(|package| targets.iter().any(|target| target.package == **package)) {
        must_pass(build.command(package, "build", &only))?;
    }
    let mut rows = vec![];
    for target in &targets {
        rows.push(fuzz(target, build, arguments.seconds)?);
        if arguments.minimise {
            minimise(target, build)?;
        }
    }
    print_table(&rows);
    match rows.iter().filter(|row| row.failed).count() {
        0 => Ok(()),
        failed => {
            Err(format!("{failed} of {} targets failed; the inputs are in artifacts/ of their package", rows.len()))
        }
    }
}

/// A target.
#[derive(Clone)]
struct Target {
    /// The directory of its package.
    package: &'static str,
    name: String,
}

impl Target {
    fn directory(&self) -> PathBuf {
        root().join(self.package)
    }

    fn committed(&self) -> PathBuf {
        self.directory().join("corpus").join(&self.name)
    }

    fn found(&self) -> PathBuf {
        fuzz_directory().join("found").join(&self.name)
    }

    /// A command of cargo-fuzz that runs this target.
    fn run(&self, build: Build) -> Command {
        build.command(self.package, "run", &[&self.name])
    }
}

fn targets(wanted: Option<&str>) -> Result<Vec<Target>, String> {
    let mut targets = vec![];
    for package in PACKAGES {
        let paths = files(&root().join(package).join("fuzz_targets"));
        let paths = paths.map_err(|error| format!("cannot list the targets of {package}: {error}"))?;
        let names = paths.iter().filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
        targets.extend(names.map(|name| Target { package, name }));
    }
    let Some(wanted) = wanted else { return Ok(targets) };
    match targets.iter().find(|target| target.name == wanted) {
        Some(target) => Ok(vec![target.clone()]),
        None => {
            let names = targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>();
            Err(format!("there is no target {wanted:?}; the targets are {}", names.join(", ")))
        }
    }
}

/// The result of a target.
struct Row {
    target: String,
    executions: u64,
    edges: u64,
    new_inputs: u64,
    failed: bool,
}

fn fuzz(target: &Target, build: Build, seconds: u64) -> Result<Row, String> {
    let name = &target.name;
    eprintln!("\n{name}: {seconds} s");
    // The committed corpus is only read: new inputs go to a separate directory, so that a run changes nothing in the
    // repository.
    let found = target.found();
    let artifacts = target.directory().join("artifacts").join(name);
    for directory in [&found, &artifacts] {
        fs::create_dir_all(directory).map_err(|error| format!("cannot create {}: {error}", directory.display()))?;
    }
    let mut run = target.run(build);
    run.args([&found, &target.committed()]).arg("--").args([
        format!("-max_total_time={seconds}"),
        format!("-malloc_limit_mb={LARGEST_ALLOCATION}"),
        format!("-timeout={LONGEST_RUN}"),
        format!("-artifact_prefix={}/", artifacts.display()),
        "-print_final_stats=1".to_owned(),
        format!("-report_slow_units={LONGEST_RUN}"),
    ]);
    let output = run.stdout(Stdio::inherit()).output().map_err(|error| format!("{name}: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let failed = !output.status.success();
    if failed {
        eprintln!("{log}");
    }
    let last = |label: &str| log.lines().rev().find_map(|line| number_after(line, label)).unwrap_or(0);
    Ok(Row {
        target: name.clone(),
        executions: last("stat::number_of_executed_units:"),
        edges: last(" cov: "),
        new_inputs: last("stat::new_units_added:"),
        failed,
    })
}

/// Keeps the seeds and, of the other inputs, committed and new, as few as reach everything that all reach.
fn minimise(target: &Target, build: Build) -> Result<(), String> {
    let (committed, found) = (target.committed(), target.found());
    let kept = fuzz_directory().join("kept").join(&target.name);
    let failed = |error: io::Error| format!("cannot minimise the corpus of {}: {error}", target.name);
    if kept.exists() {
        fs::remove_dir_all(&kept).map_err(failed)?;
    }
    copy(&committed, &kept, is_seed).map_err(failed)?;
    let mut merge = target.run(build);
    merge.args([&kept, &committed, &found]);
    // By edges only, without how often each is taken: few files, which still take every branch that was found.
    merge.args(["--", "-set_cover_merge=1", "-use_counters=0"]);
    must_pass(merge)?;
    for path in files(&committed).map_err(failed)? {
        fs::remove_file(path).map_err(failed)?;
    }
    copy(&kept, &committed, |_| true).map_err(failed)
}

/// Whether a program wrote the input (tests/fuzz/targets/examples/seeds.rs). Such inputs stay, whatever they reach.
fn is_seed(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-"))
}

fn copy(from: &Path, to: &Path, selects: fn(&Path) -> bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for path in files(from)?.iter().filter(|path| selects(path)) {
        fs::copy(path, to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// How the targets are built.
#[derive(Clone, Copy)]
struct Build {
    unsanitised: bool,
}

impl Build {
    /// A command of cargo-fuzz.
    fn command(self, package: &str, subcommand: &str, arguments: &[&str]) -> Command {
        let mut command = cargo(&["fuzz", subcommand, "--fuzz-dir", package]);
        // Separate from the other builds, whose flags differ.
        command.arg("--target-dir");
        if self.unsanitised {
            command.arg(fuzz_directory().join("unsanitised")).args(["--sanitizer", "none"]);
        } else {
            command.arg(fuzz_directory());
        }
        // Instrumentation needs unstable options, which this variable enables in stable compilers.
        command.args(arguments).env("RUSTC_BOOTSTRAP", "1");
        command
    }
}

/// For builds, and for inputs that are found.
fn fuzz_directory() -> PathBuf {
    target_directory().join("fuzz")
}

fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn number_after(line: &str, label: &str) -> Option<u64> {
    line.split_once(label)?.1.split_whitespace().next()?.parse().ok()
}

fn print_table(rows: &[Row]) {
    let width = rows.iter().map(|row| row.target.len()).max().unwrap_or(0).max("target".len());
    println!("\n{:width$}  {:>11}  {:>6}  {:>10}  result", "target", "executions", "edges", "new inputs");
    for Row { target, executions, edges, new_inputs, failed } in rows {
        let result = if *failed { "FAILED" } else { "passed" };
        println!("{target:width$}  {executions:>11}  {edges:>6}  {new_inputs:>10}  {result}");
    }
}
