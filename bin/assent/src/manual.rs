//! `assent man`: manual pages.

use crate::{
    ExitStatus,
    output::Output,
    output_file::{OutputFile, Overwrite},
};
use anyhow::{Context, Result};
use clap::{Args, Command, ValueHint};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};
use serde_json::json;
use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

/// The options of `assent man`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent man | man -l -
  assent man --out ~/.local/share/man/man1

Without --out, the page of `assent` itself is printed. With it, the directory also gets a page for each command:
`man assent-keys-new` then shows the page of `assent keys new`.")]
pub struct Arguments {
    /// Write a page for each command to this directory; it is created if it does not exist.
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Runs `assent man`.
pub fn run(arguments: &Arguments, command: Command, output: Output) -> Result<ExitStatus> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let Some(directory) = &arguments.out else {
        io::stdout().lock().write_all(&page(&command)?)?;
        return Ok(ExitStatus::Success);
    };
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create the directory {}; --out takes a directory", directory.display()))?;
    let mut files = Vec::new();
    for (name, page) in pages(&command)? {
        let file = directory.join(name);
        OutputFile::new("manual page", &file, arguments.overwrite.force)?.write(&page)?;
        files.push(file);
    }
    let text = format!("{} manual pages are in {}", files.len(), directory.display());
    output.result(text, &json!({ "files": files }))?;
    Ok(ExitStatus::Success)
}

/// Returns the pages of a command and its subcommands, with their files' names.
fn pages(command: &Command) -> Result<Vec<(String, Vec<u8>)>> {
    let mut pages = vec![(Man::new(command.clone()).get_filename(), page(command)?)];
    for subcommand in command.get_subcommands() {
        pages.extend(self::pages(subcommand)?);
    }
    Ok(pages)
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let manual = Man::new(command.clone()).manual("Assent").source(concat!("assent ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    manual.render_title(&mut page)?;
    manual.render_name_section(&mut page)?;
    let mut synopsis = Vec::new();
    manual.render_synopsis_section(&mut synopsis)?;
    // A line breaks only at spaces, and alternatives can be longer than a line.
    page.extend(String::from_utf8_lossy(&synopsis).replace("|\\fB", " | \\fB").into_bytes());
    manual.render_description_section(&mut page)?;
    manual.render_options_section(&mut page)?;
    if command.has_subcommands() {
        manual.render_subcommands_section(&mut page)?;
    }
    if let Some(text) = command.get_after_help() {
        after_help(&text.to_string()).to_writer(&mut page)?;
    }
    Ok(page)
}

/// Formats the examples line by line, and the paragraphs after them as text.
fn after_help(text: &str) -> Roff {
    let mut roff = Roff::new();
    let (examples, notes) = text.split_once("\n\n").map_or((text, ""), |(_, _)| sections(text));
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in examples.lines().skip(1) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    if !notes.is_empty() {
        roff.control("SH", ["NOTES"]);
        for line in notes.lines() {
            if line.is_empty() {
                roff.control("PP", [])
            } else {
                roff.text([roman(line)])
            };
        }
    }
    roff
}

/// Splits the indented examples, between which there can be empty lines, from the paragraphs after them.
fn sections(text: &str) -> (&str, &str) {
    let mut breaks = text.match_indices("\n\n").map(|(index, _)| index);
    let end = breaks.find(|index| text.get(index + 2..).is_some_and(|rest| !rest.starts_with(' ')));
    end.map_or((text, ""), |index| (&text[..index], &text[index + 2..]))
}
