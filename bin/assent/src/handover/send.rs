//! `assent handover send`.

use super::mirrors::{ChainsFile, MirrorAt, ReadMirror, read_final, store_tables};
use crate::{
    ExitStatus,
    account::Account,
    arguments::{self, Partials},
    connection::{self, RegistryNode},
    input,
    output::{self, Output},
    partials,
    transaction::{hashes, send},
};
use alloy::{
    primitives::{Address, Bytes},
    rpc::types::TransactionReceipt,
    signers::local::PrivateKeySigner,
};
use anyhow::{Context as _, Result, bail};
use assent_chain_view::FinalHandover;
use assent_client::{AssentClient, gateway::GatewayHandover};
use assent_contracts::EpochMirror;
use assent_signer::aggregate_epoch_handover;
use assent_verifier::{EpochId, HandoverError, NonSigners, Signature};
use clap::{Args, ValueHint};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The options of `assent handover send`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent handover send --registry $REGISTRY --signed handover.json --chains chains.json --account $ANYONE
  assent handover send --registry $REGISTRY --epoch 5 --partial @partials.txt --chains chains.json --account $ANYONE
  assent handover send --registry $REGISTRY --epoch 7 --signed-by 5 --partial @partials.txt --chains chains.json \\
      --private-key-file account.key

Any account can send this: the mirror verifies it. Each handover is verified before it is sent. A mirror that has the
epoch already gets nothing. Exit status 1 means that a mirror could not be given the epoch.")]
pub struct Arguments {
    #[command(flatten)]
    at: RegistryNode,
    /// The epoch that is handed over to.
    #[arg(
        long, value_name = "NUMBER", value_parser = arguments::epoch_id(), required_unless_present = "signed",
        conflicts_with = "signed"
    )]
    epoch: Option<EpochId>,
    /// The epoch whose operators signed; the set's epoch before by default.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::epoch_id(), conflicts_with = "signed")]
    signed_by: Option<EpochId>,
    /// The signed handover, as `assent handover request` writes it, or - for standard input.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    signed: Option<PathBuf>,
    /// An operator's signature, or @FILE with one on each line, as `assent handover sign` prints them; repeatable.
    #[arg(
        long = "partial",
        value_name = "ADDRESS=SIGNATURE|@FILE",
        value_parser = arguments::partials,
        required_unless_present = "signed",
        conflicts_with = "signed"
    )]
    partials: Vec<Partials>,
    #[command(flatten)]
    chains: ChainsFile,
    #[command(flatten)]
    payer: Account,
}

/// What became of the handover on one chain.
enum Outcome {
    Accepted(Vec<TransactionReceipt>),
    /// The mirror has the epoch.
    Known,
    Refused(String),
}

/// Runs `assent handover send`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at, epoch, signed_by, signed, partials: elsewhere, chains, payer } = arguments;
    let RegistryNode { node, registry } = at;
    let (from, signer) = payer.open()?;
    let chains = chains.read()?;
    let signatures = partials::read_all(&elsewhere)?;
    let given: Option<GatewayHandover> =
        signed.as_ref().map(|path| input::read_json("signed handover", path)).transpose()?;
    let named = given.as_ref().map(|given| (given.handover.epoch, Some(given.handover.signed_by)));
    let (epoch, signed_by) = match (named, epoch) {
        (Some(named), _) => named,
        (None, epoch) => (epoch.context("give --epoch or --signed")?, signed_by),
    };
    let outcomes = connection::block_on(async {
        let home = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Handing over");
        let read = read_final(&home, registry, epoch, signed_by).await.with_context(|| node.asking())?;
        let signed = match given {
            Some(given) if given.handover != read.handover => bail!(
                "the signed handover differs from what a final block of the home chain says of epoch {epoch}; ask \
                 another gateway of the registry's chain"
            ),
            Some(GatewayHandover { non_signers, signature, .. }) => (non_signers, signature),
            None => {
                let aggregate = aggregate_epoch_handover(&read.signing, &read.handover, &signatures)?;
                partials::warn_of_rejected(&aggregate);
                (aggregate.non_signers, aggregate.signature)
            }
        };
        let mut outcomes = Vec::new();
        for mirror in &chains.mirrors {
            let sent = hand_over(mirror, &read, (&signed.0, &signed.1), from, signer.clone()).await;
            // One chain's node must not keep another chain without its epoch.
            outcomes.push((mirror, sent.unwrap_or_else(|error| Outcome::Refused(format!("{error:#}")))));
        }
        Ok(outcomes)
    })?;
    let failed = outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Refused(_)));
    let text = outcomes.iter().map(|(mirror, outcome)| describe(mirror, outcome, epoch)).collect::<Vec<_>>();
    let json = outcomes.iter().map(|(mirror, outcome)| to_json(mirror, outcome)).collect::<Vec<_>>();
    output.result(text.join("\n"), &json!({ "epoch": epoch, "chains": json }))?;
    Ok(if failed { ExitStatus::Refused } else { ExitStatus::Success })
}

async fn hand_over(
    at: &MirrorAt,
    read: &FinalHandover,
    (non_signers, signature): (&NonSigners, &Signature),
    from: Address,
    signer: Option<PrivateKeySigner>,
) -> Result<Outcome> {
    let FinalHandover { handover, next, .. } = read;
    let ReadMirror { client, state } = at.read(signer, handover.operator_set, Some(handover.epoch)).await?;
    if state.epochs.iter().any(|epoch| epoch.number == handover.epoch) {
        return Ok(Outcome::Known);
    }
    let (bitmap, signature) = (non_signers.as_bytes(), &signature.0);
    if let Err(error) = read.verify_for(state, bitmap, signature) {
        return Ok(Outcome::Refused(with_next_step(error)));
    }
    let (stored, mut receipts) = store_tables(&client, from, at.mirror, next).await?;
    let accept = EpochMirror::acceptCall {
        handover: (*handover).into(),
        table: next.mirror_table(&stored)?.into(),
        nonSigners: Bytes::copy_from_slice(bitmap),
        signature: (*signature).into(),
    };
    receipts.push(send(&client, from, at.mirror, &accept).await?);
    Ok(Outcome::Accepted(receipts))
}

fn with_next_step(error: HandoverError) -> String {
    let next = match error {
        HandoverError::WrongSigner { latest: EpochId(0), .. } => "have the mirror's owner set its first epoch",
        HandoverError::WrongSigner { .. } => "have the operators of the mirror's epoch sign, with --signed-by",
        HandoverError::SignerExpired { .. } => "have the mirror's owner set an epoch with setGenesis, after notice",
        HandoverError::EpochWasRevoked { .. } => "hand over to a later epoch",
        HandoverError::Signature(_) => "have more operators sign, with `assent handover request`",
        _ => "compare the mirror with the registry: `assent handover status`",
    };
    format!("{error}; next: {next}")
}

fn describe(at: &MirrorAt, outcome: &Outcome, epoch: EpochId) -> String {
    match outcome {
        Outcome::Accepted(receipts) => {
            let gas = receipts.iter().map(|receipt| receipt.gas_used).sum::<u64>();
            format!("{}: epoch {epoch} is accepted, {gas} gas", at.name)
        }
        Outcome::Known => format!("{}: has epoch {epoch} already", at.name),
        Outcome::Refused(reason) => format!("{}: refused: {reason}", at.name),
    }
}

fn to_json(at: &MirrorAt, outcome: &Outcome) -> Value {
    let (status, reason, receipts) = match outcome {
        Outcome::Accepted(receipts) => ("accepted", None, receipts.as_slice()),
        Outcome::Known => ("known", None, &[][..]),
        Outcome::Refused(reason) => ("refused", Some(reason), &[][..]),
    };
    json!({
        "name": at.name,
        "mirror": at.mirror,
        "status": status,
        "reason": reason,
        "transactions": hashes(receipts),
        "gas": receipts.iter().map(|receipt| receipt.gas_used).sum::<u64>(),
    })
}
