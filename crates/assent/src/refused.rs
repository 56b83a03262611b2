//! What a chain refused.

use crate::{Outcome, output::Output};
use alloy_primitives::hex;
use anyhow::Result;
use assent_client::ClientError;
use assent_verifier::Refusal;
use serde_json::json;

/// Refusals are answers; everything else is a failure of the command.
pub fn report(error: ClientError, output: Output) -> Result<Outcome> {
    let Some(refusal) = error.refusal() else { return Err(error.into()) };
    let cost = match error.gas_used() {
        Some(gas) => format!("mined and refused, {gas} gas"),
        None => "not sent".to_owned(),
    };
    let hint = hint(&refusal).map(|hint| format!("\n{hint}")).unwrap_or_default();
    output.result(
        format_args!("REFUSED with {}: {refusal}\n{cost}{hint}", refusal.signature()),
        &json!({
            "sent": error.gas_used().is_some(),
            "gas": error.gas_used(),
            "error": {
                "name": refusal.name(),
                "signature": refusal.signature(),
                "message": refusal.to_string(),
                "revertData": hex::encode_prefixed(refusal.revert_data()),
            },
        }),
    )?;
    Ok(Outcome::Refused)
}

/// What to do next, where that is not plain from the refusal.
fn hint(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::RootNotRecorded { .. } => Some(
            "record the attestation's document with `assent record`, or use the authorization that carries the signature",
        ),
        Refusal::UnknownEpoch { .. } => Some(
            "if the OperatorRegistry has this epoch, its TaskManager may not have been added yet: see `assent deploy --help`",
        ),
        _ => None,
    }
}
