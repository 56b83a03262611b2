//! A real `nats-server` on a free port, which can be killed and started again.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

pub struct NatsServer {
    directory: tempfile::TempDir,
    port: u16,
    more: Vec<String>,
    child: Option<Child>,
}

/// Returns whether Debian's program is installed, and says so if not.
pub fn is_installed() -> bool {
    let is_there = Command::new(program()).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: nats-server is not installed; Debian has it: apt-get install nats-server");
    }
    is_there
}

fn program() -> PathBuf {
    env::var_os("NATS_SERVER").map_or_else(|| "nats-server".into(), PathBuf::from)
}

/// Returns a port that no one has now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl NatsServer {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with further arguments.
    pub fn start_with(more: &[&str]) -> Self {
        // Between the choice of a port and its use, another process may take it.
        for _ in 0..5 {
            let port = free_port();
            let more = more.iter().map(ToString::to_string).collect();
            let mut server = Self { directory: tempfile::tempdir().unwrap(), port, more, child: None };
            if server.try_start() {
                return server;
            }
        }
        panic!("nats-server does not start");
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn start_again(&mut self) {
        assert!(self.try_start(), "{}", fs::read_to_string(self.directory.path().join("log")).unwrap_or_default());
    }

    fn try_start(&mut self) -> bool {
        let path = |name: &str| self.directory.path().join(name);
        let child = Command::new(program())
            .args(["--addr", "127.0.0.1", "--jetstream", "--port", &self.port.to_string()])
            .arg("--store_dir")
            .arg(path("store"))
            .arg("--log")
            .arg(path("log"))
            .args(&self.more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let child = self.child.insert(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
            // Its first words are its own, so that it is no other program at the port.
            if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
                let mut word = [0; 4];
                let is_nats = stream.read_exact(&mut word).is_ok() && word == *b"INFO";
                if is_nats && matches!(child.try_wait(), Ok(None)) {
                    return true;
                }
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
        self.child = None;
        false
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
