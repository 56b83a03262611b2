//! What `cargo xtask fuzz` prints, and what it keeps.

use assent_differential::{Campaign, Divergence, Tally, regressions};
use serde_json::Value;
use std::{
    fs,
    num::NonZero,
    process::{Command, Output},
};

#[test]
fn the_json_has_the_figures_that_programs_look_for() {
    let output = fuzz(&["--cases", "60", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["cases"], 60);
    assert_eq!(summary["divergences"], 0);
    for error in Tally::errors() {
        assert!(summary["byError"][error].is_u64(), "{error} is missing: {summary:#}");
    }
}

#[test]
fn no_cases_are_refused() {
    let output = fuzz(&["--cases", "0"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--cases"));
}

#[test]
fn a_seed_gives_the_same_cases_whatever_the_number_of_threads() {
    let run = |threads, seed| {
        let threads = NonZero::new(threads).unwrap();
        let summary = Campaign { cases: 1_100, seed, threads }.run(|_| {});
        assert_eq!(summary.worlds, 11, "every hundred cases have another world");
        summary.tally
    };
    let tally = run(1, 1);
    assert_eq!(tally, run(3, 1));
    assert_ne!(tally, run(1, 2));
}

#[test]
fn a_case_that_is_kept_is_read_and_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let divergence: Divergence = serde_json::from_str(include_str!("case.json")).unwrap();
    regressions::keep(directory.path(), "kept", &divergence).unwrap();
    fs::write(directory.path().join("README.md"), "not a case").unwrap();

    let read = regressions::read(directory.path()).unwrap();
    let [(file, read)] = &read[..] else { panic!("{read:?}") };
    assert!(file.ends_with("kept.json"));
    assert_eq!((&read.world, &read.case), (&divergence.world, &divergence.case));
    read.replay().unwrap();

    fs::write(directory.path().join("broken.json"), "{}").unwrap();
    let error = format!("{:#}", regressions::read(directory.path()).unwrap_err());
    assert!(error.contains("broken.json") && error.contains("reason"), "{error}");
}

fn fuzz(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assent-differential")).args(arguments).output().unwrap()
}
