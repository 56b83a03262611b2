//! `assent`: keys, attestations and their verification on the command line, and a demo of it all.

mod account;
mod arguments;
mod attest;
mod command_line;
mod completions;
mod connection;
mod context;
mod demo;
mod deploy;
mod deploy_example;
mod epoch;
#[cfg(test)]
mod examples;
mod input;
mod inspect;
mod intent;
mod key_file;
mod keys;
mod manual;
mod next_step;
mod operator;
mod output;
mod record;
mod refused;
mod send;
mod verify;
mod weights;

use command_line::CommandLine;
use output::Output;
use std::{io, process::ExitCode};

/// What a command that ran to its end found.
enum ExitStatus {
    /// What was asked for is done, or valid.
    Success,
    /// The answer, already printed, is no.
    Refused,
}

fn main() -> ExitCode {
    let CommandLine { json, command, .. } = command_line::read();
    match command.run(Output::new(json)) {
        Ok(ExitStatus::Success) => ExitCode::SUCCESS,
        Ok(ExitStatus::Refused) => ExitCode::FAILURE,
        // Whoever reads the output has seen enough; there is nobody left to tell.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            output::report(&error);
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
