//! Every target holds on what is committed, and on what the fuzzer found to fail on this machine.

use assent_fuzz::{outcomes, seeds::seeds};
use std::{collections::BTreeMap, fs, path::Path};

macro_rules! replays {
    ($($target:ident,)*) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),*];

        $(#[test]
        fn $target() {
            replay(stringify!($target), assent_fuzz::$target);
        })*
    };
}

replays! {
    authorization,
    bundle,
    canonical_json,
    evidence_file,
    json,
    machine,
    manifest,
    operator_table,
    points,
    revert_data,
    verification,
}

fn replay(name: &str, target: fn(&[u8])) {
    let committed = inputs("corpus", name);
    assert!(!committed.is_empty(), "tests/fuzz/corpus/{name} is empty");
    for (path, input) in committed.into_iter().chain(inputs("artifacts", name)) {
        // Shown when the target panics.
        println!("{path}");
        target(&input);
    }
}

fn inputs(directory: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(directory).join(target);
    let Ok(entries) = fs::read_dir(directory) else { return vec![] };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

#[test]
fn every_target_of_the_fuzzer_is_replayed() {
    let entry_points = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz_targets")).unwrap();
    let mut names: Vec<_> =
        entry_points.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, TARGETS);
}

#[test]
fn the_seeds_are_committed_as_the_formats_are_now() {
    for seed in seeds() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(seed.target).join(&seed.name);
        assert_eq!(fs::read(&path).ok(), Some(seed.input), "{}: see examples/seeds.rs", path.display());
    }
}

#[test]
fn the_verification_corpus_reaches_acceptance_and_every_refusal() {
    let mut counts = BTreeMap::new();
    for outcome in inputs("corpus", "verification").iter().flat_map(|(_, input)| outcomes(input)) {
        *counts.entry(outcome.unwrap_or("accepted")).or_insert(0) += 1;
    }
    println!("{counts:?}");
    let reached: Vec<_> = counts.into_keys().collect();
    let expected = [
        "AttestationAlreadySpent",
        "AttestationExpired",
        "AttestationNotYetValid",
        "AttestationVoided",
        "EpochExpired",
        "EpochRevoked",
        "ExpirationBeyondEpoch",
        "InvalidSignature",
        "LifetimeTooLong",
        "MalformedAuthorization",
        "MalformedSignature",
        "NonSignerOutOfRange",
        "PolicyDenied",
        "PolicyNotSet",
        "QuorumNotReached",
        "RootNotRecorded",
        "UnknownEpoch",
        "WrongChain",
        "WrongSender",
        "WrongTask",
        "accepted",
    ];
    assert_eq!(reached, expected);
}

#[test]
fn the_seeds_of_policies_are_valid() {
    let seeds = seeds();
    let of = |target| seeds.iter().filter(move |seed| seed.target == target);
    for seed in of("bundle") {
        assert!(assent_policy::Bundle::parse(&seed.input).is_ok(), "{}", seed.name);
    }
    for seed in of("evidence_file") {
        assert!(assent_policy::EvidenceFile::parse(&seed.input).is_ok(), "{}", seed.name);
    }
    for seed in of("canonical_json") {
        assert!(assent_json::parse(&seed.input).is_ok(), "{}", seed.name);
    }
}
