//! `assent policy backtest`: what a policy would have decided about the calls that were made.

pub mod calls;
pub mod node;
pub mod report;
mod state;
pub mod tally;

use super::{
    data::{Given, Sources},
    era::Era,
    files::PolicyArguments,
};
use crate::{
    ExitStatus, arguments,
    connection::{Node, block_on},
    output::{self, Output},
};
use alloy_primitives::{Address, B256};
use anyhow::{Context as _, Result, anyhow, bail};
use calls::{CallReader, Kind, NextCalls};
use clap::Args;
use node::Patience;
use serde_json::json;
use state::{State, Subject};
use std::{path::PathBuf, sync::Arc};
use tally::{Judge, Judged, PastDecision};

/// How often the state is written, in blocks.
const BLOCKS_A_STATE: u64 = 100;

/// The options for the calls that are read.
#[derive(Args)]
pub struct CallArguments {
    /// The contract whose calls are read.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    pub client: Address,
    /// Read all transactions to the contract, also of a PolicyClient.
    #[arg(long)]
    pub all_transactions: bool,
    /// Count transactions that reverted too.
    #[arg(long)]
    pub with_reverted: bool,
}

impl CallArguments {
    /// Prepares to read the calls, and says which of them cannot be seen.
    pub async fn reader(&self, node: &Node) -> Result<CallReader> {
        let provider = node.connect(None)?;
        let reader = CallReader::new(provider, self.client, self.all_transactions, self.with_reverted).await?;
        report::remark_visibility(self.client, reader.kind());
        Ok(reader)
    }
}

/// The options of `assent policy backtest`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy backtest treasury --client $VAULT --from-block 19000000 --to-block 19100000
  assent policy backtest treasury.policy --parameters stricter.json --client $VAULT --from-block 19000000 --json
  assent policy backtest treasury --client $VAULT --from-block 19000000 --state backtest.json

Of a PolicyClient, it reads the calls that spent an attestation, by their events; of any other contract, the
transactions to it, block by block. Calls that another contract made are read only if they spent an attestation and the
node gives traces. Each call is decided about at the block before its own, the latest that operators could have used.
Denials are printed as they are found, and a table at the end. --json prints a line for each, and one for the table.
A policy's sources read the chain at that block. What hosts would have answered is not known: calls for which a
component asks one, without a recording of the answer, are reported as undecided.
With --state, an interrupted backtest continues where it was. Exit status 0 means that every block was read.")]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    calls: CallArguments,
    /// What sources answer: an object by their names, which holds for every call, or the recordings of one call. It can
    /// be given several times.
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// The first block.
    #[arg(long, value_name = "NUMBER")]
    from_block: u64,
    /// The last block; by default the latest one.
    #[arg(long, value_name = "NUMBER")]
    to_block: Option<u64>,
    /// Keep the counts in this file, and continue from it if it exists.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// How long a node that does not answer is asked again.
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    patience: u64,
}

/// Runs `assent policy backtest`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let loaded = arguments.policy.read()?;
    let given = Given::read_all(&arguments.data)?;
    let data = given.hash();
    let sources = Sources::new(&loaded, given, None, Some(&arguments.node), Era::Past)?;
    let judge = Arc::new(Judge::new(loaded, sources)?);
    block_on(async { backtest(arguments, &judge, data, output).await.with_context(|| arguments.node.asking()) })
}

async fn backtest(arguments: &Arguments, judge: &Arc<Judge>, data: Option<B256>, output: Output) -> Result<ExitStatus> {
    let CallArguments { client, with_reverted, .. } = arguments.calls;
    let mut reader = arguments.calls.reader(&arguments.node).await?;
    let subject = Subject {
        policy_id: judge.policy().id(),
        client,
        from_block: arguments.from_block,
        task_manager: match reader.kind() {
            Kind::Spends(task_manager) => Some(task_manager),
            Kind::Transactions => None,
        },
        with_reverted,
        data,
    };
    let mut state = match &arguments.state {
        Some(path) => State::read(path, subject)?,
        None => State::new(subject),
    };
    let head = reader.head().await?;
    let last = arguments.to_block.unwrap_or(head);
    if last > head {
        bail!("--to-block is {last}, but the latest block is {head}; give a block that exists");
    }
    if last < arguments.from_block {
        bail!("--from-block is {}, after the last block {last}; give an earlier one", arguments.from_block);
    }
    if !reader.follows(state.next_block, state.last_hash).await? {
        return Err(replaced(&state));
    }

    let blocks = usize::try_from(last.saturating_add(1).saturating_sub(state.next_block)).unwrap_or(usize::MAX);
    let mut progress = output::Progress::new("Blocks", blocks);
    let mut patience = Patience::new(Some(arguments.patience));
    let mut written = state.next_block;
    while state.next_block <= last {
        let from = state.next_block;
        let next = reader.next(from, last, state.last_hash, &mut patience).await;
        let JudgedCalls { judged, last: to, hash } = match judged(next, judge, &mut patience).await {
            Ok(Some(next)) => next,
            Ok(None) => return Err(replaced(&state)),
            Err(error) => {
                save(arguments, &state)?;
                drop(progress);
                report_partial(output, &state)?;
                return Err(error.context(format!(
                    "blocks before {from} are counted; continue with --from-block {from}, or with --state"
                )));
            }
        };
        for judged in &judged {
            progress.suspend(|| take(judged, &mut state, output))?;
        }
        (state.next_block, state.last_hash) = (to + 1, Some(hash));
        for _ in from..=to {
            progress.advance();
        }
        if state.next_block - written >= BLOCKS_A_STATE {
            save(arguments, &state)?;
            written = state.next_block;
        }
    }
    drop(progress);
    save(arguments, &state)?;
    report_partial(output, &state)?;
    Ok(ExitStatus::Success)
}

/// Returns the error for blocks that were replaced after they were counted.
fn replaced(state: &State) -> anyhow::Error {
    anyhow!(
        "block {} was replaced after its calls were counted; begin again, with a --to-block that is final and another \
         --state",
        state.next_block.saturating_sub(1)
    )
}

/// The calls of a range of blocks, each with its decision.
struct JudgedCalls {
    judged: Vec<Judged>,
    last: u64,
    hash: B256,
}

/// Decides about the calls of a range, of all or of none.
async fn judged(
    next: Result<Option<NextCalls>>,
    judge: &Arc<Judge>,
    patience: &mut Patience,
) -> Result<Option<JudgedCalls>> {
    let Some(NextCalls { found, last, hash }) = next? else { return Ok(None) };
    let mut judged = Vec::new();
    for found in &found {
        judged.push(patience.retry(async || judge.judge(found).await).await?);
    }
    Ok(Some(JudgedCalls { judged, last, hash }))
}

/// Counts a call, and prints it unless it is allowed.
fn take(judged: &Judged, state: &mut State, output: Output) -> Result<()> {
    state.tally.count(judged);
    match judged {
        Judged::Call(_, PastDecision::Allowed) => Ok(()),
        judged => report::write(output, judged),
    }
}

fn save(arguments: &Arguments, state: &State) -> Result<()> {
    arguments.state.as_ref().map_or(Ok(()), |path| state.write(path))
}

fn report_partial(output: Output, state: &State) -> Result<()> {
    let from = state.subject.from_block;
    let blocks = state.next_block.checked_sub(1).filter(|to| *to >= from).map(|to| (from, to));
    let more = json!({ "policyId": state.subject.policy_id, "client": state.subject.client });
    report::write_summary(output, blocks, &state.tally, more)
}
