//! The log in a file.

use std::fs;
use std::sync::Arc;

use alloy_primitives::B256;
use assent_task_log::{Limits, OpenError, RedbTaskLog, Task, TaskLog, TaskLogError};
use futures_executor::block_on;
use futures_util::{FutureExt, StreamExt};

use crate::conformance::{Place, TESTS};

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn redb(&self, limits: Limits) -> Result<RedbTaskLog, OpenError> {
        RedbTaskLog::open(&self.0.path().join("tasks.redb"), limits)
    }
}

impl Place for Directory {
    fn open(&self, limits: Limits) -> Arc<dyn TaskLog> {
        Arc::new(self.redb(limits).unwrap())
    }
}

fn task(number: u64) -> Task {
    let id = B256::from(alloy_primitives::U256::from(number));
    Task { id, caller: "alice".to_owned(), deadline: 100, body: vec![7; 100].into() }
}

#[test]
fn it_conforms() {
    for (name, test) in TESTS {
        println!("{name}");
        test(&Directory::new());
    }
}

#[test]
fn one_process_opens_it() {
    let directory = Directory::new();
    let _log = directory.redb(Limits::default()).unwrap();
    assert!(matches!(directory.redb(Limits::default()), Err(OpenError::InUse(_))));
}

#[test]
fn a_damaged_file_is_refused() {
    let directory = Directory::new();
    let log = directory.redb(Limits::default()).unwrap();
    for number in 0..50 {
        block_on(log.append(task(number))).unwrap();
    }
    drop(log);
    let path = directory.0.path().join("tasks.redb");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(directory.redb(Limits::default()), Err(OpenError::Storage { .. })));
    fs::write(&path, "not a log").unwrap();
    assert!(matches!(directory.redb(Limits::default()), Err(OpenError::Storage { .. })));
    fs::write(&path, bytes).unwrap();
    directory.redb(Limits::default()).unwrap();
}

#[test]
fn what_waits_is_bounded() {
    let directory = Directory::new();
    let log = directory.redb(Limits { waiting: 1, ..Limits::default() }).unwrap();
    // Far more than one transaction takes, none of them awaited.
    let appends: Vec<_> = (0..2000).map(|number| log.append(task(number))).collect();
    let results: Vec<_> = appends.into_iter().map(block_on).collect();
    assert!(results.iter().any(Result::is_ok));
    assert!(results.contains(&Err(TaskLogError::Busy)));
    // What was refused is not there, and what was accepted is.
    for (result, number) in results.iter().zip(0..) {
        assert_eq!(block_on(log.get(task(number).id)).unwrap().is_some(), result.is_ok());
    }
}

#[test]
fn an_operation_happens_also_if_no_one_waits_for_it() {
    let directory = Directory::new();
    let log = directory.redb(Limits::default()).unwrap();
    drop(log.append(task(1)));
    block_on(log.append(task(2))).unwrap();
    assert!(block_on(log.get(task(1).id)).unwrap().is_some());
}

#[test]
fn a_subscriber_that_is_too_far_behind_is_dropped() {
    let directory = Directory::new();
    let log = directory.redb(Limits { waiting: 2000, ..Limits::default() }).unwrap();
    let slow = log.subscribe();
    let mut quick = log.subscribe();
    for first in [0, 500, 1000] {
        let appends: Vec<_> = (first..first + 500).map(|number| log.append(task(number))).collect();
        for append in appends {
            block_on(append).unwrap();
            assert!(block_on(quick.next()).is_some());
        }
    }
    let received = block_on(slow.collect::<Vec<_>>());
    assert!((1024..1500).contains(&received.len()), "{}", received.len());
    assert_eq!(quick.next().now_or_never(), None);
}
