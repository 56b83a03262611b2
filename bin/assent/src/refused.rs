//! What a chain refused.

use crate::{ExitStatus, output::Output};
use alloy_primitives::hex;
use anyhow::Result;
use assent_client::ClientError;
use assent_inspection::remedy;
use serde_json::json;

/// Refusals are answers; everything else is a failure of the command.
pub fn report(error: ClientError, output: Output) -> Result<ExitStatus> {
    let Some(refusal) = error.refusal() else { return Err(error.into()) };
    let cost = match error.gas_used() {
        Some(gas) => format!("mined and refused, {gas} gas"),
        None => "not sent".to_owned(),
    };
    let next_step = remedy(&refusal);
    output.result(
        format_args!("REFUSED with {}: {refusal}\n{cost}\nnext: {next_step}", refusal.signature()),
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
    Ok(ExitStatus::Refused)
}
