//! The program: its command line and its end.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail, ensure};
use assent_program::stop_signal;
use clap::{Args, Parser, Subcommand, ValueHint};

use crate::{
    config::{OperatorConfig, OperatorOptions},
    journal::open_journal,
    run::{check, start},
};

/// An operator of the decision network: evaluates policies on the tasks that gateways offer, and signs each decision
/// once.
#[derive(Parser)]
#[command(
    name = "assent-operator",
    version,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES
)]
struct CommandLine {
    #[command(flatten)]
    run: RunArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Create, export or import the journal of the operator's key.
    #[command(subcommand)]
    Journal(JournalCommand),
}

const EXAMPLES: &str = "\
Examples:
  assent-operator journal create --config operator.toml
  assent-operator --config operator.toml --check-config
  assent-operator --config operator.toml
  ASSENT_OPERATOR_RPC_URL=http://127.0.0.1:8545 assent-operator --config operator.toml --listen 127.0.0.1:0

Every key of the file is also a flag and a variable. A flag counts before a variable, and both before the file:
  operator = \"0x…\"
  key = \"operator.json\"
  password-file = \"password.txt\"
  rpc-url = \"https://node.example\"
  task-manager = \"0x…\"
  gateways = [\"wss://gateway.example/operators\"]
  policies = [\"/var/lib/assent/policies\"]
  journal = \"/var/lib/assent/journal.redb\"
  evidence = \"/var/lib/assent/evidence\"

Exit status 0 after SIGTERM or SIGINT, and 1 if it cannot start or go on.";

#[derive(Args)]
struct RunArguments {
    #[command(flatten)]
    configuration: Configuration,
    /// Check the configuration without the network, and exit.
    #[arg(long)]
    check_config: bool,
}

/// Where the options are.
#[derive(Args)]
struct Configuration {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "ASSENT_OPERATOR_CONFIG", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: OperatorOptions,
}

#[derive(Subcommand)]
enum JournalCommand {
    /// Create the journal of a key that has never signed.
    #[command(after_help = "\
Example:
  assent-operator journal create --config operator.toml

Never create a second journal for a key: without its entries, the operator could sign twice. docs/operators/journal.md
says how to move one.")]
    Create(Configuration),
    /// Write all entries as JSON. The operator must not be running.
    #[command(after_help = "\
Example:
  assent-operator journal export --config operator.toml --out journal.json")]
    Export(ExportArguments),
    /// Add the entries of an export that the journal lacks. The operator must not be running.
    #[command(after_help = "\
Example:
  assent-operator journal import --config operator.toml journal.json")]
    Import(ImportArguments),
}

#[derive(Args)]
struct ExportArguments {
    #[command(flatten)]
    configuration: Configuration,
    /// The file to write, which must not exist; - is standard output.
    #[arg(long, value_name = "FILE", default_value = "-", value_hint = ValueHint::FilePath)]
    out: PathBuf,
}

#[derive(Args)]
struct ImportArguments {
    #[command(flatten)]
    configuration: Configuration,
    /// The export; - is standard input.
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

/// Runs the program `assent-operator` with the arguments of the process.
pub fn main() -> ExitCode {
    let CommandLine { run: arguments, command } = CommandLine::parse();
    let done = match command {
        None => run(arguments),
        Some(Command::Journal(JournalCommand::Create(configuration))) => create(configuration),
        Some(Command::Journal(JournalCommand::Export(arguments))) => export(arguments),
        Some(Command::Journal(JournalCommand::Import(arguments))) => import(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Configuration {
    fn read(self) -> Result<OperatorConfig> {
        let file = match &self.config {
            Some(path) => OperatorOptions::read_file(path)?,
            None => OperatorOptions::default(),
        };
        OperatorConfig::new(self.options.or(file))
    }
}

fn run(arguments: RunArguments) -> Result<()> {
    let config = arguments.configuration.read()?;
    if arguments.check_config {
        check(&config)?;
        writeln!(io::stdout(), "the configuration is valid; neither node nor gateways were asked")?;
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let result = runtime.block_on(async {
        let mut stop = Box::pin(stop_signal()?);
        let operator = tokio::select! {
            operator = start(config) => operator?,
            () = &mut stop => return Ok(()),
        };
        writeln!(io::stdout(), "listening on http://{}", operator.address())?;
        let failed = tokio::select! {
            () = operator.ended() => true,
            () = &mut stop => false,
        };
        operator.shutdown().await;
        ensure!(!failed, "the operator failed internally; it is safe to start it again");
        Ok(())
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

fn create(configuration: Configuration) -> Result<()> {
    let config = configuration.read()?;
    let journal = open_journal(&config, true)?;
    writeln!(io::stdout(), "created {} for the key {}", config.journal.display(), journal.public_key())?;
    Ok(())
}

fn export(arguments: ExportArguments) -> Result<()> {
    let journal = open_journal(&arguments.configuration.read()?, false)?;
    if arguments.out == Path::new("-") {
        return journal.export(io::BufWriter::new(io::stdout().lock())).context("cannot write the export");
    }
    let shown = arguments.out.display();
    let file = std::fs::File::create_new(&arguments.out).with_context(|| format!("cannot write the export {shown}"))?;
    let mut writer = io::BufWriter::new(&file);
    journal.export(&mut writer).with_context(|| format!("cannot write the export {shown}"))?;
    writer.flush().and_then(|()| file.sync_all()).with_context(|| format!("cannot write the export {shown}"))
}

fn import(arguments: ImportArguments) -> Result<()> {
    let journal = open_journal(&arguments.configuration.read()?, false)?;
    let shown = arguments.file.display();
    let reader: Box<dyn Read> = match arguments.file == Path::new("-") {
        true => Box::new(io::stdin()),
        false => {
            Box::new(std::fs::File::open(&arguments.file).with_context(|| format!("cannot read the export {shown}"))?)
        }
    };
    let imported = journal.import(io::BufReader::new(reader)).with_context(|| format!("cannot import {shown}"))?;
    writeln!(io::stdout(), "added {} entries; {} were known", imported.added, imported.known)?;
    if imported.conflicts.is_empty() {
        return Ok(());
    }
    for conflict in &imported.conflicts {
        eprintln!("{conflict}");
    }
    bail!("{} entries differ; if both were signed, the key has committed an offence", imported.conflicts.len())
}
