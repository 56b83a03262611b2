//! The log in NATS JetStream, with a real server.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use alloy_primitives::{B256, U256};
use assent_task_log::{
    Appended, EncodedOutcome, Limits, NatsOptions, NatsTaskLog, OpenError, State, Task, TaskLog, TaskLogError,
};
use futures_executor::block_on;

use crate::conformance::{Place, TESTS};
use crate::nats_server::{NatsServer, is_installed};

struct Stream<'a> {
    server: &'a NatsServer,
    name: String,
}

fn connect(server: &NatsServer, stream: &str, limits: Limits) -> Result<NatsTaskLog, OpenError> {
    let mut options = NatsOptions::new([server.url()]);
    options.stream = stream.to_owned();
    block_on(NatsTaskLog::connect(options, limits))
}

fn log(server: &NatsServer) -> NatsTaskLog {
    connect(server, "tasks", Limits::default()).unwrap()
}

impl Place for Stream<'_> {
    fn open(&self, limits: Limits) -> Arc<dyn TaskLog> {
        Arc::new(connect(self.server, &self.name, limits).unwrap())
    }
}

fn id(number: u64) -> B256 {
    B256::from(U256::from(number))
}

fn task(number: u64) -> Task {
    Task { id: id(number), caller: "alice".to_owned(), deadline: u64::MAX, body: vec![7; 2000].into() }
}

fn outcome(text: &str) -> EncodedOutcome {
    EncodedOutcome(text.as_bytes().to_vec().into())
}

#[test]
fn it_conforms() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start();
    for (number, (name, test)) in TESTS.iter().enumerate() {
        println!("{name}");
        test(&Stream { server: &server, name: format!("tasks-{number}") });
    }
}

#[test]
fn a_stream_of_others_and_a_server_that_is_not_there_are_refused() {
    if !is_installed() {
        return;
    }
    let mut server = NatsServer::start();
    drop(log(&server));
    make_stream_that_drops(&server, "others");
    let Err(OpenError::OtherStream { stream, reason }) = connect(&server, "others", Limits::default()) else {
        panic!("it is accepted")
    };
    assert_eq!((stream.as_str(), reason.as_str()), ("others", "it drops old messages when it is full"));
    // A stream with a dot in its name cannot be.
    assert!(matches!(connect(&server, "a.b", Limits::default()), Err(OpenError::Unreachable(_))));
    server.kill();
    assert!(matches!(connect(&server, "tasks", Limits::default()), Err(OpenError::Unreachable(_))));
}

fn make_stream_that_drops(server: &NatsServer, name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let context = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
        let subjects = vec![format!("{name}.>")];
        let config = async_nats::jetstream::stream::Config { name: name.into(), subjects, ..Default::default() };
        context.create_stream(config).await.unwrap();
    });
}

#[test]
fn a_task_is_appended_once_by_two_gateways() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start();
    let logs = [log(&server), log(&server)];
    for number in 0..50 {
        let appended: Vec<Appended> = thread::scope(|scope| {
            let threads: Vec<_> =
                logs.iter().map(|log| scope.spawn(move || block_on(log.append(task(number))).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(appended.iter().filter(|appended| **appended == Appended::New).count(), 1, "{number}");
    }
}

/// Two gateways claim, complete and cancel the same tasks at once: each task has one end, which both see.
#[test]
fn two_gateways_share_a_log_and_each_task_ends_once() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start();
    let logs = [log(&server), log(&server)];
    for number in 0..200 {
        block_on(logs[0].append(task(number))).unwrap();
    }
    let done: Vec<Vec<B256>> = thread::scope(|scope| {
        let threads: Vec<_> = [("one", &logs[0]), ("two", &logs[1])]
            .into_iter()
            .map(|(name, log)| {
                scope.spawn(move || {
                    let mut done = Vec::new();
                    let idle = Cell::new(0);
                    while idle.get() < 20 {
                        let claimed = block_on(log.claim(name, 100, 110, 7)).unwrap();
                        idle.set(if claimed.is_empty() { idle.get() + 1 } else { 0 });
                        for claimed in claimed {
                            block_on(log.complete(&claimed.lease, outcome(name))).unwrap();
                            done.push(claimed.task.id);
                        }
                    }
                    done
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(done[0].len() + done[1].len(), 200);
    for (done, name) in done.iter().zip(["one", "two"]) {
        for id in done {
            for log in &logs {
                let state = block_on(log.get(*id)).unwrap().unwrap().state;
                assert_eq!(state, State::Completed { outcome: outcome(name) });
            }
        }
    }
    println!("gateway one did {}, gateway two {}", done[0].len(), done[1].len());
}

/// The server is killed with SIGKILL again and again while two gateways append and complete, and one of them is gone in
/// the middle. The other claims its tasks when their leases have ended.
#[test]
fn a_killed_server_and_a_gone_gateway_lose_no_task_and_complete_none_twice() {
    if !is_installed() {
        return;
    }
    let mut server = NatsServer::start();
    let logs = [log(&server), log(&server)];
    let is_over = AtomicBool::new(false);
    let (mut appended, mut completed) = (Vec::new(), BTreeMap::new());
    // The gateway that is gone holds these, and says nothing more.
    for number in 1_000_000..1_000_010 {
        block_on(logs[0].append(task(number))).unwrap();
        appended.push(id(number));
    }
    let held = block_on(log(&server).claim("gone", 100, 110, 10)).unwrap();
    assert_eq!(held.len(), 10);
    thread::scope(|scope| {
        let appending: Vec<_> = (0_u64..2)
            .map(|gateway| {
                let (log, is_over) = (&logs[gateway as usize], &is_over);
                scope.spawn(move || {
                    let mut appended = Vec::new();
                    for number in (gateway..).step_by(2) {
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                        // Refused or not, it may be there; acknowledged, it is.
                        if block_on(log.append(task(number))).is_ok() {
                            appended.push(id(number));
                        }
                    }
                    appended
                })
            })
            .collect();
        let completing: Vec<_> = ["one", "two"]
            .into_iter()
            .zip(&logs)
            .map(|(name, log)| {
                let is_over = &is_over;
                scope.spawn(move || {
                    let mut completed = Vec::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let Ok(claimed) = block_on(log.claim(name, 105, 115, 5)) else { continue };
                        for claimed in claimed {
                            let end = outcome(&format!("{name}, claim {}", claimed.lease.claim));
                            if block_on(log.complete(&claimed.lease, end.clone())).is_ok() {
                                completed.push((claimed.task.id, end));
                            }
                        }
                    }
                    completed
                })
            })
            .collect();
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(700));
            server.kill();
            thread::sleep(Duration::from_millis(100));
            server.start_again();
        }
        thread::sleep(Duration::from_millis(700));
        is_over.store(true, Ordering::Relaxed);
        appending.into_iter().for_each(|thread| appended.extend(thread.join().unwrap()));
        for (id, end) in completing.into_iter().flat_map(|thread| thread.join().unwrap()) {
            assert_eq!(completed.insert(id, end), None, "task {id} was completed twice");
        }
    });
    assert!(appended.len() > 50 && completed.len() > 20, "{} {}", appended.len(), completed.len());
    let last = log(&server);
    for (id, end) in &completed {
        let state = block_on(last.get(*id)).unwrap().unwrap().state;
        assert_eq!(state, State::Completed { outcome: end.clone() });
    }
    // No lease of the dead outlives its time.
    loop {
        let claimed = block_on(last.claim("last", 115, 125, 100)).unwrap();
        if claimed.is_empty() {
            break;
        }
        for claimed in claimed {
            block_on(last.complete(&claimed.lease, outcome("last"))).unwrap();
        }
    }
    for id in &appended {
        let record = block_on(last.get(*id)).unwrap().unwrap_or_else(|| panic!("task {id} is lost"));
        assert!(matches!(record.state, State::Completed { .. }), "{:?}", record.state);
    }
    for held in held {
        assert_eq!(block_on(last.complete(&held.lease, outcome("late"))), Err(TaskLogError::LeaseLost(held.task.id)));
    }
    println!("5 kills of the server: {} tasks acknowledged, {} completed under load", appended.len(), completed.len());
}

#[test]
fn a_server_that_is_gone_is_not_waited_for_long_and_the_log_works_when_it_is_back() {
    if !is_installed() {
        return;
    }
    let mut server = NatsServer::start();
    let log = log(&server);
    block_on(log.append(task(1))).unwrap();
    server.kill();
    let start = Instant::now();
    assert!(matches!(block_on(log.append(task(2))), Err(TaskLogError::Unavailable(_))));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    server.start_again();
    let deadline = Instant::now() + Duration::from_secs(30);
    while block_on(log.append(task(2))).is_err() {
        assert!(Instant::now() < deadline, "it does not connect again");
    }
    assert_eq!(block_on(log.claim("one", 1, 2, 10)).unwrap().len(), 2);
}

#[test]
fn what_waits_is_bounded() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start();
    let log = connect(&server, "tasks", Limits { waiting: 4, ..Limits::default() }).unwrap();
    let appends: Vec<_> = (0..100).map(|number| log.append(task(number))).collect();
    let results: Vec<_> = appends.into_iter().map(block_on).collect();
    assert!(results.iter().any(Result::is_ok) && results.contains(&Err(TaskLogError::Busy)));
    for (result, number) in results.iter().zip(0..) {
        assert_eq!(block_on(log.get(id(number))).unwrap().is_some(), result.is_ok());
    }
}
