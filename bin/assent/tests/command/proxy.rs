//! A node between the binary and anvil that answers as other nodes do.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// Returns the answer of such a node: an error object for a method, or anvil's error object rewritten.
pub type Answers = fn(method: &str, error: Option<&Value>) -> Option<Value>;

/// Starts the node before `url`, and returns its URL.
pub fn start(url: &str, answers: Answers) -> String {
    let upstream = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let own = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let upstream = upstream.clone();
            thread::spawn(move || serve(client, &upstream, answers));
        }
    });
    own
}

fn serve(mut client: TcpStream, upstream: &str, answers: Answers) {
    let request = read(&mut client);
    let request: Value = serde_json::from_slice(&request).expect("a request in JSON");
    let method = request["method"].as_str().expect("a method");
    let answer = answers(method, None).map(|error| json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }));
    let mut answer = answer.unwrap_or_else(|| {
        let mut node = TcpStream::connect(upstream).expect("anvil listens");
        write(&mut node, &format!("POST / HTTP/1.1\r\nHost: {upstream}"), &request);
        serde_json::from_slice(&read(&mut node)).expect("an answer in JSON")
    });
    if let Some(error) = answer.get("error").and_then(|error| answers(method, Some(error))) {
        answer["error"] = error;
    }
    write(&mut client, "HTTP/1.1 200 OK", &answer);
}

fn write(stream: &mut TcpStream, head: &str, body: &Value) {
    let body = body.to_string();
    let length = body.len();
    // The other side can be gone.
    let _ = write!(
        stream,
        "{head}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}

/// Reads the body of a request or answer with a length.
fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head");
        let line = line.trim_end().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(number) = line.strip_prefix("content-length: ") {
            length = number.parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    body
}
