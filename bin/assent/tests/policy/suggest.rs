//! Policies of recorded calls, suggested by the binary and decided by the evaluator.

use super::command::Desk;
use alloy_primitives::{Address, U256, hex};
use assent_policy::Function;
use serde_json::{Value, json};

const PAY: &str = "function pay(address to, uint256 amount)";

/// An intent that pays so much to the address with this byte.
fn payment(to: u8, amount: u64) -> Value {
    let selector = PAY.parse::<Function>().expect("a function").selector().expect("a selector");
    let selector = hex::encode_prefixed(selector);
    let data = format!(
        "{selector}{}{:064x}",
        Address::repeat_byte(to).into_word().to_string().trim_start_matches("0x"),
        U256::from(amount)
    );
    let [from, target] = [0x11, 0x22].map(Address::repeat_byte);
    json!({ "from": from, "to": target, "value": "0", "data": data, "chainId": 1 })
}

/// A desk with two recorded payments.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write_json("calls.json", &json!([payment(0xa1, 5), payment(0xa2, 9), payment(0xa1, 5)]));
    desk
}

fn suggest<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["policy", "suggest", "treasury", "--intents", "calls.json"], more].concat()
}

#[test]
fn a_suggested_policy_passes_its_check_and_tests_and_decides_as_recorded() {
    let desk = desk();
    let suggested = desk.run(&suggest(&["--function", PAY])).succeeded();
    assert!(suggested.contains("3 recorded calls (2 distinct) are allowed, and 7 near misses denied"), "{suggested}");
    assert!(suggested.contains("next: assent policy test treasury"), "{suggested}");
    desk.run(&["policy", "check", "treasury"]).succeeded();
    let tested = desk.run(&["policy", "test", "treasury", "--coverage", "--threshold", "100"]).succeeded();
    assert!(tested.contains("9 of 9 tests passed"), "{tested}");

    for (name, intent, reason) in [
        ("recorded", payment(0xa2, 9), None),
        ("more", payment(0xa2, 10), Some("10 is more than the limit of 9 for `amount` of pay")),
        ("other", payment(0xa3, 1), Some("is not recorded as `to` of pay")),
    ] {
        let file = format!("{name}.json");
        desk.write_json(&file, &intent);
        let ran = desk.run(&["policy", "eval", "treasury", "--intent", &file, "--time", "5"]);
        assert_eq!(ran.status, Some(i32::from(reason.is_some())), "{ran:?}");
        assert!(reason.is_none_or(|reason| ran.out.contains(reason)), "{ran:?}");
    }
}

#[test]
fn json_lines_and_an_abi_give_the_policy_of_an_array_and_a_signature() {
    let desk = desk();
    desk.run(&suggest(&["--function", PAY])).succeeded();
    let lines = [payment(0xa2, 9), payment(0xa1, 5)].map(|intent| intent.to_string()).join("\n");
    desk.write("lines.jsonl", lines);
    let abi = json!({ "abi": [
        { "type": "event", "name": "Paid", "inputs": [] },
        { "type": "function", "name": "pay", "inputs": [
            { "name": "to", "type": "address" }, { "name": "amount", "type": "uint256" }
        ] },
        { "type": "function", "name": "batch", "inputs": [{ "name": "payments", "type": "tuple[]", "components": [
            { "name": "to", "type": "address" }, { "name": "amount", "type": "uint256" }
        ] }] },
        { "type": "receive" },
    ] });
    desk.write_json("Treasury.json", &abi);
    let arguments =
        ["policy", "suggest", "again/treasury", "--intents", "lines.jsonl", "--abi", "Treasury.json", "--json"];
    let suggested = desk.run(&arguments).json();
    assert_eq!(suggested["distinctCalls"], 2);
    for file in ["policy.json", "parameters.json", "parameters.schema.json", "treasury.rego", "treasury_test.rego"] {
        assert_eq!(desk.read(&format!("treasury/{file}")), desk.read(&format!("again/treasury/{file}")), "{file}");
    }
}

#[test]
fn what_is_not_limited_is_said_aloud() {
    let desk = desk();
    let ran = desk.run(&suggest(&["--function", PAY, "--max-list", "1", "--json"]));
    assert!(ran.err.contains("WARNING: NOT LIMITED: to of pay(address,uint256)"), "{ran:?}");
    let suggested = ran.json();
    let free = suggested["limits"].as_array().expect("limits").iter().filter(|limit| limit["limited"] == false);
    assert_eq!(free.map(|limit| limit["what"].clone()).collect::<Vec<_>>(), ["to"]);
    assert!(desk.read("treasury/treasury.rego").contains("# NOT LIMITED: to."));
}

#[test]
fn what_is_not_understood_is_refused_and_nothing_is_written() {
    let desk = desk();
    let stop = "function stop()";
    desk.run(&suggest(&["--function", stop])).failed(1, &["call 1", "0xc4076876", "of no given function"]);
    desk.run(&suggest(&[])).failed(2, &["--function"]);
    desk.run(&suggest(&["--function", PAY, "--exact", "pay.to"])).failed(1, &["pay.to is no integer argument"]);
    let mut longer = payment(0xa1, 5);
    longer["data"] = json!(format!("{}00", longer["data"].as_str().expect("data")));
    desk.write_json("longer.json", &json!([payment(0xa1, 5), longer]));
    desk.run(&["policy", "suggest", "treasury", "--intents", "longer.json", "--function", PAY])
        .failed(1, &["call 2 does not decode in exactly one way"]);
    desk.write("none.json", "[]");
    desk.run(&["policy", "suggest", "treasury", "--intents", "none.json", "--function", PAY])
        .failed(1, &["there is no recorded call"]);
    desk.write("broken.json", "[{]");
    desk.run(&["policy", "suggest", "treasury", "--intents", "broken.json", "--function", PAY])
        .failed(1, &["cannot parse file of intents broken.json"]);
    assert!(!desk.path("treasury").exists());
    desk.run(&suggest(&["--function", PAY])).succeeded();
    desk.run(&suggest(&["--function", PAY])).failed(1, &["treasury is not empty"]);
}
