//! `assent offence status`.

use super::{RecordNode, record, reward, reward::Reward};
use crate::{
    ExitStatus, arguments, connection,
    output::{self, Output},
};
use alloy::primitives::Address;
use anyhow::{Context as _, Result};
use assent_client::AssentClient;
use clap::Args;
use serde_json::json;

/// The options of `assent offence status`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent offence status --rpc-url http://127.0.0.1:8545 --slasher $SLASHER --record $RECORD
  assent offence status --slasher $SLASHER --record $RECORD --json | jq '.offenders[] | select(.punished | not)'
  assent offence status --slasher $SLASHER --record $RECORD --reward $REPORTER_REWARD

With --reward it shows whether the reporter was paid for each operator: claimed; claimable, by anyone with `claim` of
the ReporterReward; not slashed, or not yet; or none, since the stake was rewarded before.")]
pub struct Arguments {
    #[command(flatten)]
    at: RecordNode,
    /// The ReporterReward that pays reporters.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    reward: Option<Address>,
}

/// Runs `assent offence status`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at: RecordNode { node, slasher, record }, reward } = arguments;
    let (recorded, rewards) = connection::block_on(async {
        let client = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Reading the record");
        let recorded = record::read(&client, *slasher, *record).await.with_context(|| node.asking())?;
        let rewards = match reward {
            Some(reward) => reward::read(&client, *reward, *slasher, &recorded).await.with_context(|| node.asking())?,
            None => Vec::new(),
        };
        Ok((recorded, rewards))
    })?;
    let mut table = output::table(["index", "operator", "punished", "slashed at", "reward"]);
    let mut offenders = Vec::new();
    for (number, offender) in recorded.offenders.iter().enumerate() {
        let punished = if offender.is_punished() { "yes" } else { "NO" };
        let slashed_at = offender.punishment.as_ref().and_then(|punishment| punishment.slashed_at);
        let paid = rewards.get(number).copied();
        let time = slashed_at.map_or_else(String::new, output::time);
        let reward = paid.map_or("", Reward::describe);
        table.add_row([&offender.index.to_string(), &offender.operator.to_string(), punished, &time, reward]);
        offenders.push(json!({
            "index": offender.index,
            "operator": offender.operator,
            "punished": offender.is_punished(),
            "reporter": offender.punishment.as_ref().map(|punishment| punishment.reporter),
            "slashedAt": slashed_at,
            "reward": paid.map(Reward::name),
        }));
    }
    output.result(
        format_args!(
            "{} of epoch {}, each loses {} % of its stake in the set; reported by {}\n{table}",
            output::counted(recorded.offenders.len(), "operator", "operators"),
            recorded.epoch,
            percent(recorded.wad),
            recorded.reporter,
        ),
        &json!({
            "record": record,
            "id": recorded.id,
            "reporter": recorded.reporter,
            "epoch": recorded.epoch,
            "wad": recorded.wad.to_string(),
            "offenders": offenders,
        }),
    )?;
    Ok(ExitStatus::Success)
}

/// Returns a share of 1e18 in percent, exactly.
fn percent(wad: u64) -> String {
    let (whole, rest) = (wad / 10_u64.pow(16), wad % 10_u64.pow(16));
    match format!("{rest:016}").trim_end_matches('0') {
        "" => whole.to_string(),
        digits => format!("{whole}.{digits}"),
    }
}
