//! An HTTP service that verifies Assent attestations and accepts each only once. An attestation that was answered with
//! 200 is spent and recorded, also after `kill -9` or a power cut.
//!
//! ```sh
//! assent context --rpc-url URL --client 0x… --caller 0x… --nonce 0 --json > context.json
//! cargo run --package attestation-service -- serve --context context.json --ledger ledger.redb --create
//! curl --data @attestation.json http://127.0.0.1:8700/documents
//! curl http://127.0.0.1:8700/audit/0
//! ```
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /documents`, an attestation document | 200 with the audit record, or an error |
//! | `POST /authorizations`, `{"intent": {…}, "authorization": "0x…"}` | the same |
//! | `GET /audit/7` | the record of that sequence number |
//! | `GET /health` | 200 while it verifies and its ledger can be read, 503 otherwise |
//! | `GET /metrics` | for Prometheus |
//!
//! An error is JSON: the verifier's error with its name, arguments, sentence and revert data. 400: it does not parse;
//! 403: the operators deny; 408, 413: too slow, too long; 409: spent before; 422: every other refusal; 503: try again
//! later.
//!
//! What to copy: [`ledger`] for one transaction with both the spent nonce and its record; [`worker`] for batches on one
//! thread that answers after the write; [`answer`] for errors.

mod answer;
mod chain_context;
mod http;
mod ledger;
mod metrics;
mod signals;
mod submission;
mod worker;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand};
use ledger::Ledger;
use metrics::Metrics;
use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// How long a shutdown waits for pending requests. It is longer than the time for a request's body.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(15);

/// Verifies Assent attestations over HTTP, and accepts each only once.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    Serve(ServeArguments),
    /// Print the audit trail, one JSON record a line, and check that no record was changed, added or removed.
    Audit(AuditArguments),
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  attestation-service serve --context context.json --ledger ledger.redb --create
  attestation-service serve --context context.json --ledger ledger.redb --listen 127.0.0.1:9000 --window 2

`assent context --json` prints a context. Its time is not used: the service goes by the clock. Send SIGHUP after the
file has changed (a new epoch, one that was revoked, a burned nonce), and SIGTERM to stop. There is neither TLS nor a
check of who asks: the context says on whose behalf the service acts, and a proxy in front says who may ask.")]
struct ServeArguments {
    /// The chain state that verification takes as input, as JSON.
    #[arg(long, value_name = "FILE")]
    context: PathBuf,
    /// The file with spent nonces and the audit trail. Without it, every attestation would be accepted again.
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
    /// Create an empty ledger; the file must not exist yet.
    #[arg(long)]
    create: bool,
    /// The address to listen on; port 0 selects a free port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8700")]
    listen: SocketAddr,
    /// How long a request waits for others to be verified with, in milliseconds.
    #[arg(
        long,
        value_name = "MILLISECONDS",
        default_value = "5",
        value_parser = clap::value_parser!(u64).range(0..=1000)
    )]
    window: u64,
    /// How many requests can wait; further ones are answered 503. Also the maximum of a batch.
    #[arg(long, value_name = "COUNT", default_value = "256", value_parser = clap::value_parser!(u16).range(1..))]
    queue: u16,
    /// The longest request body.
    #[arg(long, value_name = "BYTES", default_value = "65536")]
    longest_body: usize,
}

#[derive(Args)]
#[command(after_help = "\
Example:
  attestation-service audit --ledger ledger.redb > audit.jsonl

The service must not be running: only one process can open the ledger.")]
struct AuditArguments {
    /// The ledger.
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
}

fn main() -> ExitCode {
    let result = match CommandLine::parse().command {
        Command::Serve(arguments) => serve(&arguments),
        Command::Audit(arguments) => audit(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &ServeArguments) -> Result<()> {
    let context = chain_context::read(&arguments.context)?;
    let domain = ledger::Domain::of(&context);
    let ledger = Arc::new(match arguments.create {
        true => Ledger::create(&arguments.ledger, &domain)?,
        false => Ledger::open(&arguments.ledger, Some(&domain))?,
    });
    let metrics = Arc::new(Metrics::new());
    metrics.records.set(i64::try_from(ledger.length()?)?);
    let (queue, reload, worker) = worker::start(worker::WorkerOptions {
        context,
        ledger: Arc::clone(&ledger),
        metrics: Arc::clone(&metrics),
        window: Duration::from_millis(arguments.window),
        longest_queue: arguments.queue.into(),
    })?;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let served: Result<_> = runtime.block_on(async {
        let listener = TcpListener::bind(arguments.listen)
            .await
            .with_context(|| format!("listening on {}; choose another address with --listen", arguments.listen))?;
        writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
        let reloading = signals::on_reload(arguments.context.clone(), domain, reload)?;
        let stop = signals::stop()?;
        let state = http::Service { queue, ledger, metrics };
        let (stopping, stopped) = tokio::sync::oneshot::channel();
        // Without the worker, no request can be answered.
        let ended = worker.ended();
        let stop = async move {
            tokio::select! {
                () = stop => {}
                () = ended => {}
            }
            let _ = stopping.send(());
        };
        let serving = axum::serve(listener, http::router(state, arguments.longest_body)).with_graceful_shutdown(stop);
        tokio::select! {
            served = serving => served.context("serving")?,
            () = async {
                let _ = stopped.await;
                tokio::time::sleep(SHUTDOWN_PATIENCE).await;
            } => eprintln!("some requests were not answered in time"),
        }
        reloading.abort();
        Ok(worker)
    });
    // Drops the queue's sender; queued submissions are still processed.
    runtime.shutdown_timeout(Duration::ZERO);
    served?.join()
}

fn audit(arguments: &AuditArguments) -> Result<()> {
    let ledger = Ledger::open(&arguments.ledger, None)?;
    let mut output = io::BufWriter::new(io::stdout().lock());
    let broken = ledger.examine(|record| writeln!(output, "{}", String::from_utf8_lossy(record)))?;
    output.flush()?;
    match broken {
        None => Ok(()),
        Some(sequence) => bail!(
            "the trail is broken at record {sequence}: it does not follow from the one before, or its nonce is not \
             spent by it. The file was modified; keep the output above as evidence, and restore the ledger from a \
             backup"
        ),
    }
}
