//! `assent offence punish`.

use super::{RecordNode, record};
use crate::{
    ExitStatus,
    account::Account,
    arguments, connection,
    output::{self, Output},
    transaction::hashes,
};
use alloy::primitives::Address;
use anyhow::{Context as _, Result, bail};
use assent_client::AssentClient;
use clap::Args;
use serde_json::json;

/// The most operators that one transaction punishes: EigenLayer takes up to 446,000 gas for each, and a transaction has
/// at most 16,777,216 (EIP-7825).
const MOST_AT_ONCE: usize = 25;

/// The options of `assent offence punish`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent offence punish --rpc-url http://127.0.0.1:8545 --slasher $SLASHER --record $RECORD --account $ANYONE
  assent offence punish --slasher $SLASHER --record $RECORD --operator $OPERATOR --private-key-file account.key

Each operator is punished once for an offence. On EigenLayer the stake is taken at once. On Symbiotic it is taken after
the reporting window, by SymbioticSlasher.execute.")]
pub struct Arguments {
    #[command(flatten)]
    at: RecordNode,
    /// Punish only this operator; repeatable. Default: all that did it and are not punished yet.
    #[arg(long = "operator", value_name = "ADDRESS", value_parser = arguments::address)]
    operators: Vec<Address>,
    #[command(flatten)]
    payer: Account,
}

/// Runs `assent offence punish`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at: RecordNode { node, slasher, record }, operators, payer } = arguments;
    let (from, signer) = payer.open()?;
    let (punished, receipts) = connection::block_on(async {
        let client = AssentClient::new(node.connect(signer)?);
        let _spinner = output::spinner("Punishing");
        let recorded = record::read(&client, *slasher, *record).await.with_context(|| node.asking())?;
        let chosen = choose(&recorded, operators)?;
        let mut receipts = Vec::new();
        for some in chosen.chunks(MOST_AT_ONCE) {
            let indices = some.iter().map(|(index, _)| *index);
            receipts.push(record::punish(&client, from, *slasher, *record, indices).await?);
        }
        Ok((chosen, receipts))
    })?;
    let punished: Vec<_> = punished.into_iter().map(|(_, operator)| operator).collect();
    let gas: u64 = receipts.iter().map(|receipt| receipt.gas_used).sum();
    output.result(
        format_args!(
            "{} punished, {gas} gas: {}",
            output::counted(punished.len(), "operator is", "operators are"),
            punished.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
        &json!({ "record": record, "punished": punished, "transactions": hashes(&receipts), "gas": gas }),
    )?;
    Ok(ExitStatus::Success)
}

/// Returns the index and the address of each operator to punish.
fn choose(recorded: &record::Record, named: &[Address]) -> Result<Vec<(usize, Address)>> {
    if let Some(other) = named.iter().find(|named| recorded.offenders.iter().all(|known| known.operator != **named)) {
        bail!("{other} did not do what is recorded; `assent offence status` lists who did");
    }
    let chosen = recorded.offenders.iter().filter(|known| named.is_empty() || named.contains(&known.operator));
    let pending: Vec<_> = chosen.filter(|known| !known.is_punished()).map(|it| (it.index, it.operator)).collect();
    if pending.is_empty() {
        bail!("there is no one left to punish: `assent offence status` shows who was punished");
    }
    Ok(pending)
}
