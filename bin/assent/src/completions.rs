//! `assent completions`: the script with which a shell completes commands, options and files.

use crate::ExitStatus;
use anyhow::Result;
use clap::{Args, ValueHint};
use clap_complete::{Shell, generate};
use std::io::{self, Write};

/// The options of `assent completions`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent completions bash > ~/.local/share/bash-completion/completions/assent
  assent completions zsh > \"${fpath[1]}/_assent\"
  assent completions fish > ~/.config/fish/completions/assent.fish
  assent completions powershell >> $PROFILE
  assent completions elvish >> ~/.config/elvish/rc.elv

Each line installs the script for its shell; a new shell then completes. Create the directory first if it does not
exist.")]
pub struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Runs `assent completions`.
pub fn run(arguments: &Arguments, command: clap::Command) -> Result<ExitStatus> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut hinted(command), "assent", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(ExitStatus::Success)
}

/// Marks values that are not paths: shells offer files for values without a hint.
fn hinted(command: clap::Command) -> clap::Command {
    let hint = |argument: clap::Arg| match (argument.get_value_hint(), argument.get_action().takes_values()) {
        (ValueHint::Unknown, true) => argument.value_hint(ValueHint::Other),
        _ => argument,
    };
    command.mut_args(hint).mut_subcommands(hinted)
}
