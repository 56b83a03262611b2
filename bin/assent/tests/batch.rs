//! A batch: many calls, one signature of each operator, and a separate authorization for each call.

mod command;
#[path = "command/offline.rs"]
mod offline;

use alloy_primitives::{U256, hex};
use assent_verifier::{AttestationDocument, Context, verify};
use command::Desk;
use offline::{AGENT, CLIENT, HASH, TASK_MANAGER, attest, attest_batch, intents, prepare};
use serde_json::{Value, json};
use std::collections::HashSet;

const BOTH: [&str; 2] = ["operator-1.key", "operator-3.key"];

/// A desk with so many intents in batch.json.
fn desk_with(count: usize) -> Desk {
    let desk = Desk::new();
    prepare(&desk);
    desk.write_json("batch.json", &Value::Array(intents(count)));
    desk
}

fn with<'a>(mut arguments: Vec<&'a str>, more: &[&'a str]) -> Vec<&'a str> {
    arguments.extend(more);
    arguments
}

#[test]
fn each_of_a_thousand_calls_gets_an_authorization_that_is_valid_for_it_alone() {
    let desk = desk_with(1_000);
    let report = desk.run(&with(attest_batch("batch.json", &BOTH), &["--json"])).json();
    assert_eq!(report["partialSignatures"].as_array().map(Vec::len), Some(2), "each operator signs once");
    assert_eq!((&report["signedWeight"], &report["requiredWeight"]), (&json!("200"), &json!("180")));

    let context: Context = serde_json::from_str(&desk.read("context.json")).expect("a context");
    let attestations = report["attestations"].as_array().expect("attestations");
    assert_eq!(attestations.len(), 1_000);
    let mut signatures = HashSet::new();
    for (place, (attested, intent)) in attestations.iter().zip(intents(1_000)).enumerate() {
        let document: AttestationDocument = serde_json::from_value(attested["document"].clone()).expect("a document");
        let authorization = hex::decode(attested["authorization"].as_str().expect("hex")).expect("hex");
        let intent = serde_json::from_value(intent).expect("an intent");

        let verified = verify(&context, &intent, &authorization).expect("valid");
        assert_eq!(verified.nonce(), U256::from(7 + place));
        assert_eq!(attested["nonce"], json!((7 + place).to_string()));
        assert_eq!(json!(document.root()), report["root"]);
        assert_eq!(document.attestation.intent, intent);
        signatures.insert(document.signature);

        let mut other = intent;
        other.value = U256::from(1);
        assert_eq!(verify(&context, &other, &authorization).expect_err("another call").name(), "WrongTask");
    }
    assert_eq!(signatures.len(), 1, "one signature for all");
}

#[test]
fn each_call_gets_two_files_that_verify_takes() {
    let desk = desk_with(20);
    let ran = desk.run(&with(attest_batch("batch.json", &BOTH), &["--out", "users/today"]));
    for words in ["20: 20 allow, 0 deny", "7 to 26", "200 of 300; the quorum of 180 is reached", "users/today"] {
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
    ran.succeeded();
    assert_eq!(std::fs::read_dir(desk.path("users/today")).expect("a directory").count(), 40);

    for place in [0, 1, 15, 16, 19] {
        let document = format!("users/today/nonce-{}.json", 7 + place);
        let said = desk.run(&["verify", "--context", "context.json", "--document", &document]).succeeded();
        assert!(said.contains("VALID"), "{said}");

        desk.write_json("intent.json", &intents(20)[place]);
        let authorization = format!("@users/today/nonce-{}.hex", 7 + place);
        let verify = ["verify", "--context", "context.json", "--intent", "intent.json", "--authorization"];
        desk.run(&[&verify[..], &[&authorization]].concat()).succeeded();
        let another = desk.run(&[&verify[..], &["@users/today/nonce-9.hex"]].concat());
        assert_eq!(another.status, Some(1), "another's authorization: {another:?}");
        assert!(another.out.contains("WrongTask"), "{another:?}");
    }
}

#[test]
fn json_with_a_directory_says_which_files_are_whose() {
    let desk = desk_with(2);
    let report = desk.run(&with(attest_batch("batch.json", &BOTH), &["--out", "users", "--json"])).json();
    let second = &report["attestations"][1];
    let document: Value =
        serde_json::from_str(&desk.read(second["documentFile"].as_str().expect("a file"))).expect("JSON");
    assert_eq!(document, second["document"]);
    let authorization = desk.read(second["authorizationFile"].as_str().expect("a file"));
    assert_eq!(authorization.trim(), second["authorization"]);
}

#[test]
fn an_entry_speaks_for_itself_before_the_options_do() {
    let desk = desk_with(0);
    let mut entries = intents(4);
    entries[1]["nonce"] = json!("0x100");
    entries[1]["decision"] = json!("deny");
    entries[2]["issuedAt"] = json!(1_799_999_900);
    entries[2]["expiration"] = json!(1_800_000_300);
    entries[2]["evidence"] = json!(format!("0x{}", "22".repeat(32)));
    desk.write_json("batch.json", &Value::Array(entries));
    let ran = desk.run(&with(attest_batch("batch.json", &BOTH), &["--out", "users"]));
    assert!(ran.out.contains("4: 3 allow, 1 deny"), "{ran:?}");
    ran.succeeded();

    let attested = |nonce: u64| -> Value {
        let document = desk.read(&format!("users/nonce-{nonce}.json"));
        serde_json::from_str::<Value>(&document).expect("JSON")["attestation"].clone()
    };
    let terms = |nonce| {
        let attested = attested(nonce);
        ["issuedAt", "expiration", "decision", "evidence"].map(|field| attested[field].clone())
    };
    let by_option = [json!(1_800_000_000), json!(1_800_000_600), json!("allow"), json!(HASH)];
    assert_eq!(
        [7, 8, 9].map(|nonce| attested(nonce)["intent"]["data"].clone()),
        [json!("0x1234567800000000"), json!("0x1234567800000002"), json!("0x1234567800000003")]
    );
    assert_eq!((terms(7), terms(9)), (by_option.clone(), by_option));
    assert_eq!(terms(256), [json!(1_800_000_000), json!(1_800_000_600), json!("deny"), json!(HASH)]);
    let others = json!(format!("0x{}", "22".repeat(32)));
    assert_eq!(terms(8), [json!(1_799_999_900), json!(1_800_000_300), json!("allow"), others]);

    let denied = desk.run(&["verify", "--context", "context.json", "--document", "users/nonce-256.json"]);
    assert!(denied.status == Some(1) && denied.out.contains("PolicyDenied"), "{denied:?}");
}

#[test]
fn entries_that_say_everything_need_no_options() {
    let desk = desk_with(0);
    let mut entries = intents(2);
    for (nonce, entry) in entries.iter_mut().enumerate() {
        entry["nonce"] = json!(nonce);
        entry["issuedAt"] = json!(1_800_000_000);
        entry["expiration"] = json!(1_800_000_600);
        entry["decision"] = json!("allow");
        entry["evidence"] = json!(HASH);
    }
    desk.write_json("batch.json", &Value::Array(entries));
    let arguments = [
        "attest",
        "--batch",
        "batch.json",
        "--context",
        "context.json",
        "--without-policy",
        "--key",
        "operator-1.key",
        "--json",
    ];
    assert_eq!(desk.run(&arguments).json()["attestations"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_array_and_lines_from_a_file_or_standard_input_are_the_same_batch() {
    let desk = desk_with(5);
    let lines = intents(5).iter().map(|intent| format!("{intent}\n")).collect::<String>();
    desk.write("batch.jsonl", format!("{lines}\n"));
    let array = desk.run(&with(attest_batch("batch.json", &BOTH), &["--json"])).json();
    assert_eq!(desk.run(&with(attest_batch("batch.jsonl", &BOTH), &["--json"])).json(), array);
    assert_eq!(desk.run_with_input("batch.jsonl", &with(attest_batch("-", &BOTH), &["--json"])).json(), array);
}

#[test]
fn a_batch_of_one_is_signed_as_if_alone() {
    let desk = desk_with(0);
    desk.write_json("batch.json", &json!([offline::intent()]));
    let batch = desk.run(&with(attest_batch("batch.json", &BOTH), &["--json"])).json();
    let single = desk.run(&with(attest(&BOTH), &["--json"])).json();
    assert_eq!(batch["root"], single["root"]);
    assert_eq!(batch["attestations"][0]["authorization"], single["authorization"]);
    assert_eq!(batch["attestations"][0]["document"], single["document"]);
}

#[test]
fn operators_on_several_machines_come_to_the_same_authorizations() {
    let desk = desk_with(9);
    let together = desk.run(&with(attest_batch("batch.json", &BOTH), &["--json"])).json();

    let signed = desk.run(&with(attest_batch("batch.json", &["operator-3.key"]), &["--sign-only"]));
    assert!(signed.err.contains(together["root"].as_str().expect("a root")), "the root is said: {signed:?}");
    let line = signed.succeeded();
    desk.write("operator-3.txt", format!("\n{line}"));
    let signed = desk.run(&with(attest_batch("batch.json", &["operator-3.key"]), &["--sign-only", "--json"])).json();
    assert_eq!(signed["root"], together["root"]);
    assert_eq!(signed["partialSignatures"][0], together["partialSignatures"][1]);

    for partial in ["@operator-3.txt", line.trim()] {
        let arguments = with(attest_batch("batch.json", &["operator-1.key"]), &["--partial", partial, "--json"]);
        assert_eq!(desk.run(&arguments).json(), together, "{partial}");
    }

    let lone = desk.run(&with(attest(&["operator-3.key"]), &["--sign-only"])).succeeded();
    let arguments = with(attest(&["operator-1.key"]), &["--partial", lone.trim()]);
    assert_eq!(desk.run(&arguments).succeeded(), desk.run(&attest(&BOTH)).succeeded());
}

#[test]
fn a_signature_of_another_batch_is_left_out_and_named() {
    let desk = desk_with(3);
    let mut reversed = intents(3);
    reversed.reverse();
    desk.write_json("reversed.json", &Value::Array(reversed));
    let other = desk.run(&with(attest_batch("reversed.json", &["operator-3.key"]), &["--sign-only"])).succeeded();

    let arguments = with(attest_batch("batch.json", &["operator-1.key"]), &["--partial", other.trim(), "--json"]);
    let ran = desk.run(&arguments);
    assert!(ran.err.contains("0x0000000000000000000000000000000000000003: not this operator's signature"), "{ran:?}");
    assert!(ran.err.contains("another order") && ran.err.contains("the quorum is weight 180"), "{ran:?}");
    let report = ran.json();
    assert_eq!(report["rejected"][0]["index"], 1);
    assert_eq!(report["signers"], json!([format!("0x{:040x}", 1)]));
    assert_eq!(report["signedWeight"], "100");
}

#[test]
fn a_wrong_entry_is_named_with_its_field_and_place() {
    let desk = desk_with(0);
    let batch = attest_batch("batch.json", &BOTH);
    let refused = |change: fn(&mut Value), words: &[&str]| {
        let mut entries = intents(3);
        change(&mut entries[1]);
        desk.write_json("batch.json", &Value::Array(entries.clone()));
        desk.run(&with(batch.clone(), &["--json"])).failed(1, &[&["batch.json", "entry 1 (from 0)"], words].concat());
        // One entry after the other, the line is said as well.
        desk.write("batch.json", entries.iter().map(|entry| format!("{entry}\n")).collect::<String>());
        desk.run(&with(batch.clone(), &["--json"])).failed(1, &[&["batch.json", "entry 1 (from 0)"], words].concat());
    };
    refused(|entry| entry["from"] = json!(12), &["`from`", "an entry is {"]);
    refused(|entry| entry["to"] = json!("0x12"), &["`to`"]);
    refused(|entry| entry["value"] = json!(-1), &["`value`", "a whole number"]);
    refused(|entry| entry["value"] = json!(""), &["`value`", "a whole number"]);
    refused(|entry| entry["value"] = json!(format!("0x1{}", "0".repeat(64))), &["`value`"]);
    refused(|entry| entry["data"] = json!("0x123"), &["`data`"]);
    refused(|entry| entry["chainId"] = json!(1), &["`chainId`", "is 1", "chain 31337"]);
    refused(|entry| entry["nonce"] = json!("1_000"), &["`nonce`", "a whole number"]);
    refused(|entry| entry["nonse"] = json!(1), &["unknown field `nonse`", "`nonce`"]);
    refused(|entry| entry["decision"] = json!("maybe"), &["`decision`", "`allow` or `deny`"]);
    refused(|entry| entry["issuedAt"] = json!(1_u64 << 48), &["`issuedAt`", "does not fit 48 bits"]);
    refused(|entry| entry["expiration"] = json!(1_u64 << 48), &["`expiration`", "does not fit 48 bits"]);
    refused(|entry| entry["evidence"] = json!("0x12"), &["`evidence`"]);
    refused(|entry| *entry = json!(12), &["expected an object: an entry"]);
    refused(|entry| drop(entry.as_object_mut().expect("an object").remove("to")), &["missing field `to`"]);
}

#[test]
fn a_file_that_is_no_batch_is_refused() {
    let desk = desk_with(0);
    let refused = |contents: &str, words: &[&str]| {
        desk.write("batch.json", contents);
        let arguments = with(attest_batch("batch.json", &BOTH), &["--json"]);
        desk.run(&arguments).failed(1, &[&["batch file batch.json"], words].concat());
    };
    let intent = offline::intent().to_string();
    refused("", &["has no entries", "an entry is {"]);
    refused("[]", &["has no entries"]);
    refused("nonsense", &["entry 0"]);
    refused(&format!("[{intent}"), &["EOF"]);
    refused(&format!("[{intent}] {intent}"), &["trailing characters"]);
    refused(&format!("[{}]", intent.replacen('{', "{\"nonce\":1,\"nonce\":2,", 1)), &["duplicate field `nonce`"]);
    refused(&"[".repeat(100_000), &["entry 0"]);
    refused(&" ".repeat(32 * 1024 * 1024 + 1), &["longer than"]);
    desk.run(&with(attest_batch("nothing.json", &BOTH), &["--json"])).failed(1, &["batch file nothing.json"]);
}

#[test]
fn one_nonce_is_never_given_to_two_calls() {
    let desk = desk_with(0);
    let refused = |nonces: [Option<&str>; 4], words: &[&str]| {
        let mut entries = intents(4);
        for (entry, nonce) in entries.iter_mut().zip(nonces) {
            entry["nonce"] = json!(nonce);
        }
        desk.write_json("batch.json", &Value::Array(entries));
        desk.run(&with(attest_batch("batch.json", &BOTH), &["--out", "users"])).failed(1, words);
        assert!(!desk.path("users").exists(), "nothing is written");
    };
    refused([Some("1"), Some("3"), Some("2"), Some("0x3")], &["entry 1 (from 0) and entry 3 both have the nonce 3"]);
    refused([None, None, Some("8"), None], &["entry 1 (from 0) and entry 2", "nonce 8 (counted from --nonce)"]);

    desk.write_json("batch.json", &Value::Array(intents(2)));
    let mut arguments = with(attest_batch("batch.json", &BOTH), &["--json"]);
    let place = arguments.iter().position(|argument| *argument == "7").expect("the nonce");
    let greatest = U256::MAX.to_string();
    arguments[place] = &greatest;
    desk.run(&arguments).failed(1, &["entry 1", "--nonce", "give a lower --nonce"]);
}

#[test]
fn what_neither_an_entry_nor_an_option_says_is_asked_for() {
    let desk = desk_with(2);
    for option in ["--expiration", "--decision", "--evidence"] {
        let mut arguments = with(attest_batch("batch.json", &BOTH), &["--json"]);
        let place = arguments.iter().position(|argument| *argument == option).expect("an option");
        arguments.drain(place..place + 2);
        let field = format!("entry 0 (from 0) has no `{}`", option.trim_start_matches('-'));
        desk.run(&arguments).failed(1, &[&field, option]);
    }
    // An empty shell variable is not zero.
    let mut arguments = attest_batch("batch.json", &BOTH);
    let place = arguments.iter().position(|argument| *argument == "7").expect("the nonce");
    arguments[place] = "";
    desk.run(&arguments).failed(2, &["--nonce"]);
}

#[test]
fn an_attestation_is_never_overwritten() {
    let desk = desk_with(3);
    std::fs::create_dir(desk.path("users")).expect("a directory");
    desk.write("users/nonce-9.hex", "mine");
    let arguments = with(attest_batch("batch.json", &BOTH), &["--out", "users"]);
    desk.run(&arguments).failed(1, &["users/nonce-9.hex already exists", "never overwritten"]);
    assert_eq!(desk.read("users/nonce-9.hex"), "mine");
    assert_eq!(std::fs::read_dir(desk.path("users")).expect("a directory").count(), 1, "nothing is written");

    desk.write("file", "");
    desk.run(&with(attest_batch("batch.json", &BOTH), &["--out", "file"])).failed(1, &["file", "takes a directory"]);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let desk = desk_with(2);
    let batch = || attest_batch("batch.json", &BOTH);
    desk.run(&batch()).failed(1, &["--out DIRECTORY", "--json"]);
    desk.run(&with(batch(), &["--intent", "intent.json"])).failed(2, &["--intent"]);
    desk.run(&with(batch(), &["--document-out", "document.json"])).failed(2, &["--document-out"]);
    desk.run(&with(attest(&BOTH), &["--out", "users"])).failed(2, &["--intent"]);
    desk.run(&with(batch(), &["--sign-only", "--out", "users"])).failed(2, &["--sign-only"]);
    desk.run(&with(batch(), &["--sign-only", "--partial", "@operator-3.txt"])).failed(2, &["--partial"]);
    desk.run(&with(attest_batch("batch.json", &[]), &["--sign-only"])).failed(2, &["--key"]);

    desk.write("partials.txt", format!("{AGENT}=0x12\n{CLIENT}\n"));
    desk.run(&with(batch(), &["--json", "--partial", "@partials.txt"]))
        .failed(1, &["partials.txt", "line 2", "ADDRESS=SIGNATURE"]);
    desk.run(&with(batch(), &["--json", "--partial", "@nothing.txt"])).failed(1, &["nothing.txt"]);
}

#[test]
fn a_clock_never_decides_what_several_machines_sign() {
    let desk = desk_with(2);
    let mut arguments = attest_batch("batch.json", &BOTH);
    let place = arguments.iter().position(|argument| *argument == "--expiration").expect("the expiration");
    arguments.splice(place..place + 2, ["--lifetime", "600"]);
    let place = arguments.iter().position(|argument| *argument == "--issued-at").expect("the time of issuance");
    arguments.drain(place..place + 2);
    let partial = format!("{TASK_MANAGER}=0x12");
    for more in [&["--sign-only"][..], &["--json", "--partial", &partial]] {
        desk.run(&with(arguments.clone(), more)).failed(1, &["--lifetime", "--expiration"]);
    }
    desk.run(&with(arguments, &["--json"])).succeeded();
}

/// The context's time is a recent block's, which no chain's clock is behind. The lifetime, which the policy limits,
/// counts from it.
#[test]
fn an_attestation_is_issued_at_the_contexts_time_unless_another_is_given() {
    let desk = desk_with(0);
    let times = |options: &[&str]| {
        let mut arguments = attest(&BOTH);
        for option in ["--issued-at", "--expiration"] {
            let place = arguments.iter().position(|argument| *argument == option).expect("an option");
            arguments.drain(place..place + 2);
        }
        let report = desk.run(&with(with(arguments, options), &["--json"])).json();
        let attestation = &report["document"]["attestation"];
        ["issuedAt", "expiration"].map(|field| attestation[field].as_u64().expect("a time"))
    };
    assert_eq!(times(&["--lifetime", "600"]), [offline::PRESENT, offline::PRESENT + 600]);
    assert_eq!(times(&["--expiration", "1800000300"]), [offline::PRESENT, offline::PRESENT + 300]);
    assert_eq!(times(&["--issued-at", "1799999990", "--lifetime", "600"]), [1_799_999_990, 1_800_000_590]);
}

/// Without a context it is this machine's clock, and the user is told.
#[test]
fn without_a_context_the_clock_is_the_time_of_issuance_and_is_named() {
    let desk = desk_with(0);
    let mut arguments = attest(&BOTH);
    let place = arguments.iter().position(|argument| *argument == "--context").expect("the context");
    let context = [
        "--epoch",
        "epoch.json",
        "--chain-id",
        "31337",
        "--task-manager",
        TASK_MANAGER,
        "--client",
        offline::CLIENT,
        "--policy-id",
        offline::HASH,
    ];
    arguments.splice(place..place + 2, context);
    for (option, lifetime) in [("--issued-at", &[][..]), ("--expiration", &["--lifetime", "600"])] {
        let place = arguments.iter().position(|argument| *argument == option).expect("an option");
        arguments.splice(place..place + 2, lifetime.iter().copied());
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let ran = desk.run(&with(arguments, &["--json"]));
    assert!(ran.err.contains("by this machine's clock") && ran.err.contains("--issued-at"), "{ran:?}");
    let attestation = ran.json()["document"]["attestation"].take();
    let issued_at = attestation["issuedAt"].as_u64().expect("a time");
    assert!((now..now + 60).contains(&issued_at), "{issued_at}, not {now}");
    assert_eq!(attestation["expiration"], issued_at + 600);
}

#[test]
fn an_intent_for_another_chain_is_signed_only_with_force() {
    let desk = desk_with(0);
    let mut intent = offline::intent();
    intent["chainId"] = json!(1);
    desk.write_json("intent.json", &intent);
    desk.run(&attest(&BOTH)).failed(1, &["intent file intent.json: `chainId` is 1", "--force"]);
    let ran = desk.run(&with(attest(&BOTH), &["--force"]));
    assert!(ran.err.contains("warning: intent file intent.json: `chainId` is 1"), "{ran:?}");
    ran.succeeded();
}

#[test]
fn help_shows_how_a_batch_is_attested() {
    let help = Desk::new().run(&["attest", "--help"]).succeeded();
    for words in ["assent attest --batch intents.json", "--sign-only >", "--partial @operator-2.txt", "--out"] {
        assert!(help.contains(words), "{words}: {help}");
    }
}
