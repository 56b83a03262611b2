//! Times of the verifier, as its benchmarks measured them last.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};

const FILE: &str = "docs/performance/times.json";

/// Everything that the benchmarks measure. All times are medians in microseconds; of a batch, for each attestation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// Processor and number of cores.
    pub machine: String,
    /// With the backend blst.
    pub blst: BackendTimes,
    /// With the backend arkworks.
    pub arkworks: BackendTimes,
    /// All of a verification but the curve's arithmetic.
    pub parsing_and_digests: f64,
    /// What was measured in turns, by name.
    pub ratios: BTreeMap<String, Comparison>,
}

/// Times with one backend, 100 operators.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTimes {
    /// The bare library: hash to curve, subgroup check, two pairings with precomputed lines.
    pub raw: f64,
    /// One verification, by how many operators do not sign.
    pub verify: BTreeMap<u32, f64>,
    /// The bare library on a batch, by its size.
    pub raw_batch: BTreeMap<u32, f64>,
    /// `verify_batch`, by the batch's size.
    pub batch: BTreeMap<u32, f64>,
    /// `verify_batch` of 1,024, from each of which up to three operators of 100 are absent.
    pub different_non_signers: f64,
    /// `par_verify_batch` of 1,024, by the clock on the wall.
    pub all_threads: f64,
}

/// Two pieces of work that ran in turns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// Median time of the one, in microseconds for each attestation.
    pub one: f64,
    /// Median time of the other.
    pub other: f64,
    /// Median over all rounds of the quotient of the two medians of a round.
    pub ratio: f64,
    /// Half of the rounds' quotients are between these.
    pub quartiles: [f64; 2],
}

impl Times {
    /// Reads the last measured times.
    ///
    /// # Errors
    /// If the file is missing or has another format.
    pub fn read(root: &Path) -> Result<Self> {
        let content = fs::read_to_string(root.join(FILE))
            .with_context(|| format!("{FILE} cannot be read; measure the times: `cargo xtask report --only time`"))?;
        serde_json::from_str(&content).with_context(|| format!("{FILE} is not as `cargo xtask report` writes it"))
    }

    /// Keeps the times for the next report.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<()> {
        let file = root.join(FILE);
        fs::create_dir_all(file.parent().unwrap_or(root))?;
        fs::write(&file, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("{FILE} cannot be written"))
    }

    /// A comparison by its name.
    ///
    /// # Errors
    /// When it was not measured.
    pub fn comparison(&self, name: &str) -> Result<&Comparison> {
        self.ratios.get(name).with_context(|| format!("the ratio {name} was not measured"))
    }
}
