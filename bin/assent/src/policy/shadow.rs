//! `assent policy shadow`: what a policy would decide about new calls, as they come.

use super::{
    backtest::{
        CallArguments,
        calls::CallReader,
        node::Patience,
        report,
        tally::{Judge, Judged, Tally},
    },
    data::DataArguments,
    files::PolicyArguments,
};
use crate::{
    ExitStatus,
    connection::{Node, block_on},
    output::{self, Output, counted},
};
use alloy_primitives::B256;
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// How many blocks can be replaced without a wrong count.
const MOST_BLOCKS: usize = 256;

/// The options of `assent policy shadow`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy shadow treasury --client $VAULT
  assent policy shadow treasury.policy --client $VAULT --confirmations 12 --json >> shadow.jsonl

It reports what the policy would decide about each new call, and blocks nothing. The calls are those that
`assent policy backtest` reads. Sources are observed as operators would do it; a call for which one has no answer is
reported as undecided. If the chain is reorganised, the calls of replaced blocks are withdrawn, and those of
the blocks in their place are reported. A node that does not answer is asked again without end. Ctrl-C ends it with a
table. --json prints a line for each call, reorganisation and table.")]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    calls: CallArguments,
    #[command(flatten)]
    data: DataArguments,
    /// The first block; by default the one after the latest.
    #[arg(long, value_name = "NUMBER")]
    from_block: Option<u64>,
    /// How many blocks must be on top of a block before its calls are reported.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    confirmations: u64,
    /// How often the node is asked for new blocks.
    #[arg(
        long,
        value_name = "MILLISECONDS",
        default_value = "2000",
        value_parser = clap::value_parser!(u64).range(10..)
    )]
    poll: u64,
}

/// Runs `assent policy shadow`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let loaded = arguments.policy.read()?;
    let sources = arguments.data.live_sources(&loaded, &arguments.node)?;
    let judge = Arc::new(Judge::new(loaded, sources)?);
    block_on(async {
        let mut shadow = Shadow::new(arguments, output).await.with_context(|| arguments.node.asking())?;
        let mut patience = Patience::new(None);
        let stopped = tokio::signal::ctrl_c();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                biased;
                signal = &mut stopped => {
                    signal.context("cannot wait for Ctrl-C")?;
                    break;
                }
                followed = shadow.follow(&judge, arguments, &mut patience) => followed?,
            }
        }
        shadow.summary(&judge)?;
        Ok(ExitStatus::Success)
    })
}

/// A chain that is followed.
struct Shadow {
    reader: CallReader,
    output: Output,
    first: u64,
    next: u64,
    /// The blocks that can still be replaced, in order.
    recent: VecDeque<Counted>,
    /// The counts of the blocks before these.
    settled: Tally,
}

/// A block whose calls are reported.
struct Counted {
    number: u64,
    hash: B256,
    tally: Tally,
}

impl Shadow {
    async fn new(arguments: &Arguments, output: Output) -> Result<Self> {
        let reader = arguments.calls.reader(&arguments.node).await?;
        let first = match arguments.from_block {
            Some(block) => block,
            None => reader.head().await?.saturating_add(1),
        };
        output::remark(format_args!("reporting calls from block {first} on; Ctrl-C stops"));
        Ok(Self { reader, output, first, next: first, recent: VecDeque::new(), settled: Tally::default() })
    }

    /// Looks for the next block, and waits if it does not exist yet.
    async fn follow(&mut self, judge: &Arc<Judge>, arguments: &Arguments, patience: &mut Patience) -> Result<()> {
        match self.step(judge, arguments.confirmations).await {
            Ok(true) => patience.answered(),
            Ok(false) => {
                patience.answered();
                tokio::time::sleep(Duration::from_millis(arguments.poll)).await;
            }
            Err(error) => patience.wait(error).await?,
        }
        Ok(())
    }

    /// Reports the calls of the next block. Returns whether there was one, or a replaced one.
    async fn step(&mut self, judge: &Arc<Judge>, confirmations: u64) -> Result<bool> {
        let head = self.reader.head().await?;
        if self.withdraw().await? {
            return Ok(true);
        }
        if head.checked_sub(confirmations).is_none_or(|deep_enough| self.next > deep_enough) {
            return Ok(false);
        }
        let Some(block) = self.reader.of_block(self.next).await? else { return Ok(false) };
        if self.recent.back().is_some_and(|last| last.hash != block.parent) {
            // The block before was replaced meanwhile, which the next step finds.
            return Ok(false);
        }
        // Everything is decided before anything is printed: what is printed is counted.
        let mut judged = Vec::new();
        for found in &block.found {
            judged.push(judge.judge(found).await?);
        }
        // Those that cannot be read come first.
        judged.sort_by_key(|judged| !matches!(judged, Judged::Hidden { .. }));
        let mut tally = Tally::default();
        for judged in &judged {
            tally.count(judged);
            report::write(self.output, judged)?;
        }
        self.recent.push_back(Counted { number: block.number, hash: block.hash, tally });
        if self.recent.len() > MOST_BLOCKS
            && let Some(oldest) = self.recent.pop_front()
        {
            self.settled.add(&oldest.tally);
        }
        self.next = block.number.saturating_add(1);
        Ok(true)
    }

    /// Withdraws the calls of blocks that were replaced. Returns whether there were such blocks.
    async fn withdraw(&mut self) -> Result<bool> {
        let mut kept = self.recent.len();
        while let Some(last) = kept.checked_sub(1).and_then(|index| self.recent.get(index)) {
            match self.reader.hash(last.number).await? {
                Some(hash) if hash == last.hash => break,
                // A node can lag behind another one of the same address: a missing block is not a replaced one.
                None if kept == self.recent.len() => return Ok(false),
                _ => kept -= 1,
            }
        }
        let Some(first) = self.recent.get(kept) else { return Ok(false) };
        let (from, to) = (first.number, self.next.saturating_sub(1));
        let withdrawn = self.recent.split_off(kept);
        let mut tally = Tally::default();
        for block in &withdrawn {
            tally.add(&block.tally);
        }
        self.next = from;
        if self.output.is_json() {
            report::write_json_line(&json!({
                "type": "reorganisation", "fromBlock": from, "toBlock": to, "withdrawnCalls": tally.calls(),
            }))?;
        } else {
            self.output.line(format_args!(
                "REORGANISED: {} replaced; {}",
                if from == to { format!("block {from} was") } else { format!("blocks {from} to {to} were") },
                counted(tally.calls(), "call is withdrawn", "calls are withdrawn")
            ))?;
        }
        if self.recent.is_empty() && from > self.first {
            output::remark(format_args!(
                "all of the last {MOST_BLOCKS} blocks were replaced; counts of earlier blocks may be wrong"
            ));
        }
        Ok(true)
    }

    fn summary(&self, judge: &Judge) -> Result<()> {
        let mut tally = self.settled.clone();
        for block in &self.recent {
            tally.add(&block.tally);
        }
        let last = self.next.checked_sub(1).filter(|last| *last >= self.first);
        let more = json!({ "policyId": judge.policy().id() });
        report::write_summary(self.output, last.map(|last| (self.first, last)), &tally, more)
    }
}
