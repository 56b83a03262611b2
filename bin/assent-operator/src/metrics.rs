//! The metrics for Prometheus. `docs/operate.md` says what each means.

use std::{fmt, time::Instant};

use assent_network::message::RefusalCode;
use assent_types::Decision;
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

/// The metrics of an operator.
pub(crate) struct OperatorMetrics {
    registry: Registry,
    /// Connections, with those that gateways have not accepted.
    pub connections: Gauge,
    pub connection_failures: Counter,
    /// Gateways that accepted the operator.
    pub gateways: Gauge,
    /// Tasks that it works on or remembers.
    pub tasks: Gauge,
    /// Actions that are not done.
    pub actions: Gauge,
    decisions: Family<DecisionLabel, Counter>,
    /// Handovers that were signed, again or for the first time.
    pub handovers: Counter,
    refusals: Family<CodeLabel, Counter>,
    seconds: Family<StepLabel, Histogram, fn() -> Histogram>,
    pub evaluation_steps: Histogram,
    /// Attestations that may be neither spent nor expired.
    pub holds: Gauge,
    pub panics: Counter,
    /// Sets of observations with an invalid signature that gateways sent.
    pub invalid_observations: Counter,
    pub node_errors: Counter,
    pub node_block: Gauge,
    pub node_lag: Gauge,
    pub journal_failed: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabel {
    decision: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

/// The steps of a task whose time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimedStep {
    Examine,
    Observe,
    Evaluate,
    StoreEvidence,
    Sign,
}

impl TimedStep {
    const ALL: [Self; 5] = [Self::Examine, Self::Observe, Self::Evaluate, Self::StoreEvidence, Self::Sign];

    /// Returns the step's name, which metrics and traces show.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Examine => "examine",
            Self::Observe => "observe",
            Self::Evaluate => "evaluate",
            Self::StoreEvidence => "storeEvidence",
            Self::Sign => "sign",
        }
    }

    const fn label(self) -> StepLabel {
        StepLabel { step: self.as_str() }
    }
}

impl OperatorMetrics {
    /// Returns metrics at zero, with every label: a rate of a missing one cannot raise an alarm.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("assent_operator");
        let seconds: Family<StepLabel, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.000_25, 2.0, 17)));
        let metrics = Self {
            connections: Gauge::default(),
            connection_failures: Counter::default(),
            gateways: Gauge::default(),
            tasks: Gauge::default(),
            actions: Gauge::default(),
            decisions: Family::default(),
            handovers: Counter::default(),
            refusals: Family::default(),
            seconds,
            evaluation_steps: Histogram::new(exponential_buckets(65_536.0, 2.0, 13)),
            holds: Gauge::default(),
            panics: Counter::default(),
            invalid_observations: Counter::default(),
            node_errors: Counter::default(),
            node_block: Gauge::default(),
            node_lag: Gauge::default(),
            journal_failed: Gauge::default(),
            registry: Registry::default(),
        };
        for decision in ["allow", "deny"] {
            drop(metrics.decisions.get_or_create(&DecisionLabel { decision }));
        }
        for code in RefusalCode::ALL {
            drop(metrics.refusals.get_or_create(&CodeLabel { code: code.as_str() }));
        }
        for step in TimedStep::ALL {
            drop(metrics.seconds.get_or_create(&step.label()));
        }
        registry.register("connections", "Open connections, accepted or not", metrics.connections.clone());
        registry.register(
            "connection_failures",
            "Attempts to connect to a gateway that failed",
            metrics.connection_failures.clone(),
        );
        registry.register("gateways", "Gateways that accepted the operator", metrics.gateways.clone());
        registry.register("tasks", "Tasks that the operator works on or remembers", metrics.tasks.clone());
        registry.register("pending_actions", "Actions that are not done", metrics.actions.clone());
        registry.register("decisions", "Attestations that were signed, by decision", metrics.decisions.clone());
        registry.register("handovers", "Handovers of epochs that were signed", metrics.handovers.clone());
        registry.register("refusals", "Refusals that were sent, by code", metrics.refusals.clone());
        registry.register("step_seconds", "Time of a task's steps, in seconds", metrics.seconds.clone());
        registry.register("evaluation_steps", "Steps of the machine for a decision", metrics.evaluation_steps.clone());
        registry.register(
            "holds",
            "Attestations that count as outstanding until their end is settled",
            metrics.holds.clone(),
        );
        registry.register("panics", "Actions that panicked; each was answered as a refusal", metrics.panics.clone());
        registry.register(
            "invalid_observations",
            "Observations with an invalid signature that gateways sent to decide on",
            metrics.invalid_observations.clone(),
        );
        registry.register("node_errors", "Reads of the node that failed", metrics.node_errors.clone());
        registry.register("node_block", "Number of the node's latest block", metrics.node_block.clone());
        registry.register(
            "node_lag_seconds",
            "Seconds by which the node's latest block is behind the machine's clock",
            metrics.node_lag.clone(),
        );
        registry.register(
            "journal_failed",
            "1 after the journal failed: nothing is signed",
            metrics.journal_failed.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Starts to measure a step; it is counted when the result is dropped.
    pub(crate) fn time(&self, step: TimedStep) -> Timed {
        let histogram = self.seconds.get_or_create(&step.label()).clone();
        Timed { histogram, start: Instant::now() }
    }

    /// Counts a signed attestation.
    pub(crate) fn count_decision(&self, decision: Decision) {
        let decision = decision.as_str();
        self.decisions.get_or_create(&DecisionLabel { decision }).inc();
    }

    /// Counts a message that is sent, if it is a refusal.
    pub(crate) fn count_message(&self, message: &str) {
        // Canonical JSON: the code of a refusal comes first.
        let code = message.strip_prefix(r#"{"code":""#).and_then(|rest| rest.split('"').next());
        let code = RefusalCode::ALL.iter().find(|known| Some(known.as_str()) == code);
        if let Some(code) = code {
            self.refusals.get_or_create(&CodeLabel { code: code.as_str() }).inc();
        }
    }

    /// Returns all metrics as OpenMetrics text.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A step whose time is measured until it is dropped.
pub(crate) struct Timed {
    histogram: Histogram,
    start: Instant,
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.histogram.observe(self.start.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;
    use assent_network::message::{OperatorMessage, Refused};

    use super::*;

    #[test]
    fn refusals_are_counted_by_their_code() {
        let metrics = OperatorMetrics::new();
        let refusal = Refused { code: RefusalCode::StaleBlock, message: "old".to_owned(), retryable: false };
        metrics.count_message(&OperatorMessage::Refused { task_id: B256::ZERO, refusal }.to_json());
        metrics.count_message(&OperatorMessage::Pong { number: 1 }.to_json());
        let text = metrics.text().unwrap();
        assert!(text.contains("assent_operator_refusals_total{code=\"staleBlock\"} 1"), "{text}");
        assert!(text.contains("assent_operator_refusals_total{code=\"busy\"} 0"), "{text}");
        assert!(text.contains("assent_operator_step_seconds_bucket{le=\"0.00025\",step=\"sign\"} 0"), "{text}");
    }
}
