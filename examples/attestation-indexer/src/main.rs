//! Follows the attestations that are spent on a chain, verifies each again, and prints a line for each.
//!
//! ```sh
//! cargo run --package attestation-indexer -- --rpc-url http://127.0.0.1:8545 --task-manager 0x… --from-block 0
//! ```
//!
//! Chain and verifier must never disagree: a line with REFUSED is an alarm. `lib.rs` documents what is visible on which
//! nodes. Resume with `--from-block` and the number that the program prints when it ends.

use alloy::{
    primitives::Address,
    providers::{Provider, ProviderBuilder},
    transports::http::reqwest::Url,
};
use anyhow::{Context as _, Result};
use assent_client::with_causes;
use assent_verifier::parse_address;
use attestation_indexer::{BlocksReplaced, Indexer, Participation, Settings, is_temporary};
use clap::Parser;
use std::{
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

/// Follows spent Assent attestations and verifies each again.
#[derive(Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  attestation-indexer --rpc-url http://127.0.0.1:8545 --task-manager 0x… --from-block 0
  attestation-indexer --rpc-url http://127.0.0.1:8545 --task-manager 0x… --from-block 100 --to-block 200 --json
  attestation-indexer --rpc-url http://127.0.0.1:8545 --task-manager 0x… --from-block 0 --to-block 200 --participation

Single use is checked from the first block on: begin at the TaskManager's deployment to check it wholly.
With --to-block the exit status is 0 only when every attestation was verified; without it, the program follows the chain
until it is stopped."
)]
struct Arguments {
    /// The node. An archive node with traces shows the most.
    #[arg(long, value_name = "URL")]
    rpc_url: Url,
    /// The TaskManager whose events to follow.
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    task_manager: Address,
    /// Only this client's attestations.
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    client: Option<Address>,
    /// The first block, or the one to resume from.
    #[arg(long, value_name = "NUMBER")]
    from_block: u64,
    /// The last block, to stop there.
    #[arg(long, value_name = "NUMBER")]
    to_block: Option<u64>,
    /// How many blocks must follow a block before it counts as final.
    #[arg(long, value_name = "COUNT", default_value = "12")]
    confirmations: u64,
    /// How long to wait for new blocks, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "4")]
    poll: u64,
    /// How long a node that does not answer is asked again before the program ends, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    patience: u64,
    /// Print at the end how many attestations each operator signed, by the bitmaps of those that carried a signature.
    #[arg(long, requires = "to_block")]
    participation: bool,
    /// Print a line of JSON for each.
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match follow(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Whether all were verified.
async fn follow(arguments: &Arguments) -> Result<bool> {
    let mut indexer = Indexer::new(
        ProviderBuilder::new().connect_http(arguments.rpc_url.clone()),
        Settings {
            task_manager: arguments.task_manager,
            policy_client: arguments.client,
            from_block: arguments.from_block,
            confirmations: arguments.confirmations,
        },
    );
    let mut node = Patience::new(arguments.patience);
    while let Err(error) = indexer.require_task_manager().await {
        node.wait(error).await?;
    }
    let last = arguments.to_block.unwrap_or(u64::MAX);
    let mut progress = Progress::new(indexer.next_block());
    let mut all_verified = true;
    let mut participation = Participation::default();
    while indexer.next_block() <= last {
        let findings = match indexer.step(last).await {
            Ok(findings) => findings,
            // Where to begin again is in the error: not where this run ended.
            Err(error) if error.is::<BlocksReplaced>() => return Err(error),
            Err(error) => {
                let resume = format!("resume with --from-block {}", indexer.next_block());
                node.wait(error).await.context(resume)?;
                continue;
            }
        };
        node.answered();
        let Some(findings) = findings else {
            progress.waiting(&indexer, arguments.confirmations);
            tokio::time::sleep(Duration::from_secs(arguments.poll)).await;
            continue;
        };
        progress.advanced(&indexer);
        let mut output = io::stdout().lock();
        for finding in findings {
            all_verified &= finding.is_verified();
            participation.count(&finding);
            match arguments.json {
                true => writeln!(output, "{}", finding.to_json())?,
                false => writeln!(output, "{finding}")?,
            }
        }
        output.flush()?;
    }
    if arguments.participation {
        let mut output = io::stdout().lock();
        match arguments.json {
            true => writeln!(output, "{}", participation.to_json())?,
            false => write!(output, "{participation}")?,
        }
    }
    eprintln!("done; resume with --from-block {}", indexer.next_block());
    Ok(all_verified)
}

/// How long a node that does not answer is asked again.
struct Patience {
    limit: Duration,
    failing_since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(60);

    fn new(seconds: u64) -> Self {
        Self { limit: Duration::from_secs(seconds), failing_since: None, pause: Self::SHORTEST }
    }

    fn answered(&mut self) {
        *self = Self { failing_since: None, pause: Self::SHORTEST, ..*self };
    }

    /// Waits after an error that can be temporary, twice as long each time; returns any other error.
    async fn wait(&mut self, error: anyhow::Error) -> Result<()> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        if !is_temporary(&error) || since.elapsed() + self.pause > self.limit {
            return Err(error);
        }
        eprintln!("warning: {}; trying again in {} s", with_causes(error.as_ref()), self.pause.as_secs());
        tokio::time::sleep(self.pause).await;
        self.pause = (2 * self.pause).min(Self::LONGEST);
        Ok(())
    }
}

/// Reports on standard error how far the program is.
struct Progress {
    said: Option<Instant>,
    waits_for: Option<u64>,
    from: u64,
}

impl Progress {
    const INTERVAL: Duration = Duration::from_secs(10);

    fn new(from: u64) -> Self {
        Self { said: None, waits_for: None, from }
    }

    /// Says once for each block what the program waits for.
    fn waiting<P: Provider>(&mut self, indexer: &Indexer<P>, confirmations: u64) {
        let next = indexer.next_block();
        let is_new = self.waits_for.replace(next).is_none();
        if !is_new && self.said.is_some_and(|said| said.elapsed() < Self::INTERVAL) {
            return;
        }
        self.said = Some(Instant::now());
        let head = indexer.head().map_or_else(|| "unknown".to_owned(), |head| head.to_string());
        eprintln!("waiting for block {next} and {confirmations} confirmations; the latest block is {head}");
    }

    fn advanced<P: Provider>(&mut self, indexer: &Indexer<P>) {
        if self.said.is_none_or(|said| said.elapsed() >= Self::INTERVAL) {
            self.said = Some(Instant::now());
            eprintln!("blocks {} to {} are done", self.from, indexer.next_block().saturating_sub(1));
        }
    }
}
