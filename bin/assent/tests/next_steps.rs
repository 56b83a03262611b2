//! Every kind of error says what was wrong, where, and what to do, with nothing on standard output.

mod command;
#[path = "command/offline.rs"]
mod offline;

use command::{Desk, Ran};
use offline::{AGENT, CLIENT, HASH, attest, prepare};

/// A node that is not there: port 9 (discard).
const NOWHERE: &str = "http://127.0.0.1:9";

#[track_caller]
fn says(ran: Ran, status: i32, words: &[&str]) {
    assert!(ran.out.is_empty(), "{ran:?}");
    ran.failed(status, words);
}

#[test]
fn files_that_cannot_be_read_or_written() {
    let desk = Desk::new();
    prepare(&desk);
    let verify = ["verify", "--document", "nothing.json", "--context"];
    says(desk.run(&[&verify[..], &["gone.json"]].concat()), 1, &["context file gone.json", "next: check the path"]);
    says(desk.run(&[&verify[..], &["."]].concat()), 1, &["context file .", "next: give a file, not a directory"]);
    says(desk.run(&["man", "--out", "epoch.json"]), 1, &["the directory epoch.json", "--out takes a directory"]);
    let new = ["keys", "new", "--unencrypted", "--out"];
    says(desk.run(&[&new[..], &["no/where.key"]].concat()), 1, &["key file no/where.key", "next: check the path"]);
    says(desk.run(&[&new[..], &["operator-1.key"]].concat()), 1, &["operator-1.key", "next: give another name"]);
    desk.write("binary.json", [0xff, 0xfe]);
    says(desk.run(&["inspect", "@binary.json"]), 1, &["binary.json is not text; check"]);
}

#[test]
fn json_that_is_none_or_has_the_wrong_fields() {
    let desk = Desk::new();
    prepare(&desk);
    let verify = ["verify", "--context", "context.json", "--document", "document.json"];
    let kinds =
        [("context.json", "context file", "`assent context --json`"), ("document.json", "document", "--document-out")];
    for (file, what, maker) in kinds {
        desk.write(file, "{");
        says(desk.run(&verify), 1, &[&format!("{what} {file}"), "line 1 column 1", maker]);
        desk.write(file, "{ \"surplus\": 1 }");
        says(desk.run(&verify), 1, &[&format!("{what} {file}"), "`surplus`", maker]);
        prepare_again(&desk);
    }
    desk.write("intent.json", offline::intent().to_string().replace("\"0\"", "\"zero\""));
    says(desk.run(&attest(&["operator-1.key"])), 1, &["intent file intent.json", "zero", "`assent intent` prints it"]);
    desk.write("epoch.json", "[]");
    let epoch = [&verify[..], &["--epoch", "epoch.json"]].concat();
    says(desk.run(&epoch), 1, &["epoch file epoch.json", "`assent epoch show --json`"]);
}

/// Only the context: the operators' keys already exist.
fn prepare_again(desk: &Desk) {
    let other = Desk::new();
    prepare(&other);
    desk.write("context.json", other.read("context.json"));
}

#[test]
fn values_of_the_wrong_form() {
    let desk = Desk::new();
    let send = ["send", "--rpc-url", NOWHERE, "--document", "document.json", "--account"];
    let short = [&send[..], &["0x1234"]].concat();
    says(desk.run(&short), 2, &["'0x1234'", "--account", "20 bytes, which are 40 hex digits; there are 4"]);
    let no_hex = [&send[..], &["0x000000000000000000000000000000000000000g"]].concat();
    says(desk.run(&no_hex), 2, &["--account", "'g' is not one"]);

    let mut evidence = attest(&["operator-1.key"]);
    let place = evidence.iter().position(|word| *word == HASH).expect("the evidence");
    evidence[place] = "0x11";
    says(desk.run(&evidence), 2, &["'0x11'", "--evidence", "32 bytes, which are 64 hex digits; there are 2"]);

    let context = ["context", "--rpc-url", NOWHERE, "--client", CLIENT, "--caller", AGENT];
    for nonce in ["--nonce=", "--nonce=seven", "--nonce=0x", "--nonce=-1"] {
        let arguments = [&context[..], &[nonce]].concat();
        says(desk.run(&arguments), 2, &["--nonce", "expected a whole number, decimal or hex with 0x"]);
    }
    let set =
        ["weights", "set", "--rpc-url", NOWHERE, "--stake-source", CLIENT, "--operator-set", "1", "--account", AGENT];
    says(desk.run(&[&set[..], &[AGENT]].concat()), 2, &[AGENT, "expected ADDRESS=WEIGHT"]);
    says(desk.run(&[&set[..], &["0x12=1"]].concat()), 2, &["0x12=1", "40 hex digits; there are 2"]);
    let heavy = format!("{AGENT}=79228162514264337593543950336");
    says(desk.run(&[&set[..], &[&heavy]].concat()), 2, &["does not fit 96 bits"]);
}

#[test]
fn commands_and_options_that_are_misspelt() {
    let desk = Desk::new();
    says(desk.run(&["verfy"]), 2, &["'verfy'", "similar subcommand exists: 'verify'", "--help"]);
    says(desk.run(&["operator", "regster"]), 2, &["'regster'", "'register'"]);
    says(desk.run(&["verify", "--contxt", "a"]), 2, &["'--contxt'", "similar argument exists: '--context'"]);
    says(desk.run(&attest(&[])[..3]), 2, &["required", "--policy <PATH>", "Usage: assent attest", "--help"]);
}

#[test]
fn nodes_that_do_not_answer() {
    let desk = Desk::new();
    prepare(&desk);
    let registry = ["--registry", CLIENT];
    let epoch = ["epoch", "show", "--rpc-url", NOWHERE, "--epoch", "1"];
    says(desk.run(&[&epoch[..], &registry].concat()), 1, &[NOWHERE, "next: check the URL", "anvil --hardfork osaka"]);
    let register = ["operator", "register", "--rpc-url", NOWHERE, "--account", AGENT, "--key", "operator-1.key"];
    says(desk.run(&[&register[..], &registry].concat()), 1, &[NOWHERE, "next: check the URL"]);
    says(desk.run(&["epoch", "show", "--epoch", "1", "--registry", CLIENT]), 2, &["--rpc-url <URL>"]);
    let wrong = [
        ("nonsense", "is not a URL; give one such as"),
        ("ftp://127.0.0.1", "ftp:// is not supported; give an http:// or https:// URL"),
    ];
    for (url, words) in wrong {
        let show = ["epoch", "show", "--epoch", "1", "--registry", CLIENT, "--rpc-url", url];
        says(desk.run(&show), 1, &[words]);
    }
}

#[test]
fn an_address_in_the_environment_is_not_shown_in_help() {
    let help =
        Desk::new().run_under(&[("ETH_RPC_URL", "https://node.invalid/secret")], &["send", "--help"]).succeeded();
    assert!(help.contains("environment variable ETH_RPC_URL") && !help.contains("secret"), "{help}");
}

#[test]
fn keys_and_passwords_that_do_not_fit() {
    let desk = Desk::new();
    desk.write("password.txt", "correct horse");
    desk.write("wrong.txt", "wrong");
    desk.write("empty.txt", "\n");
    desk.run(&["keys", "new", "--out", "operator.json", "--password-file", "password.txt"]).succeeded();
    let prove = ["keys", "show", "operator.json", "--operator", AGENT, "--registry", CLIENT, "--chain-id", "1"];
    let with = |file| desk.run(&[&prove[..], &["--password-file", file]].concat());
    says(with("wrong.txt"), 1, &["key file operator.json", "wrong password", "next: check that the password"]);
    says(with("empty.txt"), 1, &["password file empty.txt is empty; write the password"]);
    says(with("nothing.txt"), 1, &["password file nothing.txt", "next: check the path"]);

    desk.write("broken.json", desk.read("operator.json").replace("scrypt", "scrapt"));
    says(
        desk.run(&["keys", "show", "broken.json"]),
        1,
        &["key file broken.json", "scrapt", "next: restore the key file"],
    );
    desk.write("account.key", "hunter2");
    let deploy = ["deploy", "--rpc-url", NOWHERE, "--owner", AGENT, "--private-key-file", "account.key"];
    says(desk.run(&deploy), 1, &["account.key", "64 hex digits; fix the file, or give --account"]);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_or_that_holds_no_key() {
    let desk = Desk::new();
    desk.run(&["keys", "new", "--out", "operator.key", "--unencrypted"]).succeeded();
    desk.set_mode("operator.key", 0o644);
    let said = desk.run(&["keys", "show", "operator.key"]);
    assert!(!said.err.contains("neither a keystore"), "a key that others may read is a key: {said:?}");
    says(said, 1, &["key file operator.key", "0644", "run chmod 600"]);
    desk.set_mode("operator.key", 0o600);
    desk.write("operator.key", "0x12");
    says(desk.run(&["keys", "show", "operator.key"]), 1, &["operator.key", "64 hex digits", "`assent keys new`"]);
}

#[test]
fn authorizations_that_do_not_parse() {
    let desk = Desk::new();
    prepare(&desk);
    let send =
        ["send", "--rpc-url", NOWHERE, "--account", AGENT, "--intent", "intent.json", "--authorization", "0x1234"];
    says(
        desk.run(&send),
        1,
        &["cannot parse the authorization", "`taskId`", "next: an authorization is what `assent attest`"],
    );
    says(desk.run(&["inspect", "0x12g4"]), 1, &["authorization is not hex", "give hex digits after 0x, @FILE"]);
}

#[test]
fn a_refusal_says_what_to_do() {
    let desk = Desk::new();
    prepare(&desk);
    let document = ["--document-out", "document.json"];
    desk.run(&[&attest(&["operator-1.key", "operator-3.key"])[..], &document].concat()).succeeded();
    let verify = ["verify", "--context", "context.json", "--document", "document.json"];
    let late = desk.run(&[&verify[..], &["--timestamp", "1900000000"]].concat());
    assert!(late.status == Some(1) && late.out.contains("next: have the call attested again"), "{late:?}");
    let stranger = desk.run(&[&verify[..], &["--caller", CLIENT]].concat());
    assert!(stranger.status == Some(1) && stranger.out.contains("next: send from the account"), "{stranger:?}");
}
