//! The task log in another process, which is killed while it appends and completes.
//!
//! `cargo test --package assent-task-log --test processes -- --rounds 500` is the long form; `--seed N` repeats one.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};
use std::{env, thread};

use alloy_primitives::{B256, U256};
use assent_task_log::{Claimed, EncodedOutcome, Limits, RedbTaskLog, State, Task, TaskLog};
use futures_executor::block_on;

/// No task expires. Each life of the process takes one second by its own count: its leases end with it.
const DEADLINE: u64 = u64::MAX;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, path, life] = &arguments[..]
        && command == "serve"
    {
        return serve(Path::new(path), life.parse().unwrap());
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
    println!("seed {seed}");
    kill_under_load(rounds, seed);
    println!("test kill_9_under_load_loses_no_task_and_no_outcome ... ok");
    println!("1 passed, 0 failed");
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
/// on disk.
fn serve(path: &Path, life: u64) {
    let log = RedbTaskLog::open(path, Limits { open_tasks: u64::MAX, ..Limits::default() }).unwrap();
    let gateway = format!("gateway {life}");
    print("ready");
    let (sender, receiver) = std::sync::mpsc::sync_channel::<u64>(64);
    let receiver = std::sync::Mutex::new(receiver);
    thread::scope(|scope| {
        let (log, gateway, receiver) = (&log, &gateway, &receiver);
        for _ in 0..4 {
            scope.spawn(move || {
                loop {
                    let Ok(number) = receiver.lock().unwrap().recv() else { break };
                    block_on(log.append(task(number))).unwrap();
                    print(&format!("appended {number}"));
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(move || {
                loop {
                    for claimed in block_on(log.claim(gateway, life, life + 1, 3)).unwrap() {
                        complete(log, &claimed, life);
                    }
                    thread::sleep(Duration::from_millis(2));
                }
            });
        }
        for line in std::io::stdin().lock().lines() {
            sender.send(line.unwrap().parse().unwrap()).unwrap();
        }
    });
}

fn complete(log: &RedbTaskLog, claimed: &Claimed, life: u64) {
    let number = U256::from_be_bytes(claimed.task.id.0).to::<u64>();
    assert_eq!(claimed.task, task(number));
    block_on(log.complete(&claimed.lease, outcome(number, life))).unwrap();
    print(&format!("completed {number} {life}"));
}

fn outcome(number: u64, life: u64) -> EncodedOutcome {
    EncodedOutcome(format!("{number} in life {life}").into_bytes().into())
}

/// Writes a line at once, so that a kill leaves whole lines.
fn print(line: &str) {
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

fn kill_under_load(rounds: u64, seed: u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.redb");
    let mut state = seed;
    let mut random = move |limit: u64| {
        // A linear congruential generator suffices for times.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let (mut asked, mut appended) = (0_u64, Vec::new());
    let mut completed: BTreeMap<u64, u64> = BTreeMap::new();
    let started = Instant::now();
    for life in 0..rounds {
        let mut child = Command::new(env::current_exe().unwrap())
            .arg("serve")
            .args([path.as_os_str(), life.to_string().as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "life {life}");
        let lives = Duration::from_millis(20 + random(280));
        let answered = AtomicUsize::new(0);
        let lines = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut text = String::new();
                while output.read_line(&mut text).is_ok_and(|bytes| bytes > 0) {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                text
            });
            let killer = scope.spawn(move || {
                thread::sleep(lives);
                child.kill().unwrap();
                child.wait().unwrap();
            });
            let first = asked;
            while writeln!(input, "{asked}").is_ok() {
                asked += 1;
                while asked - first > answered.load(Ordering::Relaxed) as u64 + 64 && !killer.is_finished() {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            killer.join().unwrap();
            reader.join().unwrap()
        });
        for line in lines.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["appended", number] => appended.push(number.parse::<u64>().unwrap()),
                ["completed", number, life] => {
                    let (number, life) = (number.parse().unwrap(), life.parse().unwrap());
                    assert_eq!(completed.insert(number, life), None, "task {number} was completed twice");
                }
                _ => panic!("{line}"),
            }
        }
    }
    let elapsed = started.elapsed();
    let log = RedbTaskLog::open(&path, Limits { open_tasks: u64::MAX, ..Limits::default() }).unwrap();
    for number in &appended {
        let record = block_on(log.get(id(*number))).unwrap();
        let record = record.unwrap_or_else(|| panic!("task {number} was acknowledged and is lost"));
        assert_eq!(record.task, task(*number));
    }
    for (number, life) in &completed {
        let record = block_on(log.get(id(*number))).unwrap().unwrap();
        assert_eq!(record.state, State::Completed { outcome: outcome(*number, *life) });
    }
    // Another gateway finishes what the killed ones held.
    let mut finished = 0;
    loop {
        let claimed = block_on(log.claim("last", rounds + 1, rounds + 2, 100)).unwrap();
        if claimed.is_empty() {
            break;
        }
        for claimed in claimed {
            block_on(log.complete(&claimed.lease, EncodedOutcome::clone(&outcome(0, rounds)))).unwrap();
            finished += 1;
        }
    }
    for number in &appended {
        let record = block_on(log.get(id(*number))).unwrap().unwrap();
        assert!(matches!(record.state, State::Completed { .. }), "task {number} has no outcome");
    }
    assert!(appended.len() as u64 > rounds && !completed.is_empty(), "hardly anything was appended");
    println!(
        "{rounds} kills: {} tasks were acknowledged, {} completed under load and {finished} afterwards; {:.1} s",
        appended.len(),
        completed.len(),
        elapsed.as_secs_f64()
    );
}
