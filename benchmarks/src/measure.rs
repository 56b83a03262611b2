//! Runs the gas tests and the benchmarks. Their output goes to standard error; standard output has only the figures.

use crate::times::{BackendTimes, Comparison, Times};
use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

/// Measures all gas.
pub const GAS_COMMAND: &str = "npx forge test --match-path 'tests/forge/gas/*'";
/// Measures the times.
pub const TIMES_COMMAND: &str = "cargo bench -p assent-verifier --all-features --bench verify";
/// Measures the ratios.
pub const RATIO_COMMAND: &str = "cargo bench -p assent-verifier --all-features --bench ratio";

/// Measures components of PolicyData.
pub const POLICY_DATA_COMMAND: &str = "cargo bench -p assent-policy-data --bench calls";

/// The numbers of attestations that are verified at once.
pub const BATCHES: [u32; 5] = [1, 16, 64, 256, 1024];
/// The numbers of operators that do not sign, when one attestation is verified.
pub const NON_SIGNERS: [u32; 3] = [0, 1, 10];

/// Runs the gas tests, which write the snapshots.
///
/// # Errors
/// When forge is not there, or a test failed.
pub fn gas(root: &Path) -> Result<()> {
    let forge = root.join("node_modules/.bin/forge");
    if !forge.exists() {
        bail!("forge is not in node_modules; install it: `cargo xtask setup`");
    }
    eprintln!("$ {GAS_COMMAND}");
    let mut tests = Command::new(forge);
    tests.args(["test", "--match-path", "tests/forge/gas/*"]);
    // The snapshots are to be written, not compared with.
    tests.env_remove("FORGE_SNAPSHOT_CHECK").current_dir(root).stdout(io::stderr());
    must_pass(&mut tests, GAS_COMMAND)
}

/// Runs the benchmark of PolicyData components. Returns the microseconds of one observation, by language.
///
/// # Errors
/// When it cannot be built or run, or prints something else.
pub fn policy_data(root: &Path) -> Result<BTreeMap<String, f64>> {
    eprintln!("$ {POLICY_DATA_COMMAND}    (some minutes the first time)");
    let output = cargo(root, POLICY_DATA_COMMAND).stderr(Stdio::inherit()).output();
    let output = output.context("cargo could not be started")?;
    if !output.status.success() {
        bail!("`{POLICY_DATA_COMMAND}` failed ({}); its output above says why", output.status);
    }
    serde_json::from_slice(&output.stdout).context("the times are no JSON")
}

/// Runs the benchmarks.
///
/// # Errors
/// When they cannot be built or run, or a result is missing.
pub fn times(root: &Path) -> Result<Times> {
    let criterion = root.join("target/criterion");
    eprintln!("$ {TIMES_COMMAND}    (about two minutes)");
    let mut bench = cargo(root, TIMES_COMMAND);
    bench.args(["--", "--noplot"]).env("CRITERION_HOME", &criterion).stdout(io::stderr());
    must_pass(&mut bench, TIMES_COMMAND)?;

    eprintln!("$ {RATIO_COMMAND}    (about two minutes)");
    let output = cargo(root, RATIO_COMMAND).args(["--", "--json"]).stderr(Stdio::inherit()).output();
    let output = output.context("cargo could not be started")?;
    if !output.status.success() {
        bail!("`{RATIO_COMMAND}` failed ({}); its output above says why", output.status);
    }
    let ratios = serde_json::from_slice(&output.stdout).context("the ratios are no JSON")?;
    read(&criterion, ratios)
}

/// Runs the reference policies on the machine and natively, in turns.
///
/// # Errors
/// When the programs cannot be built or run.
pub fn policy<T: DeserializeOwned>(root: &Path) -> Result<T> {
    const NATIVE_COMMAND: &str =
        "cargo build --locked --release --manifest-path evaluator/Cargo.toml --package assent-evaluator-native";
    const SPEED_COMMAND: &str = "cargo run --release --package assent-evaluator-tests --bin policy-speed";
    eprintln!("$ {NATIVE_COMMAND}    (minutes, the first time)");
    let target = root.join("target/evaluator-native");
    let mut native = cargo(root, NATIVE_COMMAND);
    must_pass(native.arg("--target-dir").arg(&target).stdout(io::stderr()), NATIVE_COMMAND)?;

    eprintln!("$ {SPEED_COMMAND}");
    let mut speed = cargo(root, SPEED_COMMAND);
    let output = speed.arg("--").arg(target.join("release/assent-evaluator-native")).stderr(Stdio::inherit()).output();
    let output = output.context("cargo could not be started")?;
    if !output.status.success() {
        bail!("`{SPEED_COMMAND}` failed ({}); its output above says why", output.status);
    }
    serde_json::from_slice(&output.stdout).context("the figures are no JSON")
}

/// Runs operators, a gateway, a node and callers on this machine, and measures them.
///
/// # Errors
/// When they cannot be built or run.
pub fn network<T: DeserializeOwned>(root: &Path) -> Result<T> {
    const COMMAND: &str = "cargo run --release --package assent-network-tests -- network-speed --json";
    run_network(root, COMMAND, "four minutes")
}

/// Runs operators, a gateway and a node for ten minutes with kills, and compares memory and latency over the time.
///
/// # Errors
/// When they cannot be built or run, memory or latency grew, or a task was lost.
pub fn soak<T: DeserializeOwned>(root: &Path) -> Result<T> {
    const COMMAND: &str = "cargo run --release --package assent-network-tests -- soak --hours 0.17 --json";
    run_network(root, COMMAND, "ten minutes")
}

fn run_network<T: DeserializeOwned>(root: &Path, command: &str, time: &str) -> Result<T> {
    eprintln!("$ {command}    (about {time}, and minutes to build the first time)");
    let output = cargo(root, command).stderr(Stdio::inherit()).output();
    let output = output.context("cargo could not be started")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        bail!("`{command}` failed ({}); its output says why: {said}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("the figures are no JSON")
}

fn read(criterion: &Path, ratios: BTreeMap<String, Comparison>) -> Result<Times> {
    Ok(Times {
        machine: machine(),
        blst: backend(criterion, "blst")?,
        arkworks: backend(criterion, "arkworks")?,
        parsing_and_digests: median(criterion, "parts", "parsing-and-digests", 1)?,
        ratios,
    })
}

fn backend(criterion: &Path, name: &str) -> Result<BackendTimes> {
    let (verify, batch) = (format!("verify-{name}"), format!("batch-{name}"));
    let each = |benchmark: &str, size| median(criterion, &batch, &format!("{benchmark}-{size}"), size);
    let by_batch = |benchmark: &str| -> Result<BTreeMap<_, _>> {
        BATCHES.into_iter().map(|size| Ok((size, each(benchmark, size)?))).collect()
    };
    let with_non_signers = |absent| Ok((absent, median(criterion, &verify, &format!("non-signers-{absent}"), 1)?));
    Ok(BackendTimes {
        raw: median(criterion, &verify, "raw", 1)?,
        verify: NON_SIGNERS.into_iter().map(with_non_signers).collect::<Result<_>>()?,
        raw_batch: by_batch("raw")?,
        batch: by_batch("same-non-signers")?,
        different_non_signers: each("different-non-signers", 1024)?,
        all_threads: each("parallel", 1024)?,
    })
}

/// Median time of a benchmark's iteration in microseconds, divided by the number of attestations that it verifies.
fn median(criterion: &Path, group: &str, benchmark: &str, attestations: u32) -> Result<f64> {
    #[derive(serde::Deserialize)]
    struct Estimates {
        median: Estimate,
    }
    #[derive(serde::Deserialize)]
    struct Estimate {
        /// In nanoseconds.
        point_estimate: f64,
    }
    let file = criterion.join(group).join(benchmark).join("new/estimates.json");
    let estimates: Estimates =
        parse(&file).with_context(|| format!("no result of the benchmark {group}/{benchmark} was found"))?;
    // More digits than these are noise.
    Ok((estimates.median.point_estimate / f64::from(attestations)).round() / 1000.0)
}

fn parse<T: DeserializeOwned>(file: &Path) -> Result<T> {
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

/// What times depend on most, as far as the system tells it.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.unwrap_or(std::env::consts::ARCH);
    format!("{model}, {cores} {}", if cores == 1 { "core" } else { "cores" })
}

/// A command of cargo's, given as one would type it.
fn cargo(root: &Path, command: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(command.split(' ').skip(1));
    cargo
}

fn must_pass(command: &mut Command, shown: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("`{shown}` could not be started"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}); its output above says why");
    }
    Ok(())
}
