//! Calls that a chain refused, and reverts of the example contracts.

use crate::{ExitStatus, output::Output};
use alloy_primitives::hex;
use anyhow::Result;
use assent_client::{ClientError, Revert};
use assent_inspection::remedy;
use assent_verifier::Difference;
use serde_json::{Value, json};

/// Reports a refusal, which is a result; any other error is a failure of the command.
pub fn report(error: ClientError, output: Output) -> Result<ExitStatus> {
    report_with(error, &[], output)
}

/// Reports a refusal as [`report`] does, with the fields in which the chain differs from what was attested.
pub fn report_with(error: ClientError, differences: &[Difference], output: Output) -> Result<ExitStatus> {
    let Some(refusal) = error.refusal() else { return Err(error.into()) };
    let cost = match error.gas_used() {
        Some(gas) => format!("mined and refused, {gas} gas"),
        None => "not sent".to_owned(),
    };
    let lines = differences.iter().map(|difference| format!("\n  {difference}")).collect::<String>();
    output.result(
        format_args!("REFUSED with {}: {refusal}{lines}\n{cost}\nnext: {}", refusal.signature(), remedy(&refusal)),
        &json!({
            "sent": error.gas_used().is_some(),
            "gas": error.gas_used(),
            "differences": differences.iter().map(difference).collect::<Vec<_>>(),
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

fn difference(difference: &Difference) -> Value {
    json!({ "field": difference.field, "attested": difference.attested, "actual": difference.actual })
}

/// Names an error that an example contract declares: the client knows only Assent's own contracts.
pub fn name_example_error(error: &mut anyhow::Error) {
    if let Some(ClientError::Reverted { reason: Revert::Other { description, data }, .. }) = error.downcast_mut()
        && description.is_none()
    {
        *description = assent_examples::describe(data);
    }
}
