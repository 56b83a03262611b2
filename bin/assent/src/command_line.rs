//! The command line: every command, its options, and what they have in common.

use crate::{
    ExitStatus, attest, completions, context, demo, deploy, deploy_example, epoch, inspect, intent, keys, manual,
    operator, output::Output, record, send, verify, weights,
};
use clap::{ColorChoice, Parser, Subcommand};

/// Contract calls that go through only when a quorum of independent operators has authorised them.
#[derive(Parser)]
#[command(name = "assent", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct CommandLine {
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
    /// When to colour what is printed; auto is on a terminal, and as NO_COLOR, CLICOLOR_FORCE, CI and TERM say.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    color: ColorChoice,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  assent demo
  assent keys new --out operator.json
  assent verify --context context.json --document attestation.json
  assent attest --help

Each command's --help has its options and examples; `assent man` has all of it as manual pages, and `assent completions`
has your shell complete them. Commands that need a node take --rpc-url, or the environment variable ETH_RPC_URL.
Exit status: 0 on success alone, 1 when something was refused, invalid or failed, 2 when the command line is wrong.";

/// What `assent` can do.
#[derive(Subcommand)]
pub enum Command {
    /// See it work: a payment that operators allow, and everything that is refused.
    Demo(demo::Arguments),
    /// Make and show operators' BLS keys.
    #[command(subcommand, after_help = keys::EXAMPLES)]
    Keys(keys::Command),
    /// Write down a call that operators shall attest.
    Intent(intent::Arguments),
    /// Sign attestations with operators' keys: of one call, or of many under one signature.
    Attest(Box<attest::Arguments>),
    /// Verify an authorization offline, check by check.
    Verify(verify::Arguments),
    /// Decode an authorization.
    Inspect(inspect::Arguments),
    /// Read from a chain what offline verification has to be told.
    Context(context::Arguments),
    /// Deploy the contracts.
    Deploy(deploy::Arguments),
    /// Deploy an example treasury with tokens in it, to try Assent on.
    DeployExample(deploy_example::Arguments),
    /// Register an operator's key, replace it, or take the operator back.
    #[command(subcommand, after_help = operator::EXAMPLES)]
    Operator(operator::Command),
    /// Set the weights that operators have in the epochs to come.
    #[command(subcommand, after_help = weights::EXAMPLES)]
    Weights(weights::Command),
    /// Freeze operators into an epoch, end one, or show one.
    #[command(subcommand, after_help = epoch::EXAMPLES)]
    Epoch(epoch::Command),
    /// Record roots on chain, so that each call under them needs no signature.
    Record(record::Arguments),
    /// Send a call with its authorization.
    Send(send::Arguments),
    /// Have a shell complete assent's commands and options.
    Completions(completions::Arguments),
    /// Print the manual page, or write one for each command.
    Man(manual::Arguments),
}

impl Command {
    /// Does what was asked for.
    pub fn run(self, output: Output) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Demo(arguments) => demo::run(arguments, output),
            Self::Keys(command) => keys::run(command, output),
            Self::Intent(arguments) => intent::run(arguments, output),
            Self::Attest(arguments) => attest::run(&arguments, output),
            Self::Verify(arguments) => verify::run(arguments, output),
            Self::Inspect(arguments) => inspect::run(arguments, output),
            Self::Context(arguments) => context::run(arguments, output),
            Self::Deploy(arguments) => deploy::run(arguments, output),
            Self::DeployExample(arguments) => deploy_example::run(arguments, output),
            Self::Operator(command) => operator::run(command, output),
            Self::Weights(command) => weights::run(command, output),
            Self::Epoch(command) => epoch::run(command, output),
            Self::Record(arguments) => record::run(arguments, output),
            Self::Send(arguments) => send::run(arguments, output),
            Self::Completions(arguments) => completions::run(&arguments),
            Self::Man(arguments) => manual::run(&arguments, output),
        }
    }
}

/// Reads the command line that the process was started with. What is wrong with it is said in the colours that it asks for.
pub fn read() -> CommandLine {
    match CommandLine::try_parse() {
        Ok(command_line) => {
            choose_colours(command_line.color);
            command_line
        }
        Err(error) => {
            choose_colours(colours_asked_for().unwrap_or_default());
            error.exit()
        }
    }
}

/// The last --color, in a command line that need not be sound.
fn colours_asked_for() -> Option<ColorChoice> {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let separate = words.windows(2).filter_map(|pair| match pair {
        [option, when] if option == "--color" => Some(when.as_str()),
        _ => None,
    });
    let joined = words.iter().filter_map(|word| word.strip_prefix("--color="));
    separate.chain(joined).filter_map(|when| when.parse().ok()).next_back()
}

fn choose_colours(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
