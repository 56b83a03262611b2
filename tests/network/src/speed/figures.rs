//! The figures, for people and for programs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::nested;

/// Times from a request to its answer, ascending, in milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<f64>);

impl Latencies {
    pub(crate) fn new(mut millis: Vec<f64>) -> Self {
        millis.sort_by(f64::total_cmp);
        Self(millis)
    }

    /// Returns a percentile; 0 of nothing.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        let [p50, p90, p99] = [50, 90, 99].map(|percent| self.percentile(percent));
        format!("p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms of {}", self.0.len())
    }
}

/// What was measured.
pub(super) struct Figures {
    pub(super) small_steps: u64,
    pub(super) treasury_steps: u64,
    pub(super) small: Latencies,
    pub(super) treasury: Latencies,
    pub(super) with_source: Latencies,
    pub(super) decisions_per_second: f64,
    pub(super) treasury_decisions_per_second: f64,
    pub(super) operator_per_core: f64,
    pub(super) treasury_operator_per_core: f64,
    pub(super) overload_share: f64,
    pub(super) overload_refusals: Latencies,
    /// CPU time of each decision with the small policy under load, by kind of process.
    pub(super) cpu_millis: BTreeMap<&'static str, f64>,
    pub(super) megabytes_idle: f64,
    pub(super) megabytes_busy: f64,
}

impl Figures {
    fn numbers(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("latencyMillis.p50", self.small.percentile(50)),
            ("latencyMillis.p99", self.small.percentile(99)),
            ("latencyWithSourceMillis.p50", self.with_source.percentile(50)),
            ("latencyWithSourceMillis.p99", self.with_source.percentile(99)),
            ("latencyTreasuryMillis.p50", self.treasury.percentile(50)),
            ("latencyTreasuryMillis.p99", self.treasury.percentile(99)),
            ("decisionsPerSecond", self.decisions_per_second),
            ("treasuryDecisionsPerSecond", self.treasury_decisions_per_second),
            ("operatorDecisionsPerSecondPerCore", self.operator_per_core),
            ("operatorTreasuryDecisionsPerSecondPerCore", self.treasury_operator_per_core),
            ("overloadThroughputShare", self.overload_share),
            ("overloadRefusalMillis.p50", self.overload_refusals.percentile(50)),
            ("overloadRefusalMillis.p99", self.overload_refusals.percentile(99)),
            ("operatorMegabytes.idle", self.megabytes_idle),
            ("operatorMegabytes.busy", self.megabytes_busy),
        ]
    }

    /// Returns the figures for programs.
    pub(super) fn json(&self) -> Value {
        let mut all = json!({
            "smallSteps": self.small_steps,
            "treasurySteps": self.treasury_steps,
            "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        });
        let cpu = self.cpu_millis.iter().map(|(kind, millis)| (format!("cpuMillis.{kind}"), *millis));
        let numbers = self.numbers().into_iter().map(|(path, value)| (path.to_owned(), value));
        for (path, value) in numbers.chain(cpu) {
            // More digits than these are noise.
            merge(&mut all, nested(&path, json!((value * 1000.0).round() / 1000.0)));
        }
        all
    }

    /// Returns the figures for people.
    pub(super) fn text(&self) -> String {
        let numbers = self.numbers().into_iter().map(|(path, value)| format!("{path:44} {value:10.2}"));
        numbers.collect::<Vec<_>>().join("\n")
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
