//! The page tells what was measured last.

use assent_performance::{gas::Gas, page, sections};
use std::{
    fs,
    path::{Path, PathBuf},
};

const TO_DO: &str =
    "bring it up to date: `cargo xtask report --only gas`, or without the option to measure the times too";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_page_and_its_plots_tell_the_figures_of_the_snapshots_and_the_times_measured_last() {
    for (file, expected) in page::render(&root()).unwrap() {
        let found = fs::read_to_string(root().join(&file)).unwrap_or_default().replace("\r\n", "\n");
        let different = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
        assert!(found == expected, "{file} is out of date ({different:?}); {TO_DO}");
    }
}

#[test]
fn the_page_shows_every_plot() {
    let page = fs::read_to_string(root().join("docs/performance.md")).unwrap();
    for file in page::render(&root()).unwrap().into_keys().filter(|file| file.ends_with(".svg")) {
        let link = file.trim_start_matches("docs/");
        assert!(page.contains(&format!("]({link})")), "docs/performance.md does not show {file}");
    }
}

#[test]
fn the_json_has_the_figures_that_programs_look_for() {
    let gas = Gas::read(&root().join("snapshots")).unwrap();
    let figures = sections::figures(&root()).unwrap();
    for path in [
        "/gas/protectedCall/100/0",
        "/gas/protectedCall/1000/10",
        "/gas/recordedUse/256",
        "/gas/stake/commit100",
        "/gas/crosschain/accept100",
        "/gas/offences/equivocation",
        "/ratio/verify/blst",
        "/ratio/verify/arkworks",
        "/time/batchPerAttestationMicros/1024",
        "/policy/treasurySteps",
        "/policy/smallSteps",
        "/policy/ratioToNative",
        "/machine/stepsPerSecond",
        "/network/latencyMillis/p50",
        "/network/latencyMillis/p99",
        "/network/latencyWithSourceMillis/p50",
        "/network/latencyTreasuryMillis/p50",
        "/network/decisionsPerSecond",
        "/network/operatorDecisionsPerSecondPerCore",
        "/network/operatorTreasuryDecisionsPerSecondPerCore",
        "/network/overloadThroughputShare",
        "/network/operatorMegabytes/idle",
        "/network/operatorMegabytes/busy",
    ] {
        assert!(figures.pointer(path).is_some_and(serde_json::Value::is_number), "no number at {path} in {figures:#}");
    }
    let [gas, protected] = [gas.protected_call[&100][&0].into(), figures["gas"]["protectedCall"]["100"]["0"].clone()];
    assert_eq!(protected, gas);
}

#[test]
fn names_the_snapshot_that_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let error = Gas::read(directory.path()).unwrap_err().to_string();
    assert!(error.contains("snapshots/protectedCall.json cannot be read"), "{error}");
    assert!(error.contains("forge test"), "{error}");
}

#[test]
fn names_the_figure_that_is_missing_or_no_number() {
    let directory = tempfile::tempdir().unwrap();
    for file in fs::read_dir(root().join("snapshots")).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
    }
    let refused = |content: &str| {
        fs::write(directory.path().join("recordedUse.json"), content).unwrap();
        Gas::read(directory.path()).unwrap_err().to_string()
    };
    let only_the_smallest = r#"{"batch of 1": "23000"}"#;
    assert_eq!(refused(only_the_smallest), r#"snapshots/recordedUse.json has no figure "batch of 4""#);
    assert!(refused(r#"{"batch of 1": "many"}"#).contains(r#""batch of 1" is no number: "many""#));
    assert!(refused(r#"{"batch of 1": 1}"#).contains("not an object of strings"));
    assert!(refused("{}").contains("has no figures"));
}
