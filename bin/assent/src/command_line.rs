//! The command line: every command, its options, and their common options.

use crate::{
    ExitStatus, attest, completions, context, deploy, deploy_example, epoch, evidence, handover, inspect, intent, keys,
    manual, offence, operator, output::Output, policy, record, registry, request, revoke, send, stake, verify, weights,
};
#[cfg(feature = "network")]
use crate::{demo, network};
use clap::{ColorChoice, CommandFactory, Parser, Subcommand};

/// Contract calls that succeed only when a quorum of independent operators has authorized them.
#[derive(Parser)]
#[command(name = "assent", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct CommandLine {
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colours; auto follows the terminal, NO_COLOR, CLICOLOR_FORCE, CI and TERM.
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

Each command's --help has its options and examples; `assent man` prints them as manual pages, and `assent completions`
makes your shell complete them. Commands that need a node take --rpc-url, or the environment variable ETH_RPC_URL.
Exit status: 0 only on success, 1 when something was refused, invalid or failed, 2 when the command line is wrong.";

/// The commands of `assent`.
#[derive(Subcommand)]
pub enum Command {
    /// Run a demo: a payment that operators allow, and the calls that must be refused.
    #[cfg(feature = "network")]
    Demo(demo::Arguments),
    /// Generate and show operators' BLS keys.
    #[command(subcommand, after_help = keys::EXAMPLES)]
    Keys(keys::Command),
    /// Write, test, build and evaluate policies.
    #[command(subcommand, after_help = policy::EXAMPLES)]
    Policy(policy::Command),
    /// Show what a decision was computed from, and compute it again.
    #[command(subcommand, after_help = evidence::EXAMPLES)]
    Evidence(evidence::Command),
    /// Print the intent of a call, for operators to attest.
    Intent(intent::Arguments),
    /// Sign attestations with operators' keys: of one call, or of many under one signature.
    Attest(Box<attest::Arguments>),
    /// Ask a gateway for an authorization, and wait for the operators' decision.
    Request(Box<request::Arguments>),
    /// Verify an authorization offline, check by check.
    Verify(verify::Arguments),
    /// Decode an authorization, and explain the result of each check.
    Inspect(inspect::Arguments),
    /// Read from a chain the context that offline verification takes as input.
    Context(context::Arguments),
    /// Deploy the contracts.
    Deploy(deploy::Arguments),
    /// Deploy an example treasury with tokens, to try Assent.
    DeployExample(deploy_example::Arguments),
    /// Run a local network, to try Assent.
    #[cfg(feature = "network")]
    #[command(subcommand, after_help = network::EXAMPLES)]
    Network(network::Command),
    /// Register an operator's key, replace it, join or leave an operator set, or deregister the operator.
    #[command(subcommand, after_help = operator::EXAMPLES)]
    Operator(operator::Command),
    /// Show a registry, and change its stake source, validators or delays after notice.
    #[command(subcommand, after_help = registry::EXAMPLES)]
    Registry(registry::Command),
    /// Show operators' stake on EigenLayer.
    #[command(subcommand, after_help = stake::EXAMPLES)]
    Stake(stake::Command),
    /// Report operators that signed two attestations of one task, and have them punished.
    #[command(subcommand, after_help = offence::EXAMPLES)]
    Offence(offence::Command),
    /// Set the weights of operators in later epochs.
    #[command(subcommand, after_help = weights::EXAMPLES)]
    Weights(weights::Command),
    /// Commit, revoke or show an epoch of operators.
    #[command(subcommand, after_help = epoch::EXAMPLES)]
    Epoch(epoch::Command),
    /// Hand over to an epoch on other chains.
    #[command(subcommand, after_help = handover::EXAMPLES)]
    Handover(handover::Command),
    /// Revoke an epoch at home and on other chains, with its operators' signature.
    Revoke(Box<revoke::Arguments>),
    /// Record roots on chain, so that calls under them need no signature.
    Record(record::Arguments),
    /// Send a call with its authorization.
    Send(send::Arguments),
    /// Print the script with which a shell completes commands and options.
    Completions(completions::Arguments),
    /// Print the manual page, or write a page for each command.
    Man(manual::Arguments),
}

impl Command {
    /// Runs the command.
    pub fn run(self, output: Output) -> anyhow::Result<ExitStatus> {
        match self {
            #[cfg(feature = "network")]
            Self::Demo(arguments) => demo::run(arguments, output),
            Self::Keys(command) => keys::run(command, output),
            Self::Policy(command) => policy::run(command, output),
            Self::Evidence(command) => evidence::run(command, output),
            Self::Intent(arguments) => intent::run(arguments, output),
            Self::Attest(arguments) => attest::run(&arguments, output),
            Self::Request(arguments) => request::run(*arguments, output),
            Self::Verify(arguments) => verify::run(arguments, output),
            Self::Inspect(arguments) => inspect::run(arguments, output),
            Self::Context(arguments) => context::run(arguments, output),
            Self::Deploy(arguments) => deploy::run(arguments, output),
            Self::DeployExample(arguments) => deploy_example::run(arguments, output),
            #[cfg(feature = "network")]
            Self::Network(command) => network::run(command, output),
            Self::Operator(command) => operator::run(command, output),
            Self::Registry(command) => registry::run(command, output),
            Self::Stake(command) => stake::run(command, output),
            Self::Offence(command) => offence::run(command, output),
            Self::Weights(command) => weights::run(command, output),
            Self::Epoch(command) => epoch::run(command, output),
            Self::Handover(command) => handover::run(command, output),
            Self::Revoke(arguments) => revoke::run(&arguments, output),
            Self::Record(arguments) => record::run(arguments, output),
            Self::Send(arguments) => send::run(arguments, output),
            Self::Completions(arguments) => completions::run(&arguments, CommandLine::command()),
            Self::Man(arguments) => manual::run(&arguments, CommandLine::command(), output),
        }
    }
}

/// Reads the process's command line. Its errors are printed in the colours that it asks for.
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

/// Returns the last --color of a command line that can be invalid.
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
