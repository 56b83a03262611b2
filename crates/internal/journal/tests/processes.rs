//! The journal in other processes, which are killed, refused, or run out of disk.
//!
//! `cargo test --package assent-journal --test processes -- --rounds 500` is the long form; `--seed N` repeats one.

#[allow(dead_code, reason = "shared with examples and tests")]
#[path = "../doc/statements.rs"]
mod statements;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use alloy_primitives::{B256, Bytes};
use assent_journal::{Journal, JournalOptions, LocalSigner, SignError, Slot, Statement};
use assent_signer::{AttestationBatch, SecretKey};
use assent_verifier::Signature;
use assent_verifier::backend::{blst::Blst, verify_signature};
use assent_verifier::digest::SIGNATURE_TAG;
use statements::{attestation, batch};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, directory] = &arguments[..]
        && command == "serve"
    {
        return serve(Path::new(directory));
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
    let tests: [(&str, &dyn Fn()); 4] = [
        ("kill_9_under_load_signs_nothing_twice_and_forgets_nothing", &|| kill_under_load(rounds, seed)),
        ("a_second_process_is_refused_with_the_id_of_the_first", &second_process),
        ("a_full_disk_stops_signing_and_nothing_else", &full_disk),
        ("a_read_only_journal_is_refused", &read_only),
    ];
    for (name, test) in &tests {
        let started = Instant::now();
        test();
        println!("test {name} ... ok ({:.1} s)", started.elapsed().as_secs_f64());
    }
    println!("{} passed, 0 failed", tests.len());
}

/// Signs what standard input asks for, on eight threads, and prints each result in a line.
///
/// A request is the evidence's number and the tasks' nonces.
fn serve(directory: &Path) {
    let options = options(directory);
    let key = SecretKey::read_unencrypted(&directory.join("key")).unwrap();
    let signer = LocalSigner::new(key);
    let opened = match options_path(directory).exists() {
        true => Journal::open(&options, signer),
        false => Journal::create(&options, signer),
    };
    let journal = match opened {
        Ok(journal) => journal,
        Err(error) => return print(&format!("refused {error}")),
    };
    print("ready");
    let (sender, receiver) = mpsc::sync_channel::<String>(64);
    let receiver = Mutex::new(receiver);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let Ok(line) = receiver.lock().unwrap().recv() else { break };
                    let signed = journal.sign(Statement::Attestations(&request(&line)));
                    print(&match signed {
                        Ok(signature) => format!("signed {line} {signature}"),
                        Err(SignError::AlreadySigned(conflict)) => format!("conflict {line} {}", conflict.recorded),
                        Err(error) => format!("failed {line} {error}"),
                    });
                }
            });
        }
        for line in std::io::stdin().lock().lines() {
            sender.send(line.unwrap()).unwrap();
        }
        drop(sender);
    });
    print("closed");
}

/// Writes a line at once, so that a kill leaves whole lines.
fn print(line: &str) {
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

fn request(line: &str) -> AttestationBatch {
    let mut numbers = line.split(',').map(|number| number.parse::<u64>().unwrap());
    let evidence = numbers.next().unwrap();
    batch(numbers.map(|nonce| attestation(nonce, evidence)).collect())
}

fn options_path(directory: &Path) -> PathBuf {
    directory.join("data/journal.redb")
}

fn options(directory: &Path) -> JournalOptions {
    JournalOptions::new(options_path(directory), directory.join("marker"))
}

/// A directory with a new key.
fn place() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("data")).unwrap();
    SecretKey::generate().unwrap().write_unencrypted(&directory.path().join("key")).unwrap();
    directory
}

/// A running process that signs.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start(directory: &Path) -> Self {
        Self::run(Command::new(env::current_exe().unwrap()).arg("serve").arg(directory))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, request: &str) -> String {
        writeln!(self.input, "{request}").unwrap();
        self.line()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Random numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % limit
    }
}

/// What a client has seen of an operator, over all its lives.
#[derive(Default)]
struct Client {
    /// The evidence for which each task was signed.
    tasks: BTreeMap<u64, u64>,
    signatures: HashMap<String, String>,
    /// What was asked and not answered.
    unanswered: HashSet<String>,
    conflicts: u64,
}

impl Client {
    /// Keeps an answer. Panics if two answers contradict each other.
    fn keep(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (kind, request) = (words.next().unwrap(), words.next().unwrap_or_default());
        let result = words.next().unwrap_or_default();
        self.unanswered.remove(request);
        match kind {
            "signed" => {
                let mut numbers = request.split(',').map(|number| number.parse::<u64>().unwrap());
                let evidence = numbers.next().unwrap();
                for nonce in numbers {
                    let before = *self.tasks.entry(nonce).or_insert(evidence);
                    assert_eq!(before, evidence, "task {nonce} was signed for two digests");
                }
                let before = self.signatures.entry(request.to_owned()).or_insert_with(|| result.to_owned());
                assert_eq!(before, result, "{request} was signed twice with different signatures");
            }
            "conflict" => self.conflicts += 1,
            other => panic!("{other}: {line}"),
        }
    }
}

fn kill_under_load(rounds: u64, seed: u64) {
    let directory = place();
    let mut random = Random(seed);
    let mut client = Client::default();
    let mut next_task = 0;
    let started = Instant::now();
    for round in 0..rounds {
        let mut server = Server::start(directory.path());
        // Some are killed while they create or open the journal.
        if round % 5 == 0 {
            thread::sleep(Duration::from_millis(random.below(15)));
            server.child.kill().unwrap();
            server.child.wait().unwrap();
            server = Server::start(directory.path());
        }
        let ready = server.line();
        assert_eq!(ready, "ready", "round {round}");
        ask_again(&mut server, &mut client, &mut random);

        let lives = Duration::from_millis(20 + random.below(280));
        let Server { child, input, output } = &mut server;
        let answered = AtomicUsize::new(0);
        let (asked, answers) = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut text = String::new();
                // Until the process is dead.
                while output.read_line(&mut text).is_ok_and(|bytes| bytes > 0) {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                text
            });
            let killer = scope.spawn(|| {
                thread::sleep(lives);
                child.kill().unwrap();
                child.wait().unwrap();
            });
            let mut asked = Vec::new();
            loop {
                // Each task is asked for about twice, mostly with different evidence, and one in five is a batch.
                let first = next_task + random.below(4);
                next_task += random.below(2);
                let count = if random.below(5) == 0 { 1 + random.below(3) } else { 1 };
                let nonces: Vec<_> = (first..first + count).map(|nonce| nonce.to_string()).collect();
                let request = format!("{},{}", random.below(1000), nonces.join(","));
                asked.push(request.clone());
                if writeln!(input, "{request}").is_err() {
                    break;
                }
                while asked.len() > answered.load(Ordering::Relaxed) + 64 && !killer.is_finished() {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            killer.join().unwrap();
            (asked, reader.join().unwrap())
        });
        client.unanswered.extend(asked.into_iter().filter(|request| !client.signatures.contains_key(request)));
        // A last line without an end did not leave.
        for line in answers.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            client.keep(line);
        }
    }
    let elapsed = started.elapsed();
    compare(directory.path(), &client);
    assert!(client.signatures.len() as u64 > rounds, "hardly anything was signed");
    println!(
        "{rounds} kills: {} signatures for {} tasks left, {} contradictory requests were refused, {} requests had no \
         answer; {:.1} s",
        client.signatures.len(),
        client.tasks.len(),
        client.conflicts,
        client.unanswered.len(),
        elapsed.as_secs_f64()
    );
}

/// Asks for what a client has and for what it did not get, with other digests.
fn ask_again(server: &mut Server, client: &mut Client, random: &mut Random) {
    let known: Vec<_> = client.tasks.iter().map(|(nonce, evidence)| (*nonce, *evidence)).collect();
    for _ in 0..6.min(known.len()) {
        // The latest are those that a lost write would lose.
        let back = random.below(known.len().min(40) as u64) as usize;
        let (nonce, evidence) = known[known.len() - 1 - back];
        let other = server.ask(&format!("{},{nonce}", evidence + 1000));
        let recorded = batch(vec![attestation(nonce, evidence)]).root();
        assert_eq!(other, format!("conflict {},{nonce} {recorded}", evidence + 1000));
        let same = server.ask(&format!("{evidence},{nonce}"));
        client.keep(&same);
        assert!(same.starts_with("signed"), "{same}");
    }
    let unanswered: Vec<_> = client.unanswered.iter().take(4).cloned().collect();
    for request in unanswered {
        let (evidence, nonces) = request.split_once(',').unwrap();
        let other = format!("{},{nonces}", evidence.parse::<u64>().unwrap() + 1000);
        let answer = server.ask(&other);
        client.keep(&answer);
        client.unanswered.remove(&request);
    }
}

/// Compares what the client has with the journal.
fn compare(directory: &Path, client: &Client) {
    let key = SecretKey::read_unencrypted(&directory.join("key")).unwrap();
    let journal = Journal::open(&options(directory), LocalSigner::new(key)).unwrap();
    for (nonce, evidence) in &client.tasks {
        let batch = batch(vec![attestation(*nonce, *evidence)]);
        let slot = Slot::Attestation { task_id: batch.attestations()[0].taskId };
        let entry = journal.entry(&slot).unwrap();
        assert_eq!(entry.map(|entry| entry.digest), Some(batch.root()), "the journal lacks task {nonce}");
    }
    for (request_line, signature) in client.signatures.iter().take(100) {
        let root: B256 = request(request_line).root();
        let bytes: Bytes = signature.parse().unwrap();
        let signature = Signature::try_from(&bytes[..]).unwrap();
        verify_signature::<Blst>(root.as_slice(), SIGNATURE_TAG, &signature, journal.public_key()).unwrap();
    }
}

fn second_process() {
    let directory = place();
    let mut first = Server::start(directory.path());
    assert_eq!(first.line(), "ready");
    let refused = Server::start(directory.path()).line();
    let by = format!("by process {}", first.child.id());
    assert!(refused.starts_with("refused") && refused.contains(&by), "{refused}");
    assert!(first.ask("1,1").starts_with("signed"));
    drop(first);
    assert_eq!(Server::start(directory.path()).line(), "ready");
}

/// Limits the length of the process's files, and where the rights suffice also uses a small file system.
#[cfg(unix)]
fn full_disk() {
    let directory = place();
    let limited = |blocks: u32| {
        let mut command = Command::new("sh");
        // A write beyond the limit then fails as on a full disk, instead of ending the process.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" serve \"$1\"");
        command.arg("-c").arg(script).arg(env::current_exe().unwrap()).arg(directory.path());
        command
    };
    // 512-byte blocks: 200 KB, which the journal of a few thousand tasks exceeds.
    fill(&mut limited(400), directory.path());

    let directory = place();
    let data = directory.path().join("data");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&data).output();
    if mounted.is_ok_and(|output| output.status.success()) {
        let result = std::panic::catch_unwind(|| {
            let mut command = Command::new(env::current_exe().unwrap());
            fill(command.arg("serve").arg(directory.path()), directory.path());
        });
        assert!(Command::new("umount").arg(&data).status().unwrap().success());
        result.unwrap();
    } else {
        println!("skipped: a full tmpfs, which needs the right to mount one; the limit on files' lengths was tested");
    }
}

#[cfg(not(unix))]
fn full_disk() {
    println!("skipped: this system has no limit on files' lengths");
}

/// Signs until the disk is full, and shows that the process refuses, lives, and lost nothing.
#[cfg(unix)]
fn fill(command: &mut Command, directory: &Path) {
    let mut server = Server::run(command);
    assert_eq!(server.line(), "ready");
    let mut client = Client::default();
    let mut failed = String::new();
    for first in (0..100_000).step_by(100) {
        let nonces: Vec<_> = (first..first + 100).map(|nonce| nonce.to_string()).collect();
        let answer = server.ask(&format!("1,{}", nonces.join(",")));
        if answer.starts_with("failed") {
            failed = answer;
            break;
        }
        client.keep(&answer);
    }
    assert!(failed.contains("nothing more is signed") && failed.contains("os error"), "{failed}");
    // It stays so, also for what is on record, and the process answers.
    for request in ["1,0", "2,0", "1,99999"] {
        assert!(server.ask(request).contains("nothing more is signed"));
    }
    assert!(server.child.try_wait().unwrap().is_none(), "the process has ended");
    drop(server);
    assert!(!client.tasks.is_empty());
    // With room again, everything that left is known.
    let key = SecretKey::read_unencrypted(&directory.join("key")).unwrap();
    let moved = directory.join("moved.redb");
    fs::copy(options_path(directory), &moved).unwrap();
    let options = JournalOptions::new(moved, directory.join("marker"));
    let journal = Journal::open(&options, LocalSigner::new(key)).unwrap();
    for (nonce, evidence) in &client.tasks {
        let other = batch(vec![attestation(*nonce, evidence + 1)]);
        if nonce % 97 == 0 {
            assert!(matches!(journal.sign(Statement::Attestations(&other)), Err(SignError::AlreadySigned(_))));
        }
    }
}

/// Root may write everywhere, so the process gets another user.
#[cfg(unix)]
fn read_only() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::os::unix::process::CommandExt;

    let directory = place();
    let mut server = Server::start(directory.path());
    assert_eq!(server.line(), "ready");
    assert!(server.ask("1,1").starts_with("signed"));
    drop(server);
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    let copy = tempfile::tempdir().unwrap();
    if fs::metadata(directory.path()).unwrap().uid() == 0 {
        let other_user = 65_534;
        for file in ["", "data", "key", "marker", "marker.lock", "data/journal.redb", "data/journal.redb.lock"] {
            chown(directory.path().join(file), Some(other_user), Some(other_user)).unwrap();
        }
        // The program must be readable for that user too.
        let program = copy.path().join("processes");
        fs::copy(env::current_exe().unwrap(), &program).unwrap();
        mode(copy.path(), 0o755);
        mode(&program, 0o755);
        command = Command::new(&program);
        command.uid(other_user).gid(other_user);
    }
    command.arg("serve").arg(directory.path());
    for file in ["data/journal.redb", "marker"] {
        let path = directory.path().join(file);
        mode(&path, 0o400);
        let refused = Server::run(&mut command).line();
        assert!(refused.starts_with("refused") && refused.contains("ermission denied"), "{file}: {refused}");
        mode(&path, 0o600);
    }
    let mut server = Server::run(&mut command);
    assert_eq!(server.line(), "ready");
    assert!(server.ask("2,1").starts_with("conflict"));
}

#[cfg(not(unix))]
fn read_only() {
    println!("skipped: this system has no Unix permissions");
}
