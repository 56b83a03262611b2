//! Commands that run until they are stopped, with their output line by line.

#![allow(dead_code, reason = "each test program uses a part")]

use super::command::Desk;
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// How long a line may take on a busy computer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command that runs.
pub struct Running {
    process: Child,
    out: Lines,
    err: Lines,
}

/// The lines of one output.
struct Lines {
    receiver: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(output: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { receiver, seen: Vec::new() }
    }

    fn wait(&mut self, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
        let begun = Instant::now();
        while let Some(left) = PATIENCE.checked_sub(begun.elapsed()) {
            let Ok(line) = self.receiver.recv_timeout(left) else { break };
            self.seen.push(line.clone());
            if is_wanted(&line) {
                return Some(line);
            }
        }
        None
    }
}

impl Running {
    /// Starts the binary.
    pub fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_assent"))
            .args(arguments)
            .current_dir(desk.path(""))
            .env_remove("ASSENT_GATEWAY")
            .env_remove("ETH_RPC_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let out = Lines::of(process.stdout.take().expect("standard output"));
        let err = Lines::of(process.stderr.take().expect("standard error"));
        Self { process, out, err }
    }

    /// Waits for a line of standard output that has these words, and returns it. Earlier lines are skipped.
    #[track_caller]
    pub fn line(&mut self, words: &str) -> String {
        self.out.wait(|line| line.contains(words)).unwrap_or_else(|| self.lacks(words))
    }

    /// Waits for a line of standard output that `is_wanted`, as [`line`](Self::line) does.
    #[track_caller]
    pub fn line_where(&mut self, is_wanted: impl Fn(&str) -> bool) -> String {
        self.out.wait(is_wanted).unwrap_or_else(|| self.lacks("what is wanted"))
    }

    /// Waits for a line of standard error, as [`line`](Self::line) does.
    #[track_caller]
    pub fn remark(&mut self, words: &str) -> String {
        self.err.wait(|line| line.contains(words)).unwrap_or_else(|| self.lacks(words))
    }

    #[track_caller]
    fn lacks(&mut self, words: &str) -> ! {
        for lines in [&mut self.out, &mut self.err] {
            lines.seen.extend(lines.receiver.try_iter());
        }
        panic!("no line has {words:?}: {:#?}\n{:#?}", self.out.seen, self.err.seen);
    }

    /// Returns the lines of standard output that were skipped or returned.
    pub fn printed(&self) -> String {
        self.out.seen.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Returns whether a line with these words was skipped or returned.
    pub fn has_seen(&self, words: &str) -> bool {
        self.out.seen.iter().chain(&self.err.seen).any(|line| line.contains(words))
    }

    /// Stops the command as Ctrl-C does, and returns its exit status.
    #[track_caller]
    pub fn interrupt(&mut self) -> ExitStatus {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait().expect("the command ends") {
                return status;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.lacks("an end")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
