//! What may be forgotten.

use assent_journal::{
    Domain, Journal, LATEST_AFTER_PRUNING_SECONDS as SLACK, PruneReport, RETENTION_SECONDS, SignError, Slot,
    Statement::Attestations,
};

use crate::setup::Place;
use crate::statements::{START, TASK_MANAGER, attestation_at, batch, chain_id};

const DOMAIN: Domain = Domain { chain_id: alloy_primitives::uint!(1_U256), task_manager: TASK_MANAGER };

fn sign(journal: &Journal, nonce: u64, evidence: u64, time: u64) -> Result<(), SignError> {
    journal.sign(Attestations(&batch(vec![attestation_at(nonce, evidence, time)]))).map(drop)
}

fn has(journal: &Journal, nonce: u64) -> bool {
    let slot = Slot::Attestation { task_id: attestation_at(nonce, 0, 0).taskId };
    journal.entry(&slot).unwrap().is_some()
}

#[test]
fn only_entries_beyond_the_retention_are_deleted() {
    let place = Place::new();
    let journal = place.create();
    let newest = START + RETENTION_SECONDS + SLACK;
    for (nonce, time) in [(1, START - 1), (2, START), (3, START + 1), (4, newest)] {
        sign(&journal, nonce, 1, time).unwrap();
    }
    let report = journal.prune(&DOMAIN, newest).unwrap();
    assert_eq!(report, PruneReport { deleted: 1, floor: START + RETENTION_SECONDS });
    assert_eq!([1, 2, 3, 4].map(|nonce| has(&journal, nonce)), [false, true, true, true]);
    assert_eq!(journal.recorded().unwrap(), 4);
    drop(journal);

    let journal = place.open().unwrap();
    // The task whose entry is gone is signed only with a time that is later by the retention.
    let floor = START + RETENTION_SECONDS;
    for time in [0, START - 1, floor - 1] {
        let refused = sign(&journal, 1, 2, time).unwrap_err();
        assert!(matches!(refused, SignError::Pruned { time: actual, floor: at, .. } if (actual, at) == (time, floor)));
    }
    sign(&journal, 1, 2, floor).unwrap();
    // What is on record is signed again, whatever its time is.
    sign(&journal, 2, 1, START).unwrap();
    assert!(matches!(sign(&journal, 2, 2, newest), Err(SignError::AlreadySigned(_))));
    // Another TaskManager has another floor.
    assert_eq!(chain_id(), DOMAIN.chain_id);
    let other = Domain { chain_id: chain_id(), task_manager: [9; 20].into() };
    assert_eq!(journal.prune(&other, u64::MAX).unwrap(), PruneReport { deleted: 0, floor: 0 });
}

#[test]
fn a_wrong_time_deletes_nothing_that_the_journal_still_needs() {
    let place = Place::new();
    let journal = place.create();
    for nonce in 0..10 {
        sign(&journal, nonce, 1, START + nonce).unwrap();
    }
    for wrong in [u64::MAX, START + 10 * RETENTION_SECONDS, 0, START] {
        assert_eq!(journal.prune(&DOMAIN, wrong).unwrap(), PruneReport { deleted: 0, floor: 0 });
    }
    // One statement from far ahead does not help: the given time counts too.
    sign(&journal, 99, 1, START + 10 * RETENTION_SECONDS).unwrap();
    assert_eq!(journal.prune(&DOMAIN, START + 9).unwrap(), PruneReport { deleted: 0, floor: 0 });
    sign(&journal, 98, 1, START).unwrap();
}

#[test]
fn an_import_takes_the_higher_floor() {
    let place = Place::new();
    let journal = place.create();
    let newest = START + 2 * RETENTION_SECONDS;
    sign(&journal, 1, 1, START).unwrap();
    sign(&journal, 2, 1, newest).unwrap();
    assert_eq!(journal.prune(&DOMAIN, newest).unwrap().deleted, 1);
    let mut text = Vec::new();
    journal.export(&mut text).unwrap();

    let other = Place::new();
    let target = Journal::create(&other.options(), place.signer()).unwrap();
    target.import(&text[..]).unwrap();
    assert!(matches!(sign(&target, 1, 2, START), Err(SignError::Pruned { .. })));
    // An export from before lowers nothing.
    let earlier = String::from_utf8(text).unwrap().replace(&format!("\"floor\": {}", newest - SLACK), "\"floor\": 0");
    target.import(earlier.as_bytes()).unwrap();
    assert!(matches!(sign(&target, 1, 2, START), Err(SignError::Pruned { .. })));
    sign(&target, 1, 2, newest).unwrap();
}

#[test]
fn many_entries_are_deleted_in_parts() {
    let place = Place::new();
    let journal = place.create();
    let old: Vec<_> = (0..5000).map(|nonce| attestation_at(nonce, 1, START)).collect();
    journal.sign(Attestations(&batch(old))).unwrap();
    let newest = START + 2 * RETENTION_SECONDS;
    sign(&journal, 9999, 1, newest).unwrap();
    assert_eq!(journal.prune(&DOMAIN, newest).unwrap().deleted, 5000);
    drop(journal);
    let journal = place.open().unwrap();
    assert_eq!((journal.recorded().unwrap(), has(&journal, 9999), has(&journal, 0)), (5001, true, false));
}
