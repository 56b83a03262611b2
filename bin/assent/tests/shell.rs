//! What shells and `man` are given.

mod command;

use command::Desk;
use std::{
    fs,
    process::{Command, Stdio},
};

/// What bash offers for the last word of a line.
fn offered(desk: &Desk, words: &[&str]) -> Vec<String> {
    let script = r#"
        source ./completion.bash
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _assent assent "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-c", script, "bash", "assent"]).args(words).stdin(Stdio::null());
    desk.run_program(bash).succeeded().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_values_and_files() {
    let desk = Desk::new();
    desk.write("completion.bash", desk.run(&["completions", "bash"]).succeeded());
    desk.write("context.json", "{}");
    let mut check = Command::new("bash");
    check.args(["-n", "completion.bash"]);
    let checked = desk.run_program(check);
    assert!(checked.status == Some(0) && checked.err.is_empty(), "{checked:?}");

    assert_eq!(offered(&desk, &["ver"]), ["verify"]);
    assert_eq!(offered(&desk, &["operator", "re"]), ["register"]);
    assert_eq!(offered(&desk, &["attest", "--dec"]), ["--decision"]);
    assert_eq!(offered(&desk, &["attest", "--decision", ""]), ["allow", "deny"]);
    assert_eq!(offered(&desk, &["verify", "--context", "con"]), ["context.json"], "a file where a file is wanted");
    let address = offered(&desk, &["send", "--account", ""]);
    assert!(address.is_empty(), "no file where an address is wanted: {address:?}");
    let commands = offered(&desk, &["keys", ""]);
    assert!(["new", "show"].iter().all(|name| commands.iter().any(|offer| offer == name)), "{commands:?}");
}

#[test]
fn every_shell_gets_a_script() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.run(&["completions", shell]).succeeded();
        assert!(script.contains("deploy-example") && script.contains("document-out"), "{shell}: {script}");
    }
    desk.run(&["completions", "tcsh"]).failed(2, &["tcsh", "[possible values: bash"]);
}

#[test]
fn every_command_has_a_page_that_renders_without_a_warning() {
    let desk = Desk::new();
    desk.run(&["man", "--out", "pages"]).succeeded();
    let mut names =
        fs::read_dir(desk.path("pages")).expect("the pages").map(|entry| entry.expect("a page").file_name());
    let names = names.by_ref().map(|name| name.into_string().expect("text")).collect::<Vec<_>>();
    for name in ["assent.1", "assent-keys.1", "assent-keys-new.1", "assent-attest.1", "assent-epoch-commit.1"] {
        assert!(names.iter().any(|other| other == name), "{name} is not in {names:?}");
    }
    assert_eq!(desk.read("pages/assent.1"), desk.run(&["man"]).succeeded());
    for name in names {
        let page = desk.read(&format!("pages/{name}"));
        assert!(page.contains(".SH EXAMPLES\n"), "{name}: {page}");
        check_macros(&name, &page);
        render(&desk, &name);
    }
}

#[test]
fn examples_stand_in_the_manual_as_they_are_typed() {
    let desk = Desk::new();
    let page = desk.run(&["man", "--out", "pages"]).succeeded();
    assert!(page.contains("manual pages are in pages"), "{page}");
    let page = desk.read("pages/assent-keys-new.1");
    let (_, examples) = page.split_once(".SH EXAMPLES\n.nf\n").expect("examples, not filled");
    assert!(examples.replace('\\', "").contains("  assent keys new --out operator.json\n"), "{examples}");
    assert!(examples.contains("\n.fi\n.SH NOTES\n"), "{examples}");
}

/// The form of a page, for machines without groff: text, and only macros of man(7).
fn check_macros(name: &str, page: &str) {
    const KNOWN: [&str; 12] = [".TH", ".SH", ".PP", ".TP", ".IP", ".RS", ".RE", ".br", ".nf", ".fi", ".ie", ".el"];
    for line in page.lines().filter(|line| line.starts_with('.')) {
        let request = line.split(' ').next().unwrap_or_default();
        assert!(KNOWN.contains(&request), "{name}: {line} is no macro of man(7)");
    }
    assert!(!page.contains('\u{1b}'), "{name}: colours have no place in a page");
}

fn render(desk: &Desk, name: &str) {
    let mut groff = Command::new("groff");
    groff.args(["-man", "-Kutf8", "-Tutf8", "-ww", "-z", &format!("pages/{name}")]);
    if Command::new("groff").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("{name}: only its macros were checked, because groff is not installed (Debian: groff-base)");
        return;
    }
    let rendered = desk.run_program(groff);
    assert!(rendered.status == Some(0) && rendered.err.is_empty(), "{name}: {rendered:?}");
}
