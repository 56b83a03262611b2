//! The binary, run as a user would run it, in its own directory.

#![allow(dead_code, reason = "each test program uses a part")]

use serde_json::Value;
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// The variables of the environment that the binary heeds: in CI, what is printed to a terminal gets colours whatever
/// TERM says.
const SETTINGS: [&str; 6] = ["CI", "CLICOLOR", "CLICOLOR_FORCE", "ETH_RPC_URL", "NO_COLOR", "TERM"];

/// A directory to work in.
pub struct Desk {
    directory: TempDir,
}

/// What a run of the binary left behind.
#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    /// Runs the binary in the directory, without a terminal.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_reading(Stdio::null(), arguments)
    }

    /// Runs the binary as [`run`](Self::run) does, with a file as its standard input.
    pub fn run_with_input(&self, name: &str, arguments: &[&str]) -> Ran {
        self.run_reading(std::fs::File::open(self.path(name)).expect("a file is opened").into(), arguments)
    }

    /// Runs the binary as [`run`](Self::run) does, with these variables in its environment.
    pub fn run_under(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut assent = Command::new(env!("CARGO_BIN_EXE_assent"));
        assent.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
        self.run_program(assent)
    }

    fn run_reading(&self, input: Stdio, arguments: &[&str]) -> Ran {
        let mut assent = Command::new(env!("CARGO_BIN_EXE_assent"));
        assent.args(arguments).stdin(input);
        self.run_program(assent)
    }

    /// Runs any program in the directory.
    pub fn run_program(&self, mut program: Command) -> Ran {
        // The settings of the user who runs the tests must not change the output.
        let explicit = program.get_envs().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        for name in SETTINGS.iter().filter(|name| !explicit.iter().any(|set| set == **name)) {
            program.env_remove(name);
        }
        let output = program.current_dir(self.directory.path()).output().expect("the program runs");
        Ran {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).expect("text on standard output"),
            err: String::from_utf8(output.stderr).expect("text on standard error"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file that only its owner can read, as keys and passwords need.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).expect("a file is written");
        self.set_mode(name, 0o600);
    }

    /// Sets a file's permissions, on systems that have them.
    pub fn set_mode(&self, name: &str, mode: u32) {
        #[cfg(unix)]
        std::fs::set_permissions(self.path(name), std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("chmod");
        #[cfg(not(unix))]
        let _ = (name, mode);
    }

    pub fn write_json(&self, name: &str, value: &Value) {
        self.write(name, value.to_string());
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a file is read")
    }
}

impl Ran {
    /// Standard output of a run that must have succeeded.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.status, Some(0), "{self:?}");
        self.out
    }

    /// JSON of a run that must have succeeded.
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.succeeded()).expect("JSON on standard output")
    }

    /// Standard error of a run that must have ended with a status, having said each of `words`.
    #[track_caller]
    pub fn failed(self, status: i32, words: &[&str]) -> String {
        assert_eq!(self.status, Some(status), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in: {self:?}");
        }
        assert!(!self.err.contains("panicked"), "{self:?}");
        self.err
    }
}
