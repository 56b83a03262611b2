//! `assent`: keys, attestations and their verification on the command line, and a demo of it all.

mod account;
mod arguments;
mod attest;
mod connection;
mod context;
mod demo;
mod deploy;
mod epoch;
mod input;
mod inspect;
mod key_file;
mod keys;
mod output;
mod record;
mod refused;
mod send;
mod verify;

use clap::{Parser, Subcommand};
use output::Output;
use std::{io, process::ExitCode};

/// Contract calls that go through only when a quorum of independent operators has authorised them.
#[derive(Parser)]
#[command(name = "assent", version, arg_required_else_help = true, after_help = EXIT_STATUS)]
struct CommandLine {
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "\
Exit status: 0 on success alone, 1 when something was refused, invalid or failed, 2 when the command line is wrong.

`assent COMMAND --help` shows each command's options and examples.";

#[derive(Subcommand)]
enum Command {
    /// See it work: a payment that operators allow, and everything that is refused.
    Demo(demo::Arguments),
    /// Make and show operators' BLS keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Sign attestations with operators' keys: of one call, or of many under one signature.
    Attest(Box<attest::Arguments>),
    /// Verify an authorization offline, check by check.
    Verify(verify::Arguments),
    /// Decode an authorization.
    Inspect(inspect::Arguments),
    /// Show operators as a registry has frozen them.
    #[command(subcommand)]
    Epoch(epoch::Command),
    /// Read from a chain what offline verification has to be told.
    Context(context::Arguments),
    /// Deploy the contracts.
    Deploy(deploy::Arguments),
    /// Record roots on chain, so that each call under them needs no signature.
    Record(record::Arguments),
    /// Send a call with its authorization.
    Send(send::Arguments),
}

/// What a command that ran to its end found.
enum Outcome {
    /// What was asked for is done, or valid.
    Success,
    /// The answer, already printed, is no.
    Refused,
}

fn main() -> ExitCode {
    let CommandLine { json, command } = CommandLine::parse();
    match run(command, Output::new(json)) {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::FAILURE,
        // Whoever reads the output has seen enough; there is nobody left to tell.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            output::report(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, output: Output) -> anyhow::Result<Outcome> {
    match command {
        Command::Demo(arguments) => demo::run(arguments, output),
        Command::Keys(command) => keys::run(command, output),
        Command::Attest(arguments) => attest::run(&arguments, output),
        Command::Verify(arguments) => verify::run(arguments, output),
        Command::Inspect(arguments) => inspect::run(arguments, output),
        Command::Epoch(command) => epoch::run(command, output),
        Command::Context(arguments) => context::run(arguments, output),
        Command::Deploy(arguments) => deploy::run(arguments, output),
        Command::Record(arguments) => record::run(arguments, output),
        Command::Send(arguments) => send::run(arguments, output),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
