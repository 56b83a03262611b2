//! The short form: every invariant in many histories, and each invariant seen to fail.

use std::thread;

use assent_network_simulator::{Sabotage, Summary, run_many};

const HISTORIES: u64 = 10_000;

#[test]
fn operators_and_gateways_keep_their_promises_in_ten_thousand_histories() {
    // Two halves at once: the machines that run this have at least two cores.
    let halves = [0, HISTORIES / 2].map(|first| thread::spawn(move || run_many(first, HISTORIES / 2, None)));
    let mut sum = Summary::default();
    for half in halves {
        match half.join().expect("a half panicked: its seed is above") {
            Ok(summary) => sum.add(&summary),
            Err((seed, violation)) => {
                let next = format!("cargo xtask network-simulate --seed {seed}");
                panic!("{} (after {} ms): {next}", violation.what, violation.at_millis);
            }
        }
    }
    println!("{sum:#?}");
    // What the histories are for has happened in them.
    assert_eq!(sum.histories, HISTORIES);
    assert!(sum.with_liars > HISTORIES / 3 && sum.with_rogue_gateway > HISTORIES / 5, "{sum:?}");
    assert!(sum.with_flood > HISTORIES / 20, "{sum:?}");
    assert!(sum.crashes > HISTORIES / 2 && sum.conflicts > HISTORIES / 100, "{sum:?}");
    assert!(sum.batches > HISTORIES && sum.taken_over > HISTORIES / 60, "{sum:?}");
    assert!(sum.with_two_gateways > HISTORIES / 4 && sum.with_reorganisations > HISTORIES / 8, "{sum:?}");
    assert!(sum.with_changes > HISTORIES / 4 && sum.handovers > HISTORIES / 10, "{sum:?}");
    assert!(sum.attested > HISTORIES && sum.failed > HISTORIES / 20, "{sum:?}");
}

#[test]
fn a_journal_that_forgets_is_found() {
    assert_found(Sabotage::ForgetfulJournal, "signed two different statements");
}

#[test]
fn a_task_log_that_forgets_is_found() {
    assert_found(Sabotage::ForgetfulTaskLog, "task log");
}

#[test]
fn a_decision_that_does_not_follow_from_its_evidence_is_found() {
    assert_found(Sabotage::WrongDecision, "contradicts its evidence");
}

#[test]
fn an_operator_that_signs_a_leaf_that_it_did_not_compute_is_found() {
    assert_found(Sabotage::UnseenLeaf, "a leaf that it did not compute");
}

#[test]
fn a_gateway_that_ends_a_task_without_its_lease_is_found() {
    assert_found(Sabotage::IgnoredLease, "completed twice differently");
}

#[test]
fn a_handover_that_is_signed_before_it_is_final_is_found() {
    assert_found(Sabotage::HastyHandover, "a handover that no final block shows");
}

fn assert_found(sabotage: Sabotage, expected: &str) {
    let (seed, violation) = run_many(0, 1000, Some(sabotage)).expect_err("it is not found");
    assert!(violation.what.contains(expected), "seed {seed}: {}", violation.what);
}
