//! Evidence in a folder.

mod evidence;

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime};

use alloy_primitives::B256;
use assent_evidence_store::{EvidenceStore, EvidenceStoreError, MIN_RETENTION, Stored};
use assent_policy::EvidenceFile;
use evidence::evidence;

fn store() -> (tempfile::TempDir, EvidenceStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = EvidenceStore::folder(directory.path().join("a/evidence")).unwrap();
    (directory, store)
}

/// The only file of a store.
fn only_file(directory: &tempfile::TempDir, hash: B256) -> std::path::PathBuf {
    let folder = directory.path().join("a/evidence").join(&format!("{hash:x}")[..2]);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn what_was_put_is_returned_by_its_hash() {
    let (directory, store) = store();
    let (hash, bytes) = evidence(1);
    assert!(store.get(hash).unwrap().is_none());
    assert_eq!(store.put(hash, &bytes).unwrap(), Stored::New);
    assert_eq!(store.put(hash, &bytes).unwrap(), Stored::Known);
    assert_eq!(store.get(hash).unwrap().unwrap(), bytes);
    assert_eq!(only_file(&directory, hash).file_name().unwrap().to_str().unwrap(), format!("{hash}.json"));
    let again = EvidenceStore::folder(directory.path().join("a/evidence")).unwrap();
    assert_eq!(again.get(hash).unwrap().unwrap(), bytes);
}

#[test]
fn a_file_that_was_made_here_is_stored_as_its_bytes_would_be() {
    let (_directory, store) = store();
    let (hash, bytes) = evidence(1);
    let mut file = EvidenceFile::parse(&bytes).unwrap();
    assert_eq!(store.put_file(&file).unwrap(), Stored::New);
    assert_eq!(store.get(hash).unwrap().unwrap(), bytes);
    assert_eq!(store.put_file(&file).unwrap(), Stored::Known);
    let small = store.clone().max_bytes(100);
    assert!(matches!(small.put_file(&file), Err(EvidenceStoreError::TooLarge { limit: 100, .. })));
    file.result.push(0);
    assert!(matches!(store.put_file(&file), Err(EvidenceStoreError::WrongHash { expected, .. }) if expected == hash));
}

#[test]
fn only_evidence_with_the_hash_is_stored() {
    let (_directory, store) = store();
    let (hash, bytes) = evidence(1);
    let (other, other_bytes) = evidence(2);
    let wrong = store.put(hash, &other_bytes);
    assert!(
        matches!(wrong, Err(EvidenceStoreError::WrongHash { expected, actual }) if [expected, actual] == [hash, other])
    );
    // Its own claim is wrong.
    let text = String::from_utf8(bytes).unwrap();
    let claims = text.replace(&hash.to_string(), &other.to_string()).into_bytes();
    assert!(matches!(store.put(hash, &claims), Err(EvidenceStoreError::WrongHash { .. })));
    assert!(matches!(store.put(other, &claims), Err(EvidenceStoreError::WrongHash { .. })));
    for malformed in [&b""[..], b"{}", &text.as_bytes()[..text.len() - 1]] {
        assert!(matches!(store.put(hash, malformed), Err(EvidenceStoreError::Malformed(_))));
    }
    let small = store.clone().max_bytes(100);
    assert!(matches!(small.put(hash, text.as_bytes()), Err(EvidenceStoreError::TooLarge { limit: 100, .. })));
    assert!(store.get(hash).unwrap().is_none() && store.get(other).unwrap().is_none());
    store.put(hash, text.as_bytes()).unwrap();
    assert!(matches!(small.get(hash), Err(EvidenceStoreError::TooLarge { .. })));
}

#[test]
fn a_damaged_file_is_not_returned_and_can_be_replaced() {
    let (directory, store) = store();
    let (hash, bytes) = evidence(1);
    store.put(hash, &bytes).unwrap();
    let path = only_file(&directory, hash);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let damaged = [String::new(), text[..text.len() / 2].to_owned(), text.replace("<= 5", "<= 6")];
    for damaged in damaged {
        assert_ne!(damaged, text);
        fs::write(&path, damaged).unwrap();
        assert!(store.get(hash).is_err());
        assert_eq!(store.put(hash, &bytes).unwrap(), Stored::New);
        assert_eq!(store.get(hash).unwrap().unwrap(), bytes);
    }
}

#[test]
fn writers_side_by_side_leave_one_whole_file() {
    let (directory, store) = store();
    let (hash, bytes) = evidence(1);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                store.put(hash, &bytes).unwrap();
                assert_eq!(store.get(hash).unwrap().unwrap(), bytes);
            });
        }
    });
    only_file(&directory, hash);
}

#[test]
fn evidence_is_kept_for_its_retention() {
    let (directory, store) = store();
    let (old, new) = (evidence(1), evidence(2));
    for (hash, bytes) in [&old, &new] {
        store.put(*hash, bytes).unwrap();
    }
    let now = SystemTime::now();
    let path = only_file(&directory, old.0);
    fs::File::options().write(true).open(path).unwrap().set_modified(now - MIN_RETENTION).unwrap();
    let second = Duration::from_secs(1);
    let shorter = store.remove_older_than(MIN_RETENTION - second, now);
    assert!(matches!(shorter, Err(EvidenceStoreError::RetentionTooShort)));
    assert_eq!(store.remove_older_than(MIN_RETENTION, now - second).unwrap(), 0);
    // A clock that is far behind deletes nothing.
    assert_eq!(store.remove_older_than(MIN_RETENTION, SystemTime::UNIX_EPOCH).unwrap(), 0);
    assert_eq!(store.remove_older_than(MIN_RETENTION, now + second).unwrap(), 1);
    assert!(store.get(old.0).unwrap().is_none());
    assert_eq!(store.get(new.0).unwrap().unwrap(), new.1);
}
