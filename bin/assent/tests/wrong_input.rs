//! Wrong input: what was wrong, where, what to do, and an exit status that is not 0.

mod command;
#[path = "command/offline.rs"]
mod offline;

use command::Desk;
use offline::{attest, prepare};

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let desk = Desk::new();
    desk.run(&["no-such-command"]).failed(2, &["no-such-command", "Usage"]);
    desk.run(&["verify"]).failed(2, &["--context"]);
    desk.run(&["attest", "--intent", "intent.json"]).failed(2, &["--policy <PATH>"]);
    desk.run(&["keys", "new"]).failed(2, &["--out"]);
    desk.run(&["keys", "show", "a.key", "--operator", "0x12"]).failed(2, &["0x12"]);
}

#[test]
fn a_missing_file_is_named() {
    let desk = Desk::new();
    prepare(&desk);
    desk.run(&attest(&["missing.key"])).failed(1, &["key file missing.key", "No such file"]);
    desk.run(&["keys", "show", "missing.key"]).failed(1, &["key file missing.key", "No such file"]);
    desk.run(&["inspect", "@nothing.hex"]).failed(1, &["authorization nothing.hex", "No such file"]);
    let verify = ["verify", "--context", "nothing.json", "--intent", "intent.json", "--authorization", "0x"];
    desk.run(&verify).failed(1, &["context file nothing.json", "No such file"]);
}

#[test]
fn bad_hex_is_refused() {
    let desk = Desk::new();
    desk.run(&["inspect", "0xzz"]).failed(1, &["authorization is not hex", "@FILE"]);
    desk.run(&["inspect", "0x123"]).failed(1, &["authorization is not hex"]);
    desk.run(&["inspect", "0x1234"]).failed(1, &["ends within `taskId`", "--calldata"]);
    desk.run(&["inspect", "--calldata", "0x12345678"]).failed(1, &["no authorization"]);
}

#[test]
fn input_longer_than_any_authorization_is_refused() {
    let desk = Desk::new();
    desk.write("long.hex", format!("0x{}", "00".repeat(1492)));
    desk.run(&["inspect", "@long.hex"]).failed(1, &["1492 bytes; the maximum is 1491"]);
    desk.write("longer.hex", format!("0x{}", "00".repeat(1_000_000)));
    desk.run(&["inspect", "@longer.hex"]).failed(1, &["longer than"]);
}

#[test]
fn bad_json_is_refused_with_the_place_and_the_shape() {
    let desk = Desk::new();
    prepare(&desk);
    desk.write("intent.json", "{ \"from\": 12 }");
    desk.run(&attest(&["operator-1.key"])).failed(1, &["intent file intent.json", "line 1", "an intent is {"]);

    desk.write("intent.json", offline::intent().to_string().replace("\"to\"", "\"too\""));
    desk.run(&attest(&["operator-1.key"])).failed(1, &["intent file intent.json", "unknown field `too`"]);
}

#[test]
fn an_epoch_whose_operators_are_no_set_is_refused() {
    let desk = Desk::new();
    prepare(&desk);
    let context = desk.read("context.json");
    desk.write("context.json", context.replace("\"weight\":\"100\"", "\"weight\":\"0\""));
    desk.run(&attest(&["operator-1.key"])).failed(1, &["context file context.json", "has no weight"]);
}

#[test]
fn nobody_and_strangers_cannot_attest() {
    let desk = Desk::new();
    prepare(&desk);
    desk.run(&attest(&[])).failed(1, &["there is no signer", "--key"]);
    desk.run(&["keys", "new", "--out", "stranger.key", "--unencrypted"]).succeeded();
    desk.run(&attest(&["stranger.key"])).failed(1, &["stranger.key", "none of the keys is an operator's"]);
}

#[test]
fn a_key_file_is_never_overwritten() {
    let desk = Desk::new();
    desk.run(&["keys", "new", "--out", "operator.key", "--unencrypted"]).succeeded();
    let before = desk.read("operator.key");
    desk.run(&["keys", "new", "--out", "operator.key", "--unencrypted"])
        .failed(1, &["operator.key", "never overwritten"]);
    assert_eq!(desk.read("operator.key"), before);
}

#[test]
fn a_key_is_encrypted_unless_told_otherwise() {
    let desk = Desk::new();
    desk.run(&["keys", "new", "--out", "operator.json"]).failed(1, &["password", "--password-file"]);
    assert!(!desk.path("operator.json").exists(), "nothing is written");
    desk.write("empty.txt", "\n");
    desk.run(&["keys", "new", "--out", "operator.json", "--password-file", "empty.txt"])
        .failed(1, &["password file empty.txt is empty"]);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let desk = Desk::new();
    desk.run(&["keys", "new", "--out", "operator.key", "--unencrypted"]).succeeded();
    desk.set_mode("operator.key", 0o644);
    desk.run(&["keys", "show", "operator.key"]).failed(1, &["operator.key", "chmod 600"]);
}

#[test]
fn malformed_authorizations_are_refused_by_verification_too() {
    let desk = Desk::new();
    prepare(&desk);
    let ran =
        desk.run(&["verify", "--context", "context.json", "--intent", "intent.json", "--authorization", "0x1234"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.out.contains("MalformedAuthorization") && ran.out.contains("ends within `taskId`"), "{ran:?}");
}

#[test]
fn nodes_that_cannot_be_reached_are_named() {
    let desk = Desk::new();
    // Port 9 (discard) has no node.
    let url = "http://127.0.0.1:9";
    let registry = offline::CLIENT;
    desk.run(&["epoch", "show", "--rpc-url", url, "--registry", registry, "--epoch", "1"]).failed(1, &[url]);
}

#[cfg(not(feature = "https"))]
#[test]
fn a_build_without_tls_says_so() {
    let show = ["epoch", "show", "--epoch", "1", "--registry", offline::CLIENT, "--rpc-url", "https://127.0.0.1:9"];
    Desk::new().run(&show).failed(1, &["no TLS", "the feature `https`"]);
}

#[test]
fn a_private_key_file_that_holds_none_is_refused() {
    let desk = Desk::new();
    desk.write("account.key", "hunter2");
    let deploy = ["deploy", "--rpc-url", "http://127.0.0.1:9", "--owner", offline::AGENT, "--private-key-file"];
    desk.run(&[&deploy[..], &["account.key"]].concat()).failed(1, &["private key file account.key", "64 hex digits"]);
    desk.run(&[&deploy[..], &["nothing.key"]].concat()).failed(1, &["private key file nothing.key", "No such file"]);
    desk.run(&deploy[..deploy.len() - 1]).failed(2, &["--private-key-file", "--account"]);
}

#[test]
fn a_call_without_a_sound_authorization_is_not_sent() {
    let desk = Desk::new();
    prepare(&desk);
    let send = ["send", "--rpc-url", "http://127.0.0.1:9", "--account", offline::AGENT, "--intent", "intent.json"];
    desk.run(&[&send[..], &["--authorization", "0x1234"]].concat())
        .failed(1, &["cannot parse the authorization", "taskId"]);
    desk.run(&[&send[..], &["--authorization", "@nothing.hex"]].concat()).failed(1, &["nothing.hex"]);
    desk.run(&send).failed(2, &["--authorization"]);
}
