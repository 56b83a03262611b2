//! The metrics for Prometheus.

use crate::answer::Problem;
use assent_verifier::Refusal;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::fmt;

/// The service's metrics.
pub struct Metrics {
    registry: Registry,
    submissions: Family<OutcomeLabel, Counter>,
    /// Submissions that wait for their result.
    pub waiting: Gauge,
    /// Records in the audit trail.
    pub records: Gauge,
    /// Submissions verified together.
    pub batch_size: Histogram,
    /// The time from the end of a batch's wait until it is on disk.
    pub settling_seconds: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl Metrics {
    /// Returns metrics at zero, with every outcome: a rate of a missing outcome cannot raise an alarm.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("attestation_service");
        let submissions = Family::<OutcomeLabel, Counter>::default();
        let others = ["accepted", Problem::CONTRADICTORY_DOCUMENT, Problem::MALFORMED_REQUEST, "Unavailable"];
        for outcome in Refusal::NAMES.iter().copied().chain(others) {
            drop(submissions.get_or_create(&OutcomeLabel { outcome }));
        }
        let (waiting, records) = (Gauge::default(), Gauge::default());
        let batch_size = Histogram::new(exponential_buckets(1.0, 2.0, 10));
        let settling_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 12));
        registry.register("submissions", "Submissions by result", submissions.clone());
        registry.register("waiting", "Submissions that wait for their result", waiting.clone());
        registry.register("audit_records", "Records in the audit trail", records.clone());
        registry.register("batch_size", "Submissions verified together", batch_size.clone());
        registry.register(
            "settling_seconds",
            "Time to verify a batch and have it on disk, in seconds",
            settling_seconds.clone(),
        );
        Self { registry, submissions, waiting, records, batch_size, settling_seconds }
    }

    /// Counts a submission.
    pub fn count(&self, outcome: &'static str) {
        self.submissions.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Returns all metrics as OpenMetrics text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
