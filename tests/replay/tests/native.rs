//! The processor that runs the tests finds what is committed. `cargo xtask test` runs the same under other processors.

use assent_replay_tests::{FILES, cases::evidence_files, states};
use std::{env, fs, path::Path};

/// Set to write the files anew, which an upgrade of the image needs.
const UPDATE: &str = "UPDATE_REPLAY_CASES";

#[test]
fn each_decision_makes_the_committed_evidence_to_the_byte_twice() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    for (name, file) in evidence_files() {
        let text = file.to_json() + "\n";
        let path = folder.join(format!("{name}.json"));
        if env::var_os(UPDATE).is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "{name}: {UPDATE}=1 writes it anew");
    }
    let again: Vec<_> = evidence_files().into_iter().map(|(name, file)| (name, file.to_json() + "\n")).collect();
    let committed: Vec<_> = FILES.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    assert!(env::var_os(UPDATE).is_some() || again == committed);
}

#[test]
fn each_replay_passes_through_the_committed_states_twice() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("states.json");
    let states = [states(), states()];
    assert_eq!(states[0], states[1]);
    if env::var_os(UPDATE).is_some() {
        fs::write(&path, &states[0]).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), states[0], "{UPDATE}=1 writes it anew");
}

#[test]
fn the_cases_end_in_every_way() {
    let ends: Vec<_> = evidence_files()
        .into_iter()
        .map(|(name, file)| {
            let assent_policy::Replay::Follows(evaluation) = file.replay(assent_policy::evaluator().unwrap()).unwrap()
            else {
                panic!("{name} does not follow")
            };
            let kinds = evaluation.reasons.iter().map(|reason| reason.kind.clone()).collect::<Vec<_>>();
            (name, kinds.join(" "))
        })
        .collect();
    let expected = [
        ("allow", ""),
        ("conjunction", "notAllowed"),
        ("deny", "denied"),
        ("error", "evaluation"),
        ("exact", "denied"),
        ("limit", "limit"),
        ("median", ""),
        ("quorum", ""),
        ("trap", "trap"),
        ("treasury", ""),
    ];
    assert_eq!(ends, expected.map(|(name, kinds)| (name, kinds.to_owned())));
}
