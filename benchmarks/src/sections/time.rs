//! Times of the verifier, which its benchmarks write to `docs/performance/times.json`.

use crate::{
    measure, plots,
    section::Section,
    tables,
    times::{BackendTimes, Times},
};
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

/// The section. Times are in microseconds.
pub const SECTION: Section = Section {
    name: "time",
    measure: |root| measure::times(root)?.write(root),
    figures,
    tables: |root| tables::time(&Times::read(root)?),
    plots: |root| plots::time(&Times::read(root)?),
};

fn figures(root: &Path) -> Result<Value> {
    let times = Times::read(root)?;
    let ratio = |name: &str| -> Result<Value> {
        let [blst, arkworks] = ["blst", "arkworks"].map(|backend| times.comparison(&format!("{name}-{backend}")));
        Ok(json!({"blst": blst?.ratio, "arkworks": arkworks?.ratio}))
    };
    Ok(json!({
        "ratio": {
            "verify": ratio("verify")?,
            "batch": ratio("batch")?,
            "oneByOneToBatch": ratio("one-by-one")?,
        },
        "time": {
            "machine": times.machine,
            "batchPerAttestationMicros": times.blst.batch,
            "blst": backend(&times.blst),
            "arkworks": backend(&times.arkworks),
            "parsingAndDigestsMicros": times.parsing_and_digests,
        },
    }))
}

fn backend(times: &BackendTimes) -> Value {
    json!({
        "rawVerifyMicros": times.raw,
        "verifyMicros": times.verify,
        "rawBatchPerAttestationMicros": times.raw_batch,
        "batchPerAttestationMicros": times.batch,
        "differentNonSignersPerAttestationMicros": times.different_non_signers,
        "allThreadsPerAttestationMicros": times.all_threads,
    })
}
