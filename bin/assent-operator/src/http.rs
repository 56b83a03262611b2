//! Evidence by hash, health and metrics over HTTP.

use std::sync::Arc;

use alloy_primitives::B256;
use assent_evidence_store::EvidenceStore;
use assent_program::Connections;
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};

use crate::{capacity::Threads, fair_queue::Share, health::Health, metrics::OperatorMetrics};

/// The most connections. Further ones wait.
const CONNECTIONS: u16 = 256;
/// The most evidence files that are read at one time.
const READING: usize = 8;

/// What the server shows.
#[derive(Clone)]
pub(crate) struct Shown {
    evidence: EvidenceStore,
    health: Arc<Health>,
    metrics: Arc<OperatorMetrics>,
    reading: Threads,
}

impl Shown {
    pub(crate) fn new(evidence: EvidenceStore, health: Arc<Health>, metrics: Arc<OperatorMetrics>) -> Self {
        let reading = Threads::new(READING, &metrics.panics);
        Self { evidence, health, metrics, reading }
    }
}

/// Serves until `stopping` says so, and then answers what it was asked before.
pub(crate) async fn serve(listener: TcpListener, shown: Shown, stopping: watch::Receiver<bool>) {
    let router = Router::new()
        .route("/evidence/{hash}", get(evidence))
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(shown);
    let connections = Connections::new(CONNECTIONS.into());
    assent_program::serve(listener, None, router, connections.clone(), stopping).await;
    connections.ended().await;
}

async fn evidence(State(shown): State<Shown>, Path(hash): Path<String>) -> Response {
    let hash = hash.strip_suffix(".json").unwrap_or(&hash);
    let Some(hash) = hash.starts_with("0x").then(|| hash.parse::<B256>().ok()).flatten() else {
        return problem(StatusCode::BAD_REQUEST, "an evidence hash is 0x and 64 hex digits");
    };
    let store = shown.evidence.clone();
    match shown.reading.run(&Share::default(), move || store.get(hash)).await {
        Ok(Ok(Some(file))) => {
            // A file never changes, and pages of any origin may replay it.
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            ];
            (headers, file).into_response()
        }
        Ok(Ok(None)) => problem(StatusCode::NOT_FOUND, "this operator does not have the evidence; ask another one"),
        Ok(Err(_)) | Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the evidence cannot be read"),
    }
}

async fn healthz(State(shown): State<Shown>) -> Response {
    let (is_healthy, report) = shown.health.report();
    let status = if is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], report.to_string()).into_response()
}

async fn metrics(State(shown): State<Shown>) -> Response {
    let _ = shown.health.report();
    match shown.metrics.text() {
        Ok(text) => {
            let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, open_metrics)], text).into_response()
        }
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written"),
    }
}

fn problem(status: StatusCode, reason: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json!({ "error": reason }).to_string()).into_response()
}
