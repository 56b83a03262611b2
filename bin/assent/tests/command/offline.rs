//! Everything that an offline round trip needs, made only by the binary.

#![allow(dead_code, reason = "each test program uses a part")]

use super::command::Desk;
use serde_json::{Value, json};

pub const CLIENT: &str = "0x00000000000000000000000000000000000c11e7";
pub const TASK_MANAGER: &str = "0x000000000000000000000000000000000007a5c0";
pub const AGENT: &str = "0x000000000000000000000000000000000000a9e7";
pub const HASH: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";
/// A moment in 2027, in Unix seconds.
pub const PRESENT: u64 = 1_800_000_000;

/// Three operators of equal weight with unencrypted keys, their epoch, a context and an intent; two must sign.
pub fn prepare(desk: &Desk) {
    let operators = (1..=3).map(|number| {
        let file = format!("operator-{number}.key");
        let made = desk.run(&["keys", "new", "--out", &file, "--unencrypted", "--json"]).json();
        json!({
            "address": format!("0x{number:040x}"),
            "publicKey": made["publicKey"],
            "weight": "100",
        })
    });
    let epoch = json!({
        "number": 1,
        "operatorSet": 1,
        "validUntil": 281_474_976_710_655_u64,
        "operators": operators.collect::<Vec<_>>(),
    });
    desk.write_json("epoch.json", &epoch);
    desk.write_json("context.json", &context(epoch));
    desk.write_json("intent.json", &intent());
}

pub fn intent() -> Value {
    json!({ "from": AGENT, "to": CLIENT, "value": "0", "data": "0x1234567800ff", "chainId": 31337 })
}

fn context(epoch: Value) -> Value {
    json!({
        "chainId": "31337",
        "taskManager": TASK_MANAGER,
        "policyClient": CLIENT,
        "policy": { "policyId": HASH, "operatorSet": 1, "quorum": 6000, "maxLifetime": 3600 },
        "issuanceFloor": 0,
        "caller": AGENT,
        "timestamp": PRESENT,
        "epochs": [epoch],
        "spent": [],
    })
}

/// So many intents that differ in their calldata.
pub fn intents(count: usize) -> Vec<Value> {
    let intent = |place| {
        let mut intent = intent();
        intent["data"] = json!(format!("0x12345678{place:08x}"));
        intent
    };
    (0..count).map(intent).collect()
}

/// The arguments with which these operators allow the intent until ten minutes after [`PRESENT`].
pub fn attest<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    attest_from("--intent", "intent.json", keys)
}

/// The same for the batch in a file.
pub fn attest_batch<'a>(file: &'a str, keys: &[&'a str]) -> Vec<&'a str> {
    attest_from("--batch", file, keys)
}

fn attest_from<'a>(source: &'a str, file: &'a str, keys: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![
        "attest",
        source,
        file,
        "--context",
        "context.json",
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
    ];
    for key in keys {
        arguments.extend(["--key", key]);
    }
    arguments
}
