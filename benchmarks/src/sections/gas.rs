//! Gas of the contracts, which forge's gas tests write to `snapshots/`.

use crate::{gas::Gas, measure, plots, section::Section, tables};
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

/// The section.
pub const SECTION: Section = Section {
    name: "gas",
    measure: measure::gas,
    figures,
    tables: |root| tables::gas(&read(root)?),
    plots: |root| plots::gas(&read(root)?),
};

fn read(root: &Path) -> Result<Gas> {
    Gas::read(&root.join("snapshots"))
}

fn figures(root: &Path) -> Result<Value> {
    let gas = read(root)?;
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
            "stake": gas.stake,
            "crosschain": gas.crosschain,
            "offences": gas.offences,
        },
        "calldataBytes": gas.calldata,
    }))
}
