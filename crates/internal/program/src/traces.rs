//! Traces for OpenTelemetry. Spans of tasks are sent to a collector in the background.
//!
//! A trace's id is the beginning of the task's id, and its root span is the gateway's. So the spans of all programs
//! that work on a task are one trace, and no message between them has to carry it.
//!
//! What the collector does not take in time is dropped. A program never waits for it, and what waits is bounded.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result};
use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, IdGenerator, RandomIdGenerator, SpanData, SpanEvents, SpanExporter,
        SpanLinks, SpanProcessor,
    },
};
use reqwest::{Client, Url, redirect::Policy};
use tokio::runtime::Handle;

/// The most spans that wait. Further ones are dropped.
const MAX_WAITING: usize = 4096;
/// The most spans of a request.
const MAX_SENT: usize = 512;
/// How long a span waits for others at most.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long the collector may take for a request.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);
/// How often a collector that takes nothing is reported.
const REPORT: Duration = Duration::from_secs(60);

/// A part of the work on a task.
// Complete: a span has no other fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The task's id.
    pub task_id: [u8; 32],
    /// Its name.
    pub name: &'static str,
    /// Whether it is the whole work on the task, of which the others are parts.
    pub is_root: bool,
    /// When it began.
    pub start: SystemTime,
    /// When it ended.
    pub end: SystemTime,
    /// What is known of it.
    pub attributes: Vec<(&'static str, String)>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// Where spans are recorded. Without a collector, it costs nothing.
///
/// ```
/// let tracer = assent_program::Tracer::disabled();
/// assert!(!tracer.is_enabled());
/// let start = std::time::SystemTime::now();
/// tracer.record(assent_program::Span::new([0xaa; 32], "evaluate", start)); // Ends now, and would be recorded.
/// ```
#[derive(Debug, Clone)]
pub struct Tracer(Option<Arc<Exporting>>);

#[derive(Debug)]
struct Exporting {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    ids: RandomIdGenerator,
}

impl Span {
    /// Returns a part of the work on a task, which ends now.
    pub fn new(task_id: [u8; 32], name: &'static str, start: SystemTime) -> Self {
        let end = SystemTime::now();
        Self { task_id, name, is_root: false, start, end, attributes: Vec::new(), error: None }
    }
}

impl Tracer {
    /// Returns a tracer that records nothing.
    pub const fn disabled() -> Self {
        Self(None)
    }

    /// Starts to send spans to a collector. Must be called inside a tokio runtime.
    ///
    /// `endpoint` is the collector's URL, to which `/v1/traces` is appended. `report` is told what goes wrong.
    ///
    /// # Errors
    ///
    /// The endpoint is not the URL of an HTTP server.
    pub fn start_exporter(
        endpoint: &str,
        service: &'static str,
        version: &'static str,
        instance: &str,
        report: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self> {
        let url = collector(endpoint)?;
        let client = Client::builder().redirect(Policy::none()).timeout(LONGEST_ANSWER).build();
        let client = client.context("cannot start the HTTP client of the traces")?;
        let client = RuntimeClient { client, runtime: Handle::current() };
        let exporter = OtlpExporter::builder().with_http().with_http_client(client).with_endpoint(url).build();
        let mut exporter = exporter.context("cannot start the exporter of traces")?;
        let resource = Resource::builder_empty().with_attributes([
            KeyValue::new("service.name", service),
            KeyValue::new("service.version", version),
            KeyValue::new("service.instance.id", instance.to_owned()),
        ]);
        exporter.set_resource(&resource.build());
        let exporter = ReportingExporter { exporter, report: Report(Box::new(report)), reported: Mutex::new(None) };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(MAX_WAITING)
            .with_max_export_batch_size(MAX_SENT)
            .with_scheduled_delay(INTERVAL)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        let scope = InstrumentationScope::builder(service).with_version(version).build();
        Ok(Self(Some(Arc::new(Exporting { processor, scope, ids: RandomIdGenerator::default() }))))
    }

    /// Returns whether spans are recorded.
    pub const fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// Records a span, unless too many wait.
    pub fn record(&self, span: Span) {
        if let Some(exporting) = &self.0 {
            exporting.processor.on_end(exporting.data(span));
        }
    }

    /// Sends what waits, for some seconds at most. Nothing is recorded afterwards.
    pub async fn shutdown(&self) {
        let Some(exporting) = self.0.clone() else { return };
        let shutdown = move || exporting.processor.shutdown_with_timeout(LONGEST_ANSWER);
        let _ = tokio::task::spawn_blocking(shutdown).await;
    }
}

impl Exporting {
    fn data(&self, span: Span) -> SpanData {
        let Span { task_id, name, is_root, start, end, attributes, error } = span;
        let (trace_id, root) = ids(&task_id);
        let span_id = if is_root { root } else { self.ids.new_span_id() };
        SpanData {
            span_context: SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, TraceState::default()),
            parent_span_id: if is_root { SpanId::INVALID } else { root },
            parent_span_is_remote: false,
            span_kind: if is_root { SpanKind::Server } else { SpanKind::Internal },
            name: name.into(),
            start_time: start,
            end_time: end.max(start),
            attributes: attributes.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: error.map_or(Status::Unset, Status::error),
            instrumentation_scope: self.scope.clone(),
        }
    }
}

/// A client whose requests are made in a tokio runtime, while a thread without one waits for the answer.
#[derive(Debug)]
struct RuntimeClient {
    client: Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for RuntimeClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(async move { client.send_bytes(request).await }).await?
    }
}

/// An exporter that reports its failures, but not often.
#[derive(Debug)]
struct ReportingExporter {
    exporter: OtlpExporter,
    report: Report,
    /// When a failure was reported last.
    reported: Mutex<Option<Instant>>,
}

struct Report(Box<dyn Fn(&str) + Send + Sync>);

impl core::fmt::Debug for Report {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Report")
    }
}

impl SpanExporter for ReportingExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let result = self.exporter.export(batch).await;
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if result.is_err() && reported.is_none_or(|reported| reported.elapsed() >= REPORT) {
            *reported = Some(Instant::now());
            // The error can contain the URL, and the URL a key.
            (self.report.0)(&format!("the collector of otlp-endpoint does not take traces; {count} spans are dropped"));
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Checks the URL of a collector.
///
/// # Errors
///
/// It is not the URL of an HTTP server.
pub fn check_otlp_endpoint(endpoint: &str) -> Result<()> {
    collector(endpoint).map(drop)
}

/// Returns where a collector takes traces.
fn collector(endpoint: &str) -> Result<String> {
    // The text can contain a key: no error repeats it.
    let url = endpoint.parse::<Url>().ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none());
    let url = url.context("otlp-endpoint is not the URL of a collector; give one such as http://127.0.0.1:4318")?;
    Ok(format!("{}/v1/traces", url.as_str().trim_end_matches('/')))
}

/// Returns the ids of a task's trace and of its root span.
fn ids(task_id: &[u8; 32]) -> (TraceId, SpanId) {
    let trace = task_id.first_chunk().copied().unwrap_or_default();
    let span = task_id.get(16..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    (TraceId::from_bytes(trace), SpanId::from_bytes(span))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn the_ids_are_the_beginning_of_the_task_s() {
        let task_id = core::array::from_fn(|index| u8::try_from(index).unwrap());
        let (trace, span) = ids(&task_id);
        assert_eq!(
            (trace.to_string().as_str(), span.to_string().as_str()),
            ("000102030405060708090a0b0c0d0e0f", "1011121314151617")
        );
    }

    #[test]
    fn an_endpoint_is_the_url_of_a_server() {
        for (endpoint, url) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://collector.example/otlp/", "https://collector.example/otlp/v1/traces"),
        ] {
            assert_eq!(collector(endpoint).unwrap(), url);
        }
        for endpoint in ["", "127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://", "http://a/?key=1"] {
            assert!(check_otlp_endpoint(endpoint).is_err(), "{endpoint}");
        }
    }

    #[tokio::test]
    async fn a_collector_that_takes_nothing_is_reported_once() {
        // No one listens on the discard port.
        let lines = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lines);
        let report = move |line: &str| {
            assert!(line.contains("does not take traces") && !line.contains("127.0.0.1"), "{line}");
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let tracer = Tracer::start_exporter("http://127.0.0.1:9", "test", "1", "one", report).unwrap();
        for _ in 0..2 * MAX_WAITING {
            tracer.record(Span::new([7; 32], "evaluate", SystemTime::now()));
        }
        tracer.shutdown().await;
        assert_eq!(lines.load(Ordering::Relaxed), 1);
    }
}
