//! Every example in the help is true: it parses, and each command has one.

use crate::command_line::CommandLine;
use clap::{Command, CommandFactory, error::ErrorKind};

/// What stands for a variable, or for what another program prints.
const ADDRESS: &str = "0x00000000000000000000000000000000000000a1";
const HASH: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

#[test]
fn every_command_has_examples_and_each_of_them_parses() {
    let mut command = CommandLine::command();
    command.build();
    let mut checked = 0;
    check(&command, &mut checked);
    assert!(checked > 40, "only {checked} examples were found");
}

fn check(command: &Command, checked: &mut usize) {
    let path = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    // What clap adds itself.
    if command.get_name() == "help" {
        return;
    }
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = help.strip_prefix("Examples:\n").unwrap_or_else(|| panic!("{path}: the help has no examples"));
    let mut own = 0;
    for example in invocations(examples) {
        let words = shlex::split(&example).unwrap_or_else(|| panic!("{path}: {example}: a quote is left open"));
        if let Err(error) = parse(&words) {
            panic!("{path}: a false example\n{example}\n{error}");
        }
        own += usize::from(format!("{example} ").starts_with(&format!("{path} ")));
    }
    assert!(own > 0, "{path}: no example is of the command itself");
    *checked += own;
    command.get_subcommands().for_each(|subcommand| check(subcommand, checked));
}

/// The node may come from the environment, which tests share.
fn parse(words: &[String]) -> Result<(), clap::Error> {
    let here = ["--rpc-url".to_owned(), "http://127.0.0.1:8545".to_owned()];
    let parsed = |words: &[String]| CommandLine::command().try_get_matches_from(words).map(drop);
    match parsed(words) {
        Err(error) if error.kind() == ErrorKind::DisplayHelp => Ok(()),
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => parsed(&[words, &here].concat()),
        other => other,
    }
}

/// The invocations of `assent` in the indented lines, with the values of variables, and without redirections and pipes.
fn invocations(examples: &str) -> Vec<String> {
    let joined = examples.replace("\\\n", " ");
    let lines = joined.lines().filter(|line| line.starts_with("  "));
    let commands = lines.flat_map(|line| line.split(" | "));
    let commands = commands.map(|command| command.split(['<', '>', '&']).next().unwrap_or_default().trim());
    let complete = |command: &str| match command.strip_prefix("xargs ") {
        // It adds what it reads.
        Some(command) => format!("{command} {ADDRESS}"),
        None => command.to_owned(),
    };
    commands.map(complete).filter(|command| command.starts_with("assent ")).map(substituted).collect()
}

fn substituted(mut text: String) -> String {
    while let Some(start) = text.find("$(") {
        let end = text.rfind(')').unwrap_or_else(|| panic!("{text}: a parenthesis is left open"));
        text.replace_range(start..=end, "0x12345678");
    }
    while let Some(start) = text.find('$') {
        let rest = &text[start + 1..];
        let length = rest.find(|letter: char| !letter.is_ascii_uppercase() && letter != '_').unwrap_or(rest.len());
        let value = match &rest[..length] {
            "" => panic!("{text}: a dollar without a name"),
            "EVIDENCE" | "POLICY" | "RECORD" => HASH,
            "SIGNATURE" => "0x12",
            _ => ADDRESS,
        };
        text.replace_range(start..start + 1 + length, value);
    }
    text
}
