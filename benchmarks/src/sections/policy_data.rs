//! Times of PolicyData components, which their benchmark measures and `docs/performance/policy-data.json` keeps.

use crate::{measure, section::Section, tables::micros};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

const FILE: &str = "docs/performance/policy-data.json";

/// The section. Times are in microseconds.
pub const SECTION: Section = Section {
    name: "policyData",
    measure,
    figures,
    tables: |root| Ok(BTreeMap::from([("policyData.callMicros", table(&read(root)?))])),
    plots: |_| Ok(BTreeMap::new()),
};

/// Median time of an observation without input and output, by language.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    call_micros: BTreeMap<String, f64>,
}

/// Measures the languages whose components are built, and keeps the last figures of the others.
fn measure(root: &Path) -> Result<()> {
    let mut figures = read(root).unwrap_or_default();
    figures.call_micros.extend(measure::policy_data(root)?);
    let file = root.join(FILE);
    fs::create_dir_all(file.parent().unwrap_or(root))?;
    fs::write(&file, serde_json::to_string_pretty(&figures)? + "\n")
        .with_context(|| format!("{FILE} cannot be written"))
}

fn figures(root: &Path) -> Result<Value> {
    Ok(json!({"policyData": read(root)?}))
}

fn read(root: &Path) -> Result<Figures> {
    let content = fs::read_to_string(root.join(FILE))
        .with_context(|| format!("{FILE} cannot be read; measure the times: `cargo xtask report --only policyData`"))?;
    serde_json::from_str(&content).with_context(|| format!("{FILE} is not as `cargo xtask report` writes it"))
}

fn table(figures: &Figures) -> String {
    const LANGUAGES: [(&str, &str); 3] = [("rust", "Rust"), ("javascript", "JavaScript"), ("python", "Python")];
    let mut table = "| component in | one observation (µs) |\n| --- | ---: |\n".to_owned();
    for (key, name) in LANGUAGES {
        let time = figures.call_micros.get(key).map_or_else(|| "not measured".to_owned(), |time| micros(*time));
        table += &format!("| {name} | {time} |\n");
    }
    table += &format!("\nMeasured by `{}`\n", measure::POLICY_DATA_COMMAND);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_language() {
        let call_micros = BTreeMap::from([("rust".to_owned(), 41.4)]);
        let rows = ["| Rust | 41 |", "| JavaScript | not measured |", "| Python | not measured |"];
        let table = table(&Figures { call_micros });
        assert!(rows.iter().all(|row| table.contains(row)), "{table}");
    }

    #[test]
    fn figures_have_the_names_of_the_report() {
        let call_micros = BTreeMap::from([("rust".to_owned(), 41.4)]);
        let value = serde_json::to_value(Figures { call_micros }).unwrap();
        assert_eq!(value, json!({"callMicros": {"rust": 41.4}}));
    }
}
