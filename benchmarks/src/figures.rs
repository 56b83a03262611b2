//! The figures for programs.

use crate::{
    gas::Gas,
    times::{BackendTimes, Times},
};
use anyhow::Result;
use serde_json::{Value, json};

/// Everything that the page tells: gas, bytes of calldata, ratios, and times in microseconds.
///
/// # Errors
/// When a figure is missing.
pub fn json(gas: &Gas, times: &Times) -> Result<Value> {
    let ratio = |name: &str| -> Result<Value> {
        let [blst, arkworks] = ["blst", "arkworks"].map(|backend| times.comparison(&format!("{name}-{backend}")));
        Ok(json!({"blst": blst?.ratio, "arkworks": arkworks?.ratio}))
    };
    Ok(json!({
        "gas": {
            "protectedCall": gas.protected_call,
            "unprotectedCall": gas.unprotected_call,
            "recordedUse": gas.recorded_use,
            "batch": gas.batch,
            "floor": gas.floor,
            "floorSum": gas.floor_sum,
            "floorPaid": gas.paid,
            "administration": gas.administration,
        },
        "calldataBytes": gas.calldata,
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
