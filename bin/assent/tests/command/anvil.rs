//! A real node, for as long as a test needs it.

#![allow(dead_code, reason = "each test program uses a part")]

use super::command::Desk;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Asks a node, and returns the result.
#[track_caller]
pub fn ask(url: &str, method: &str, parameters: &Value) -> Value {
    let host = url.trim_start_matches("http://");
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
    let mut stream = TcpStream::connect(host).expect("the node listens");
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("the node takes the request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the node answers");
    assert!(answer.contains("\"result\""), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let mut answer: Value = serde_json::from_str(body).expect("JSON");
    answer["result"].take()
}

/// anvil on a port that was free.
pub struct Anvil {
    process: Child,
    pub url: String,
}

impl Anvil {
    /// Starts the anvil that package-lock.json pins, and waits until it listens.
    pub fn start(more: &[&str]) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules/.bin/anvil");
        assert!(program.exists(), "anvil is not installed: run cargo xtask setup");
        let mut process = Command::new(program)
            .args(["--port", "0"])
            .args(if more.contains(&"--hardfork") { &[][..] } else { &["--hardfork", "osaka"] })
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("anvil starts; if not, run cargo xtask setup");
        let mut lines = BufReader::new(process.stdout.take().expect("anvil's output")).lines();
        let address =
            lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        let address = address.expect("anvil says where it listens");
        // Reads on: anvil stops once the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url: format!("http://{address}") }
    }

    /// Moves its clock on, and mines a block.
    pub fn skip(&self, seconds: u64) {
        self.ask("evm_increaseTime", &json!([seconds]));
        self.ask("evm_mine", &json!([]));
    }

    /// Asks it, and returns the result.
    #[track_caller]
    pub fn ask(&self, method: &str, parameters: &Value) -> Value {
        ask(&self.url, method, parameters)
    }

    /// The first of the accounts that it has unlocked and funded.
    pub fn account(&self) -> &'static str {
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    }

    /// The key of [`account`](Self::account), which the whole world knows.
    pub fn write_account_key(&self, desk: &Desk, name: &str) {
        desk.write(name, "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n");
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
