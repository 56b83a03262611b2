//! The chain of a local network: embedded and served over HTTP, or a development node.

use crate::connection;
use alloy::{
    providers::{DynProvider, Provider},
    rpc::json_rpc::{Id, Request, RequestPacket, ResponsePacket, SerializedRequest},
};
use anyhow::{Context as _, Result};
use assent_chain::{DEVELOPMENT_CHAIN_ID, EmbeddedChain, EmbeddedTransport, Genesis};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tower_service::Service;

/// How often a block is mined, so that the chain's time follows the machine's.
const BLOCK_TIME: Duration = Duration::from_secs(2);
/// Blocks whose state operators can still read: ten times as many as they accept as a reference.
const PAST_STATES: usize = 128;
/// How long before the start the chain begins. Each transaction of the set-up takes a second of its time.
const HISTORY: u64 = 600;

/// A chain whose accounts are unlocked, and whose time follows the machine's until it is dropped.
pub struct LocalChain {
    pub provider: DynProvider,
    pub url: String,
    pub description: &'static str,
    _tasks: JoinSet<()>,
}

impl LocalChain {
    /// Starts an embedded chain, and serves it over HTTP.
    pub async fn serve(listen: SocketAddr) -> Result<Self> {
        let genesis =
            Genesis { timestamp: now().saturating_sub(HISTORY), ..Genesis::development(DEVELOPMENT_CHAIN_ID) };
        let chain = EmbeddedChain::with_genesis(genesis);
        chain.keep_past_states(PAST_STATES);
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}; give another --rpc-port, 0 for a free one"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut tasks = JoinSet::new();
        let router = Router::new().route("/", post(answer)).with_state(chain.transport());
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("error: the chain is no longer served: {error}");
            }
        });
        let clock = chain.clone();
        tasks.spawn(every_block(move || {
            // A chain that is ahead of the machine waits for it.
            let _ = clock.set_timestamp(now());
            std::future::ready(())
        }));
        Ok(Self { provider: chain.provider(), url, description: "embedded (revm in this process)", _tasks: tasks })
    }

    /// Connects to a development node.
    pub fn connect(url: &str) -> Result<Self> {
        let provider = connection::connect(url, None)?;
        let mut tasks = JoinSet::new();
        let node = provider.clone();
        tasks.spawn(every_block(move || {
            let node = node.clone();
            async move {
                // A node that mines itself needs none.
                let _ = node.raw_request::<_, serde_json::Value>("evm_mine".into(), ()).await;
            }
        }));
        Ok(Self { provider, url: url.to_owned(), description: "a development node", _tasks: tasks })
    }
}

async fn every_block<F: Future<Output = ()>>(mut mine: impl FnMut() -> F) {
    let mut ticks = interval(BLOCK_TIME);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        mine().await;
    }
}

/// A request of JSON-RPC, whose parameters may be missing.
#[derive(Deserialize)]
struct Incoming {
    id: Id,
    method: String,
    params: Option<Box<RawValue>>,
}

/// Answers a request of JSON-RPC, or a batch of them.
async fn answer(State(mut transport): State<EmbeddedTransport>, body: Bytes) -> Response {
    let Some(packet) = parse(&body) else {
        return (StatusCode::BAD_REQUEST, "send a request of JSON-RPC 2.0, or an array of them\n").into_response();
    };
    let text = match transport.call(packet).await {
        Ok(ResponsePacket::Single(answer)) => serde_json::to_string(&answer),
        Ok(ResponsePacket::Batch(answers)) => serde_json::to_string(&answers),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn parse(body: &[u8]) -> Option<RequestPacket> {
    let raw: &RawValue = serde_json::from_slice(body).ok()?;
    if !raw.get().starts_with('[') {
        return Some(RequestPacket::Single(request(raw)?));
    }
    let requests: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
    Some(RequestPacket::Batch(requests.into_iter().map(request).collect::<Option<_>>()?))
}

fn request(raw: &RawValue) -> Option<SerializedRequest> {
    let Incoming { id, method, params } = serde_json::from_str(raw.get()).ok()?;
    match params {
        Some(params) => SerializedRequest::try_from(Request::new(method, id, params)).ok(),
        None => SerializedRequest::try_from(Request::new(method, id, ())).ok(),
    }
}

/// Returns the time in seconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
