//! What every task log promises. Each implementation runs all of [`TESTS`].

use std::sync::Arc;
use std::thread;

use alloy_primitives::B256;
use assent_task_log::{
    Appended, AppendedClaimed, Change, Claimed, EncodedOutcome, Limits, State, Task, TaskLog, TaskLogError,
};
use futures_executor::block_on;
use futures_util::StreamExt;

/// A place for one log, which can be opened several times, one after another.
pub trait Place {
    /// Opens the log, or opens it again.
    fn open(&self, limits: Limits) -> Arc<dyn TaskLog>;
}

type Test = fn(&dyn Place);

pub const TESTS: [(&str, Test); 14] = [
    ("a task is appended once", a_task_is_appended_once),
    ("tasks survive", tasks_survive),
    ("the oldest task is claimed first, by one gateway", the_oldest_is_claimed_first),
    ("of two gateways, one ends: the other finishes its tasks", another_gateway_finishes),
    ("only the latest lease completes", only_the_latest_lease_completes),
    ("a renewed lease is kept", a_renewed_lease_is_kept),
    ("what has ended does not change", what_has_ended_does_not_change),
    ("tasks expire at their deadline", tasks_expire),
    ("the log is bounded", the_log_is_bounded),
    ("a caller's tasks are listed", a_callers_tasks_are_listed),
    ("changes are published in order", changes_are_published),
    ("an appended task can be claimed at once", an_append_claims),
    ("a gateway takes up what it held", a_gateway_takes_up_what_it_held),
    ("the first note stays", the_first_note_stays),
];

const NOW: u64 = 1_900_000_000;

fn id(number: u8) -> B256 {
    B256::repeat_byte(number)
}

fn task(number: u8) -> Task {
    Task { id: id(number), caller: "alice".to_owned(), deadline: NOW + 60, body: vec![number; 100].into() }
}

fn outcome(text: &str) -> EncodedOutcome {
    EncodedOutcome(text.as_bytes().to_vec().into())
}

fn append(log: &dyn TaskLog, number: u8) {
    assert_eq!(block_on(log.append(task(number))), Ok(Appended::New));
}

fn claim(log: &dyn TaskLog, gateway: &str, now: u64, limit: usize) -> Vec<Claimed> {
    block_on(log.claim(gateway, now, now + 10, limit)).unwrap()
}

fn state(log: &dyn TaskLog, number: u8) -> Option<State> {
    block_on(log.get(id(number))).unwrap().map(|record| record.state)
}

fn ids(claimed: &[Claimed]) -> Vec<B256> {
    claimed.iter().map(|claimed| claimed.task.id).collect()
}

fn a_task_is_appended_once(place: &dyn Place) {
    let log = place.open(Limits::default());
    append(&*log, 1);
    // Also by several callers at once, with another body.
    let other = Task { body: b"other".into(), caller: "bob".to_owned(), ..task(1) };
    let appended: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| block_on(log.append(other.clone())))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    for appended in appended {
        let Appended::Known(record) = appended else { panic!("appended twice") };
        assert_eq!((record.task, record.state, record.claims), (task(1), State::Pending, 0));
    }
    let fresh: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| block_on(log.append(task(2))).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(fresh.iter().filter(|appended| **appended == Appended::New).count(), 1);
    assert_eq!(claim(&*log, "gateway", NOW, 10).len(), 2);
}

fn tasks_survive(place: &dyn Place) {
    let log = place.open(Limits::default());
    (1..=3).for_each(|number| append(&*log, number));
    let claimed = claim(&*log, "gateway", NOW, 2);
    block_on(log.complete(&claimed[0].lease, outcome("allowed"))).unwrap();
    drop(log);
    let log = place.open(Limits::default());
    assert_eq!(state(&*log, 1), Some(State::Completed { outcome: outcome("allowed") }));
    assert_eq!(state(&*log, 2), Some(State::Leased { gateway: "gateway".to_owned(), until: NOW + 10 }));
    assert_eq!(state(&*log, 3), Some(State::Pending));
    assert_eq!(state(&*log, 4), None);
    assert_eq!(block_on(log.get(id(3))).unwrap().unwrap().task, task(3));
    // The gateway that comes back still has its lease.
    block_on(log.complete(&claimed[1].lease, outcome("denied"))).unwrap();
    assert!(matches!(block_on(log.append(task(1))), Ok(Appended::Known(_))));
}

fn the_oldest_is_claimed_first(place: &dyn Place) {
    let log = place.open(Limits::default());
    for number in [5, 3, 9, 1] {
        append(&*log, number);
    }
    let first = claim(&*log, "one", NOW, 2);
    assert_eq!(ids(&first), [id(5), id(3)]);
    assert_eq!(first[0].task, task(5));
    assert_eq!(ids(&claim(&*log, "two", NOW, 10)), [id(9), id(1)]);
    assert!(claim(&*log, "one", NOW, 10).is_empty());
    assert!(claim(&*log, "two", NOW + 9, 10).is_empty());
    assert!(claim(&*log, "two", NOW, 0).is_empty());
}

fn another_gateway_finishes(place: &dyn Place) {
    let log = place.open(Limits::default());
    (1..=6).for_each(|number| append(&*log, number));
    let dead = claim(&*log, "dead", NOW, 3);
    let alive = claim(&*log, "alive", NOW, 3);
    for claimed in &alive {
        block_on(log.complete(&claimed.lease, outcome("allowed"))).unwrap();
    }
    // The first gateway finished one task, and is gone.
    block_on(log.complete(&dead[0].lease, outcome("allowed"))).unwrap();
    let taken = claim(&*log, "alive", NOW + 10, 10);
    assert_eq!(ids(&taken), [id(2), id(3)]);
    for claimed in &taken {
        block_on(log.complete(&claimed.lease, outcome("allowed"))).unwrap();
    }
    for number in 1..=6 {
        assert_eq!(state(&*log, number), Some(State::Completed { outcome: outcome("allowed") }));
    }
    assert_eq!(block_on(log.get(id(2))).unwrap().unwrap().claims, 2);
}

fn only_the_latest_lease_completes(place: &dyn Place) {
    let log = place.open(Limits::default());
    append(&*log, 1);
    let slow = claim(&*log, "slow", NOW, 1).remove(0).lease;
    let fast = claim(&*log, "fast", NOW + 10, 1).remove(0).lease;
    let lost = Err(TaskLogError::LeaseLost(id(1)));
    assert_eq!(block_on(log.renew(&slow, NOW + 30)), lost);
    assert_eq!(block_on(log.complete(&slow, outcome("late"))), lost);
    // The same gateway's earlier lease is another one too.
    let again = claim(&*log, "fast", NOW + 20, 1).remove(0).lease;
    assert_eq!(block_on(log.complete(&fast, outcome("late"))), lost);
    block_on(log.complete(&again, outcome("allowed"))).unwrap();
    // Repeated, as after a lost answer.
    block_on(log.complete(&again, outcome("allowed"))).unwrap();
    assert_eq!(block_on(log.complete(&again, outcome("denied"))), lost);
    assert_eq!(block_on(log.complete(&slow, outcome("allowed"))), lost);
    assert_eq!(state(&*log, 1), Some(State::Completed { outcome: outcome("allowed") }));
}

fn a_renewed_lease_is_kept(place: &dyn Place) {
    let log = place.open(Limits::default());
    append(&*log, 1);
    let lease = claim(&*log, "one", NOW, 1).remove(0).lease;
    block_on(log.renew(&lease, NOW + 30)).unwrap();
    assert!(claim(&*log, "two", NOW + 29, 1).is_empty());
    assert_eq!(claim(&*log, "two", NOW + 30, 1).len(), 1);
}

fn what_has_ended_does_not_change(place: &dyn Place) {
    let log = place.open(Limits::default());
    (1..=2).for_each(|number| append(&*log, number));
    let leases: Vec<_> = claim(&*log, "one", NOW, 2).into_iter().map(|claimed| claimed.lease).collect();
    assert_eq!(block_on(log.cancel(id(1))), Ok(Some(State::Cancelled)));
    assert_eq!(block_on(log.cancel(id(9))), Ok(None));
    block_on(log.complete(&leases[1], outcome("allowed"))).unwrap();
    let completed = State::Completed { outcome: outcome("allowed") };
    assert_eq!(block_on(log.cancel(id(2))), Ok(Some(completed.clone())));
    let lost = |number| Err(TaskLogError::LeaseLost(id(number)));
    assert_eq!(block_on(log.complete(&leases[0], outcome("allowed"))), lost(1));
    assert_eq!(block_on(log.renew(&leases[1], NOW + 30)), lost(2));
    assert!(claim(&*log, "two", NOW + 50, 10).is_empty());
    assert_eq!(block_on(log.expire(NOW + 100)), Ok(vec![]));
    assert_eq!([state(&*log, 1), state(&*log, 2)], [Some(State::Cancelled), Some(completed)]);
    // Until it is forgotten.
    assert_eq!(block_on(log.forget(NOW + 60)), Ok(0));
    assert_eq!(block_on(log.forget(NOW + 61)), Ok(2));
    assert_eq!(state(&*log, 1), None);
    assert_eq!(block_on(log.by_caller("alice", 10)), Ok(vec![]));
    append(&*log, 1);
}

fn tasks_expire(place: &dyn Place) {
    let log = place.open(Limits::default());
    (1..=3).for_each(|number| append(&*log, number));
    let lease = claim(&*log, "one", NOW + 55, 1).remove(0).lease;
    // What has reached its deadline is not claimed, also before it has been expired.
    assert_eq!(claim(&*log, "two", NOW + 59, 1).len(), 1);
    assert!(claim(&*log, "two", NOW + 60, 10).is_empty());
    assert_eq!(block_on(log.expire(NOW + 59)), Ok(vec![]));
    assert_eq!(block_on(log.expire(NOW + 60)), Ok(vec![id(1), id(2), id(3)]));
    assert_eq!(block_on(log.expire(NOW + 60)), Ok(vec![]));
    assert_eq!(state(&*log, 3), Some(State::Expired));
    assert_eq!(block_on(log.complete(&lease, outcome("late"))), Err(TaskLogError::LeaseLost(id(1))));
}

fn the_log_is_bounded(place: &dyn Place) {
    let log = place.open(Limits { open_tasks: 2, bytes: 100, ..Limits::default() });
    (1..=2).for_each(|number| append(&*log, number));
    assert_eq!(block_on(log.append(task(3))), Err(TaskLogError::Full { limit: 2 }));
    assert_eq!(state(&*log, 3), None);
    // What is known is answered also by a full log.
    assert!(matches!(block_on(log.append(task(1))), Ok(Appended::Known(_))));
    let long = Task { body: vec![0; 101].into(), ..task(4) };
    assert_eq!(block_on(log.append(long)), Err(TaskLogError::TooLarge { bytes: 101, limit: 100 }));
    let lease = claim(&*log, "one", NOW, 1).remove(0).lease;
    let long = outcome(&"x".repeat(101));
    assert_eq!(block_on(log.complete(&lease, long)), Err(TaskLogError::TooLarge { bytes: 101, limit: 100 }));
    assert_eq!(block_on(log.append(task(3))), Err(TaskLogError::Full { limit: 2 }));
    block_on(log.complete(&lease, outcome("allowed"))).unwrap();
    append(&*log, 3);
    assert_eq!(block_on(log.append(task(4))), Err(TaskLogError::Full { limit: 2 }));
}

fn a_callers_tasks_are_listed(place: &dyn Place) {
    let log = place.open(Limits::default());
    for number in 1..=6 {
        let caller = if number % 2 == 0 { "bob" } else { "alice" };
        let task = Task { caller: caller.to_owned(), ..task(number) };
        assert_eq!(block_on(log.append(task)), Ok(Appended::New));
    }
    let listed = |caller: &str, limit| -> Vec<B256> {
        let records = block_on(log.by_caller(caller, limit)).unwrap();
        records.into_iter().map(|record| record.task.id).collect()
    };
    assert_eq!(listed("alice", 10), [id(5), id(3), id(1)]);
    assert_eq!(listed("bob", 2), [id(6), id(4)]);
    assert!(listed("ali", 10).is_empty() && listed("", 10).is_empty());
}

fn changes_are_published(place: &dyn Place) {
    let log = place.open(Limits::default());
    append(&*log, 1);
    let mut changes = log.subscribe();
    append(&*log, 2);
    let lease = claim(&*log, "one", NOW, 1).remove(0).lease;
    block_on(log.complete(&lease, outcome("allowed"))).unwrap();
    block_on(log.expire(NOW + 60)).unwrap();
    let expected = [
        (2, State::Pending),
        (1, State::Leased { gateway: "one".to_owned(), until: NOW + 10 }),
        (1, State::Completed { outcome: outcome("allowed") }),
        (2, State::Expired),
    ];
    for (number, state) in expected {
        assert_eq!(block_on(changes.next()), Some(Change { task_id: id(number), state }));
    }
}

fn an_append_claims(place: &dyn Place) {
    let log = place.open(Limits { open_tasks: 2, ..Limits::default() });
    let appended = |number| block_on(log.append_claimed(task(number), "one", NOW + 10));
    let Ok(AppendedClaimed::New(lease)) = appended(1) else { panic!("it is new") };
    assert_eq!((lease.task_id, lease.gateway.as_str()), (id(1), "one"));
    assert!(claim(&*log, "two", NOW + 9, 10).is_empty());
    let Ok(AppendedClaimed::Known(record)) = appended(1) else { panic!("appended twice") };
    assert_eq!(record.state, State::Leased { gateway: "one".to_owned(), until: NOW + 10 });
    assert_eq!((record.task, record.claims, record.note), (task(1), 1, None));
    append(&*log, 2);
    assert_eq!(appended(3), Err(TaskLogError::Full { limit: 2 }));
    block_on(log.complete(&lease, outcome("allowed"))).unwrap();
    // A lease that ended is another gateway's.
    let Ok(AppendedClaimed::New(late)) = appended(3) else { panic!("it is new") };
    assert_eq!(ids(&claim(&*log, "two", NOW + 10, 10)), [id(2), id(3)]);
    assert_eq!(block_on(log.complete(&late, outcome("late"))), Err(TaskLogError::LeaseLost(id(3))));
}

fn a_gateway_takes_up_what_it_held(place: &dyn Place) {
    let log = place.open(Limits::default());
    (1..=4).for_each(|number| append(&*log, number));
    let held = claim(&*log, "one", NOW, 3);
    block_on(log.complete(&held[0].lease, outcome("allowed"))).unwrap();
    claim(&*log, "two", NOW, 1);
    drop(log);
    let log = place.open(Limits::default());
    let reclaim = |now, limit| block_on(log.reclaim("one", now, NOW + 20, limit)).unwrap();
    assert_eq!(ids(&reclaim(NOW + 1, 1)), [id(2)]);
    let taken = reclaim(NOW + 1, 10);
    assert_eq!(ids(&taken), [id(2), id(3)]);
    assert_eq!(block_on(log.renew(&held[1].lease, NOW + 30)), Err(TaskLogError::LeaseLost(id(2))));
    assert!(claim(&*log, "two", NOW + 19, 10).iter().all(|claimed| claimed.task.id == id(4)));
    block_on(log.complete(&taken[0].lease, outcome("allowed"))).unwrap();
    // What has reached its deadline is not worked on.
    assert!(reclaim(NOW + 60, 10).is_empty());
}

fn the_first_note_stays(place: &dyn Place) {
    let log = place.open(Limits { bytes: 100, ..Limits::default() });
    append(&*log, 1);
    let lease = claim(&*log, "one", NOW, 1).remove(0).lease;
    let note = |text: &str| alloy_primitives::Bytes::from(text.as_bytes().to_vec());
    assert_eq!(
        block_on(log.note(&lease, note(&"x".repeat(101)))),
        Err(TaskLogError::TooLarge { bytes: 101, limit: 100 })
    );
    assert_eq!(block_on(log.note(&lease, note("first"))), Ok(note("first")));
    assert_eq!(block_on(log.note(&lease, note("second"))), Ok(note("first")));
    drop(log);
    let log = place.open(Limits::default());
    assert_eq!(block_on(log.get(id(1))).unwrap().unwrap().note, Some(note("first")));
    let taken = claim(&*log, "two", NOW + 10, 1).remove(0);
    assert_eq!(taken.note, Some(note("first")));
    assert_eq!(block_on(log.note(&lease, note("first"))), Err(TaskLogError::LeaseLost(id(1))));
    block_on(log.complete(&taken.lease, outcome("allowed"))).unwrap();
    assert_eq!(block_on(log.note(&taken.lease, note("first"))), Err(TaskLogError::LeaseLost(id(1))));
}
