//! The metrics for Prometheus.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use assent_network::gateway::{FailureCode, TaskOutcome};
use assent_task_log::TaskLogError;
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
use serde::Serialize;

use crate::clock::now_millis;

/// What can keep the task log from taking a record.
const LOG_FAILURES: [&str; 6] = ["busy", "failed", "full", "leaseLost", "noSpace", "tooLarge"];

/// The gateway's metrics.
pub(crate) struct GatewayMetrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    outcomes: Family<OutcomeLabel, Counter>,
    log_failures: Family<OutcomeLabel, Counter>,
    /// Tasks that were accepted.
    pub(crate) accepted: Counter,
    /// Tasks that are open or remembered.
    pub(crate) tasks: Gauge,
    /// Operators that are connected.
    pub(crate) operators: Gauge,
    /// Connections that were closed because the operator did not read.
    pub(crate) slow_operators: Counter,
    /// Tasks of the log that this program cannot read.
    pub(crate) unreadable: Counter,
    /// Attestations of the log that cannot be verified, each time that one is read.
    pub(crate) invalid_ends: Counter,
    /// Requests that were refused because their caller asks too often.
    limited: Counter,
    /// Connections that were closed because their address has too many.
    pub(crate) refused_connections: Counter,
    /// The number of the latest block.
    pub(crate) block: Gauge,
    /// By how many seconds the machine's clock is corrected.
    pub(crate) clock_correction: Gauge,
    /// Reads of the latest block that failed.
    pub(crate) node_failures: Counter,
    /// The time from a request to its authorization.
    decision_seconds: Histogram,
    /// The calls that got an error, by its code, of which there are few.
    refusals: Mutex<BTreeMap<&'static str, RefusalCount>>,
}

/// How often calls got an error since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefusalCount {
    /// The code of the error.
    pub(crate) code: &'static str,
    pub(crate) count: u64,
    /// When the last call got it (Unix time in milliseconds).
    pub(crate) last_at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl GatewayMetrics {
    /// Returns metrics at zero, with every outcome of a task: a rate of a missing outcome cannot raise an alarm.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("assent_gateway");
        let outcomes = Family::<OutcomeLabel, Counter>::default();
        let failures = FailureCode::ALL.iter().map(|code| code.as_str());
        for outcome in ["allow", "deny"].into_iter().chain(failures) {
            drop(outcomes.get_or_create(&OutcomeLabel { outcome }));
        }
        let log_failures = Family::<OutcomeLabel, Counter>::default();
        for outcome in LOG_FAILURES {
            drop(log_failures.get_or_create(&OutcomeLabel { outcome }));
        }
        let metrics = Self {
            calls: Family::default(),
            outcomes,
            log_failures,
            accepted: Counter::default(),
            tasks: Gauge::default(),
            operators: Gauge::default(),
            slow_operators: Counter::default(),
            unreadable: Counter::default(),
            invalid_ends: Counter::default(),
            limited: Counter::default(),
            refused_connections: Counter::default(),
            block: Gauge::default(),
            clock_correction: Gauge::default(),
            node_failures: Counter::default(),
            decision_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            refusals: Mutex::default(),
            registry: Registry::default(),
        };
        registry.register("calls", "Calls by method and result", metrics.calls.clone());
        registry.register("tasks_ended", "Tasks that ended, by result", metrics.outcomes.clone());
        registry.register("task_log_failures", "Records that the log did not take", metrics.log_failures.clone());
        registry.register("tasks_accepted", "Tasks that were accepted", metrics.accepted.clone());
        registry.register("tasks", "Tasks that are open or remembered", metrics.tasks.clone());
        registry.register("operators_connected", "Operators that are connected", metrics.operators.clone());
        registry.register(
            "slow_operators",
            "Connections closed because the operator did not read",
            metrics.slow_operators.clone(),
        );
        registry.register(
            "unreadable_tasks",
            "Tasks of the log that this program cannot read",
            metrics.unreadable.clone(),
        );
        registry.register(
            "invalid_ends",
            "Attestations of the log that cannot be verified",
            metrics.invalid_ends.clone(),
        );
        registry.register("rate_limited", "Requests of callers that ask too often", metrics.limited.clone());
        registry.register(
            "refused_connections",
            "Connections of addresses that have too many",
            metrics.refused_connections.clone(),
        );
        registry.register("block", "The number of the latest block", metrics.block.clone());
        registry.register(
            "clock_correction_seconds",
            "Seconds by which the clock is corrected to the chain's time; 0 if it is right to a minute",
            metrics.clock_correction.clone(),
        );
        registry.register("node_failures", "Reads of the latest block that failed", metrics.node_failures.clone());
        registry.register(
            "decision_seconds",
            "Time from a request to its attestation, in seconds",
            metrics.decision_seconds.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Counts a call. `method` is one of the table's, so that callers cannot make the metrics grow.
    pub(crate) fn count_call(&self, method: &'static str, outcome: &'static str) {
        self.calls.get_or_create(&CallLabels { method, outcome }).inc();
        if outcome != "ok" {
            self.count_refusal(outcome);
        }
    }

    /// Counts a request that is refused because its caller asks too often.
    pub(crate) fn count_limited(&self) {
        self.limited.inc();
        self.count_refusal("rateLimited");
    }

    /// Counts an error that a call got. `code` is one of the table's, so that callers cannot make the counts grow.
    pub(crate) fn count_refusal(&self, code: &'static str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = refusals.entry(code).or_insert(RefusalCount { code, count: 0, last_at: 0 });
        refusal.count = refusal.count.saturating_add(1);
        refusal.last_at = now_millis();
    }

    /// Returns how often calls got an error since the start, by its code.
    pub(crate) fn refusals(&self) -> Vec<RefusalCount> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }

    /// Counts a task that ended.
    pub(crate) fn count_outcome(&self, outcome: &TaskOutcome) {
        let outcome = match outcome {
            TaskOutcome::Attested { document, .. } if document.attestation.decision == 0 => "deny",
            TaskOutcome::Attested { .. } => "allow",
            TaskOutcome::Failed(failure) => failure.code.as_str(),
        };
        self.outcomes.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Counts a record that the task log did not take.
    pub(crate) fn log(&self, error: Option<&TaskLogError>) {
        let outcome = match error {
            None => return,
            Some(TaskLogError::Full { .. }) => "full",
            Some(TaskLogError::TooLarge { .. }) => "tooLarge",
            Some(TaskLogError::Busy) => "busy",
            Some(TaskLogError::LeaseLost(_)) => "leaseLost",
            Some(TaskLogError::NoSpace(_)) => "noSpace",
            Some(_) => "failed",
        };
        self.log_failures.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Records how long a decision took.
    pub(crate) fn decided_in(&self, time: Duration) {
        self.decision_seconds.observe(time.as_secs_f64());
    }

    /// Returns all metrics as OpenMetrics text.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
