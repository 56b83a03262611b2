//! Decisions whose bytes and states are the same on every processor.
//!
//! `cases/` has the evidence file of each decision. `states.json` has what every processor finds: the hashes of the
//! machine's states, and the hash of the evidence file that is made anew.

#![forbid(unsafe_code)]

pub mod cases;

use alloy_primitives::{hex, keccak256};
use assent_json::{Object, Value};
use assent_policy::{EvidenceFile, Replay, evaluator_with_root};
use assent_types::Decision;

/// The steps between two states whose hashes are compared.
const CHECKPOINT: u64 = 1 << 18;

/// The names of the cases with their evidence files.
pub const FILES: [(&str, &str); 10] = [
    ("allow", include_str!("../cases/allow.json")),
    ("conjunction", include_str!("../cases/conjunction.json")),
    ("deny", include_str!("../cases/deny.json")),
    ("error", include_str!("../cases/error.json")),
    ("exact", include_str!("../cases/exact.json")),
    ("limit", include_str!("../cases/limit.json")),
    ("median", include_str!("../cases/median.json")),
    ("quorum", include_str!("../cases/quorum.json")),
    ("trap", include_str!("../cases/trap.json")),
    ("treasury", include_str!("../cases/treasury.json")),
];

/// Repeats every decision, and returns what was found as JSON, one case a line.
///
/// # Panics
///
/// If a decision does not follow.
pub fn states() -> String {
    let lines = FILES.map(|(name, text)| state(name, text).to_canonical());
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn state(name: &str, text: &str) -> Value {
    let file = EvidenceFile::parse(text.as_bytes()).expect("an evidence file");
    let image = evaluator_with_root(file.policy.image()).expect("a known image");
    let mut run = file.start(image).expect("a run");
    let mut states = vec![run.state_hash()];
    while !run.advance(CHECKPOINT) {
        states.push(run.state_hash());
    }
    states.push(run.state_hash());
    let evaluation = run.finish();
    assert_eq!(file.compare(evaluation.clone()), Replay::Follows(evaluation.clone()), "{name}");
    let input = file.policy_input().expect("an input");
    let made = EvidenceFile::new(file.policy.clone(), &input, file.data.clone(), &evaluation).to_json();
    let hash = |bytes: &[u8]| Value::from(hex::encode_prefixed(bytes));
    let decision = if evaluation.decision == Decision::Allow { "allow" } else { "deny" };
    Value::from(Object::from_iter([
        ("decision", Value::from(decision)),
        ("evidence", hash(evaluation.evidence.hash().as_slice())),
        ("file", hash(keccak256(made).as_slice())),
        ("name", Value::from(name)),
        ("states", Value::from(states.iter().map(|state| hash(state.as_slice())).collect::<Vec<_>>())),
        ("steps", Value::from(i32::try_from(evaluation.steps).expect("at most 2^28"))),
    ]))
}
