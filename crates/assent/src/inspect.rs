//! `assent inspect`: what an authorization says, field by field.

use crate::{
    Outcome, input,
    output::{self, Output},
};
use alloy_primitives::hex;
use anyhow::{Context, Result};
use assent_verifier::{
    Authorization, MerkleProof, NonSigners, QuorumProof,
    backend::{Backend, Preferred},
    split_trailing,
};
use clap::Args;
use comfy_table::Table;
use serde_json::json;

/// Bytes of an authorization with the longest bitmap and the longest Merkle proof.
pub const LONGEST_AUTHORIZATION: usize = 206 + NonSigners::MAX_BYTES + 32 * MerkleProof::MAX_LENGTH;

/// More than fits into a block.
pub const LONGEST_CALLDATA: usize = 4 * 1024 * 1024;

/// The options of `assent inspect`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent inspect 0x1f3a…
  assent inspect @authorization.hex
  cat authorization.hex | assent inspect -
  assent inspect --calldata @transaction-input.hex

Nothing is verified but the encoding; `assent verify` does that.")]
pub struct Arguments {
    /// The bytes as hex, @FILE for a file with hex in it, or - for standard input.
    #[arg(value_name = "HEX|@FILE|-")]
    bytes: String,
    /// The bytes are a call's whole calldata with the authorization behind it.
    #[arg(long)]
    calldata: bool,
}

/// Runs `assent inspect`.
pub fn run(arguments: Arguments, output: Output) -> Result<Outcome> {
    if arguments.calldata {
        let calldata = input::read_hex("calldata", &arguments.bytes, LONGEST_CALLDATA)?;
        let (data, authorization) = split_trailing(&calldata)
            .context("no authorization was found; leave --calldata out if the bytes are an authorization alone")?;
        let authorization = Authorization::parse(authorization).context("what follows the calldata does not parse")?;
        output.line(format_args!(
            "calldata without the authorization, {} bytes\n{}\n",
            data.len(),
            hex::encode_prefixed(data)
        ))?;
        output.result(
            describe(&authorization),
            &json!({ "data": hex::encode_prefixed(data), "authorization": authorization }),
        )?;
    } else {
        let bytes = input::read_hex("authorization", &arguments.bytes, LONGEST_AUTHORIZATION)?;
        let authorization = Authorization::parse(&bytes)
            .context("the bytes are no authorization; --calldata is for a call's whole calldata")?;
        output.result(describe(&authorization), &authorization)?;
    }
    Ok(Outcome::Success)
}

fn describe(authorization: &Authorization) -> Table {
    let Authorization { task_id, nonce, expiration, decision, evidence, epoch, quorum_proof, merkle_proof } =
        authorization;
    let proof = match merkle_proof.as_slice() {
        [] => "empty: signed alone".to_owned(),
        hashes => hashes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    };
    let mut table = output::table(["field", "value"]);
    table
        .add_row(["taskId", &task_id.to_string()])
        .add_row(["nonce", &nonce.to_string()])
        .add_row(["expiration", &output::time(expiration.to::<u64>())])
        .add_row(["decision", &decision.to_string()])
        .add_row(["evidence", &evidence.to_string()])
        .add_row(["epoch", &epoch.to_string()]);
    match quorum_proof {
        QuorumProof::Direct { signature, non_signers } => {
            let places = non_signers.indices().map(|place| place.to_string()).collect::<Vec<_>>();
            let absent = if places.is_empty() { "none: everybody signed".to_owned() } else { places.join(", ") };
            let encoding = match Preferred::decode_signature(signature) {
                Ok(_) => "a point of the prime-order subgroup",
                Err(_) => "MALFORMED: not a point of the prime-order subgroup",
            };
            table
                .add_row(["kind", "direct: the signature travels along"])
                .add_row(["signature", &format!("{signature}\n{encoding}")])
                .add_row(["non-signers", &format!("{absent} (places in the epoch's table, from 0)")])
        }
        QuorumProof::Recorded => table.add_row(["kind", "recorded: good once its root is recorded on chain"]),
    };
    table.add_row(["Merkle proof", &proof]);
    table
}
