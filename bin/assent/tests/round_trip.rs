//! Files in, files out: what one command writes, the next reads.

mod command;
#[path = "command/offline.rs"]
mod offline;

use command::Desk;
use offline::{AGENT, CLIENT, HASH, TASK_MANAGER, attest, intent, prepare};
use serde_json::json;

const VERIFY: [&str; 7] =
    ["verify", "--context", "context.json", "--intent", "intent.json", "--authorization", "@authorization.hex"];

/// The documents of two of three operators.
fn attested() -> Desk {
    let desk = Desk::new();
    prepare(&desk);
    let mut arguments = attest(&["operator-1.key", "operator-3.key"]);
    arguments.extend(["--authorization-out", "authorization.hex", "--document-out", "document.json"]);
    let printed = desk.run(&arguments).succeeded();
    assert_eq!(printed, desk.read("authorization.hex"), "what is printed is what is written");
    desk
}

#[test]
fn an_attested_call_is_valid() {
    let desk = attested();
    let said = desk.run(&VERIFY).succeeded();
    assert_eq!(said.matches("passed").count(), 12, "{said}");
    assert!(said.contains("VALID") && said.contains("weight 200 of 300 of epoch 1"), "{said}");

    let report = desk.run(&[&VERIFY[..], &["--json"]].concat()).json();
    assert_eq!(report["valid"], true);
    assert_eq!(report["attestation"]["nonce"], "7");
    assert_eq!(report["checks"].as_array().map(Vec::len), Some(12));
}

#[test]
fn a_document_alone_is_enough_to_verify() {
    let desk = attested();
    desk.run(&["verify", "--context", "context.json", "--document", "document.json"]).succeeded();
}

#[test]
fn options_say_the_same_as_a_context() {
    let desk = attested();
    let arguments = [
        "attest",
        "--intent",
        "intent.json",
        "--epoch",
        "epoch.json",
        "--chain-id",
        "31337",
        "--task-manager",
        TASK_MANAGER,
        "--client",
        CLIENT,
        "--policy-id",
        HASH,
        "--nonce",
        "7",
        "--issued-at",
        "1800000000",
        "--expiration",
        "1800000600",
        "--without-policy",
        "--decision",
        "allow",
        "--evidence",
        HASH,
        "--key",
        "operator-1.key",
        "--key",
        "operator-3.key",
    ];
    assert_eq!(desk.run(&arguments).succeeded(), desk.read("authorization.hex"));
}

#[test]
fn inspect_shows_what_was_attested() {
    let desk = attested();
    let document: serde_json::Value = serde_json::from_str(&desk.read("document.json")).expect("a document");
    let decoded = desk.run(&["inspect", "@authorization.hex", "--json"]).json()["authorization"].take();
    for field in ["taskId", "nonce", "issuedAt", "expiration", "decision", "evidence"] {
        assert_eq!(decoded[field], document["attestation"][field], "{field}");
    }
    for field in ["epoch", "signature", "nonSigners", "merkleProof"] {
        assert_eq!(decoded[field], document[field], "{field}");
    }
    assert_eq!(decoded["nonSigners"], json!([1]), "the second operator did not sign");

    let said = desk.run(&["inspect", desk.read("authorization.hex").trim()]).succeeded();
    assert!(said.contains("allow") && said.contains("2027-01-15T08:10:00Z"), "{said}");
}

#[test]
fn an_authorization_under_a_recorded_root_is_inspected_and_verified() {
    let desk = attested();
    let direct = desk.read("authorization.hex");
    let verify = ["verify", "--context", "context.json", "--document", "document.json", "--recorded"];
    let refused = desk.run(&verify);
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.out.contains("RootNotRecorded") && refused.out.contains("assent record"), "{refused:?}");

    // 113 bytes are the same; the kind is 1, and the Merkle proof is empty.
    let recorded = format!("{}0100", &direct[..2 + 2 * 113]);
    let said = desk.run(&["inspect", &recorded]).succeeded();
    assert!(said.contains("recorded") && !said.contains("non-signers"), "{said}");
    let decoded = desk.run(&["inspect", &recorded, "--json"]).json()["authorization"].take();
    assert!(decoded["nonce"] == "7" && decoded["signature"].is_null(), "{decoded}");

    let report = serde_json::from_str::<serde_json::Value>(&desk.run(&[&verify[..], &["--json"]].concat()).out);
    let message = report.expect("JSON")["error"]["message"].as_str().expect("a message").to_owned();
    let root = message.split_whitespace().find(|word| word.starts_with("0x")).expect("the root is named");
    let mut context: serde_json::Value = serde_json::from_str(&desk.read("context.json")).expect("JSON");
    context["recordedRoots"] =
        json!([{ "epoch": 1, "root": root, "signedWeight": "200", "totalWeight": "300", "epochEnd": 1_800_000_600 }]);
    desk.write_json("context.json", &context);
    assert!(desk.run(&verify).succeeded().contains("weight 200 of 300"));
    let verify = ["verify", "--context", "context.json", "--intent", "intent.json", "--authorization", &recorded];
    desk.run(&verify).succeeded();
}

#[test]
fn trailing_calldata_is_verified_and_inspected() {
    let desk = attested();
    let authorization = desk.read("authorization.hex");
    let authorization = authorization.trim().trim_start_matches("0x");
    desk.write("calldata.hex", format!("0x1234567800ff{authorization}{:04x}\n", authorization.len() / 2));

    desk.run(&["verify", "--context", "context.json", "--calldata", "@calldata.hex"]).succeeded();
    let decoded = desk.run(&["inspect", "--calldata", "@calldata.hex", "--json"]).json();
    assert_eq!(decoded["data"], "0x1234567800ff");
    assert_eq!(decoded["authorization"]["nonce"], "7");

    let value = desk.run(&["verify", "--context", "context.json", "--calldata", "@calldata.hex", "--value", "1"]);
    assert_eq!(value.status, Some(1));
    assert!(value.out.contains("WrongTask"), "{value:?}");
}

#[test]
fn a_changed_byte_is_refused_and_named() {
    let desk = attested();
    let mut changed = intent();
    changed["data"] = json!("0x1234567800fe");
    desk.write_json("intent.json", &changed);

    let ran = desk.run(&[&VERIFY[..], &["--document", "document.json"]].concat());
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.out.contains("FAILED: WrongTask") && ran.out.contains("not reached"), "{ran:?}");
    assert!(ran.out.contains("calldata word 1: 0x00ff attested, 0x00fe in the call"), "{ran:?}");

    let hinted = desk.run(&VERIFY);
    assert!(hinted.out.contains("--document"), "without a document it is said what would name the field: {hinted:?}");
}

#[test]
fn the_call_as_it_is_made_is_what_counts() {
    let desk = attested();
    let refused = |more: &[&str], name: &str| {
        let ran = desk.run(&[&VERIFY[..], &["--json"], more].concat());
        assert_eq!(ran.status, Some(1), "{ran:?}");
        let report: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        assert_eq!((&report["valid"], &report["error"]["name"]), (&json!(false), &json!(name)), "{report}");
    };
    refused(&["--timestamp", "1800000600"], "AttestationExpired");
    refused(&["--timestamp", "1799999999"], "AttestationNotYetValid");
    let mut context: serde_json::Value = serde_json::from_str(&desk.read("context.json")).expect("a context");
    context["policy"]["maxLifetime"] = json!(599);
    desk.write_json("context.json", &context);
    refused(&[], "LifetimeTooLong");
    context["policy"]["maxLifetime"] = json!(600);
    context["issuanceFloor"] = json!(1_800_000_001);
    desk.write_json("context.json", &context);
    refused(&[], "AttestationVoided");
    context["issuanceFloor"] = json!(1_800_000_000);
    desk.write_json("context.json", &context);
    refused(&["--caller", TASK_MANAGER], "WrongSender");
    desk.run(&[&VERIFY[..], &["--caller", AGENT, "--timestamp", "1800000599"]].concat()).succeeded();
}

#[test]
fn one_signature_of_three_is_too_few() {
    let desk = Desk::new();
    prepare(&desk);
    let authorization = desk.run(&attest(&["operator-2.key"])).succeeded();
    desk.write("authorization.hex", authorization);
    let ran = desk.run(&VERIFY);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.out.contains("QuorumNotReached(uint256,uint256)"), "{ran:?}");
}

#[test]
fn bad_partial_signatures_are_left_out_and_named() {
    let desk = Desk::new();
    prepare(&desk);
    desk.run(&["keys", "new", "--out", "stranger.key", "--unencrypted"]).succeeded();
    let single = desk.run(&[attest(&["operator-3.key"]), vec!["--json"]].concat()).json();
    let signature = single["partialSignatures"][0]["signature"].as_str().expect("a signature").to_owned();

    let third = format!("0x{:040x}={signature}", 3);
    let stolen = format!("0x{:040x}={signature}", 2);
    let mut arguments = attest(&["operator-1.key", "stranger.key"]);
    arguments.extend(["--partial", &third, "--partial", &stolen]);
    let ran = desk.run(&arguments);
    assert!(ran.err.contains("stranger.key: no operator in epoch 1 has its public key"), "{ran:?}");
    assert!(ran.err.contains("0x0000000000000000000000000000000000000002: not this operator's signature"), "{ran:?}");
    assert!(ran.err.contains("weight 200 of 300"), "{ran:?}");

    desk.write("authorization.hex", ran.succeeded());
    desk.run(&VERIFY).succeeded();
}

#[test]
fn an_encrypted_key_signs_once_its_password_is_given() {
    let desk = Desk::new();
    prepare(&desk);
    desk.write("password.txt", "correct horse battery staple\n");
    let made = desk.run(&["keys", "new", "--out", "operator.json", "--password-file", "password.txt", "--json"]).json();
    assert!(desk.read("operator.json").contains("scrypt"), "an EIP-2335 keystore");

    let shown = desk.run(&["keys", "show", "operator.json", "--json"]).json();
    assert_eq!(shown["publicKey"], made["publicKey"], "the public key needs no password");

    let proof =
        ["keys", "show", "operator.json", "--operator", AGENT, "--registry", CLIENT, "--chain-id", "1", "--json"];
    let proved = desk.run(&[&proof[..], &["--password-file", "password.txt"]].concat()).json();
    assert_eq!(proved["proofOfPossession"].as_str().map(str::len), Some(2 + 2 * 96));

    desk.write("wrong.txt", "wrong");
    desk.run(&[&proof[..], &["--password-file", "wrong.txt"]].concat()).failed(1, &["operator.json", "wrong password"]);
    desk.run(&proof).failed(1, &["no terminal", "--password-file"]);
}
