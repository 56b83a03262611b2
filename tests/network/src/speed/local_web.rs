//! An operator whose sources' requests are answered on this machine, and the server that answers them.
//!
//! The operator's program connects to public addresses only, with TLS. Here each request is a real one, to a server on
//! this machine, without TLS.

use std::{
    env, fs, io::Write as _, net::SocketAddr, os::unix::fs::OpenOptionsExt as _, path::PathBuf, process::ExitCode,
    sync::Arc,
};

use alloy::primitives::B256;
use anyhow::{Context as _, Result};
use assent_operator::{OperatorConfig, OperatorOptions, start_with_web};
use assent_policy_data::{
    exchange::{HttpFailure, HttpResponse},
    http::{HttpClient, HttpRefusal, PermittedRequest},
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    task::JoinHandle,
};

use super::policies::{HOST, SECRET};
use crate::world::World;

/// The variable with the server's address.
pub(super) const VARIABLE: &str = "ASSENT_HARNESS_WEB";
const BODY: &str = r#"{"price":"125"}"#;

/// Runs as an operator with that client.
pub(crate) fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let path = env::args_os().skip_while(|argument| argument != "--config").nth(1).context("--config is missing")?;
    let mut options = OperatorOptions::read_file(&PathBuf::from(path))?;
    options.listen.get_or_insert(SocketAddr::from(([127, 0, 0, 1], 0)));
    let address = env::var(VARIABLE).context(VARIABLE)?.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let web = LocalClient { http: reqwest::Client::new(), address, runtime: Handle::current() };
        let operator = start_with_web(OperatorConfig::new(options)?, Arc::new(web)).await?;
        println!("listening on http://{}", operator.address());
        operator.ended().await;
        Ok(())
    })
}

struct LocalClient {
    http: reqwest::Client,
    address: SocketAddr,
    runtime: Handle,
}

impl HttpClient for LocalClient {
    fn send(&self, request: &PermittedRequest) -> Result<Result<HttpResponse, HttpFailure>, HttpRefusal> {
        let mut building = self.http.get(format!("http://{}{}", self.address, request.url().path()));
        for (name, value) in request.headers() {
            building = building.header(name, value);
        }
        let answer = self.runtime.block_on(async {
            let response = building.send().await?;
            let status = response.status().as_u16();
            Ok::<_, reqwest::Error>(HttpResponse { status, headers: Vec::new(), body: response.text().await? })
        });
        Ok(answer.map_err(|_error| HttpFailure::Unreachable))
    }
}

/// Writes the secrets of an operator, and returns the file.
pub(super) fn secrets_file(world: &World, index: usize, policy_id: B256) -> Result<PathBuf> {
    let path = world.path(&format!("secrets-{index}.json"));
    let secrets = json!([{ "name": SECRET, "host": HOST, "policyId": policy_id, "value": "secret-of-this-machine" }]);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(secrets.to_string().as_bytes())?;
    Ok(path)
}

/// The server.
pub(super) struct LocalWeb {
    pub(super) address: SocketAddr,
    server: JoinHandle<()>,
}

impl LocalWeb {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    // A client may end a connection at any time.
                    let _ = serve(stream).await;
                });
            }
        });
        Ok(Self { address, server })
    }
}

impl Drop for LocalWeb {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Answers requests without a body until the client closes.
async fn serve(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        if line == "\r\n" {
            let length = BODY.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{BODY}");
            stream.get_mut().write_all(answer.as_bytes()).await?;
        }
        line.clear();
    }
    Ok(())
}
