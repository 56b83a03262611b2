//! JSON: what is written is read back, and what is wrong is refused.
#![cfg(feature = "serde")]

mod fixture;

use alloy_primitives::U256;
use assent_verifier::{AttestationDocument, Authorization, Context, Decision, Intent, Policy};
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
fn every_type_reads_what_it_writes() {
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

    assert_eq!(keys(&assert_round_trip(&fixture.intent)), ["chainId", "data", "from", "to", "value"]);
    let policy = assert_round_trip(&fixture.context.policy.clone().unwrap());
    assert_eq!(keys(&policy), ["maxLifetime", "operatorSet", "policyId", "quorum"]);

    let recorded = assert_round_trip(&fixture.document().recorded_authorization().unwrap());
    assert_eq!(keys(&recorded), ["decision", "epoch", "evidence", "expiration", "merkleProof", "nonce", "taskId"]);
    let authorization = assert_round_trip(&fixture.authorization());
    assert_eq!(authorization["nonSigners"], json!([1, 4]));
    assert_eq!(authorization["decision"], "allow");
    let document = assert_round_trip(&fixture.document());
    assert_eq!(document["attestation"]["decision"], "allow");
    let denied = Fixture { decision: Decision::Deny, ..fixture };
    assert_eq!(assert_round_trip(&denied.document())["attestation"]["decision"], "deny");
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
fn numbers_are_read_in_every_spelling() {
    let mut intent = to_value(&Fixture::new().intent).unwrap();
    for (spelling, value) in [
        (json!(250), U256::from(250)),
        (json!("250"), U256::from(250)),
        (json!("0xfA"), U256::from(250)),
        (json!(u64::MAX), U256::from(u64::MAX)),
        (json!(U256::MAX.to_string()), U256::MAX),
    ] {
        intent["value"] = spelling;
        assert_eq!(from_value::<Intent>(intent.clone()).unwrap().value, value);
    }
    let mut policy = to_value(Fixture::new().context.policy).unwrap();
    policy["quorum"] = json!("0x1a2c");
    assert_eq!(from_value::<Policy>(policy).unwrap().quorum, 6700);
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let intent = to_value(&Fixture::new().intent).unwrap();
    let too_large = format!("{}0", U256::MAX);
    for wrong in
        [json!(""), json!("0x"), json!("1_000"), json!("-1"), json!(-1), json!(1.5), json!(null), json!(too_large)]
    {
        let mut intent = intent.clone();
        intent["value"] = wrong.clone();
        assert!(from_value::<Intent>(intent).is_err(), "{wrong}");
    }
    let said = serde_json::from_value::<Intent>(json!({"from": intent["from"], "to": intent["to"], "value": null}));
    let expected = "a whole number, as an integer, a decimal string or a hex string with 0x";
    assert!(said.unwrap_err().to_string().contains(expected));
    let mut policy = to_value(Fixture::new().context.policy).unwrap();
    policy["quorum"] = json!(65536);
    assert_eq!(from_value::<Policy>(policy.clone()).unwrap_err().to_string(), "65536 does not fit 16 bits");
    policy["quorum"] = json!(6700);
    policy["maxLifetime"] = json!(1u64 << 48);
    assert!(from_value::<Policy>(policy).is_err());
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
    check::<Intent>(to_value(&fixture.intent).unwrap());
    check::<Context>(to_value(&fixture.context).unwrap());
    check::<Authorization>(to_value(fixture.authorization()).unwrap());
    check::<AttestationDocument>(to_value(fixture.document()).unwrap());
}

#[test]
fn what_a_type_forbids_is_refused_in_json_too() {
    let fixture = Fixture::new();
    let mut context = to_value(&fixture.context).unwrap();
    context["epochs"][0]["operators"] = json!([]);
    assert_eq!(from_value::<Context>(context).unwrap_err().to_string(), "the operator set is empty");

    let authorization = to_value(fixture.authorization()).unwrap();
    for (field, wrong) in [
        ("decision", json!("maybe")),
        ("decision", json!(1)),
        ("nonSigners", json!([2040])),
        ("signature", json!("0x00")),
        ("merkleProof", json!(vec![alloy_primitives::B256::ZERO; 33])),
    ] {
        let mut authorization = authorization.clone();
        authorization[field] = wrong;
        assert!(from_value::<Authorization>(authorization).is_err(), "{field}");
    }
}
