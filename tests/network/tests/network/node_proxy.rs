//! A node between a program and anvil, which stalls, lies, or is gone.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// How the node behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeBehaviour {
    /// As anvil does.
    Honest,
    /// It accepts requests, and answers when it is honest again.
    Stalls,
    /// It answers calls of contracts, logs and code with something else.
    LiesAboutState,
    /// It shows other blocks.
    LiesAboutBlocks,
    /// It answers bytes that are not HTTP.
    Garbage,
    /// It closes every connection.
    Gone,
}

pub struct NodeProxy {
    pub url: String,
    behaviour: watch::Sender<NodeBehaviour>,
    /// The requests that were answered otherwise than by anvil.
    lies: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

impl NodeProxy {
    pub async fn start(upstream: &str) -> Result<Self> {
        Self::start_at(upstream, "127.0.0.1").await
    }

    /// Starts it at an address of this machine.
    pub async fn start_at(upstream: &str, host: &str) -> Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (behaviour, watched) = watch::channel(NodeBehaviour::Honest);
        let lies = Arc::new(AtomicU64::new(0));
        let proxy = Proxy { upstream: upstream.to_owned(), http: reqwest::Client::new(), lies: Arc::clone(&lies) };
        let proxy = Arc::new(proxy);
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { continue };
                        let (proxy, watched) = (Arc::clone(&proxy), watched.clone());
                        connections.spawn(async move {
                            // The client may end a connection at any time.
                            let _ = proxy.serve(stream, watched).await;
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { url, behaviour, lies, server })
    }

    pub fn behave(&self, behaviour: NodeBehaviour) {
        self.behaviour.send_replace(behaviour);
    }

    pub fn lies(&self) -> u64 {
        self.lies.load(Ordering::Relaxed)
    }
}

impl Drop for NodeProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Proxy {
    upstream: String,
    http: reqwest::Client,
    lies: Arc<AtomicU64>,
}

impl Proxy {
    async fn serve(&self, stream: TcpStream, mut behaviour: watch::Receiver<NodeBehaviour>) -> Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(request) = read_request(&mut stream).await? {
            if *behaviour.borrow() == NodeBehaviour::Stalls {
                self.lies.fetch_add(1, Ordering::Relaxed);
                behaviour.wait_for(|behaviour| *behaviour != NodeBehaviour::Stalls).await?;
            }
            let now = *behaviour.borrow();
            if now == NodeBehaviour::Gone {
                self.lies.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            if now == NodeBehaviour::Garbage {
                self.lies.fetch_add(1, Ordering::Relaxed);
                stream.get_mut().write_all(b"\x00\xff not HTTP\r\n\r\n").await?;
                return Ok(());
            }
            let post = self.http.post(&self.upstream).header("content-type", "application/json");
            let answer = post.body(request.to_string()).send().await?.bytes().await?;
            let mut answer: Value = serde_json::from_slice(&answer)?;
            self.lie(now, &request, &mut answer);
            let body = answer.to_string();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.get_mut().write_all((head + &body).as_bytes()).await?;
        }
        Ok(())
    }

    /// Changes the answer to a request.
    fn lie(&self, behaviour: NodeBehaviour, request: &Value, answer: &mut Value) {
        let method = request["method"].as_str().unwrap_or_default();
        let Some(result) = answer.get_mut("result") else { return };
        let lie = match (behaviour, method) {
            (NodeBehaviour::LiesAboutState, "eth_call" | "eth_getCode" | "eth_getStorageAt") => {
                // Every nibble of the last byte that is not zero, and of a zero, is another one.
                let text = result.as_str().unwrap_or("0x").to_owned();
                let other = |digit: char| if digit == '1' { '0' } else { '1' };
                let last = text.chars().last().filter(|_| text.len() > 2).map(other);
                last.map(|last| json!(format!("{}{last}", &text[..text.len() - 1])))
            }
            (NodeBehaviour::LiesAboutState, "eth_getLogs") => Some(json!([])),
            (NodeBehaviour::LiesAboutBlocks, "eth_getBlockByNumber" | "eth_getBlockByHash") if result.is_object() => {
                let mut block = result.clone();
                block["hash"] = json!(format!("0x{}", "ab".repeat(32)));
                Some(block)
            }
            _ => None,
        };
        if let Some(lie) = lie {
            *result = lie;
            self.lies.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Reads a request with its body, which is JSON. Returns nothing at the end of the connection.
async fn read_request(stream: &mut BufReader<TcpStream>) -> Result<Option<Value>> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let header = line.trim_end().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().context("a length")?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(serde_json::from_slice(&body)?))
}
