//! Decisions of policies on the machine, which are written to `docs/performance/policy.json`.

use crate::{measure, section::Section, tables::thousands};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

const FILE: &str = "docs/performance/policy.json";

/// The section.
pub const SECTION: Section = Section {
    name: "policy",
    measure: |root| {
        let speed: Speed = measure::policy(root)?;
        fs::write(root.join(FILE), serde_json::to_string_pretty(&speed)? + "\n")
            .with_context(|| format!("{FILE} cannot be written"))
    },
    figures,
    tables,
    plots: |_| Ok(BTreeMap::new()),
};

/// What was measured, by the program `policy-speed` of tests/evaluator.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Speed {
    /// The root of the evaluator's image.
    image: String,
    /// The hash of the treasury policy's contents.
    treasury: String,
    /// The hash of the small policy's contents.
    small: String,
    treasury_steps: u64,
    small_steps: u64,
    /// The median time of a treasury decision on the machine.
    treasury_micros: f64,
    /// The same code on the same contents, compiled natively.
    native_micros: f64,
    /// The median over all rounds of the quotient of the two.
    ratio_to_native: f64,
    steps_per_second: f64,
}

fn read(root: &Path) -> Result<Speed> {
    let content = fs::read_to_string(root.join(FILE))
        .with_context(|| format!("{FILE} cannot be read; measure: `cargo xtask report --only policy`"))?;
    serde_json::from_str(&content).with_context(|| format!("{FILE} is not as `cargo xtask report` writes it"))
}

fn figures(root: &Path) -> Result<Value> {
    let speed = read(root)?;
    Ok(json!({
        "policy": {
            "image": speed.image,
            "measured": {"treasury": speed.treasury, "small": speed.small},
            "treasurySteps": speed.treasury_steps,
            "smallSteps": speed.small_steps,
            "treasuryMicros": speed.treasury_micros,
            "nativeMicros": speed.native_micros,
            "ratioToNative": speed.ratio_to_native,
        },
        "machine": {"stepsPerSecond": speed.steps_per_second},
    }))
}

fn tables(root: &Path) -> Result<BTreeMap<&'static str, String>> {
    let speed = read(root)?;
    let table = format!(
        "| decision, everything new | steps | machine | native | machine : native |\n\
         | --- | ---: | ---: | ---: | ---: |\n\
         | treasury: 8 rules, two lists of 100 | {} | {:.1} ms | {:.2} ms | {:.1} |\n\
         | small: 4 conditions, 5 addresses | {} | | | |\n\n\
         The machine made {:.0} million steps a second.\n\n\
         [performance/policy.json](performance/policy.json), written by `cargo xtask report --only policy`\n",
        thousands(speed.treasury_steps),
        speed.treasury_micros / 1000.0,
        speed.native_micros / 1000.0,
        speed.ratio_to_native,
        thousands(speed.small_steps),
        speed.steps_per_second / 1e6,
    );
    Ok(BTreeMap::from([("policy.decisions", table)]))
}
