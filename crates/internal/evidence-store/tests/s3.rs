//! Evidence in a bucket of a real server.

mod evidence;
#[path = "../../s3/tests/moto/mod.rs"]
mod moto;

use std::thread;
use std::time::{Duration, SystemTime};

use alloy_primitives::B256;
use assent_evidence_store::{EvidenceStore, EvidenceStoreError, MIN_RETENTION, Stored};
use assent_s3::S3Path;
use evidence::evidence;
use moto::Moto;

fn path(server: &Moto) -> S3Path {
    S3Path::with_variables("s3://operator/evidence", server.variables()).unwrap()
}

/// Changes a file behind the store's back.
fn replace(server: &Moto, hash: B256, bytes: &[u8]) {
    let file = path(server).join(&format!("{}/{hash}.json", &format!("{hash:x}")[..2]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(file.replace(bytes.to_vec())).unwrap();
}

#[test]
fn what_was_put_is_returned_by_its_hash_and_verified() {
    let Some(server) = Moto::start("operator") else { return };
    let store = EvidenceStore::s3(path(&server)).unwrap();
    let ((hash, bytes), (other, _)) = (evidence(1), evidence(2));
    assert!(store.get(hash).unwrap().is_none());
    assert!(matches!(store.put(other, &bytes), Err(EvidenceStoreError::WrongHash { .. })));
    assert!(store.get(other).unwrap().is_none(), "what is refused is not written");
    assert_eq!(store.put(hash, &bytes).unwrap(), Stored::New);
    assert_eq!(store.put(hash, &bytes).unwrap(), Stored::Known);
    assert_eq!(store.get(hash).unwrap().unwrap(), bytes);

    replace(&server, hash, b"{}");
    assert!(matches!(store.get(hash), Err(EvidenceStoreError::Malformed(_))));
    replace(&server, hash, &evidence(2).1);
    assert!(matches!(store.get(hash), Err(EvidenceStoreError::WrongHash { .. })));
    assert_eq!(store.put(hash, &bytes).unwrap(), Stored::New, "a damaged file is replaced");
    assert_eq!(store.get(hash).unwrap().unwrap(), bytes);

    let limited = EvidenceStore::s3(path(&server)).unwrap().max_bytes(100);
    assert!(matches!(limited.get(hash), Err(EvidenceStoreError::TooLarge { limit: 100, .. })));
}

#[test]
fn many_threads_and_a_runtime_use_one_store() {
    let Some(server) = Moto::start("operator") else { return };
    let store = EvidenceStore::s3(path(&server)).unwrap();
    let (hash, bytes) = evidence(1);
    let new = thread::scope(|scope| {
        let writers = (0..4).map(|_| scope.spawn(|| store.put(hash, &bytes).unwrap())).collect::<Vec<_>>();
        writers.into_iter().filter_map(|writer| Some(writer.join().unwrap()).filter(|it| *it == Stored::New)).count()
    });
    assert_eq!(new, 1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async move {
        let inside = store.clone();
        let read = tokio::task::spawn_blocking(move || inside.get(hash)).await.unwrap();
        assert_eq!(read.unwrap().unwrap(), bytes);
        // Dropped where blocking is not allowed.
        drop(store);
    });
}

#[test]
fn old_evidence_is_removed_and_a_short_retention_refused() {
    let Some(server) = Moto::start("operator") else { return };
    let store = EvidenceStore::s3(path(&server)).unwrap();
    let (hash, bytes) = evidence(1);
    store.put(hash, &bytes).unwrap();
    let now = SystemTime::now();
    let short = MIN_RETENTION - Duration::from_secs(1);
    assert!(matches!(store.remove_older_than(short, now), Err(EvidenceStoreError::RetentionTooShort)));
    assert_eq!(store.remove_older_than(MIN_RETENTION, now).unwrap(), 0);
    assert_eq!(store.remove_older_than(MIN_RETENTION, now + MIN_RETENTION + Duration::from_secs(60)).unwrap(), 1);
    assert!(store.get(hash).unwrap().is_none());
}
