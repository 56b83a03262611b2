//! The network for ten minutes, with kills, which is written to `docs/performance/soak.json`.

use crate::{measure, section::Section};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

const FILE: &str = "docs/performance/soak.json";

/// The section.
pub const SECTION: Section = Section { name: "soak", measure, figures, tables, plots: |_| Ok(BTreeMap::new()) };

/// The windows at the start, which the others are compared with, as the soak does.
const FIRST: usize = 5;

fn measure(root: &Path) -> Result<()> {
    let mut figures: Value = measure::soak(root)?;
    figures["machine"] = json!(measure::machine());
    fs::write(root.join(FILE), serde_json::to_string_pretty(&figures)? + "\n")
        .with_context(|| format!("{FILE} cannot be written"))
}

/// Returns the last figures, or nothing before the first measurement.
fn read(root: &Path) -> Result<Option<Value>> {
    match fs::read_to_string(root.join(FILE)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        content => {
            let content = content.with_context(|| format!("{FILE} cannot be read"))?;
            let figures = serde_json::from_str(&content);
            figures.map(Some).with_context(|| format!("{FILE} is not as `cargo xtask report` writes it"))
        }
    }
}

fn figures(root: &Path) -> Result<Value> {
    Ok(read(root)?.map_or_else(|| json!({}), |figures| json!({ "soak": figures })))
}

fn tables(root: &Path) -> Result<BTreeMap<&'static str, String>> {
    let table = match read(root)? {
        Some(figures) => table(&figures)?,
        None => "Not measured yet: `cargo xtask report --only soak` does.\n".to_owned(),
    };
    Ok(BTreeMap::from([("soak", table)]))
}

fn table(figures: &Value) -> Result<String> {
    let number = |key: &str| figures[key].as_f64().with_context(|| format!("{FILE} has no number {key}"));
    let windows = figures["windows"].as_array().with_context(|| format!("{FILE} has no windows"))?;
    let (first, rest) = windows.split_at(FIRST.min(windows.len()));
    let values = |windows: &[Value], key: &str| -> Result<Vec<f64>> {
        let values = windows.iter().map(|window| window[key].as_f64()).collect::<Option<Vec<_>>>();
        values.with_context(|| format!("{FILE} has a window without {key}"))
    };
    let median = |windows: &[Value], key: &str| -> Result<f64> {
        let mut values = values(windows, key)?;
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().with_context(|| format!("{FILE} has too few windows"))
    };
    let most =
        |windows: &[Value], key: &str| -> Result<f64> { Ok(values(windows, key)?.into_iter().fold(0.0, f64::max)) };
    let mut table = format!(
        "In {:.2} hours with {:.0} requests a second, {:.0} tasks were decided, and {:.0} were lost.\n\
         A process was killed {:.0} times.\n\n\
         | what | first quarter | the rest |\n| --- | ---: | ---: |\n",
        number("hours")?,
        number("perSecond")?,
        number("decided")?,
        number("lost")?,
        number("kills")?,
    );
    for (what, key) in [
        ("memory of an operator, at most", "operatorMegabytes"),
        ("memory of the gateway, at most", "gatewayMegabytes"),
    ] {
        table += &format!("| {what} | {:.1} MB | {:.1} MB |\n", most(first, key)?, most(rest, key)?);
    }
    for (what, key) in [("a window's median latency, median", "p50"), ("a window's 99th percentile, median", "p99")] {
        table += &format!("| {what} | {:.1} ms | {:.1} ms |\n", median(first, key)?, median(rest, key)?);
    }
    table += &format!(
        "\nMeasured on: {}, all processes on it, in the {} build.\n\n\
         [performance/soak.json](performance/soak.json), written by `cargo xtask report --only soak`\n",
        figures["machine"].as_str().unwrap_or("an unknown machine"),
        figures["profile"].as_str().unwrap_or("unknown"),
    );
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_compares_the_first_windows_with_the_rest() {
        let window = |number: u32| {
            let megabytes = 50.0 + f64::from(number);
            json!({ "p50": 20.0, "p99": 30.0, "operatorMegabytes": megabytes, "gatewayMegabytes": 40.0 })
        };
        let mut figures = json!({
            "hours": 0.17, "perSecond": 5, "decided": 3000, "lost": 0, "kills": 20, "profile": "release",
            "windows": (0..20).map(window).collect::<Vec<_>>(),
        });
        let shown = table(&figures).unwrap();
        assert!(shown.contains("In 0.17 hours with 5 requests a second, 3000 tasks were decided, and 0 were lost."));
        assert!(shown.contains("| memory of an operator, at most | 54.0 MB | 69.0 MB |"), "{shown}");
        figures["windows"][7]["p50"] = Value::Null;
        assert!(table(&figures).unwrap_err().to_string().contains("without p50"));
    }

    #[test]
    fn what_was_not_measured_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(tables(folder.path()).unwrap()["soak"].starts_with("Not measured yet"));
        assert_eq!(figures(folder.path()).unwrap(), json!({}));
    }
}
