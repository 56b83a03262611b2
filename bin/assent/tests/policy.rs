//! Policies from a template to evidence, decided by the evaluator's image.

#[path = "policy/backtest.rs"]
mod backtest;
mod command;
#[path = "command/anvil.rs"]
mod node;
#[path = "command/proxy.rs"]
mod proxy;
#[path = "command/running.rs"]
mod running;
#[path = "policy/suggest.rs"]
mod suggest;
#[path = "policy/watch.rs"]
mod watch;

use alloy_primitives::{Address, U256, hex};
use assent_machine::Image;
use assent_policy::{EvidenceFile, ExecutablePolicy, Function, evaluator};
use command::{Desk, Ran};
use serde_json::{Value, json};

const SUPPLIER: &str = "000000000000000000000000000000000000beef";
const STRANGER: &str = "000000000000000000000000000000000000dead";

/// A desk with the template's policy, and intents of payments in whole units.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.run(&["policy", "new", "treasury"]).succeeded();
    desk.write_json("small.json", &intent(SUPPLIER, 250));
    desk.write_json("large.json", &intent(SUPPLIER, 900));
    desk.write_json("stranger.json", &intent(STRANGER, 1));
    desk
}

fn intent(recipient: &str, amount: u64) -> Value {
    let pay: Function = "function pay(address token, address recipient, uint256 amount)".parse().expect("a function");
    let selector = hex::encode_prefixed(pay.selector().expect("a selector"));
    let amount = U256::from(amount) * U256::from(10).pow(U256::from(18));
    let data = format!("{selector}{:0>64}{recipient:0>64}{amount:064x}", "a1");
    let [from, to] = [0x11, 0x22].map(Address::repeat_byte);
    json!({ "from": from, "to": to, "value": "0", "data": data, "chainId": 1 })
}

fn eval(desk: &Desk, intent: &str, more: &[&str]) -> Ran {
    desk.run(&[&["policy", "eval", "treasury", "--intent", intent, "--time", "1800000000"], more].concat())
}

#[test]
fn a_new_policy_passes_its_check_and_its_tests() {
    let desk = desk();
    desk.run(&["policy", "check", "treasury"]).succeeded();
    let tested = desk.run(&["policy", "test", "treasury", "--coverage", "--threshold", "100"]).succeeded();
    assert!(tested.contains("4 of 4 tests passed") && tested.contains("100.00 % of the lines"), "{tested}");
    desk.run(&["policy", "new", "spending-limit"]).succeeded();
    desk.run(&["policy", "test", "spending-limit"]).succeeded();
}

#[test]
fn a_name_that_cannot_be_a_policy_and_an_existing_folder_are_refused() {
    let desk = desk();
    desk.run(&["policy", "new", "Treasury"]).failed(1, &["\"Treasury\"", "lower-case letters"]);
    desk.run(&["policy", "new", "params"]).failed(1, &["reserved"]);
    desk.run(&["policy", "new", "treasury"]).failed(1, &["already exists"]);
}

#[test]
fn the_exit_status_of_tests_is_that_of_opa() {
    let desk = desk();
    let test = |more: &[&str]| desk.run(&[&["policy", "test", "treasury"], more].concat());
    assert_eq!(test(&[]).status, Some(0));
    desk.write("treasury/more_test.rego", "package more_test\n\ntest_fails if 1 == 2\n\ntodo_test_later if true\n");
    let failed = test(&[]);
    assert_eq!(failed.status, Some(2), "{failed:?}");
    assert!(failed.out.contains("data.more_test.test_fails: FAIL") && failed.out.contains("1 skipped"), "{failed:?}");
    assert_eq!(test(&["--run", "treasury_test"]).status, Some(0));
    assert_eq!(test(&["--run", "later"]).status, Some(2), "a skipped test");
    assert_eq!(test(&["--run", "later", "--exit-zero-on-skipped"]).status, Some(0));
    desk.write("treasury/more_test.rego", "package more_test\n\ntest_error if to_number(\"x\") == 1\n");
    let error = test(&["--run", "error"]);
    assert!(error.status == Some(2) && error.out.contains("ERROR"), "{error:?}");
    desk.write("treasury/more_test.rego", "package more_test\n\ntest_broken if {\n");
    assert_eq!(test(&[]).status, Some(1), "tests that cannot run");
}

#[test]
fn a_coverage_below_the_threshold_fails() {
    let desk = desk();
    let ran = desk.run(&["policy", "test", "treasury", "--run", "small", "--coverage", "--threshold", "100"]);
    assert!(ran.status == Some(2) && ran.err.contains("less than 100 %"), "{ran:?}");
    assert!(ran.out.contains("treasury.rego: not line"), "{ran:?}");
    desk.run(&["policy", "test", "treasury", "--threshold", "100"]).failed(2, &["--coverage"]);
}

#[test]
fn results_are_printed_as_json_and_junit() {
    let desk = desk();
    desk.write("treasury/more_test.rego", "package more_test\n\ntest_fails if 1 == 2\n");
    let report: Value =
        serde_json::from_str(&desk.run(&["policy", "test", "treasury", "--json", "--coverage"]).out).expect("JSON");
    assert_eq!(report["tests"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        report["tests"][0],
        json!({ "module": "more_test.rego", "name": "data.more_test.test_fails", "result": "fail" })
    );
    assert_eq!(report["coverage"]["basisPoints"], 10_000);
    let junit = desk.run(&["policy", "test", "treasury", "--format", "junit"]).out;
    assert!(junit.contains(r#"<testsuite name="treasury" tests="5" failures="1" errors="0" skipped="0">"#), "{junit}");
    assert!(junit.contains(r#"name="test_fails"><failure"#), "{junit}");
}

#[test]
fn the_check_says_where_and_what_to_write() {
    let desk = desk();
    let rules = desk.read("treasury/treasury.rego").replace("<= data.params.limit", "<= \"500\"");
    desk.write("treasury/treasury.rego", rules);
    let checked = desk.run(&["policy", "check", "treasury"]);
    assert_eq!(checked.status, Some(1), "{checked:?}");
    assert!(checked.out.contains("treasury.rego:8:2: `input.call.args.amount` is a number"), "{checked:?}");
    assert!(checked.out.contains("write 500 without quotes"), "{checked:?}");
    desk.run(&["policy", "build", "treasury"]).failed(1, &["cannot be built", "treasury.rego:8:2"]);
}

#[test]
fn parameters_that_the_evaluator_refuses_are_found_by_the_check() {
    let desk = desk();
    desk.write("treasury/parameters.json", r#"{"limit": "1e18", "recipients": []}"#);
    let checked = desk.run(&["policy", "check", "treasury"]);
    assert!(checked.status == Some(1) && checked.out.contains("parameters.json:1:1"), "{checked:?}");
}

#[test]
fn payments_are_allowed_and_denied_with_reasons() {
    let desk = desk();
    let allowed = eval(&desk, "small.json", &[]);
    assert!(allowed.status == Some(0) && allowed.out.starts_with("ALLOW\n"), "{allowed:?}");
    let denied = eval(&desk, "large.json", &[]);
    assert_eq!(denied.status, Some(1));
    let reason = "denied: 900000000000000000000 is more than the limit of 500000000000000000000";
    assert!(denied.out.starts_with("DENY\n") && denied.out.contains(reason), "{denied:?}");
    let stranger: Value = serde_json::from_str(&eval(&desk, "stranger.json", &["--json"]).out).expect("JSON");
    assert_eq!(stranger["decision"], "deny");
    assert_eq!(stranger["reasons"][0]["message"], format!("0x{STRANGER} is not a known recipient"));
}

#[test]
fn other_parameters_are_another_policy() {
    let desk = desk();
    desk.write("mine.json", desk.read("treasury/parameters.json").replace("\"500", "\"900"));
    let own: Value = serde_json::from_str(&eval(&desk, "large.json", &["--json"]).out).expect("JSON");
    let ran = eval(&desk, "large.json", &["--json", "--parameters", "mine.json"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let mine: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_ne!(mine["policyId"], own["policyId"]);
}

#[test]
fn a_built_policy_is_reproducible_and_decides_as_its_folder_does() {
    let desk = desk();
    let built = desk.run(&["policy", "build", "treasury", "--json"]).json();
    let again = desk.run(&["policy", "build", "treasury", "--out", "again.policy", "--json"]).json();
    assert_eq!(built["cid"], again["cid"]);
    assert_eq!(std::fs::read(desk.path("treasury.policy")).ok(), std::fs::read(desk.path("again.policy")).ok());
    desk.run(&["policy", "build", "treasury"]).failed(1, &["already exists", "--force"]);
    let decide = |policy: &str| {
        let arguments = ["policy", "eval", policy, "--intent", "large.json", "--time", "5", "--json"];
        serde_json::from_str::<Value>(&desk.run(&arguments).out).expect("JSON")
    };
    assert_eq!(decide("treasury"), decide("treasury.policy"));
    assert_eq!(decide("treasury")["policyId"], built["policyId"]);

    // The same rules with other parameters.
    desk.write("mine.json", desk.read("treasury/parameters.json").replace("\"500", "\"900"));
    let arguments =
        ["policy", "build", "treasury.policy", "--parameters", "mine.json", "--out", "mine.policy", "--json"];
    let mine = desk.run(&arguments).json();
    assert_eq!(mine["rules"], built["rules"]);
    assert_ne!(mine["policyId"], built["policyId"]);
}

#[test]
fn a_decision_is_replayed_from_its_evidence_and_a_changed_one_is_not() {
    let desk = desk();
    eval(&desk, "large.json", &["--evidence-out", "evidence.json"]);
    let shown = desk.run(&["evidence", "show", "evidence.json"]).succeeded();
    assert!(shown.contains("pay(address,address,uint256)") && shown.contains("deny"), "{shown}");
    let replayed = desk.run(&["evidence", "replay", "evidence.json"]).succeeded();
    assert!(replayed.starts_with("FOLLOWS: the decision is to deny"), "{replayed}");

    let file: Value = serde_json::from_str(&desk.read("evidence.json")).expect("JSON");
    let replay = |key: &str, value: Value| {
        let mut changed = file.clone();
        changed[key] = value;
        desk.write_json("changed.json", &changed);
        let ran = desk.run(&["evidence", "replay", "changed.json"]);
        assert_eq!(ran.status, Some(1), "{ran:?}");
        ran.out
    };
    assert!(replay("result", json!("0x01")).starts_with("DOES NOT FOLLOW: the file claims the decision to allow"));
    let other = format!("0x{}", "77".repeat(32));
    assert!(replay("policyId", json!(other)).contains("the file claims the policy"));
    assert!(replay("evidence", json!(other)).contains("the file claims the evidence"));
    let arguments = ["evidence", "replay", "evidence.json", "--evidence", &other];
    let other_evidence = desk.run(&arguments);
    assert_eq!(other_evidence.status, Some(1), "{other_evidence:?}");
    assert!(other_evidence.out.contains("the attestation carries the evidence 0x7777"), "{other_evidence:?}");

    let report = desk.run(&["evidence", "replay", "evidence.json", "--json"]).json();
    assert_eq!((&report["follows"], &report["decision"]), (&json!(true), &json!("deny")));
    assert_eq!((&report["policyId"], &report["evidence"]), (&file["policyId"], &file["evidence"]));
    assert_eq!(report["reasons"][0]["kind"], "denied");
    let report = desk.run(&[&arguments[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&report.out).expect("JSON");
    assert_eq!((&report["follows"], &report["difference"]["claimed"]), (&json!(false), &json!(other)));
}

#[test]
fn evidence_of_an_image_that_is_unknown_here_follows_with_its_file() {
    let desk = desk();
    eval(&desk, "large.json", &["--evidence-out", "evidence.json"]);
    let own = EvidenceFile::parse(desk.read("evidence.json").as_bytes()).expect("an evidence file");
    let current = evaluator().expect("an image");
    // A later evaluator: one more instruction at its end (addi zero, zero, 0).
    let bytes = [current.bytes(), &0x0000_0013_u32.to_le_bytes()].concat();
    std::fs::write(desk.path("later.bin"), &bytes).expect("a file");
    let later = Image::new(&bytes).expect("it fits");
    let (rules, parameters) = (own.policy.rules().to_owned(), own.policy.parameters().to_owned());
    let policy =
        ExecutablePolicy::from_contents(later.root(), rules, own.policy.step_limit(), parameters).expect("a policy");
    let input = own.policy_input().expect("an input");
    let evaluation = assent_policy::evaluate(&later, &policy, &input, &own.data).expect("an evaluation");
    desk.write("later.json", EvidenceFile::new(policy, &input, own.data.clone(), &evaluation).to_json());

    let (later, current) = (later.root().to_string(), current.root().to_string());
    desk.run(&["evidence", "replay", "later.json"]).failed(1, &["unknown", &later, "this version has", &current]);
    let replayed = desk.run(&["evidence", "replay", "later.json", "--image", "later.bin"]).succeeded();
    assert!(replayed.starts_with("FOLLOWS: the decision is to deny"), "{replayed}");
    let arguments = ["evidence", "replay", "evidence.json", "--image", "later.bin"];
    desk.run(&arguments).failed(1, &[&later, &current]);
    desk.write("empty.bin", "");
    desk.run(&["evidence", "replay", "later.json", "--image", "empty.bin"]).failed(1, &["not an image", "empty"]);
}

#[test]
fn a_policy_is_explained_and_compared_with_other_parameters() {
    let desk = desk();
    let explained = desk.run(&["policy", "explain", "treasury"]).succeeded();
    for expected in [
        "pay(address token, address recipient, uint256 amount)",
        "Calls of other functions are denied.",
        "limit = \"500000000000000000000\": the most that one payment may have",
        "(treasury.rego:13)",
        "A decision takes at most 268435456 steps.",
    ] {
        assert!(explained.contains(expected), "{expected}: {explained}");
    }
    desk.write("stricter.json", desk.read("treasury/parameters.json").replace("500000000000000000000", "0"));
    let compared = desk.run(&["policy", "explain", "treasury", "--against", "stricter.json"]).succeeded();
    assert!(compared.contains("limit: \"500000000000000000000\" → \"0\""), "{compared}");
    assert!(compared.contains("1 of 4 tests has another result"), "{compared}");
    assert!(compared.contains("test_allows_a_small_payment_with_the_example_parameters: pass → fail"), "{compared}");
    desk.write("looser.json", desk.read("treasury/parameters.json").replace("500000000000000000000", "1000"));
    let compared = desk.run(&["policy", "explain", "treasury", "--against", "looser.json"]).succeeded();
    assert!(compared.contains("0 of 4 tests") && compared.contains("tests that replace data.params"), "{compared}");
}

#[test]
fn a_tolerance_is_checked_and_explained() {
    let desk = desk();
    let manifest: Value = serde_json::from_str(&desk.read("treasury/policy.json")).expect("JSON");
    let with = |within: Value| {
        let mut manifest = manifest.clone();
        let builtin = json!({ "outstanding": { "function": "pay", "sum": "amount" } });
        manifest["sources"] = json!({ "pending": { "builtin": builtin, "within": within } });
        desk.write_json("treasury/policy.json", &manifest);
    };
    with(json!({ "sum": 500, "count": 25 }));
    desk.run(&["policy", "check", "treasury"]).succeeded();
    let explained = desk.run(&["policy", "explain", "treasury"]).succeeded();
    let expected =
        "an operator refuses to sign if its own count is more than 0.25 % off or sum is more than 5.00 % off.";
    assert!(explained.contains(expected), "{explained}");
    let explained = desk.run(&["policy", "explain", "treasury", "--json"]).json();
    assert_eq!(explained["policies"][0]["sources"]["pending"]["within"], json!({ "count": 25, "sum": 500 }));
    for (within, expected) in [
        (json!({ "sum": 0 }), "`sources.pending.within.sum`: \"0\" is not between 1 and 10000 basis points"),
        (json!({ "sum": 10_001 }), "is not between"),
        (json!({ "other": 1 }), "needs `reduce` to be one of median, quorum, min, max; same has no distance"),
        (json!(1), "write {\"field\": 50}"),
    ] {
        with(within);
        desk.run(&["policy", "check", "treasury"]).failed(1, &[expected]);
    }
}

#[test]
fn a_manifest_cannot_ask_for_more_zeros_than_there_is_memory() {
    let desk = desk();
    let mut manifest: Value = serde_json::from_str(&desk.read("treasury/policy.json")).expect("JSON");
    let huge = format!("function f(bool{} x)", "[1024]".repeat(7));
    // Another function is tried instead.
    manifest["functions"].as_array_mut().expect("an array").insert(0, json!(huge));
    desk.write_json("treasury/policy.json", &manifest);
    desk.run(&["policy", "check", "treasury"]).succeeded();
    manifest["functions"] = json!([huge, "function g(bytes[65536] x)"]);
    desk.write_json("treasury/policy.json", &manifest);
    desk.write("treasury/treasury.rego", "package treasury\n\ndefault allow := false\n");
    let ran = desk.run(&["policy", "check", "treasury"]);
    assert!(ran.status == Some(1) && ran.out.contains("arguments of more than 64 KiB"), "{ran:?}");
}

#[test]
fn every_subcommand_takes_the_current_folder_if_no_policy_is_named() {
    let desk = desk();
    let names = ["check", "test", "eval", "bench", "simulate", "explain", "build", "publish", "backtest", "shadow"];
    for name in names {
        let help = desk.run(&["policy", name, "--help"]).succeeded();
        assert!(help.contains("[POLICY]") && help.contains("[default: .]"), "{name}: {help}");
    }
    for file in ["policy.json", "parameters.json", "parameters.schema.json", "treasury.rego", "treasury_test.rego"] {
        desk.write(file, desk.read(&format!("treasury/{file}")));
    }
    let call = ["--intent", "small.json", "--time", "1800000000"];
    for (name, options) in [("check", &[][..]), ("test", &[]), ("explain", &[]), ("eval", &call), ("simulate", &call)] {
        let here = desk.run(&[&["policy", name], options].concat()).succeeded();
        assert_eq!(here, desk.run(&[&["policy", name, "treasury"], options].concat()).succeeded());
    }
    desk.run(&[&["policy", "bench", "--runs", "1"], &call[..]].concat()).succeeded();
}

#[test]
fn a_folder_without_a_policy_and_a_built_policy_say_what_to_give() {
    let desk = Desk::new();
    desk.run(&["policy", "eval", "--intent", "small.json"]).failed(1, &["`assent policy new NAME`", "name one"]);
    desk.write("treasury.policy", "");
    desk.run(&["policy", "check", "treasury.policy"]).failed(1, &["the folder that it was built from"]);
}

#[test]
fn a_bench_shows_the_share_of_each_limit() {
    let desk = desk();
    let arguments = ["policy", "bench", "treasury", "--intent", "small.json", "--time", "1800000000", "--runs", "2"];
    let bench = desk.run(&arguments).succeeded();
    assert!(bench.contains("268435456") && bench.contains("median of 2 runs"), "{bench}");
    let steps = desk.run(&[&arguments[..], &["--json"]].concat()).json()["limits"]["steps"]["used"].take();
    let decided: Value = serde_json::from_str(&eval(&desk, "small.json", &["--json"]).out).expect("JSON");
    assert_eq!(steps, decided["steps"]);
}

/// Adds a policy that allows weekdays, and a conjunction of it with the template's policy.
fn conjunction(desk: &Desk) {
    let manifest = |name: &str, rest: Value| {
        let mut manifest = json!({ "name": name, "version": "0.1.0" });
        manifest.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        manifest
    };
    let pay = ["function pay(address token, address recipient, uint256 amount)"];
    std::fs::create_dir_all(desk.path("hours")).expect("a folder");
    std::fs::create_dir_all(desk.path("both")).expect("a folder");
    desk.write_json("hours/policy.json", &manifest("hours", json!({ "entrypoint": "hours", "functions": pay })));
    let rules = "package hours\n\ndefault allow := false\n\nallow if input.task.time < 1900000000\n\n\
                 deny contains \"closed\" if input.task.time >= 1900000000\n";
    desk.write("hours/hours.rego", rules);
    let all = json!({ "all": [{ "policy": "../treasury" }, { "policy": "../hours.policy" }] });
    desk.write_json("both/policy.json", &manifest("both", all));
    desk.run(&["policy", "build", "hours"]).succeeded();
}

#[test]
fn a_conjunction_is_checked_built_explained_and_decides_with_the_reasons_of_each_policy() {
    let desk = desk();
    conjunction(&desk);
    assert_eq!(desk.run(&["policy", "check", "both"]).succeeded(), "both 0.1.0 can be built\n");
    let built = desk.run(&["policy", "build", "both", "--json"]).json();
    let decide = |policy: &str, intent: &str, time: &str, more: &[&str]| {
        desk.run(&[&["policy", "eval", policy, "--intent", intent, "--time", time], more].concat())
    };
    for policy in ["both", "both.policy"] {
        let allowed = decide(policy, "small.json", "1800000000", &["--json"]);
        assert_eq!(allowed.status, Some(0), "{allowed:?}");
        assert_eq!(allowed.json()["policyId"], built["policyId"]);
    }
    let denied = decide("both.policy", "large.json", "1900000000", &["--evidence-out", "evidence.json"]);
    assert_eq!(denied.status, Some(1), "{denied:?}");
    let reasons =
        ["policy 0 (treasury): denied: 900000000000000000000 is more than", "policy 1 (hours): denied: closed"];
    assert!(reasons.iter().all(|reason| denied.out.contains(reason)), "{denied:?}");
    let replayed = desk.run(&["evidence", "replay", "evidence.json"]).succeeded();
    assert!(replayed.starts_with("FOLLOWS: the decision is to deny"), "{replayed}");
    assert!(reasons.iter().all(|reason| replayed.contains(reason)), "{replayed}");
    let closed = decide("both", "small.json", "1900000000", &["--json"]);
    let json: Value = serde_json::from_str(&closed.out).expect("JSON");
    let reason = json!({ "kind": "denied", "message": "closed", "policy": "1", "package": "hours" });
    assert_eq!(json["reasons"], json!([reason]));
    let explained = desk.run(&["policy", "explain", "both"]).succeeded();
    for expected in
        ["all of 2 policies allow it", "Policy 0:", "limit = \"5000", "Policy 1:", "\"closed\" (hours.rego:7)"]
    {
        assert!(explained.contains(expected), "{expected}: {explained}");
    }
}

#[test]
fn the_tests_of_a_conjunction_run_with_those_of_its_folders() {
    let desk = desk();
    conjunction(&desk);
    let together = "package both_test\n\ntest_hours if data.hours.allow with input as {\"task\": {\"time\": 5}}\n";
    desk.write("both/both_test.rego", together);
    let tested = desk.run(&["policy", "test", "both", "--coverage", "--threshold", "100"]).succeeded();
    assert!(tested.contains("5 of 5 tests passed") && tested.contains("0/treasury_test.rego:"), "{tested}");
    desk.write("both/both_test.rego", together.replace("time\": 5", "time\": 1900000000"));
    assert_eq!(desk.run(&["policy", "test", "both"]).status, Some(2));
    desk.write("both/both_test.rego", together);
    let parameters: Value = serde_json::from_str(&desk.read("treasury/parameters.json")).expect("JSON");
    desk.write_json("stricter.json", &json!([{ "limit": "0", "recipients": parameters["recipients"] }, {}]));
    let compared = desk.run(&["policy", "explain", "both", "--against", "stricter.json"]).succeeded();
    assert!(compared.contains("0.limit: \"500000000000000000000\" → \"0\""), "{compared}");
    assert!(compared.contains("1 of 5 tests has another result"), "{compared}");
    desk.write_json("one.json", &json!({ "limit": "0" }));
    desk.run(&["policy", "explain", "both", "--against", "one.json"]).failed(1, &["an array of 2 objects"]);
}

#[test]
fn a_member_of_a_conjunction_that_is_another_policy_broken_or_missing_is_refused() {
    let desk = desk();
    conjunction(&desk);
    let id =
        desk.run(&["policy", "build", "hours.policy", "--out", "again.policy", "--json"]).json()["policyId"].take();
    let named = |id: &Value, policy: &str| {
        let all = json!([{ "policy": "../treasury" }, { "policy": policy, "policyId": id }]);
        desk.write_json("both/policy.json", &json!({ "name": "both", "version": "0.1.0", "all": all }));
        desk.run(&["policy", "build", "both", "--force"])
    };
    named(&id, "../hours.policy").succeeded();
    named(&id, "../hours").succeeded();
    let other = json!(format!("0x{}", "77".repeat(32)));
    named(&other, "../hours.policy").failed(1, &["../hours.policy is not the one that policy.json names", "0x7777"]);
    named(&id, "../nothing.policy").failed(1, &["../nothing.policy"]);
    named(&id, "../both").failed(1, &["is a conjunction", "name its policies instead"]);
    named(&id, "../hours.policy").succeeded();
    named(&id, "../both.policy").failed(1, &["is a conjunction", "name its policies instead"]);
    named(&id, "../hours.policy").succeeded();
    desk.write(
        "treasury/treasury.rego",
        desk.read("treasury/treasury.rego").replace("<= data.params.limit", "<= \"5\""),
    );
    desk.run(&["policy", "build", "both", "--force"]).failed(1, &["cannot be built", "../treasury/treasury.rego:8:2"]);
}

#[test]
fn the_data_of_a_conjunction_is_by_the_index_of_the_policy() {
    let desk = desk();
    conjunction(&desk);
    let manifest = desk.read("hours/policy.json");
    let manifest = manifest.replacen(
        '{',
        r#"{"sources": {"state": {"schema": {"type": "object", "properties": {"open": {"type": "boolean"}}}}}, "#,
        1,
    );
    desk.write("hours/policy.json", manifest);
    let rules = "package hours\n\ndefault allow := false\n\nallow if data.wasm.state.open\n";
    desk.write("hours/hours.rego", rules);
    std::fs::create_dir_all(desk.path("hours/sources")).expect("a folder");
    desk.write("hours/sources/state.wasm", "\0asm");
    desk.run(&["policy", "build", "hours", "--force"]).succeeded();
    desk.run(&["policy", "check", "both"]).succeeded();
    let decide = |data: Value| {
        desk.write_json("data.json", &data);
        let arguments =
            ["policy", "eval", "both", "--intent", "small.json", "--time", "1800000000", "--data", "data.json"];
        desk.run(&arguments)
    };
    let allowed = decide(json!({ "1": { "state": { "open": true } } }));
    assert_eq!(allowed.status, Some(0), "{allowed:?}");
    let closed = decide(json!({ "1": { "state": { "open": false } } }));
    assert!(closed.out.contains("policy 1 (hours): notAllowed"), "{closed:?}");
    decide(json!({ "state": { "open": true } }))
        .failed(1, &["`state` is not a source of the policy, which has `1.state`"]);
    decide(json!({ "2": { "state": { "open": true } } })).failed(1, &["`2.state` is not a source of the policy"]);
}

#[test]
fn parameters_that_their_schema_refuses_are_named_by_their_pointer_wherever_they_are_given() {
    let desk = desk();
    let schema = desk.read("treasury/parameters.schema.json");
    let parameters = desk.read("treasury/parameters.json");
    desk.write("wrong.json", parameters.replace("[\"0x", "[5, \"0x"));
    let expected = ["the parameters do not fit the policy", "`/recipients/0`: 5 is not of type \"string\""];
    let given = ["--parameters", "wrong.json"];
    eval(&desk, "small.json", &given).failed(1, &expected);
    desk.run(&["policy", "build", "treasury", "--parameters", "wrong.json"]).failed(1, &expected);
    desk.run(&["policy", "explain", "treasury", "--parameters", "wrong.json"]).failed(1, &expected);
    desk.run(&["policy", "explain", "treasury", "--against", "wrong.json"]).failed(1, &expected);
    desk.run(&["policy", "build", "treasury"]).succeeded();
    desk.run(&["policy", "build", "treasury.policy", "--parameters", "wrong.json", "--force"]).failed(1, &expected);

    desk.write("treasury/parameters.json", desk.read("wrong.json"));
    let checked = desk.run(&["policy", "check", "treasury"]);
    assert!(checked.status == Some(1), "{checked:?}");
    assert!(checked.out.starts_with("parameters.json:1:1: `/recipients/0`: 5 is not"), "{checked:?}");
    desk.write("treasury/parameters.json", parameters);
    desk.run(&["policy", "check", "treasury"]).succeeded();

    // A schema that refers to the network, or to itself.
    for reference in ["https://example.com/schema.json", "#"] {
        desk.write(
            "treasury/parameters.schema.json",
            schema.replacen('{', &format!("{{\"$ref\": \"{reference}\", "), 1),
        );
        let checked = desk.run(&["policy", "check", "treasury"]);
        assert!(checked.status == Some(1), "{checked:?}");
        assert!(checked.out.contains("parameters.schema.json:1:1: the schema cannot be used: `$ref`"), "{checked:?}");
    }
}
