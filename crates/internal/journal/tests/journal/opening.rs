//! Which journal is opened, and which is refused.

use std::fs;

use assent_journal::{Journal, JournalOptions, MarkerError, OpenError, SignError, Statement::Attestations};

use crate::setup::Place;
use crate::statements::single;

#[test]
fn only_an_existing_journal_is_opened_and_none_is_overwritten() {
    let place = Place::new();
    assert!(matches!(place.open(), Err(OpenError::Missing(_))));
    assert!(!place.path("journal.redb").exists());
    drop(place.create());
    assert!(matches!(Journal::create(&place.options(), place.signer()), Err(OpenError::Exists(_))));
    place.open().unwrap();
}

#[test]
fn a_journal_in_use_is_refused_with_the_id_of_its_process() {
    let place = Place::new();
    let journal = place.create();
    let Err(OpenError::InUse { process, path }) = place.open() else { panic!("opened twice") };
    assert_eq!((process, path), (Some(std::process::id()), place.path("journal.redb")));
    // Another journal of the same key.
    let other = JournalOptions::new(place.path("other.redb"), place.path("marker"));
    let Err(OpenError::InUse { process, path }) = Journal::create(&other, place.signer()) else {
        panic!("one key has two journals")
    };
    assert_eq!((process, path), (Some(std::process::id()), place.path("marker")));
    // The same file by another name.
    fs::hard_link(place.path("journal.redb"), place.path("link.redb")).unwrap();
    let link = JournalOptions::new(place.path("link.redb"), place.path("other marker"));
    assert!(matches!(Journal::open(&link, place.signer()), Err(OpenError::InUse { process: None, .. })));
    drop(journal);
    place.open().unwrap();
}

#[test]
fn another_keys_journal_and_marker_are_refused() {
    let place = Place::new();
    drop(place.create());
    let stranger = Place::new();
    assert!(matches!(Journal::open(&place.options(), stranger.signer()), Err(OpenError::OtherKey { .. })));
    let marker_of_another = JournalOptions::new(stranger.path("journal.redb"), place.path("marker"));
    for options in [marker_of_another.clone(), marker_of_another.accept_older(true)] {
        let refused = Journal::create(&options, stranger.signer());
        assert!(matches!(refused, Err(OpenError::Marker { error: MarkerError::OtherKey(_), .. })));
    }
}

#[test]
fn an_old_copy_of_the_journal_is_refused_without_the_option() {
    let place = Place::new();
    let journal = place.create();
    journal.sign(Attestations(&single(1, 1))).unwrap();
    drop(journal);
    let copy = fs::read(place.path("journal.redb")).unwrap();
    // The copy is accepted as long as nothing else was signed.
    place.open().unwrap().sign(Attestations(&single(1, 1))).unwrap();
    fs::write(place.path("journal.redb"), &copy).unwrap();
    place.open().unwrap().sign(Attestations(&single(2, 1))).unwrap();
    let latest = fs::read(place.path("journal.redb")).unwrap();

    fs::write(place.path("journal.redb"), &copy).unwrap();
    for _ in 0..2 {
        assert!(matches!(place.open(), Err(OpenError::Older { recorded: 1, used: 2, .. })));
    }
    fs::write(place.path("journal.redb"), &latest).unwrap();
    assert!(matches!(place.open().unwrap().sign(Attestations(&single(2, 2))), Err(SignError::AlreadySigned(_))));
    // With the option, and from then on.
    fs::write(place.path("journal.redb"), &copy).unwrap();
    drop(Journal::open(&place.options().accept_older(true), place.signer()).unwrap());
    place.open().unwrap();
}

#[test]
fn a_key_that_has_signed_gets_no_new_journal_without_the_option() {
    let place = Place::new();
    let journal = place.create();
    drop(journal);
    // It has signed nothing yet.
    fs::remove_file(place.path("journal.redb")).unwrap();
    place.create().sign(Attestations(&single(1, 1))).unwrap();
    let old = fs::read(place.path("journal.redb")).unwrap();

    fs::remove_file(place.path("journal.redb")).unwrap();
    let refused = Journal::create(&place.options(), place.signer());
    assert!(matches!(refused, Err(OpenError::OtherJournal { .. })));
    assert!(!place.path("journal.redb").exists());
    let journal = Journal::create(&place.options().accept_older(true), place.signer()).unwrap();
    journal.sign(Attestations(&single(2, 1))).unwrap();
    drop(journal);
    // Now the first one is another journal.
    fs::write(place.path("journal.redb"), old).unwrap();
    assert!(matches!(place.open(), Err(OpenError::OtherJournal { .. })));
}

#[test]
fn a_journal_with_entries_needs_its_keys_marker() {
    let place = Place::new();
    drop(place.create());
    fs::remove_file(place.path("marker")).unwrap();
    place.open().unwrap().sign(Attestations(&single(1, 1))).unwrap();
    fs::write(place.path("marker"), "not a marker").unwrap();
    assert!(matches!(place.open(), Err(OpenError::Marker { error: MarkerError::Damaged, .. })));
    fs::remove_file(place.path("marker")).unwrap();
    assert!(matches!(place.open(), Err(OpenError::NoMarker { recorded: 1, .. })));
    drop(Journal::open(&place.options().accept_older(true), place.signer()).unwrap());
    place.open().unwrap();
}

#[test]
fn what_an_interrupted_creation_left_is_no_obstacle() {
    let place = Place::new();
    fs::write(place.path("journal.redb.new"), "half").unwrap();
    drop(place.create());
    assert!(!place.path("journal.redb.new").exists());
    place.open().unwrap();
}

#[test]
#[cfg(unix)]
fn only_the_owner_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let _journal = place.create();
    for file in ["journal.redb", "marker", "journal.redb.lock", "marker.lock"] {
        let mode = fs::metadata(place.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
