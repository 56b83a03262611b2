//! `assent policy bench`: measures a decision.

use super::{
    decision::{Clock, RequestArguments},
    files::{PolicyArguments, image_of},
};
use crate::{
    ExitStatus,
    output::{self, Output},
};
use anyhow::Result;
use assent_policy::{MAX_CONTENT, MAX_DATA, evaluate};
use clap::Args;
use serde_json::json;
use std::{num::NonZeroU32, time::Instant};

/// The options of `assent policy bench`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy bench treasury --intent intent.json --time 1800000000
  assent policy bench treasury --intent intent.json --time 1800000000 --runs 1000 --json

Steps are the same on every machine; the time is the median of the runs on this one.")]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    request: RequestArguments,
    /// How often the decision is computed.
    #[arg(long, value_name = "NUMBER", default_value = "20")]
    runs: NonZeroU32,
}

/// Runs `assent policy bench`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let loaded = arguments.policy.read()?;
    let request = arguments.request.read(&loaded, Clock::Machine)?;
    let (policy, data) = (loaded.policy, request.data.content);
    let image = image_of(&policy)?;
    let mut progress = output::Progress::new("Deciding", usize::try_from(arguments.runs.get())?);
    let (mut times, mut steps) = (Vec::new(), 0);
    for _ in 0..arguments.runs.get() {
        let begun = Instant::now();
        steps = evaluate(image, &policy, &request.input, &data)?.steps;
        times.push(begun.elapsed());
        progress.advance();
    }
    drop(progress);
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let limits = [
        ("steps", steps, policy.step_limit()),
        ("rules", u64::try_from(policy.rules().len())?, u64::try_from(MAX_CONTENT)?),
        ("parameters", u64::try_from(policy.parameters().len())?, u64::try_from(MAX_CONTENT)?),
        ("data", u64::try_from(data.len())?, u64::try_from(MAX_DATA)?),
    ];
    let table = || {
        let mut table = output::table(["what", "used", "limit", "share"]);
        for (what, used, limit) in limits {
            let hundredths = u128::from(used) * 10_000 / u128::from(limit);
            let share = format!("{}.{:02} %", hundredths / 100, hundredths % 100);
            table.add_row([what, &used.to_string(), &limit.to_string(), &share]);
        }
        let runs = output::counted(arguments.runs.get(), "run", "runs");
        format!("{table}\nmedian of {runs}: {} µs", median.as_micros())
    };
    let value = || {
        let limits = limits.map(|(what, used, limit)| (what, json!({ "used": used, "limit": limit })));
        json!({
            "microseconds": u64::try_from(median.as_micros()).unwrap_or(u64::MAX),
            "runs": arguments.runs,
            "limits": limits.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        })
    };
    output.result_of(table, value)?;
    Ok(ExitStatus::Success)
}
