//! The task log in other processes, which are killed while they append and complete.
//!
//! `cargo test --package assent-task-log --all-features --test processes -- --rounds 500` is the long form;
//! `--seed N` repeats one, and `--measure` prints how many tasks a second each log takes.

#[cfg(feature = "nats")]
#[path = "task_log/nats_server.rs"]
mod nats_server;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use std::{env, thread};

use alloy_primitives::{B256, U256};
use assent_task_log::{Claimed, EncodedOutcome, Limits, RedbTaskLog, State, Task, TaskLog};
use futures_executor::block_on;

/// No task expires. Each life of the process takes one second by its own count: its leases end with it.
const DEADLINE: u64 = u64::MAX;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, place, gateway, now] = &arguments[..]
        && command == "serve"
    {
        return serve(&*open(place), gateway, now.parse().unwrap());
    }
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let rounds = value("--rounds").unwrap_or(20);
    let seed = value("--seed").unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        u64::from(since.subsec_nanos())
    });
    if arguments.iter().any(|argument| argument == "--measure") {
        return measure();
    }
    println!("seed {seed}");
    kill_under_load(rounds, seed);
    println!("test kill_9_under_load_loses_no_task_and_no_outcome ... ok");
    #[cfg(feature = "nats")]
    if nats_server::is_installed() {
        of_two_gateways_one_is_killed(rounds.div_ceil(4), seed);
        println!("test of_two_gateways_on_one_log_one_is_killed_and_the_other_finishes_its_tasks ... ok");
    }
    println!("passed");
}

/// Opens the log at a path, or in the stream of a server.
fn open(place: &str) -> Box<dyn TaskLog> {
    let limits = Limits { open_tasks: u64::MAX, ..Limits::default() };
    #[cfg(feature = "nats")]
    if place.starts_with("nats://") {
        let options = assent_task_log::NatsOptions::new([place.to_owned()]);
        return Box::new(block_on(assent_task_log::NatsTaskLog::connect(options, limits)).unwrap());
    }
    Box::new(RedbTaskLog::open(Path::new(place), limits).unwrap())
}

/// Prints how many tasks a second are appended, claimed and completed.
fn measure() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.redb");
    measure_one("redb", &*open(path.to_str().unwrap()));
    #[cfg(feature = "nats")]
    if nats_server::is_installed() {
        let server = nats_server::NatsServer::start();
        measure_one("nats", &*open(&server.url()));
    }
}

fn measure_one(name: &str, log: &dyn TaskLog) {
    const TASKS: u64 = 4096;
    for at_once in [1_u64, 64] {
        let first = u64::from(at_once > 1) * TASKS;
        let tasks = if at_once == 1 { TASKS / 8 } else { TASKS };
        let start = Instant::now();
        for numbers in (first..first + tasks).collect::<Vec<_>>().chunks(usize::try_from(at_once).unwrap()) {
            let appends: Vec<_> = numbers.iter().map(|number| log.append(task(*number))).collect();
            appends.into_iter().for_each(|append| assert!(block_on(append).is_ok()));
        }
        let appended = start.elapsed();
        let start = Instant::now();
        let mut done = 0;
        while done < tasks {
            let claimed = block_on(log.claim("one", 1, 2, usize::try_from(at_once).unwrap())).unwrap();
            done += claimed.len() as u64;
            let ends: Vec<_> =
                claimed.iter().map(|claimed| log.complete(&claimed.lease, outcome(1, "one", 1))).collect();
            ends.into_iter().for_each(|end| assert!(block_on(end).is_ok()));
        }
        let [appended, completed] = [appended, start.elapsed()].map(|time| tasks as f64 / time.as_secs_f64());
        println!(
            "{name}, {at_once} at once: {appended:.0} tasks a second appended, {completed:.0} claimed and completed"
        );
    }
}

fn task(number: u64) -> Task {
    Task { id: id(number), caller: format!("caller {}", number % 7), deadline: DEADLINE, body: body(number) }
}

fn id(number: u64) -> B256 {
    B256::from(U256::from(number))
}

fn body(number: u64) -> alloy_primitives::Bytes {
    number.to_be_bytes().repeat(20).into()
}

/// Appends the tasks that standard input names on four threads, completes what it can claim on two, and prints what is
/// on disk. A line `now N` sets the time.
fn serve(log: &dyn TaskLog, gateway: &str, now: u64) {
    print("ready");
    let now = AtomicU64::new(now);
    let (sender, receiver) = std::sync::mpsc::sync_channel::<u64>(64);
    let receiver = std::sync::Mutex::new(receiver);
    thread::scope(|scope| {
        let (receiver, now) = (&receiver, &now);
        for _ in 0..4 {
            scope.spawn(move || {
                loop {
                    let Ok(number) = receiver.lock().unwrap().recv() else { break };
                    // A server that is gone comes back.
                    while block_on(log.append(task(number))).is_err() {}
                    print(&format!("appended {number}"));
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(move || {
                loop {
                    let time = now.load(Ordering::Relaxed);
                    let claimed = block_on(log.claim(gateway, time, time + 1, 16)).unwrap_or_default();
                    complete(log, &claimed, gateway, time);
                    if claimed.is_empty() {
                        thread::sleep(Duration::from_millis(2));
                    }
                }
            });
        }
        for line in std::io::stdin().lock().lines() {
            let line = line.unwrap();
            match line.strip_prefix("now ") {
                Some(time) => now.store(time.parse().unwrap(), Ordering::Relaxed),
                None => sender.send(line.parse().unwrap()).unwrap(),
            }
        }
        std::process::exit(0);
    });
}

fn complete(log: &dyn TaskLog, claimed: &[Claimed], gateway: &str, time: u64) {
    let ends: Vec<_> = claimed
        .iter()
        .map(|claimed| {
            let number = U256::from_be_bytes(claimed.task.id.0).to::<u64>();
            assert_eq!(claimed.task, task(number));
            (number, log.complete(&claimed.lease, outcome(number, gateway, time)))
        })
        .collect();
    for (number, end) in ends {
        if block_on(end).is_ok() {
            print(&format!("completed {number} {gateway} {time}"));
        }
    }
}

fn outcome(number: u64, gateway: &str, time: u64) -> EncodedOutcome {
    EncodedOutcome(format!("{number} by {gateway} at {time}").into_bytes().into())
}

/// Writes a line at once, so that a kill leaves whole lines.
fn print(line: &str) {
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

/// Returns a generator of numbers below a limit.
fn generator(seed: u64) -> impl FnMut(u64) -> u64 + Send {
    let mut state = seed;
    move |limit: u64| {
        // A linear congruential generator suffices for times.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    }
}

/// A process that works on a log, and the lines that it printed.
struct Gateway {
    child: Child,
    input: Option<ChildStdin>,
    reader: JoinHandle<Vec<String>>,
    printed: Arc<AtomicUsize>,
}

impl Gateway {
    fn start(place: &str, name: &str, now: u64) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["serve", place, name, &now.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{name} at {now}");
        let printed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&printed);
        let reader = thread::spawn(move || {
            let mut lines = Vec::new();
            let mut line = String::new();
            // Only whole lines: the last one of a killed process may not be.
            while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with('\n') {
                lines.push(line.trim_end().to_owned());
                line.clear();
                count.fetch_add(1, Ordering::Relaxed);
            }
            lines
        });
        Self { child, input, reader, printed }
    }

    fn say(&mut self, line: &str) -> bool {
        self.input.as_mut().is_some_and(|input| writeln!(input, "{line}").is_ok())
    }

    fn printed(&self) -> usize {
        self.printed.load(Ordering::Relaxed)
    }

    /// Kills it with SIGKILL, and returns what it had printed.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.join().unwrap()
    }

    /// Has it append tasks from a number on for a time. Returns the number after the last.
    fn feed(&mut self, first: u64, step: u64, time: Duration) -> u64 {
        let (end, mut next, mut asked) = (Instant::now() + time, first, self.printed());
        while Instant::now() < end && self.say(&next.to_string()) {
            next += step;
            asked += 1;
            while asked > self.printed() + 64 && Instant::now() < end {
                thread::sleep(Duration::from_millis(1));
            }
        }
        next
    }
}

/// What processes said that they did.
#[derive(Default)]
struct Said {
    appended: Vec<u64>,
    completed: BTreeMap<u64, EncodedOutcome>,
}

impl Said {
    fn read(&mut self, lines: &[String]) {
        for line in lines {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["appended", number] => self.appended.push(number.parse().unwrap()),
                ["completed", number, gateway, time] => {
                    let number = number.parse().unwrap();
                    let end = outcome(number, gateway, time.parse().unwrap());
                    assert_eq!(self.completed.insert(number, end), None, "task {number} was completed twice");
                }
                _ => panic!("{line}"),
            }
        }
    }

    fn require(&self, log: &dyn TaskLog) {
        for number in &self.appended {
            let record = block_on(log.get(id(*number))).unwrap();
            let record = record.unwrap_or_else(|| panic!("task {number} was acknowledged and is lost"));
            assert_eq!(record.task, task(*number));
        }
        for (number, outcome) in &self.completed {
            let record = block_on(log.get(id(*number))).unwrap().unwrap();
            assert_eq!(record.state, State::Completed { outcome: outcome.clone() });
        }
    }
}

/// Has another gateway finish what others held. Returns how many tasks that were.
fn finish(log: &dyn TaskLog, now: u64) -> u64 {
    let mut finished = 0;
    loop {
        let claimed = block_on(log.claim("last", now, now + 1, 100)).unwrap();
        if claimed.is_empty() {
            return finished;
        }
        for claimed in claimed {
            block_on(log.complete(&claimed.lease, outcome(0, "last", now))).unwrap();
            finished += 1;
        }
    }
}

fn kill_under_load(rounds: u64, seed: u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.redb");
    let place = path.to_str().unwrap();
    let mut random = generator(seed);
    let (mut next, mut said) = (0_u64, Said::default());
    let started = Instant::now();
    for life in 0..rounds {
        let mut gateway = Gateway::start(place, "one", life);
        next = gateway.feed(next, 1, Duration::from_millis(20 + random(280)));
        said.read(&gateway.kill());
    }
    let elapsed = started.elapsed();
    let log = open(place);
    said.require(&*log);
    let finished = finish(&*log, rounds + 1);
    require_all_completed(&said, &*log);
    let (appended, completed) = (said.appended.len(), said.completed.len());
    assert!(appended as u64 > rounds && completed > 0, "hardly anything was appended");
    println!(
        "{rounds} kills: {appended} tasks were acknowledged, {completed} completed under load and {finished} \
         afterwards; {:.1} s",
        elapsed.as_secs_f64()
    );
}

fn require_all_completed(said: &Said, log: &dyn TaskLog) {
    for number in &said.appended {
        let record = block_on(log.get(id(*number))).unwrap().unwrap();
        assert!(matches!(record.state, State::Completed { .. }), "task {number} has no outcome");
    }
}

/// Two processes work on one stream. In each round one is killed; in every second one, the server is too.
#[cfg(feature = "nats")]
fn of_two_gateways_one_is_killed(rounds: u64, seed: u64) {
    let mut server = nats_server::NatsServer::start();
    let place = server.url();
    let mut random = generator(seed);
    let mut said = Said::default();
    let (mut odd, mut even) = (1, 0);
    let mut survivor = Gateway::start(&place, "survivor", 0);
    let log = open(&place);
    let started = Instant::now();
    for round in 0..rounds {
        let mut victim = Gateway::start(&place, "victim", round);
        let time = Duration::from_millis(100 + random(300));
        thread::scope(|scope| {
            let survivor = &mut survivor;
            let feeding = scope.spawn(move || survivor.feed(odd, 2, time));
            even = victim.feed(even, 2, time);
            odd = feeding.join().unwrap();
        });
        let before = said.appended.len();
        said.read(&victim.kill());
        if round % 2 == 1 {
            server.kill();
            server.start_again();
        }
        // The victim's leases end, and the survivor finishes what it held.
        assert!(survivor.say(&format!("now {}", round + 1)));
        let deadline = Instant::now() + Duration::from_secs(60);
        while said.appended[before..].iter().any(|number| !is_completed(&*log, *number)) {
            assert!(Instant::now() < deadline, "the survivor does not finish the victim's tasks");
            thread::sleep(Duration::from_millis(20));
        }
    }
    let taken_over = said.appended.iter().filter(|number| claims(&*log, **number) > 1).count();
    said.read(&survivor.kill());
    let elapsed = started.elapsed();
    said.require(&*log);
    finish(&*log, rounds + 1);
    require_all_completed(&said, &*log);
    let (appended, completed) = (said.appended.len(), said.completed.len());
    println!(
        "{rounds} gateways killed, {} servers: {appended} tasks were acknowledged, {completed} completed, {taken_over} \
         of them taken over; {:.1} s",
        rounds / 2,
        elapsed.as_secs_f64()
    );
    assert!(appended as u64 > rounds && completed > 0, "hardly anything was appended");
}

#[cfg(feature = "nats")]
fn is_completed(log: &dyn TaskLog, number: u64) -> bool {
    let record = block_on(log.get(id(number))).ok().flatten();
    record.is_some_and(|record| matches!(record.state, State::Completed { .. }))
}

#[cfg(feature = "nats")]
fn claims(log: &dyn TaskLog, number: u64) -> u64 {
    block_on(log.get(id(number))).ok().flatten().map_or(0, |record| record.claims)
}
