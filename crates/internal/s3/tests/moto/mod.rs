//! A real server that speaks S3's protocol: moto, which `cargo xtask test` installs.

#![allow(dead_code, reason = "each test program uses a part")]

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

/// The server, on a port that was free, with an empty bucket.
pub struct Moto {
    process: Child,
    address: String,
}

impl Moto {
    /// Starts the server, if it is installed; otherwise says that the test is skipped.
    pub fn start(bucket: &str) -> Option<Self> {
        let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../moto/bin/moto_server");
        let program = env::var_os("ASSENT_MOTO_SERVER").map_or(installed, PathBuf::from);
        if !program.exists() {
            println!("skipped: moto is not installed; get it: cargo xtask test --only moto");
            return None;
        }
        let mut process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto starts");
        let mut lines = BufReader::new(process.stderr.take().expect("standard error")).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("Running on http://")?.1.trim().to_owned()));
        // Reads on: it stops once the pipe is full.
        thread::spawn(move || lines.for_each(drop));
        let server = Self { process, address: address.expect("moto says where it listens") };
        let mut stream = TcpStream::connect(&server.address).expect("moto listens");
        let head = format!("PUT /{bucket} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n", server.address);
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).expect("moto takes a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("moto answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Some(server)
    }

    /// The environment of a program that uses the server.
    pub fn variables(&self) -> Vec<(String, String)> {
        let url = format!("http://{}", self.address);
        let variables = [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_SESSION_TOKEN", ""),
        ];
        variables.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
