//! The commands.

use std::{env, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::Parser;

use crate::{
    check::{self, CheckArguments},
    soak::{self, SoakArguments},
    speed::{self, SpeedArguments},
};

/// Runs the decision network's programs, and checks or measures them.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    NetworkCheck(CheckArguments),
    NetworkSpeed(SpeedArguments),
    Soak(SoakArguments),
}

/// Runs a command.
pub(crate) fn run() -> ExitCode {
    match start(Command::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all holds.
fn start(command: Command) -> Result<bool> {
    let program = env::current_exe().context("the program's own path")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::NetworkCheck(arguments) => {
                let report = check::run(&arguments, program).await?;
                match arguments.json {
                    true => println!("{:#}", report.json()),
                    false => println!("{}", check::table(&report)),
                }
                Ok(report.violations.is_empty())
            }
            Command::Soak(arguments) => soak::run(&arguments, program).await,
            Command::NetworkSpeed(arguments) => speed::run(&arguments, program).await.map(|()| true),
        }
    })
}
