//! JSON: what is written is read back, and what is wrong is refused.
#![cfg(feature = "serde")]

mod fixture;

use alloy_primitives::U256;
use assent_verifier::Context;
use fixture::Fixture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, from_value, json, to_value};

#[track_caller]
fn assert_round_trip<T: Serialize + DeserializeOwned + PartialEq + core::fmt::Debug>(value: &T) -> Value {
    let written = to_value(value).unwrap();
    assert_eq!(from_value::<T>(written.clone()).unwrap(), *value);
    assert_eq!(serde_json::from_str::<T>(&serde_json::to_string(value).unwrap()).unwrap(), *value);
    written
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_context_reads_what_it_writes() {
    let mut fixture = Fixture::new();
    assert!(fixture.context.spent.spend(fixture.context.policy_client, U256::from(1)));
    fixture.record(&fixture.document(), 50);
    let context = assert_round_trip(&fixture.context);
    assert_eq!(keys(&context["recordedRoots"][0]), ["epoch", "epochEnd", "root", "signedWeight", "totalWeight"]);
    assert_eq!(context["recordedRoots"][0]["signedWeight"], "50");
    assert_eq!(context["recordedRoots"][0]["epochEnd"], fixture::EPOCH_END);
    assert_eq!(context["issuanceFloor"], fixture::NOW - 600);
    assert_eq!(context["chainId"], "31337");
    assert_eq!(context["timestamp"], fixture::NOW);
    assert_eq!(context["epochs"][0]["validUntil"], (1u64 << 48) - 1);
    assert_eq!(keys(&context["epochs"][0]["operators"][0]), ["address", "publicKey", "weight"]);
    assert_eq!(context["spent"][0]["mask"], "2");
}

#[test]
fn a_context_of_before_there_were_recorded_roots_has_none() {
    let context = Fixture::new().context;
    let mut written = to_value(&context).unwrap();
    written.as_object_mut().unwrap().remove("recordedRoots");
    assert_eq!(from_value::<Context>(written).unwrap(), context);
}

#[test]
fn a_context_without_policy_is_null() {
    let mut context = Fixture::new().context;
    context.policy = None;
    assert_eq!(assert_round_trip(&context)["policy"], Value::Null);
}

#[test]
fn unknown_missing_and_wrong_fields_are_refused() {
    fn check<T: DeserializeOwned>(valid: Value) {
        for key in keys(&valid).into_iter().filter(|key| !["policy", "recordedRoots"].contains(key)) {
            let mut missing = valid.clone();
            missing.as_object_mut().unwrap().remove(key);
            assert!(from_value::<T>(missing).is_err(), "without {key}");
        }
        let mut unknown = valid;
        unknown["unknown"] = json!(1);
        assert!(from_value::<T>(unknown).is_err_and(|error| error.to_string().contains("unknown field")));
    }
    let fixture = Fixture::new();
    check::<Context>(to_value(&fixture.context).unwrap());
}

#[test]
fn what_an_operator_set_forbids_is_refused_in_json_too() {
    let fixture = Fixture::new();
    let mut context = to_value(&fixture.context).unwrap();
    context["epochs"][0]["operators"] = json!([]);
    assert_eq!(from_value::<Context>(context).unwrap_err().to_string(), "the operator set is empty");
}

/// Each documented type as an array of its fields, in the order of their declaration: what serde derives would read it.
#[test]
fn an_array_does_not_pass_for_an_object() {
    let mut fixture = Fixture::new();
    assert!(fixture.context.spent.spend(fixture.context.policy_client, U256::from(1)));
    fixture.record(&fixture.document(), 50);
    let context = to_value(&fixture.context).unwrap();
    let types: [(&str, &[&str]); 5] = [
        (
            "",
            &[
                "chainId",
                "taskManager",
                "policyClient",
                "policy",
                "issuanceFloor",
                "caller",
                "timestamp",
                "epochs",
                "recordedRoots",
                "spent",
            ],
        ),
        ("/epochs/0", &["number", "operatorSet", "validUntil", "operators"]),
        ("/epochs/0/operators/0", &["address", "publicKey", "weight"]),
        ("/recordedRoots/0", &["epoch", "root", "signedWeight", "totalWeight", "epochEnd"]),
        ("/spent/0", &["policyClient", "word", "mask"]),
    ];
    for (pointer, fields) in types {
        let mut with_array = context.clone();
        let object = with_array.pointer_mut(pointer).unwrap();
        assert_eq!(object.as_object().unwrap().len(), fields.len(), "{pointer}");
        *object = Value::Array(fields.iter().map(|field| object[field].clone()).collect());
        let error = from_value::<Context>(with_array).expect_err(pointer).to_string();
        assert!(error.contains("invalid type: sequence, expected an object"), "{pointer}: {error}");
    }
}

#[test]
fn addresses_have_their_checksum_and_hex_has_0x() {
    const RIGHT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    let mut fixture = Fixture::new();
    assert!(fixture.context.spent.spend(fixture.context.policy_client, U256::from(1)));
    fixture.record(&fixture.document(), 50);
    let context = to_value(&fixture.context).unwrap();
    let addresses =
        ["/taskManager", "/policyClient", "/caller", "/epochs/0/operators/0/address", "/spent/0/policyClient"];
    for pointer in addresses {
        let mut wrong = context.clone();
        *wrong.pointer_mut(pointer).unwrap() = json!(RIGHT.replace("fFb", "FFb"));
        let error = from_value::<Context>(wrong).expect_err(pointer).to_string();
        assert!(error.contains("checksum (EIP-55)") && error.contains(&format!("write {RIGHT}")), "{pointer}: {error}");
    }
    for pointer in addresses.into_iter().chain(["/recordedRoots/0/root", "/epochs/0/operators/0/publicKey"]) {
        let mut bare = context.clone();
        let text = bare.pointer_mut(pointer).unwrap();
        *text = json!(text.as_str().unwrap().strip_prefix("0x").unwrap());
        let error = from_value::<Context>(bare).expect_err(pointer).to_string();
        assert!(error.contains("begins with 0x"), "{pointer}: {error}");
    }
}
