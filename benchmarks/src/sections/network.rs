//! Speed of the decision network's processes, which is written to `docs/performance/network.json`.

use crate::{
    measure,
    peers::{DECISION_PEERS, DecisionPeer},
    section::Section,
};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

const FILE: &str = "docs/performance/network.json";

/// The section.
pub const SECTION: Section = Section { name: "network", measure, figures, tables, plots: |_| Ok(BTreeMap::new()) };

/// A figure with the bar that it must meet.
struct Bar {
    what: &'static str,
    /// Its keys in the figures.
    path: &'static str,
    unit: &'static str,
    limit: f64,
    /// Whether it must be at most the limit, or at least.
    is_most: bool,
    digits: usize,
}

const fn at_most(what: &'static str, path: &'static str, unit: &'static str, limit: f64) -> Bar {
    Bar { what, path, unit, limit, is_most: true, digits: 1 }
}

const fn at_least(what: &'static str, path: &'static str, unit: &'static str, limit: f64) -> Bar {
    Bar { what, path, unit, limit, is_most: false, digits: 0 }
}

const BARS: [Bar; 11] = [
    at_most("request to authorization, small policy, median", "/latencyMillis/p50", "ms", 25.0),
    at_most("the same, 99th percentile", "/latencyMillis/p99", "ms", 80.0),
    at_most("with one `http` source, median", "/latencyWithSourceMillis/p50", "ms", 45.0),
    at_most("treasury policy, median", "/latencyTreasuryMillis/p50", "ms", 80.0),
    at_least("decisions of the network, small policy", "/decisionsPerSecond", "a second", 100.0),
    at_least(
        "decisions of one operator, small policy",
        "/operatorDecisionsPerSecondPerCore",
        "a second and core",
        300.0,
    ),
    at_least(
        "decisions of one operator, treasury policy",
        "/operatorTreasuryDecisionsPerSecondPerCore",
        "a second and core",
        70.0,
    ),
    Bar { digits: 2, ..at_least("throughput at 10 × overload", "/overloadThroughputShare", "of the best", 0.8) },
    at_most("a refusal at 10 × overload, median", "/overloadRefusalMillis/p50", "ms", 50.0),
    at_most("memory of an idle operator", "/operatorMegabytes/idle", "MB", 100.0),
    at_most("memory of a busy operator, at most", "/operatorMegabytes/busy", "MB", 300.0),
];

fn measure(root: &Path) -> Result<()> {
    let mut figures: Value = measure::network(root)?;
    figures["machine"] = json!(measure::machine());
    fs::write(root.join(FILE), serde_json::to_string_pretty(&figures)? + "\n")
        .with_context(|| format!("{FILE} cannot be written"))
}

fn read(root: &Path) -> Result<Value> {
    let content = fs::read_to_string(root.join(FILE))
        .with_context(|| format!("{FILE} cannot be read; measure: `cargo xtask report --only network`"))?;
    serde_json::from_str(&content).with_context(|| format!("{FILE} is not as `cargo xtask report` writes it"))
}

fn figures(root: &Path) -> Result<Value> {
    Ok(json!({ "network": read(root)? }))
}

fn number(figures: &Value, path: &str) -> Result<f64> {
    figures.pointer(path).and_then(Value::as_f64).with_context(|| format!("{FILE} has no number at {path}"))
}

fn tables(root: &Path) -> Result<BTreeMap<&'static str, String>> {
    let figures = read(root)?;
    Ok(BTreeMap::from([
        ("network.bars", bars(&figures)?),
        ("network.peers", peers(&figures)?),
        ("network.cpu", cpu(&figures)?),
    ]))
}

fn bars(figures: &Value) -> Result<String> {
    let mut table = "| what | measured | bar | met |\n| --- | ---: | ---: | --- |\n".to_owned();
    for Bar { what, path, unit, limit, is_most, digits } in BARS {
        let value = number(figures, path)?;
        let is_met = if is_most { value <= limit } else { value >= limit };
        let (sign, met) = (if is_most { "≤" } else { "≥" }, if is_met { "yes" } else { "**no**" });
        table += &format!("| {what} | {value:.digits$} {unit} | {sign} {limit} {unit} | {met} |\n");
    }
    table += &format!(
        "\nMeasured on: {}, all processes on it.\n\n\
         [performance/network.json](performance/network.json), written by `cargo xtask report --only network`\n",
        figures["machine"].as_str().unwrap_or("an unknown machine"),
    );
    Ok(table)
}

fn peers(figures: &Value) -> Result<String> {
    let ours = number(figures, "/latencyMillis/p50")? / 1000.0;
    let mut table = "| system | request to authorization |\n| --- | ---: |\n".to_owned();
    table += &format!("| Assent, 7 operators | {ours:.3} s |\n");
    for DecisionPeer { name, seconds } in DECISION_PEERS {
        table += &format!("| {name} | {seconds} s |\n");
    }
    Ok(table)
}

/// Returns the processor time of a decision under load, by kind of process.
fn cpu(figures: &Value) -> Result<String> {
    const KINDS: [(&str, &str); 4] = [
        ("operators", "seven operators"),
        ("gateway", "the gateway"),
        ("node", "the node (anvil)"),
        ("load", "the callers"),
    ];
    let mut table = "| processes | processor time of a decision (ms) |\n| --- | ---: |\n".to_owned();
    for (kind, name) in KINDS {
        table += &format!("| {name} | {:.2} |\n", number(figures, &format!("/cpuMillis/{kind}"))?);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(p50: f64, per_second: f64) -> Value {
        json!({
            "latencyMillis": { "p50": p50, "p99": 70.0 },
            "latencyWithSourceMillis": { "p50": 40.0 },
            "latencyTreasuryMillis": { "p50": 75.0 },
            "decisionsPerSecond": per_second,
            "operatorDecisionsPerSecondPerCore": 320.0,
            "operatorTreasuryDecisionsPerSecondPerCore": 75.0,
            "overloadThroughputShare": 0.9,
            "overloadRefusalMillis": { "p50": 3.0 },
            "operatorMegabytes": { "idle": 40.0, "busy": 90.0 },
        })
    }

    #[test]
    fn a_bar_that_is_not_met_is_shown_as_such() {
        assert!(!bars(&measured(25.0, 100.0)).unwrap().contains("no**"));
        let table = bars(&measured(25.1, 99.9)).unwrap();
        assert!(table.contains("| 25.1 ms | ≤ 25 ms | **no** |"), "{table}");
        assert!(table.contains("≥ 100 a second | **no** |"), "{table}");
    }

    #[test]
    fn a_missing_figure_is_an_error() {
        let error = bars(&json!({})).unwrap_err().to_string();
        assert!(error.contains("/latencyMillis/p50"), "{error}");
    }
}
