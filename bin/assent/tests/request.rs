//! `assent request` where there is no decision: each error says what to do.

mod command;

use command::Desk;

const ADDRESS: &str = "0x00000000000000000000000000000000000000a1";
const CALL: [&str; 8] = ["--from", ADDRESS, "--to", ADDRESS, "--chain-id", "31337", "--data", "0x12345678"];

fn request<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["request"], &CALL[..], more].concat()
}

#[test]
fn a_gateway_that_does_not_answer_is_named() {
    // No one listens on the discard port.
    let ran = Desk::new().run(&request(&["--gateway", "http://127.0.0.1:9", "--gateway", "http://127.0.0.1:10"]));
    ran.failed(1, &["no gateway answers", "http://127.0.0.1:9 cannot be reached", "http://127.0.0.1:10", "next:"]);
}

#[test]
fn programs_are_told_why_there_is_no_decision() {
    let ran = Desk::new().run(&request(&["--gateway", "http://127.0.0.1:9", "--json"]));
    let error = &serde_json::from_str::<serde_json::Value>(&ran.out).expect("JSON")["error"];
    assert_eq!(
        (ran.status, error["code"].as_str(), error["retryable"].as_bool()),
        (Some(1), Some("unreachable"), Some(true))
    );
    assert!(error["next"].as_str().is_some_and(|next| next.contains("check the URL")), "{error}");
}

#[test]
fn a_text_that_is_not_a_url_is_refused_and_not_repeated() {
    let ran = Desk::new().run(&request(&["--gateway", "gateway.example/secret"]));
    assert!(!ran.err.contains("secret"), "{ran:?}");
    ran.failed(1, &["not an http:// or https:// URL", "next: give a URL such as https://gateway.example"]);
}

#[test]
fn a_file_that_exists_is_not_overwritten() {
    let desk = Desk::new();
    desk.write("attestation.json", "{}");
    let more = ["--gateway", "http://127.0.0.1:9", "--document-out", "attestation.json"];
    desk.run(&request(&more)).failed(1, &["attestation.json already exists", "--force"]);
}
