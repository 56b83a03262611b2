//! `assent attest --policy`: what is signed is what the client's policy decides.

mod command;
#[path = "command/offline.rs"]
mod offline;

use alloy_primitives::{U256, hex};
use assent_policy::Function;
use command::{Desk, Ran};
use offline::{CLIENT, HASH, PRESENT, attest, intent, prepare};
use serde_json::{Value, json};

const SUPPLIER: &str = "000000000000000000000000000000000000beef";

/// Operators, and a client that names the template's policy.
fn desk() -> Desk {
    let desk = Desk::new();
    prepare(&desk);
    desk.run(&["policy", "new", "treasury"]).succeeded();
    let built = desk.run(&["policy", "build", "treasury", "--json"]).json();
    let mut context: Value = serde_json::from_str(&desk.read("context.json")).expect("a context");
    context["policy"]["policyId"] = built["policyId"].clone();
    desk.write_json("context.json", &context);
    desk.write_json("small.json", &payment(250));
    desk.write_json("large.json", &payment(900));
    desk
}

fn payment(amount: u64) -> Value {
    let pay: Function = "function pay(address token, address recipient, uint256 amount)".parse().expect("a function");
    let selector = hex::encode_prefixed(pay.selector().expect("a selector"));
    let amount = U256::from(amount) * U256::from(10).pow(U256::from(18));
    let mut intent = intent();
    intent["data"] = json!(format!("{selector}{:0>64}{SUPPLIER:0>64}{amount:064x}", "a1"));
    intent
}

fn attest_by_policy(desk: &Desk, source: &str, file: &str, policy: &str, more: &[&str]) -> Ran {
    let arguments = ["attest", source, file, "--context", "context.json", "--nonce", "7", "--expiration", "1800000600"];
    let keys = ["--policy", policy, "--key", "operator-1.key", "--key", "operator-3.key"];
    desk.run(&[&arguments[..], &keys, more].concat())
}

fn attested(desk: &Desk, file: &str) -> Value {
    serde_json::from_str::<Value>(&desk.read(file)).expect("a document")["attestation"].clone()
}

#[test]
fn what_the_policy_decides_is_signed_with_evidence_that_anyone_can_replay() {
    for (call, decision) in [("small", "allow"), ("large", "deny")] {
        for policy in ["treasury", "treasury.policy"] {
            let desk = desk();
            let files = ["--document-out", "document.json", "--evidence-out", "evidence.json"];
            let ran = attest_by_policy(&desk, "--intent", &format!("{call}.json"), policy, &files);
            assert_eq!(ran.status, Some(0), "{ran:?}");
            assert_eq!(ran.err.contains("denied: 900000000000000000000 is more than"), decision == "deny", "{ran:?}");
            let document = attested(&desk, "document.json");
            assert_eq!(document["decision"], decision);

            let file: Value = serde_json::from_str(&desk.read("evidence.json")).expect("JSON");
            assert_eq!(file["evidence"], document["evidence"]);
            let evidence = document["evidence"].as_str().expect("a hash");
            let replayed = desk.run(&["evidence", "replay", "evidence.json", "--evidence", evidence]).succeeded();
            assert!(replayed.contains("and the attestation says the same"), "{replayed}");
            let shown = desk.run(&["evidence", "show", "evidence.json", "--json"]).json();
            assert_eq!(shown["block"]["timestamp"], PRESENT.to_string(), "the time is that of issuance");
            let verified = desk.run(&["verify", "--context", "context.json", "--document", "document.json"]);
            assert_eq!(verified.status, Some(if decision == "allow" { 0 } else { 1 }), "{verified:?}");
        }
    }
}

#[test]
fn an_attestation_of_something_else_does_not_follow_from_the_evidence() {
    let desk = desk();
    attest_by_policy(&desk, "--intent", "small.json", "treasury", &["--evidence-out", "evidence.json"]).succeeded();
    let mut file: Value = serde_json::from_str(&desk.read("evidence.json")).expect("JSON");
    desk.run(&["evidence", "replay", "evidence.json"]).succeeded();
    file["attestation"]["attestation"]["nonce"] = json!("8");
    desk.write_json("changed.json", &file);
    let ran = desk.run(&["evidence", "replay", "changed.json"]);
    assert!(ran.status == Some(1) && ran.out.contains("the attestation's `nonce` is 8, but 7 follows"), "{ran:?}");
}

#[test]
fn a_policy_that_is_not_the_clients_is_not_asked() {
    let desk = desk();
    attest_by_policy(&desk, "--intent", "small.json", "treasury", &[]).succeeded();
    desk.write("mine.json", desk.read("treasury/parameters.json").replace("\"500", "\"900"));
    attest_by_policy(&desk, "--intent", "large.json", "treasury", &["--parameters", "mine.json"])
        .failed(1, &["the client's policy is 0x", "with these parameters is 0x"]);
}

#[test]
fn a_bare_decision_needs_without_policy() {
    let desk = desk();
    let arguments = attest(&["operator-1.key", "operator-3.key"]);
    desk.run(&arguments).succeeded();
    let bare = arguments.iter().filter(|argument| **argument != "--without-policy").copied().collect::<Vec<_>>();
    desk.run(&bare).failed(2, &["--without-policy"]);
    let neither = bare.iter().filter(|argument| !["--decision", "allow", "--evidence", HASH].contains(argument));
    desk.run(&neither.copied().collect::<Vec<_>>()).failed(2, &["--policy <PATH>"]);
    let both = attest_by_policy(&desk, "--intent", "small.json", "treasury", &["--without-policy"]);
    both.failed(2, &["--without-policy"]);
}

#[test]
fn each_call_of_a_batch_is_decided_and_has_its_evidence() {
    let desk = desk();
    desk.write_json("batch.json", &json!([payment(250), payment(900)]));
    let ran = attest_by_policy(&desk, "--batch", "batch.json", "treasury.policy", &["--out", "calls"]);
    assert!(ran.out.contains("2: 1 allow, 1 deny"), "{ran:?}");
    assert!(ran.err.contains("entry 1 (from 0): denied: 900"), "{ran:?}");
    for (nonce, decision) in [(7, "allow"), (8, "deny")] {
        assert_eq!(attested(&desk, &format!("calls/nonce-{nonce}.json"))["decision"], decision);
        desk.run(&["evidence", "replay", &format!("calls/nonce-{nonce}.evidence.json")]).succeeded();
    }
    let mut own = payment(900);
    own["decision"] = json!("allow");
    desk.write_json("own.json", &json!([own]));
    attest_by_policy(&desk, "--batch", "own.json", "treasury.policy", &["--out", "own"])
        .failed(1, &["entry 0 (from 0) has its own `decision`", "--without-policy"]);
}

#[test]
fn operators_on_two_machines_sign_the_same_root() {
    let desk = desk();
    let signed = |key: &str| {
        let arguments = ["attest", "--intent", "small.json", "--context", "context.json", "--nonce", "7"];
        let more = [
            "--issued-at",
            "1800000000",
            "--lifetime",
            "600",
            "--policy",
            "treasury",
            "--sign-only",
            "--json",
            "--key",
            key,
        ];
        desk.run(&[&arguments[..], &more].concat()).json()["root"].clone()
    };
    assert_eq!(signed("operator-1.key"), signed("operator-2.key"));
}

#[test]
fn calls_that_the_policy_does_not_name_are_denied() {
    let desk = desk();
    let mut other = intent();
    other["data"] = json!(hex::encode_prefixed([1, 2, 3, 4]));
    other["to"] = json!(CLIENT);
    desk.write_json("other.json", &other);
    let ran = attest_by_policy(&desk, "--intent", "other.json", "treasury", &["--document-out", "document.json"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(attested(&desk, "document.json")["decision"], "deny");
}
