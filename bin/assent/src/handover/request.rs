//! `assent handover request`.

use crate::{
    ExitStatus, arguments, connection,
    gateways::{Gateways, error_to_json},
    output::{self, Output},
    output_file::{OutputFile, Overwrite, require_distinct},
};
use anyhow::Result;
use assent_client::gateway::{GatewayError, GatewayHandover, HandoverRequest};
use assent_verifier::EpochId;
use clap::{Args, ValueHint};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The options of `assent handover request`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent handover request --gateway https://gateway.example --epoch 5 --out handover.json
  assent handover send --registry $REGISTRY --signed handover.json --chains chains.json --account $ANYONE
  assent handover request --gateway https://gateway.example --epoch 7 --signed-by 5 --json | jq '.absent'

The gateway is one of the registry's chain. Its operators read both epochs themselves, and sign only what a final block
has in force: about 15 minutes after the activation on Ethereum. --signed-by is the latest epoch of the mirrors, which
can be behind. Asked again, operators sign the same. A gateway is not trusted: `assent handover send` compares the
handover with the registry and verifies the signature before it sends, and so does the mirror.
Exit status 1 means that there is no handover; then --json prints an `error` with its code and what to do.")]
pub struct Arguments {
    #[command(flatten)]
    gateways: Gateways,
    /// The epoch that is handed over to.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id())]
    epoch: EpochId,
    /// The epoch whose operators sign; the set's epoch before by default.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id())]
    signed_by: Option<EpochId>,
    /// The share of its weight that must sign, in basis points: the greatest quorum of the mirrors. Default: 6667.
    #[arg(long, value_name = "BASIS POINTS", value_parser = clap::value_parser!(u16).range(5001..=10_000))]
    quorum: Option<u16>,
    /// Write the signed handover to this file instead of standard output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Runs `assent handover request`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { gateways, epoch, signed_by, quorum, out, overwrite } = arguments;
    let file = out.as_ref().map(|path| OutputFile::new("the signed handover", path, overwrite.force)).transpose()?;
    if let Some(out) = out {
        let inputs: Vec<&Path> = gateways.token_file().into_iter().map(PathBuf::as_path).collect();
        require_distinct(&[("the signed handover", out)], &inputs)?;
    }
    let mut request = HandoverRequest::new(*epoch);
    (request.signed_by, request.quorum) = (*signed_by, *quorum);
    let client = gateways.client()?;
    let signed = connection::block_on(async {
        let _spinner = output::spinner("Asking the operators");
        Ok(client.request_handover(&request).await?)
    });
    let signed = match signed {
        Ok(signed) => signed,
        Err(error) => return without_handover(error, output),
    };
    let document = serde_json::to_string_pretty(&signed)?;
    match (file, out) {
        (Some(file), Some(path)) => {
            file.write(format!("{document}\n"))?;
            output.result(describe(&signed, path), &signed)?;
        }
        _ => output.result(document, &signed)?,
    }
    Ok(ExitStatus::Success)
}

/// Prints for programs why there is no handover. People read it as they read every error.
fn without_handover(error: anyhow::Error, output: Output) -> Result<ExitStatus> {
    let Some(cause) = error.downcast_ref::<GatewayError>().filter(|_| output.is_json()) else { return Err(error) };
    output.result("", &json!({ "error": error_to_json(cause) }))?;
    Ok(ExitStatus::Refused)
}

fn describe(signed: &GatewayHandover, path: &Path) -> String {
    let GatewayHandover { handover, signers, absent, .. } = signed;
    let (epoch, signed_by) = (handover.epoch, handover.signed_by);
    let mut text = format!("epoch {signed_by} hands over to epoch {epoch}: {} operators signed", signers.len());
    for operator in absent {
        text.push_str(&format!("\n{} did not: {}", operator.operator, operator.message));
    }
    text.push_str(&format!("\nnext: `assent handover send --signed {}` sends it to the mirrors", path.display()));
    text
}
