//! The coverage-guided fuzzer: each target of tests/fuzz for some time, from the committed corpus.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;

use crate::{cargo, has_cargo, root};

/// Where cargo-fuzz's package is.
const PACKAGE: &str = "tests/fuzz";

/// An input on which a target allocates more at once, in megabytes, counts as a crash.
const LARGEST_ALLOCATION: u32 = 64;

/// Seconds on one input after which it counts as a crash.
const LONGEST_RUN: u32 = 20;

/// What to run, and for how long.
#[derive(Args)]
pub struct Arguments {
    /// Seconds for each target
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Only this target: a name in tests/fuzz/fuzz_targets
    #[arg(long)]
    target: Option<String>,
    /// Afterwards write what was found into tests/fuzz/corpus, without inputs that reach nothing new
    #[arg(long)]
    minimise: bool,
}

/// Runs the targets, and prints a table of what came of it.
///
/// # Errors
/// When there is no such target, cargo-fuzz is missing, a target does not compile, or an input made one fail.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let names = targets(arguments.target.as_deref())?;
    require_cargo_fuzz()?;
    if !cargo_fuzz("build", &[]).status().is_ok_and(|status| status.success()) {
        return Err("the fuzz targets were not built; the output above says why".to_owned());
    }
    let mut rows = vec![];
    for name in &names {
        rows.push(fuzz(name, arguments.seconds)?);
        if arguments.minimise {
            minimise(name)?;
        }
    }
    print_table(&rows);
    match rows.iter().filter(|row| row.failed).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} targets failed; the inputs are in {PACKAGE}/artifacts", rows.len())),
    }
}

fn targets(wanted: Option<&str>) -> Result<Vec<String>, String> {
    let paths =
        files(&package().join("fuzz_targets")).map_err(|error| format!("the targets cannot be listed: {error}"))?;
    let names: Vec<_> =
        paths.iter().filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    match wanted {
        None => Ok(names),
        Some(name) if names.iter().any(|other| other == name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(format!("there is no target {name:?}; there are {}", names.join(", "))),
    }
}

fn require_cargo_fuzz() -> Result<(), String> {
    if has_cargo("fuzz") {
        return Ok(());
    }
    Err("cargo-fuzz is not installed; get it: cargo install --locked cargo-fuzz".to_owned())
}

/// What came of a target.
struct Row {
    target: String,
    executions: u64,
    each_second: u64,
    edges: u64,
    new_inputs: u64,
    failed: bool,
}

fn fuzz(target: &str, seconds: u64) -> Result<Row, String> {
    eprintln!("\n{target}: {seconds} s");
    // The committed corpus is read; what is found goes to a place of its own, so that a run changes nothing in the repository.
    let found = found(target);
    let artifacts = package().join("artifacts").join(target);
    for directory in [&found, &artifacts] {
        fs::create_dir_all(directory).map_err(|error| format!("{} cannot be made: {error}", directory.display()))?;
    }
    let mut run = cargo_fuzz("run", &[target]);
    run.args([&found, &committed(target)]).arg("--").args([
        format!("-max_total_time={seconds}"),
        format!("-malloc_limit_mb={LARGEST_ALLOCATION}"),
        format!("-timeout={LONGEST_RUN}"),
        format!("-artifact_prefix={}/", artifacts.display()),
        "-print_final_stats=1".to_owned(),
        format!("-report_slow_units={LONGEST_RUN}"),
    ]);
    let output = run.stdout(Stdio::inherit()).output().map_err(|error| format!("{target}: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprintln!("{log}");
    }
    Ok(Row {
        target: target.to_owned(),
        executions: statistic(&log, "stat::number_of_executed_units:"),
        each_second: statistic(&log, "stat::average_exec_per_sec:"),
        edges: log.lines().rev().find_map(|line| number_after(line, " cov: ")).unwrap_or(0),
        new_inputs: statistic(&log, "stat::new_units_added:"),
        failed: !output.status.success(),
    })
}

/// Keeps the seeds, and of the other inputs, committed and found, as few as reach everything that all reach.
fn minimise(target: &str) -> Result<(), String> {
    let (committed, found, kept) = (committed(target), found(target), target_directory().join("kept").join(target));
    let failed = |error: io::Error| format!("the corpus of {target} could not be minimised: {error}");
    if kept.exists() {
        fs::remove_dir_all(&kept).map_err(failed)?;
    }
    copy(&committed, &kept, is_seed).map_err(failed)?;
    let mut merge = cargo_fuzz("run", &[target]);
    merge.args([&kept, &committed, &found]);
    // By edges alone, without how often each is taken: few files, which still take every branch that was found.
    merge.args(["--", "-set_cover_merge=1", "-use_counters=0"]);
    if !merge.status().is_ok_and(|status| status.success()) {
        return Err(format!("the corpus of {target} could not be minimised; the output above says why"));
    }
    for path in files(&committed).map_err(failed)? {
        fs::remove_file(path).map_err(failed)?;
    }
    copy(&kept, &committed, |_| true).map_err(failed)
}

/// Inputs that a program wrote (tests/fuzz/targets/examples/seeds.rs) stay, whatever they reach.
fn is_seed(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-"))
}

fn copy(from: &Path, to: &Path, which: fn(&Path) -> bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for path in files(from)?.iter().filter(|path| which(path)) {
        fs::copy(path, to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn cargo_fuzz(subcommand: &str, arguments: &[&str]) -> Command {
    let mut command = cargo(&["fuzz", subcommand, "--fuzz-dir", PACKAGE]);
    command.arg("--target-dir").arg(target_directory()).args(arguments);
    // Instrumenting takes unstable options, which stable compilers take when told so.
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Apart from the other builds, whose flags are others.
fn target_directory() -> PathBuf {
    root().join("target/fuzz")
}

fn package() -> PathBuf {
    root().join(PACKAGE)
}

fn committed(target: &str) -> PathBuf {
    package().join("corpus").join(target)
}

fn found(target: &str) -> PathBuf {
    target_directory().join("found").join(target)
}

fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn statistic(log: &str, name: &str) -> u64 {
    log.lines().find_map(|line| number_after(line, name)).unwrap_or(0)
}

fn number_after(line: &str, label: &str) -> Option<u64> {
    let (_, rest) = line.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}

fn print_table(rows: &[Row]) {
    let width = rows.iter().map(|row| row.target.len()).max().unwrap_or(0).max("target".len());
    println!(
        "\n{:width$}  {:>11}  {:>8}  {:>6}  {:>10}  result",
        "target", "executions", "a second", "edges", "new inputs"
    );
    for Row { target, executions, each_second, edges, new_inputs, failed } in rows {
        let result = if *failed { "FAILED" } else { "held" };
        println!("{target:width$}  {executions:>11}  {each_second:>8}  {edges:>6}  {new_inputs:>10}  {result}");
    }
}
