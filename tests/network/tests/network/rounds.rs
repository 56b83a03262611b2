//! Kill -9 under load, with liars.

use std::process::Command;

use assent_network_tests::process::NatsServer;

use crate::{RUNNING, program};

/// Runs rounds. Returns whether all holds, and the results.
fn check(arguments: &[&str]) -> (bool, String) {
    let _by_itself = RUNNING.blocking_lock();
    let output = Command::new(program()).arg("network-check").args(arguments).output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // Shown if the test fails.
    println!("{}{}", text(&output.stderr), text(&output.stdout));
    (output.status.success(), text(&output.stdout))
}

#[test]
fn twenty_rounds_of_kill_9_under_load_with_liars_lose_nothing_and_sign_nothing_twice() {
    assert!(check(&["--rounds", "20"]).0);
}

#[test]
fn an_older_journal_is_found() {
    let (holds, text) = check(&["--rounds", "2", "--sabotage", "journal"]);
    assert!(!holds && text.contains("has None"), "{text}");
}

#[test]
fn an_older_task_log_is_found() {
    let (holds, text) = check(&["--rounds", "2", "--sabotage", "task-log"]);
    assert!(!holds && text.contains("is lost"), "{text}");
}

#[test]
fn the_same_with_two_gateways_on_one_nats_that_is_killed_too() {
    if let Err(reason) = NatsServer::is_installed() {
        eprintln!("skipped: {reason}");
        return;
    }
    assert!(check(&["--rounds", "4", "--log", "nats"]).0);
}
