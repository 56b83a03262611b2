//! Follows the attestations that are spent on a chain, verifies each again, and prints a line for each.
//!
//! ```sh
//! cargo run --package attestation-indexer -- --rpc-url http://127.0.0.1:8545 --task-manager 0x… --from-block 0
//! ```
//!
//! Chain and verifier must never disagree: a line with REFUSED is an alarm. `lib.rs` documents what is visible on which
//! nodes. Resume with `--from-block` and the number that the program prints when it ends.

use alloy::{primitives::Address, providers::ProviderBuilder, transports::http::reqwest::Url};
use anyhow::{Context as _, Result};
use attestation_indexer::{Indexer, Settings};
use clap::Parser;
use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
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

Single use is checked from the first block on: begin at the TaskManager's deployment to check it wholly.
With --to-block the exit status is 0 only when every attestation was verified; without it, the program follows the chain
until it is stopped."
)]
struct Arguments {
    /// The node. An archive node with traces shows the most.
    #[arg(long, value_name = "URL")]
    rpc_url: Url,
    /// The TaskManager whose events to follow.
    #[arg(long, value_name = "ADDRESS")]
    task_manager: Address,
    /// Only this client's attestations.
    #[arg(long, value_name = "ADDRESS")]
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
            eprintln!("error: {error:#}");
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
    let last = arguments.to_block.unwrap_or(u64::MAX);
    let mut all_verified = true;
    while indexer.next_block() <= last {
        let step = indexer.step(last).await;
        let resume = || format!("resume with --from-block {}", indexer.next_block());
        let Some(findings) = step.with_context(resume)? else {
            tokio::time::sleep(Duration::from_secs(arguments.poll)).await;
            continue;
        };
        let mut output = io::stdout().lock();
        for finding in findings {
            all_verified &= finding.is_verified();
            match arguments.json {
                true => writeln!(output, "{}", finding.to_json())?,
                false => writeln!(output, "{finding}")?,
            }
        }
        output.flush()?;
    }
    eprintln!("done; resume with --from-block {}", indexer.next_block());
    Ok(all_verified)
}
