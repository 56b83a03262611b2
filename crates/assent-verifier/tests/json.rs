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
    assert_eq!(keys(&context["recordedRoots"][0]), ["epoch", "root", "signedWeight", "totalWeight"]);
    assert_eq!(context["recordedRoots"][0]["signedWeight"], "50");
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
