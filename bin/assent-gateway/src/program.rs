//! The program: its command line and its end.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, Result, ensure};
use assent_program::stop_signal;
use clap::{Parser, ValueHint};

use crate::config::{GatewayConfig, GatewayOptions};

/// A gateway of the decision network: takes callers' requests, and hands out what operators agreed on.
#[derive(Parser)]
#[command(
    name = "assent-gateway",
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  assent-gateway --config gateway.toml
  assent-gateway --config gateway.toml --check-config
  assent-gateway --rpc-url http://127.0.0.1:8545 --task-manager $TASK_MANAGER --policies ./policies --task-log tasks.redb

Every option is a flag, a variable, and a key of the configuration file; the first that is set counts:

  listen = \"0.0.0.0:443\"
  names = [\"gateway.example:443\"]
  rpc-url = \"http://127.0.0.1:8545\"
  task-manager = \"0x1111111111111111111111111111111111111111\"
  policies = \"https://policies.example/\"
  task-log = \"/var/lib/assent-gateway/tasks.redb\"
  tls-certificate = \"/etc/assent-gateway/chain.pem\"
  tls-key = \"/etc/assent-gateway/key.pem\"

Callers POST JSON-RPC to /, or connect to /ws; /openrpc.json describes it. Operators connect to /operators.
SIGTERM stops it. Accepted tasks are in the task log, and the next start goes on with them."
)]
struct CommandLine {
    /// The configuration file (TOML).
    #[arg(long, env = "ASSENT_GATEWAY_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Check the configuration, and exit. Nothing is started, and no node is asked.
    #[arg(long)]
    check_config: bool,
    #[command(flatten)]
    options: GatewayOptions,
}

/// Runs the program `assent-gateway` with the arguments of the process.
pub fn main() -> ExitCode {
    match run(CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: CommandLine) -> Result<()> {
    let CommandLine { config, check_config, options } = command_line;
    let file = config.as_deref().map(GatewayOptions::read_file).transpose()?.unwrap_or_default();
    let config = GatewayConfig::new(options.or(file))?;
    if check_config {
        crate::check(&config)?;
        return Ok(writeln!(io::stdout(), "the configuration is valid; neither node nor task log were asked")?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        let signal = stop_signal()?;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let mut gateway = crate::start(config).await?;
        writeln!(io::stdout(), "listening on {scheme}://{}", gateway.address())?;
        let has_failed = tokio::select! {
            () = gateway.ended() => true,
            () = signal => false,
        };
        gateway.stop().await;
        ensure!(!has_failed, "the gateway failed internally; it is safe to start it again");
        Ok(())
    })
}
