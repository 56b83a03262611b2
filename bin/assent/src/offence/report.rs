//! `assent offence report`.

use super::record;
use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::{self, Node},
    input,
    output::{self, Output},
};
use alloy::{
    primitives::{Address, Bytes},
    providers::DynProvider,
    sol_types::SolCall,
};
use anyhow::{Context as _, Result, bail};
use assent_client::{AssentClient, PreparedCall};
use assent_contracts::{EigenLayerSlasher, offences::equivocation_proof};
use assent_verifier::AttestationDocument;
use clap::{Args, ValueHint};
use serde_json::json;
use std::path::PathBuf;

/// The options of `assent offence report`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent offence report --rpc-url http://127.0.0.1:8545 --slasher $SLASHER allowed.json denied.json --account $ANYONE
  assent offence report --slasher $SLASHER first.json second.json --fault $EQUIVOCATION --private-key-file account.key

An operator signs one attestation of a task, ever. Those that signed both did it; any weight is enough, and each may be
part of a batch. The slasher's contracts verify both signatures. Next, `assent offence punish` takes the stake.")]
pub struct Arguments {
    #[command(flatten)]
    node: Node,
    /// The EigenLayerSlasher or SymbioticSlasher.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    slasher: Address,
    /// Two attestation documents of one task, as JSON.
    #[arg(value_names = ["FIRST", "SECOND"], num_args = 2, required = true, value_hint = ValueHint::FilePath)]
    documents: Vec<PathBuf>,
    /// The contract that verifies the proof. Default: the first of the slasher's that it convinces.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    fault: Option<Address>,
    #[command(flatten)]
    payer: Account,
}

/// Runs `assent offence report`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { node, slasher, documents, fault, payer } = arguments;
    let documents = documents.iter().map(|path| input::read_json("attestation document", path));
    let documents = documents.collect::<Result<Vec<AttestationDocument>>>()?;
    let [first, second] = documents.as_slice() else { bail!("give two attestation documents") };
    require_different(first, second)?;
    let proof = equivocation_proof(first, second);
    let (from, signer) = payer.open()?;
    let (fault, made, receipt, recorded) = connection::block_on(async {
        let client = AssentClient::new(node.connect(signer)?);
        let _spinner = output::spinner("Reporting the offence");
        client.require_contract(*slasher).await.with_context(|| node.asking())?;
        let fault = convinced(&client, from, *slasher, *fault, &proof).await?;
        let (made, receipt) = record::make(&client, from, *slasher, fault, proof).await?;
        let recorded = record::read(&client, *slasher, made).await?;
        Ok((fault, made, receipt, recorded))
    })?;
    let offenders: Vec<_> = recorded.offenders.iter().map(|offender| offender.operator).collect();
    output.result(
        format_args!(
            "{} of epoch {} signed both attestations of task {}: {}\nrecord {made} of reporter {from}, {} \
             gas\nnext: assent offence punish --slasher {slasher} --record {made}",
            output::counted(offenders.len(), "operator", "operators"),
            recorded.epoch,
            first.attestation.taskId,
            offenders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            receipt.gas_used,
        ),
        &json!({
            "record": made,
            "reporter": from,
            "fault": fault,
            "taskId": first.attestation.taskId,
            "epoch": recorded.epoch,
            "offenders": offenders,
            "transaction": receipt.transaction_hash,
            "gas": receipt.gas_used,
        }),
    )?;
    Ok(ExitStatus::Success)
}

/// Refuses what is no offence, and says why, before anything is sent.
fn require_different(first: &AttestationDocument, second: &AttestationDocument) -> Result<()> {
    if (first.chain_id, first.task_manager) != (second.chain_id, second.task_manager) {
        bail!("the documents are for different TaskManagers or chains: no operator promised to sign only one of them");
    }
    let [one, other] = [first, second].map(|document| document.attestation.taskId);
    if one != other {
        bail!("the documents are of different tasks, {one} and {other}; give two of one task");
    }
    if first.attestation == second.attestation {
        bail!("the documents have the same attestation, which operators may sign as often as they like");
    }
    Ok(())
}

/// Returns the fault that takes the proof.
async fn convinced(
    client: &AssentClient<DynProvider>,
    from: Address,
    slasher: Address,
    named: Option<Address>,
    proof: &Bytes,
) -> Result<Address> {
    let known = EigenLayerSlasher::new(slasher, client.provider()).faults().call().await;
    let known = known.with_context(|| format!("{slasher} does not answer as a slasher"))?;
    let mut reasons = Vec::new();
    for fault in named.map_or_else(|| known.iter().map(|terms| terms.fault).collect(), |fault| vec![fault]) {
        let call = EigenLayerSlasher::recordOffenceCall { fault, proof: proof.clone() };
        match client.simulate(&PreparedCall::new(from, slasher, call.abi_encode())).await {
            Ok(_) => return Ok(fault),
            Err(error) => reasons.push(format!("{fault}: {error}")),
        }
    }
    bail!("the slasher refuses the proof; nothing was sent\n{}", reasons.join("\n"))
}
