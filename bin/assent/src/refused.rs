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
    let next_step = next_step(&refusal);
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
    Ok(Outcome::Refused)
}

/// What to do about a refusal.
pub fn next_step(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::PolicyNotSet => "have the client's owner set its TaskManager and policy",
        Refusal::MalformedAuthorization => "use the bytes that `assent attest` printed; `assent inspect` decodes them",
        Refusal::WrongChain { .. } => "send to a node of the intent's chain, or have the call attested for this one",
        Refusal::WrongSender { .. } => "send from the account that the intent names",
        Refusal::WrongTask { .. } => "`assent verify --document` names each field that differs from what was attested",
        Refusal::AttestationExpired { .. } => "have the call attested again, and send it before it expires",
        Refusal::LifetimeTooLong { .. } => "have it attested for less time, or send it later",
        Refusal::AttestationAlreadySpent { .. } => {
            "an attestation is good once: have the call attested with a new nonce"
        }
        Refusal::UnknownEpoch { .. } => {
            "if the OperatorRegistry has this epoch, its TaskManager may not have been added yet: see `assent deploy --help`"
        }
        Refusal::EpochExpired { .. } | Refusal::EpochRevoked { .. } => {
            "have the call attested under the newest epoch: `assent context` reads it"
        }
        Refusal::RootNotRecorded { .. } => {
            "record the attestation's document with `assent record`, or use the authorization that carries the signature"
        }
        Refusal::QuorumNotReached { .. } => "have more operators sign: `assent attest` with another --key or --partial",
        Refusal::MalformedSignature | Refusal::InvalidSignature => {
            "use an authorization as `assent attest` made it, with the terms that operators signed"
        }
        Refusal::PolicyDenied { .. } => "the policy forbids this call: make one that it allows",
    }
}
