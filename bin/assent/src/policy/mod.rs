//! `assent policy`: policies, from a template to the evidence of a decision.

mod backtest;
mod bench;
pub mod block;
mod build;
mod check;
pub mod data;
pub mod decision;
pub mod era;
mod eval;
mod explain;
mod fetch;
pub mod files;
mod functions;
mod new;
#[cfg_attr(not(feature = "sources"), path = "unobserved.rs")]
mod observing;
mod parameters;
mod publish;
mod shadow;
mod simulate;
mod suggest;
mod test;
mod test_report;

use crate::{ExitStatus, output::Output};
use anyhow::Result;
use clap::Subcommand;

/// The end of `assent policy --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent policy new treasury
  assent policy check treasury
  assent policy test treasury
  assent policy simulate treasury --intent intent.json
  assent policy eval treasury --intent intent.json --time 1800000000
  assent policy build treasury --out treasury.policy
  assent policy suggest treasury --intents calls.json --abi Treasury.json

A policy is a folder with policy.json, modules in Rego and parameters; docs/policies.md begins there.";

/// The subcommands of `assent policy`.
#[derive(Subcommand)]
pub enum Command {
    /// Create a policy's folder from a template, with tests that pass.
    New(new::Arguments),
    /// Suggest the narrowest policy that allows recorded calls, with tests.
    Suggest(suggest::Arguments),
    /// Check a policy strictly: refuse rules that evaluate, but not to what they seem to say.
    Check(check::Arguments),
    /// Run a policy's tests.
    Test(test::Arguments),
    /// Decide about a call, with reasons and evidence.
    Eval(eval::Arguments),
    /// Try a policy on a call, as operators would decide: observe its sources, and write the evidence.
    Simulate(simulate::Arguments),
    /// Measure the steps and the time of a decision.
    Bench(bench::Arguments),
    /// Show what a policy would have decided about the calls that were made to a contract.
    Backtest(backtest::Arguments),
    /// Report what a policy would decide about new calls to a contract, and block nothing.
    Shadow(shadow::Arguments),
    /// Build a policy into one file, and print its id.
    Build(build::Arguments),
    /// Upload a built policy, and tell the chain where it is.
    Publish(publish::Arguments),
    /// Download a built policy, and verify it.
    Fetch(fetch::Arguments),
    /// Explain a policy in sentences, or the difference that other parameters make.
    Explain(explain::Arguments),
}

/// Runs `assent policy`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::New(arguments) => new::run(&arguments, output),
        Command::Suggest(arguments) => suggest::run(&arguments, output),
        Command::Check(arguments) => check::run(&arguments, output),
        Command::Test(arguments) => test::run(&arguments, output),
        Command::Eval(arguments) => eval::run(&arguments, output),
        Command::Simulate(arguments) => simulate::run(&arguments, output),
        Command::Bench(arguments) => bench::run(&arguments, output),
        Command::Backtest(arguments) => backtest::run(&arguments, output),
        Command::Shadow(arguments) => shadow::run(&arguments, output),
        Command::Build(arguments) => build::run(&arguments, output),
        Command::Publish(arguments) => publish::run(&arguments, output),
        Command::Fetch(arguments) => fetch::run(&arguments, output),
        Command::Explain(arguments) => explain::run(&arguments, output),
    }
}
