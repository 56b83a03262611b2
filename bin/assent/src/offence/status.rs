//! `assent offence status`.

use super::{RecordNode, record};
use crate::{
    ExitStatus, connection,
    output::{self, Output},
};
use anyhow::{Context as _, Result};
use assent_client::AssentClient;
use clap::Args;
use serde_json::json;

/// The options of `assent offence status`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent offence status --rpc-url http://127.0.0.1:8545 --slasher $SLASHER --record $RECORD
  assent offence status --slasher $SLASHER --record $RECORD --json | jq '.offenders[] | select(.punished | not)'")]
pub struct Arguments {
    #[command(flatten)]
    at: RecordNode,
}

/// Runs `assent offence status`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { at: RecordNode { node, slasher, record } } = arguments;
    let recorded = connection::block_on(async {
        let client = AssentClient::new(node.connect(None)?);
        let _spinner = output::spinner("Reading the record");
        record::read(&client, *slasher, *record).await.with_context(|| node.asking())
    })?;
    let mut table = output::table(["index", "operator", "punished"]);
    for offender in &recorded.offenders {
        let punished = if offender.is_punished { "yes" } else { "NO" };
        table.add_row([&offender.index.to_string(), &offender.operator.to_string(), punished]);
    }
    let offenders = recorded.offenders.iter().map(
        |offender| json!({ "index": offender.index, "operator": offender.operator, "punished": offender.is_punished }),
    );
    output.result(
        format_args!(
            "{} of epoch {}, each loses {} % of its stake in the set\n{table}",
            output::counted(recorded.offenders.len(), "operator", "operators"),
            recorded.epoch,
            percent(recorded.wad),
        ),
        &json!({
            "record": record,
            "epoch": recorded.epoch,
            "wad": recorded.wad.to_string(),
            "offenders": offenders.collect::<Vec<_>>(),
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
