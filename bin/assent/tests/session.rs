//! Replays the sessions in docs/tutorial.md and docs/policies.md in a shell and compares the output.

mod command;
#[path = "command/anvil.rs"]
mod node;

use command::Desk;
use node::Anvil;
use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

/// The node's URL on the page.
const URL: &str = "http://127.0.0.1:8545";
/// Marks on the page what differs from run to run: keys, times, and values derived from them.
const ELISION: &str = "[..]";
/// Ends each command's output.
const SEPARATOR: char = '\u{1e}';

struct Step {
    command: String,
    output: Vec<String>,
}

#[test]
fn the_session_in_the_tutorial_prints_what_the_page_says() {
    let anvil = Anvil::start(&[]);
    compare("tutorial.md", &anvil.url);
}

#[test]
fn the_session_about_policies_prints_what_the_page_says() {
    let anvil = Anvil::start(&[]);
    compare("policies.md", &anvil.url);
}

/// Replays a page's session, with the node at a URL.
fn compare(name: &str, url: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs").join(name)).expect("the page");
    let steps = steps(&page);
    assert!(steps.len() > 10, "docs/{name} has a block ```console with the session");

    let outputs = replay(&steps, url, &Desk::new(), &root.join("node_modules/.bin"));
    assert_eq!(outputs.len(), steps.len(), "{outputs:?}");
    let wrong = steps.iter().zip(&outputs).filter(|(step, output)| !step.is_true(output));
    let wrong = wrong.map(|(step, output)| format!("$ {}\n{output}", step.command)).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "docs/{name} differs from the actual output:\n\n{}", wrong.join("\n"));
}

/// The commands of the only block of a shell's session, each after `$ `, and their output.
fn steps(page: &str) -> Vec<Step> {
    let (_, block) = page.split_once("```console\n").expect("a block ```console");
    let (block, _) = block.split_once("\n```").expect("the block's end");
    let mut steps = Vec::<Step>::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), line.strip_prefix("> "), steps.last_mut()) {
            (Some(command), _, _) => steps.push(Step { command: command.to_owned(), output: Vec::new() }),
            (None, Some(more), Some(step)) => step.command.extend(["\n", more]),
            (None, None, Some(step)) => step.output.push(line.to_owned()),
            (None, _, None) => panic!("the session begins with output: {line}"),
        }
    }
    steps
}

/// What each command prints, in one shell, in an empty directory.
fn replay(steps: &[Step], url: &str, desk: &Desk, programs: &Path) -> Vec<String> {
    let commands = steps.iter().map(|step| format!("{}\nprintf '\\036'\n", step.command)).collect::<String>();
    desk.write("session.sh", format!("exec 2>&1\n{}", commands.replace(URL, url)));
    let assent = Path::new(env!("CARGO_BIN_EXE_assent")).parent().expect("a directory");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [assent.to_owned(), programs.to_owned()].into_iter().chain(env::split_paths(&path));
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "session.sh"]).stdin(Stdio::null());
    bash.env("PATH", env::join_paths(path).expect("a search path"));
    let printed = desk.run_program(bash).out.replace(url, URL);
    assert!(!printed.contains('\u{1b}'), "colours are for terminals: {printed}");
    let mut outputs = printed.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(outputs.pop().as_deref(), Some(""), "the session runs to its end: {printed}");
    outputs
}

impl Step {
    fn is_true(&self, output: &str) -> bool {
        let lines = output.lines().collect::<Vec<_>>();
        lines.len() == self.output.len()
            && self.output.iter().zip(lines).all(|(pattern, line)| line_matches(pattern, line))
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once(ELISION) {
        None => pattern == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter_map(|end| rest.get(end..)).any(|rest| line_matches(after, rest))
        }),
    }
}

#[test]
fn only_what_is_left_out_may_differ() {
    assert!(line_matches("gas [..].", "gas 12."));
    assert!(line_matches("[..] of [..]", "1 of 2"));
    assert!(line_matches("same", "same"));
    for (pattern, line) in [("gas [..].", "gas 12"), ("a [..] b", "a 1 c"), ("same", "other"), ("one", "one two")] {
        assert!(!line_matches(pattern, line), "{pattern:?} {line:?}");
    }
}
