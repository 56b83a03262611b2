//! Colours on a terminal, and nowhere else unless they are asked for.

mod command;
#[path = "command/offline.rs"]
mod offline;

use command::{Desk, Ran};
use offline::{attest, prepare};
use std::process::{Command, Stdio};

const ESCAPE: char = '\u{1b}';
const VERIFY: [&str; 5] = ["verify", "--context", "context.json", "--document", "document.json"];

fn attested() -> Desk {
    let desk = Desk::new();
    prepare(&desk);
    let document = ["--document-out", "document.json", "--authorization-out", "authorization.hex"];
    desk.run(&[&attest(&["operator-1.key", "operator-3.key"])[..], &document].concat()).succeeded();
    desk.write("password.txt", "correct horse");
    desk
}

/// Runs the binary on a terminal, where what it says to either stream comes out together.
#[cfg(target_os = "linux")]
fn on_a_terminal(desk: &Desk, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let line = [&[env!("CARGO_BIN_EXE_assent")], arguments].concat();
    let line = shlex::try_join(line.iter().copied()).expect("words without a zero byte");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).stdin(Stdio::null());
    script.env("TERM", "xterm-256color").envs(environment.iter().copied());
    desk.run_program(script)
}

#[test]
fn nothing_that_is_piped_has_a_colour() {
    let desk = attested();
    let attest = attest(&["operator-1.key"]);
    let runs: [&[&str]; 16] = [
        &["--help"],
        &["keys", "--help"],
        &["attest", "--help"],
        &["no-such-command"],
        &["verify"],
        &["keys", "new", "--out", "more.key", "--unencrypted"],
        &["keys", "new", "--out", "encrypted.json", "--password-file", "password.txt"],
        &["keys", "show", "operator-1.key"],
        &attest,
        &VERIFY,
        &["verify", "--context", "context.json", "--document", "document.json", "--timestamp", "1900000000"],
        &["inspect", "@authorization.hex"],
        &["intent", "--from", offline::AGENT, "--to", offline::CLIENT, "--chain-id", "1", "--data", "0x12345678"],
        &["completions", "bash"],
        &["man"],
        &["inspect", "@nothing.hex"],
    ];
    for run in runs {
        let ran = desk.run(run);
        assert!(!ran.out.contains(ESCAPE) && !ran.err.contains(ESCAPE), "{run:?}: {ran:?}");
        assert!(!(ran.out.is_empty() && ran.err.is_empty()), "{run:?} prints something");
    }
}

#[test]
fn piped_output_has_colours_when_they_are_asked_for() {
    let desk = attested();
    let always = [&VERIFY[..], &["--color", "always"]].concat();
    assert!(desk.run(&always).succeeded().contains(ESCAPE));
    assert!(desk.run_under(&[("CLICOLOR_FORCE", "1")], &VERIFY).succeeded().contains(ESCAPE));
    assert!(desk.run(&["--color", "always", "verify"]).failed(2, &["--context"]).contains(ESCAPE));
    assert!(desk.run(&["--color=always", "inspect", "0xzz"]).failed(1, &["not hex"]).contains(ESCAPE));
    desk.run(&["--color", "sometimes", "man"]).failed(2, &["'sometimes'", "auto, always, never"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_colours() {
    let desk = attested();
    assert!(on_a_terminal(&desk, &[], &VERIFY).succeeded().contains(ESCAPE));
    for run in [&["verify", "--context", "nothing.json"][..], &["inspect", "@nothing.hex"]] {
        let ran = on_a_terminal(&desk, &[], run);
        assert!(ran.status != Some(0) && ran.out.contains(ESCAPE), "{run:?}: {ran:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_no_colours_where_they_are_not_wanted() {
    let desk = attested();
    let dumb: &[(&str, &str)] = &[("TERM", "dumb")];
    let unwanted = [&[("NO_COLOR", "1")][..], dumb];
    for environment in unwanted {
        for run in [&VERIFY[..], &["inspect", "@nothing.hex"], &["verify"], &["keys", "--help"]] {
            let ran = on_a_terminal(&desk, environment, run);
            assert!(!ran.out.contains(ESCAPE), "{environment:?} {run:?}: {ran:?}");
        }
    }
    let never = [&VERIFY[..], &["--color", "never"]].concat();
    assert!(!on_a_terminal(&desk, &[], &never).succeeded().contains(ESCAPE));
    assert!(!on_a_terminal(&desk, &[], &["--color", "never", "verify"]).out.contains(ESCAPE));

    // What turns while one waits is drawn with escapes too.
    let new = ["keys", "new", "--out", "other.json", "--password-file", "password.txt"];
    assert!(!on_a_terminal(&desk, dumb, &new).succeeded().contains(ESCAPE));
}
