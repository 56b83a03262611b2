//! The examples of the Inspector's page are what the code makes of the worked example, and come out as they say.

mod world;

use assent_inspection::{CheckOutcome, VerdictOutcome, text};
use assent_verifier::{Check, Refusal};
use std::path::Path;

#[test]
fn the_examples_in_the_repository_are_what_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../inspector/examples.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&world::examples()).expect("JSON"));
    if std::env::var_os("WRITE_EXAMPLES").is_some() {
        std::fs::write(&path, &made).expect("inspector/examples.json is written");
    }
    let committed = std::fs::read_to_string(&path).expect("inspector/examples.json is read");
    assert!(
        committed == made,
        "write it anew: WRITE_EXAMPLES=1 cargo test --package assent-inspection --test examples"
    );
}

#[test]
fn the_first_example_is_the_worked_example_of_the_protocol() {
    let protocol = include_str!("../../../../docs/protocol.md");
    assert!(protocol.contains(&world::examples()[0].texts.authorization));
}

#[test]
fn every_refusal_has_an_example_and_each_comes_out_as_it_says() {
    let examples = world::examples();
    for example in &examples {
        let inspection = text::inspect(&example.texts).expect("what is inspected");
        let error = inspection.verdict.error.as_ref().map(|error| error.name.to_owned());
        let failing = inspection.checks.iter().find(|check| check.outcome == CheckOutcome::Failed);
        assert_eq!(failing.map(|check| check.number).zip(error), example.refused, "{}", example.name);
        let failing = failing.map_or(Check::ALL.len() + 1, |check| check.number);
        for check in &inspection.checks {
            let expected = match check.number {
                number if number < failing => CheckOutcome::Passed,
                number if number == failing => CheckOutcome::Failed,
                _ => CheckOutcome::NotReached,
            };
            assert_eq!(check.outcome, expected, "{}, check {}", example.name, check.number);
            assert!(!check.reason.is_empty(), "{}, check {} says why", example.name, check.number);
        }
        let valid = inspection.verdict.outcome == VerdictOutcome::Valid;
        assert_eq!(valid, example.refused.is_none(), "{}", example.name);
    }
    for name in Refusal::NAMES {
        let shown = examples.iter().any(|example| example.refused.as_ref().is_some_and(|(_, error)| error == name));
        assert!(shown, "no example of {name}");
    }
}
