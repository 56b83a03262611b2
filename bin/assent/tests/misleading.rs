//! Nothing passes silently that a user would want to know of: mistyped addresses, lost files, attestations that cannot
//! be used.

mod command;
#[path = "command/offline.rs"]
mod offline;

use command::Desk;
use offline::{AGENT, CLIENT, HASH, attest, prepare};
use serde_json::{Value, json};

/// A node that is not there: port 9 (discard).
const NOWHERE: &str = "http://127.0.0.1:9";
/// An address with its checksum, and with a wrong one.
const CHECKSUMMED: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const MISTYPED: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cfFFb92266";

const BOTH: [&str; 2] = ["operator-1.key", "operator-3.key"];

fn with<'a>(mut arguments: Vec<&'a str>, more: &[&'a str]) -> Vec<&'a str> {
    arguments.extend(more);
    arguments
}

#[test]
fn an_address_with_a_wrong_checksum_is_refused_at_every_entry() {
    let desk = Desk::new();
    prepare(&desk);
    let write = format!("write {CHECKSUMMED}");
    let weight = format!("{MISTYPED}=1");
    let partial = format!("{MISTYPED}=0x12");
    let registry = ["--rpc-url", NOWHERE, "--registry", MISTYPED];
    let commands: [&[&str]; 12] = [
        &["deploy", "--rpc-url", NOWHERE, "--account", AGENT, "--owner", MISTYPED],
        &["deploy", "--rpc-url", NOWHERE, "--owner", AGENT, "--account", MISTYPED],
        &["deploy-example", "--rpc-url", NOWHERE, "--task-manager", MISTYPED, "--agent", AGENT, "--account", AGENT],
        &["context", "--rpc-url", NOWHERE, "--client", MISTYPED, "--caller", AGENT, "--nonce", "1"],
        &["intent", "--from", MISTYPED, "--to", AGENT, "--data", "0x", "--chain-id", "1"],
        &["verify", "--context", "context.json", "--document", "a.json", "--caller", MISTYPED],
        &["inspect", "0x12", "--caller", MISTYPED],
        &[&["epoch", "list"][..], &registry].concat(),
        &[&["registry", "show"][..], &registry].concat(),
        &[
            "weights",
            "set",
            "--rpc-url",
            NOWHERE,
            "--stake-source",
            AGENT,
            "--operator-set",
            "1",
            "--account",
            AGENT,
            &weight,
        ],
        &with(attest(&BOTH), &["--partial", &partial]),
        &["keys", "show", "operator-1.key", "--operator", MISTYPED, "--registry", AGENT, "--chain-id", "1"],
    ];
    for command in commands {
        desk.run(command).failed(2, &[MISTYPED, "EIP-55", &write]);
    }

    for (file, pointer) in [
        ("intent.json", "/to"),
        ("context.json", "/taskManager"),
        ("context.json", "/policyClient"),
        ("context.json", "/epochs/0/operators/1/address"),
    ] {
        let original = desk.read(file);
        let mut json: Value = serde_json::from_str(&original).expect("JSON");
        *json.pointer_mut(pointer).expect(pointer) = json!(MISTYPED);
        desk.write_json(file, &json);
        desk.run(&attest(&BOTH)).failed(1, &[file, MISTYPED, "EIP-55", &write]);
        desk.write(file, original);
    }
    let mut entry = offline::intent();
    entry["from"] = json!(MISTYPED);
    desk.write_json("batch.json", &json!([entry]));
    desk.run(&with(offline::attest_batch("batch.json", &BOTH), &["--json"])).failed(1, &["`from`", "EIP-55", &write]);
}

#[test]
fn addresses_and_hex_need_0x() {
    let desk = Desk::new();
    prepare(&desk);
    let bare = CHECKSUMMED.trim_start_matches("0x");
    let intent =
        |to: &str, data: &str| desk.run(&["intent", "--from", AGENT, "--to", to, "--data", data, "--chain-id", "1"]);
    intent(bare, "0x12").failed(2, &["an address begins with 0x"]);
    intent(CHECKSUMMED, "12").failed(1, &["calldata is not hex", "begins with 0x"]);
    intent(CHECKSUMMED, "0x12").succeeded();
    let mut evidence = attest(&BOTH);
    let index = evidence.iter().position(|word| *word == HASH).expect("the evidence");
    evidence[index] = HASH.trim_start_matches("0x");
    desk.run(&evidence).failed(2, &["--evidence", "a hash begins with 0x"]);
    let partial = format!("{AGENT}=12");
    desk.run(&with(attest(&BOTH), &["--partial", &partial])).failed(2, &["signature of", "begins with 0x"]);
}

#[test]
fn empty_calldata_from_standard_input_or_a_file_is_refused() {
    let desk = Desk::new();
    for contents in ["", " \n"] {
        desk.write("empty", contents);
        let intent = ["intent", "--from", AGENT, "--to", CLIENT, "--chain-id", "1", "--data"];
        let from_input = desk.run_with_input("empty", &[&intent[..], &["-"]].concat());
        for ran in [from_input, desk.run(&[&intent[..], &["@empty"]].concat())] {
            assert!(ran.out.is_empty(), "{ran:?}");
            ran.failed(1, &["calldata is empty", "0x for no bytes"]);
        }
        let none = desk.run(&[&intent[..], &["0x"]].concat()).json();
        assert_eq!(none["data"], "0x");
    }
}

#[test]
fn an_array_does_not_pass_for_an_object_in_any_file() {
    let desk = Desk::new();
    prepare(&desk);
    desk.run(&with(attest(&BOTH), &["--document-out", "document.json"])).succeeded();
    let verify = ["verify", "--context", "context.json", "--document", "document.json", "--epoch", "epoch.json"];
    desk.run(&verify).succeeded();
    for file in ["context.json", "document.json", "epoch.json"] {
        let original = desk.read(file);
        let object: Value = serde_json::from_str(&original).expect("JSON");
        let fields = object.as_object().expect("an object").values().cloned().collect::<Vec<_>>();
        desk.write_json(file, &Value::Array(fields));
        desk.run(&verify).failed(1, &[file, "expected an object"]);
        desk.write(file, original);
    }
    let intent = offline::intent();
    let array = json!([intent["from"], intent["to"], intent["value"], intent["data"], intent["chainId"]]);
    desk.write_json("intent.json", &array);
    desk.run(&attest(&BOTH)).failed(1, &["intent.json", "expected an object"]);
    desk.write("batch.json", format!("[{array}]"));
    desk.run(&with(offline::attest_batch("batch.json", &BOTH), &["--json"])).failed(1, &["expected an object"]);
}

#[test]
fn outputs_overwrite_only_with_force() {
    let desk = Desk::new();
    prepare(&desk);
    for option in ["--document-out", "--authorization-out"] {
        desk.write("mine", "mine");
        let arguments = with(attest(&BOTH), &[option, "mine"]);
        desk.run(&arguments).failed(1, &["mine already exists", "--force"]);
        assert_eq!(desk.read("mine"), "mine");
        desk.run(&with(arguments, &["--force"])).succeeded();
        assert_ne!(desk.read("mine"), "mine");
    }
    desk.run(&["man", "--out", "pages"]).succeeded();
    desk.write("pages/assent.1", "mine");
    desk.run(&["man", "--out", "pages"]).failed(1, &["already exists", "--force"]);
    assert_eq!(desk.read("pages/assent.1"), "mine");
    desk.run(&["man", "--out", "pages", "--force"]).succeeded();
}

#[test]
fn a_key_is_not_overwritten_even_with_force() {
    let desk = Desk::new();
    prepare(&desk);
    desk.write("password.txt", "correct horse\n");
    desk.run(&["keys", "new", "--out", "keystore.json", "--password-file", "password.txt"]).succeeded();
    desk.write("account.key", format!("{HASH}\n"));
    for file in ["operator-2.key", "keystore.json", "account.key"] {
        let before = desk.read(file);
        for option in ["--document-out", "--authorization-out"] {
            let arguments = with(attest(&BOTH), &[option, file, "--force"]);
            desk.run(&arguments).failed(1, &[file, "a key file, which is never overwritten"]);
        }
        assert_eq!(desk.read(file), before);
    }
}

#[test]
fn an_output_is_neither_an_input_nor_another_output() {
    let desk = Desk::new();
    prepare(&desk);
    let before = desk.read("operator-1.key");
    for file in ["operator-1.key", "intent.json", "context.json", "./context.json"] {
        desk.run(&with(attest(&BOTH), &["--document-out", file, "--force"]))
            .failed(1, &[file, "which this command reads"]);
    }
    assert_eq!(desk.read("operator-1.key"), before);
    let both = ["--document-out", "one", "--authorization-out", "./one"];
    desk.run(&with(attest(&BOTH), &both)).failed(1, &["--document-out", "--authorization-out", "each its own file"]);
    assert!(!desk.path("one").exists());
}

#[test]
fn attestations_that_cannot_be_used_are_signed_only_with_force() {
    let desk = Desk::new();
    prepare(&desk);
    let original = desk.read("context.json");
    let cases: [(&str, Value, &str); 6] = [
        ("/spent", json!([{ "policyClient": CLIENT, "word": "0", "mask": "128" }]), "AttestationAlreadySpent"),
        ("/policy/maxLifetime", json!(60), "LifetimeTooLong"),
        ("/timestamp", json!(1_800_000_600), "AttestationExpired"),
        ("/epochs/0/validUntil", json!(1_800_000_000), "EpochExpired"),
        ("/epochs/0/validUntil", json!(0), "EpochRevoked"),
        ("/taskManager", json!("0x0000000000000000000000000000000000000000"), "PolicyNotSet"),
    ];
    for (pointer, value, expected) in cases {
        let mut context: Value = serde_json::from_str(&original).expect("JSON");
        *context.pointer_mut(pointer).expect(pointer) = value;
        desk.write_json("context.json", &context);
        let refused = desk.run(&with(attest(&BOTH), &["--document-out", "document.json"]));
        assert!(refused.out.is_empty() && !desk.path("document.json").exists(), "{refused:?}");
        refused.failed(1, &[expected, "intent file intent.json", "nothing was signed", "--force"]);
        let forced = desk.run(&with(attest(&BOTH), &["--force"]));
        assert!(forced.err.contains("warning:") && forced.err.contains(expected), "{forced:?}");
        forced.succeeded();
    }
    // A denial is deliberate.
    desk.write("context.json", original);
    let mut denial = attest(&BOTH);
    let index = denial.iter().position(|word| *word == "allow").expect("the decision");
    denial[index] = "deny";
    assert!(!desk.run(&denial).err.contains("warning"));
}

#[test]
fn a_nonce_is_chosen_when_none_is_given() {
    let desk = Desk::new();
    prepare(&desk);
    let mut arguments = attest(&BOTH);
    let index = arguments.iter().position(|word| *word == "--nonce").expect("the nonce");
    arguments.drain(index..index + 2);
    let chosen = || {
        let ran = desk.run(&with(arguments.clone(), &["--json"]));
        assert!(ran.err.contains("chose the nonce"), "{ran:?}");
        ran.json()["document"]["attestation"]["nonce"].as_str().expect("a nonce").to_owned()
    };
    let (first, second) = (chosen(), chosen());
    assert_ne!(first, second, "two attestations that are not used yet do not share a nonce");
    // On several machines, all must sign one nonce.
    desk.run(&with(arguments.clone(), &["--sign-only"])).failed(1, &["the same --nonce"]);

    desk.write_json("batch.json", &json!(offline::intents(3)));
    let mut arguments = offline::attest_batch("batch.json", &BOTH);
    let index = arguments.iter().position(|word| *word == "--nonce").expect("the nonce");
    arguments.drain(index..index + 2);
    let report = desk.run(&with(arguments, &["--json"])).json();
    let nonces = (0..3).map(|index| report["attestations"][index]["nonce"].as_str()?.parse::<u64>().ok());
    let nonces = nonces.collect::<Option<Vec<_>>>().expect("nonces");
    assert_eq!(nonces, [nonces[0], nonces[0] + 1, nonces[0] + 2]);
}

#[test]
fn a_password_file_holds_one_line_without_a_mark() {
    let desk = Desk::new();
    let new = ["keys", "new", "--out", "operator.json", "--password-file", "password.txt"];
    for (contents, expected) in [
        ("\u{feff}correct horse\n", "byte order mark"),
        ("correct\nhorse\n", "more than one line"),
        ("correct horse\n\n", "more than one line"),
        ("correct\r\nhorse", "more than one line"),
        ("correct\rhorse", "more than one line"),
        ("\n", "is empty"),
        ("", "is empty"),
    ] {
        desk.write("password.txt", contents);
        desk.run(&new).failed(1, &["password file password.txt", expected]);
        assert!(!desk.path("operator.json").exists(), "nothing is written");
    }
    desk.write("password.txt", "correct horse\r\n");
    desk.run(&new).succeeded();
    // The line end is not part of the password.
    desk.write("password.txt", "correct horse");
    let prove = ["keys", "show", "operator.json", "--operator", AGENT, "--registry", CLIENT, "--chain-id", "1"];
    desk.run(&[&prove[..], &["--password-file", "password.txt"]].concat()).succeeded();
}

#[cfg(unix)]
#[test]
fn account_keys_and_passwords_that_others_may_read_are_refused() {
    let desk = Desk::new();
    desk.write("password.txt", "correct horse");
    desk.write("account.key", HASH);
    let deploy = ["deploy", "--rpc-url", NOWHERE, "--owner", AGENT, "--private-key-file", "account.key"];
    let new = ["keys", "new", "--out", "operator.json", "--password-file", "password.txt"];
    for mode in [0o666, 0o640, 0o604] {
        desk.set_mode("password.txt", mode);
        desk.set_mode("account.key", mode);
        let mode = format!("{mode:04o}");
        desk.run(&new).failed(1, &["password file password.txt", &mode, "run chmod 600"]);
        let refused = desk.run(&deploy).failed(1, &["private key file account.key", &mode, "run chmod 600"]);
        assert!(!refused.contains("hex digits"), "it is a key: {refused}");
    }
    desk.set_mode("account.key", 0o600);
    desk.run(&deploy).failed(1, &[NOWHERE]);
}

#[test]
fn a_keystore_without_its_public_key_signs() {
    let desk = Desk::new();
    prepare(&desk);
    desk.write("password.txt", "correct horse");
    let new = ["keys", "new", "--out", "operator.json", "--password-file", "password.txt", "--json"];
    let public_key = desk.run(&new).json()["publicKey"].clone();
    let mut keystore: Value = serde_json::from_str(&desk.read("operator.json")).expect("JSON");
    keystore.as_object_mut().expect("an object").remove("pubkey").expect("the public key");
    desk.write_json("bare.json", &keystore);
    desk.run(&["keys", "show", "bare.json"]).failed(1, &["a password is needed"]);
    let shown = desk.run(&["keys", "show", "bare.json", "--password-file", "password.txt", "--json"]).json();
    assert_eq!(shown["publicKey"], public_key);

    let mut context: Value = serde_json::from_str(&desk.read("context.json")).expect("JSON");
    context["epochs"][0]["operators"][0]["publicKey"] = public_key;
    desk.write_json("context.json", &context);
    let arguments = with(attest(&["bare.json", "operator-3.key"]), &["--password-file", "password.txt", "--json"]);
    assert_eq!(desk.run(&arguments).json()["signedWeight"], "200");
}

#[test]
fn a_wrong_task_is_explained_by_argument_or_word() {
    let desk = Desk::new();
    prepare(&desk);
    let data = |amount: u8| format!("0xa9059cbb{:064x}{amount:064x}", 0xb0b);
    let mut intent = offline::intent();
    intent["data"] = json!(data(100));
    desk.write_json("intent.json", &intent);
    desk.run(&with(attest(&BOTH), &["--document-out", "document.json"])).succeeded();
    intent["data"] = json!(data(101));
    desk.write_json("other.json", &intent);
    let verify = ["verify", "--context", "context.json", "--document", "document.json", "--intent", "other.json"];
    let by_word = desk.run(&verify);
    assert!(by_word.out.contains("calldata word 2: 0x64 attested, 0x65 in the call"), "{by_word:?}");
    let by_argument = desk.run(&[&verify[..], &["--abi", "transfer(address to, uint256 amount)"]].concat());
    assert!(by_argument.out.contains("amount: 100 attested, 101 in the call"), "{by_argument:?}");
}

#[test]
fn a_cause_is_said_once() {
    let desk = Desk::new();
    prepare(&desk);
    let said = desk.run(&["keys", "new", "--unencrypted", "--out", "operator-1.key"]).failed(1, &["File exists"]);
    assert_eq!(said.matches("File exists").count(), 1, "{said}");
    desk.write("password.txt", "correct horse");
    let new = ["keys", "new", "--password-file", "password.txt", "--out", "operator-1.key"];
    let said = desk.run(&new).failed(1, &["File exists"]);
    assert_eq!(said.matches("File exists").count(), 1, "{said}");
    desk.write("damaged.json", "{\"version\": 4}");
    let said = desk.run(&["keys", "show", "damaged.json"]).failed(1, &["missing field"]);
    assert_eq!(said.matches("missing field").count(), 1, "{said}");
}
