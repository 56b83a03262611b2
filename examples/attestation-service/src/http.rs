//! The HTTP requests.

use crate::{
    answer::{Problem, SubmissionResult, json_response},
    ledger::Ledger,
    metrics::Metrics,
    submission::Submission,
    worker::Job,
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use prometheus_client::metrics::gauge::Gauge;
use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};
use tokio::sync::oneshot;

/// How long a request's body may take to arrive: a client that sends a byte a minute must not hold a connection
/// forever.
const LONGEST_ARRIVAL: Duration = Duration::from_secs(10);

/// The state of every request.
#[derive(Clone)]
pub struct Service {
    pub queue: SyncSender<Job>,
    pub ledger: Arc<Ledger>,
    pub metrics: Arc<Metrics>,
}

/// Returns the routes.
pub fn router(service: Service, longest_body: usize) -> Router {
    Router::new()
        .route("/documents", post(submit_document))
        .route("/authorizations", post(submit_authorization))
        .route("/audit/{sequence}", get(audit))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(|| async {
            let asked = "there is /documents, /authorizations, /audit/{sequence}, /health and /metrics";
            Problem::new(StatusCode::NOT_FOUND, "NotFound", asked.to_owned())
        })
        .method_not_allowed_fallback(|| async {
            let asked = "POST to /documents and /authorizations, GET everything else";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", asked.to_owned())
        })
        .layer(DefaultBodyLimit::max(longest_body))
        .with_state(service)
}

async fn submit_document(State(service): State<Service>, request: Request) -> Response {
    service.submit(request, Submission::from_document).await
}

async fn submit_authorization(State(service): State<Service>, request: Request) -> Response {
    service.submit(request, Submission::from_authorization).await
}

impl Service {
    async fn submit(&self, request: Request, read: fn(&[u8]) -> Result<Submission, Problem>) -> Response {
        let result = match body(request).await.and_then(|body| read(&body)) {
            Ok(submission) => self.process(submission).await,
            Err(problem) => Err(problem),
        };
        match result {
            Ok(result) => result.into_response(),
            Err(problem) => {
                self.metrics.count(problem.name());
                problem.into_response()
            }
        }
    }

    /// Submits to the worker, and waits for the result.
    async fn process(&self, submission: Submission) -> Result<SubmissionResult, Problem> {
        let (sender, result) = oneshot::channel();
        self.queue.try_send(Job { submission, answer: sender }).map_err(|error| match error {
            TrySendError::Full(_) => Problem::unavailable("too many submissions are waiting; try again in a second"),
            TrySendError::Disconnected(_) => Problem::unavailable(FAILED),
        })?;
        // A caller who hangs up has this dropped.
        let _waiting = Waiting::new(&self.metrics.waiting);
        result.await.map_err(|_| Problem::unavailable(FAILED))
    }
}

/// A waiting request, counted until it is dropped.
struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const FAILED: &str = "the ledger failed; whether this was spent is known after a restart of the service";

async fn body(request: Request) -> Result<Bytes, Problem> {
    match tokio::time::timeout(LONGEST_ARRIVAL, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLong",
            "the body is longer than the service takes; it is started with --longest-body".to_owned(),
        )),
        Ok(Err(rejection)) => Err(Problem::malformed_request(rejection.body_text())),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "RequestTooSlow",
            format!("the body has to arrive within {} seconds", LONGEST_ARRIVAL.as_secs()),
        )),
    }
}

async fn audit(State(service): State<Service>, Path(sequence): Path<String>) -> Response {
    let Ok(number) = sequence.parse() else {
        return Problem::malformed_request(format!("{sequence} is not a sequence number")).into_response();
    };
    match reading(move || service.ledger.entry(number)).await {
        Some(Ok(Some(record))) => json_response(StatusCode::OK, record),
        Some(Ok(None)) => {
            Problem::new(StatusCode::NOT_FOUND, "NoSuchRecord", format!("there is no record {number} yet"))
                .into_response()
        }
        _ => Problem::unavailable("cannot read the ledger").into_response(),
    }
}

/// Returns 200 when the ledger can be read. When the worker has ended, the process ends.
async fn health(State(service): State<Service>) -> Response {
    match reading(move || service.ledger.length()).await {
        Some(Ok(records)) => {
            json_response(StatusCode::OK, format!("{{\"status\":\"ok\",\"records\":{records}}}").into_bytes())
        }
        _ => Problem::unavailable("cannot read the ledger").into_response(),
    }
}

async fn metrics(State(service): State<Service>) -> Response {
    match service.metrics.text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => Problem::unavailable("cannot write the metrics").into_response(),
    }
}

/// Reads the disk without blocking other requests.
async fn reading<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(read).await.ok()
}
