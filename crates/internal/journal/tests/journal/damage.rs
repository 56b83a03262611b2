//! Damaged files.

use std::fs;

use assent_journal::{OpenError, SignError, Slot, Statement::Attestations};
use redb::{Database, TableDefinition};

use crate::setup::Place;
use crate::statements::{attestation, batch};

const TASKS: u64 = 300;

/// A journal with entries on several pages, as bytes.
fn journal() -> (Place, Vec<u8>) {
    let place = Place::new();
    let journal = place.create();
    for first in (0..TASKS).step_by(100) {
        let attestations = (first..first + 100).map(|nonce| attestation(nonce, 1)).collect();
        journal.sign(Attestations(&batch(attestations))).unwrap();
    }
    drop(journal);
    let bytes = fs::read(place.path("journal.redb")).unwrap();
    (place, bytes)
}

/// Opens what is damaged: it is refused with an error, or nothing in it is damaged.
fn is_refused(place: &Place, what: &str) -> bool {
    let journal = match place.open() {
        Ok(journal) => journal,
        Err(OpenError::Damaged { .. } | OpenError::Older { .. } | OpenError::OtherKey { .. }) => return true,
        Err(other) => panic!("{what}: {other}"),
    };
    for nonce in 0..TASKS {
        let slot = Slot::Attestation { task_id: attestation(nonce, 1).taskId };
        assert!(journal.entry(&slot).unwrap().is_some(), "{what}: a task is forgotten");
        if nonce % 50 == 0 {
            let other = batch(vec![attestation(nonce, 2)]);
            let refused = journal.sign(Attestations(&other));
            assert!(matches!(refused, Err(SignError::AlreadySigned(_))), "{what}: {refused:?}");
        }
    }
    false
}

#[test]
fn a_changed_byte_is_found_or_changes_nothing() {
    let (place, bytes) = journal();
    let used: Vec<_> = (0..bytes.len()).filter(|index| bytes[*index] != 0).collect();
    let mut refused = 0;
    for number in 0..60 {
        let index = used[(number * 7919 + 13) % used.len()];
        let mut damaged = bytes.clone();
        damaged[index] ^= 1 << (number % 8);
        fs::write(place.path("journal.redb"), damaged).unwrap();
        refused += usize::from(is_refused(&place, &format!("byte {index}")));
    }
    // Most pages are of earlier commits, and no longer in use.
    assert!(refused >= 5, "only {refused} of 60 were refused");
    fs::write(place.path("journal.redb"), bytes).unwrap();
    assert!(!is_refused(&place, "undamaged"));
}

#[test]
fn a_torn_file_is_refused() {
    let (place, bytes) = journal();
    for length in [0, 1, 100, 4096, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        fs::write(place.path("journal.redb"), &bytes[..length]).unwrap();
        assert!(is_refused(&place, &format!("{length} of {} bytes", bytes.len())));
    }
    fs::write(place.path("journal.redb"), &bytes).unwrap();
    assert!(!is_refused(&place, "whole"));
}

#[test]
fn pages_of_zeros_or_of_another_file_are_refused() {
    let (place, bytes) = journal();
    let entry = attestation(7, 1).taskId;
    // Also in pages that are no longer in use: each commit writes a page anew.
    let at: Vec<_> = (0..bytes.len() - 32).filter(|at| bytes[*at..at + 32] == *entry.as_slice()).collect();
    for filling in [0_u8, 0xff] {
        let mut damaged = bytes.clone();
        for at in &at {
            let page = at / 4096 * 4096;
            damaged[page..page + 4096].fill(filling);
        }
        fs::write(place.path("journal.redb"), damaged).unwrap();
        assert!(is_refused(&place, "a page"));
    }
    let mut altered = bytes.clone();
    for at in &at {
        altered[at + 1] ^= 1;
    }
    fs::write(place.path("journal.redb"), altered).unwrap();
    assert!(is_refused(&place, "one entry's task"));
    fs::write(place.path("journal.redb"), "SQLite format 3\0").unwrap();
    assert!(is_refused(&place, "another file"));
}

#[test]
fn an_entry_of_an_unknown_kind_is_not_left_out_of_an_export() {
    let (place, _) = journal();
    let database = Database::open(place.path("journal.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    let entries: TableDefinition<'_, &[u8], &[u8; 44]> = TableDefinition::new("entries");
    let counts: TableDefinition<'_, &str, u64> = TableDefinition::new("counts");
    transaction.open_table(entries).unwrap().insert([9; 33].as_slice(), &[0; 44]).unwrap();
    transaction.open_table(counts).unwrap().insert("recorded", TASKS + 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = place.open().unwrap().export(std::io::sink()).unwrap_err();
    assert_eq!(error.to_string(), "an entry of the journal has an unknown kind");
}
