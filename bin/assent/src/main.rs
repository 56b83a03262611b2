//! `assent`: keys, attestations, offline verification and deployment on the command line, and a demo.

mod account;
mod arguments;
mod attest;
mod command_line;
mod completions;
mod connection;
mod context;
#[cfg(feature = "network")]
mod demo;
mod deploy;
mod deploy_example;
mod epoch;
mod evidence;
#[cfg(test)]
mod examples;
mod gateways;
mod handover;
mod input;
mod inspect;
mod intent;
mod key_file;
mod keys;
mod manual;
#[cfg(feature = "network")]
mod network;
mod next_step;
mod offence;
mod operator;
mod output;
mod output_file;
mod partials;
mod policy;
mod record;
mod refused;
mod registry;
mod request;
mod revoke;
mod send;
#[cfg(feature = "network")]
mod setup;
mod stake;
mod transaction;
mod verify;
mod weights;

use command_line::CommandLine;
use output::Output;
use std::{io, process::ExitCode};

/// The result of a command that did not fail.
enum ExitStatus {
    /// The request is done, or the input is valid.
    Success,
    /// The call was refused, or the input is invalid. The reason is already printed.
    Refused,
    /// A policy's test failed. As with `opa test`, 2.
    TestsFailed,
}

fn main() -> ExitCode {
    let CommandLine { json, command, .. } = command_line::read();
    match command.run(Output::new(json)) {
        Ok(ExitStatus::Success) => ExitCode::SUCCESS,
        Ok(ExitStatus::Refused) => ExitCode::FAILURE,
        Ok(ExitStatus::TestsFailed) => ExitCode::from(2),
        // The reader of the output has closed it: there is no one to report to.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(mut error) => {
            refused::name_example_error(&mut error);
            output::report(&error);
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
