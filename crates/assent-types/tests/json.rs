//! JSON: what is written is read back, and what is wrong is refused.
#![cfg(feature = "serde")]

mod document;

use alloy_primitives::{Address, B256, U256, aliases::U48};
use assent_types::{
    AttestationDocument, Authorization, Decision, EpochHandover, EpochId, Intent, OperatorSetId, Policy,
    json::ObjectOnly,
};
use document::document;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, from_value, json, to_value};

fn policy() -> Policy {
    Policy { policyId: B256::repeat_byte(1), operatorSet: 1, quorum: 6700, maxLifetime: U48::from(3600) }
}

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
fn a_handover_is_written_as_gateways_answer_it() {
    let handover = EpochHandover {
        home_chain: U256::from(1),
        home_registry: Address::repeat_byte(0xb2),
        operator_set: OperatorSetId(1),
        signed_by: EpochId(4),
        epoch: EpochId(6),
        committed_at: U48::from(1_799_400_000),
        expires_at: U48::from(1_800_000_000),
        content_hash: B256::repeat_byte(5),
    };
    let written = assert_round_trip(&handover);
    let expected = json!({
        "homeChain": "1",
        "homeRegistry": format!("0x{}", "b2".repeat(20)),
        "operatorSet": 1,
        "signedBy": 4,
        "epoch": 6,
        "committedAt": 1_799_400_000,
        "expiresAt": 1_800_000_000,
        "contentHash": format!("0x{}", "05".repeat(32)),
    });
    assert_eq!(written, expected);
    let mut late = expected;
    late["expiresAt"] = json!(1_u64 << 48);
    assert!(from_value::<EpochHandover>(late).is_err(), "a time has 48 bits");
}

#[test]
fn every_type_reads_what_it_writes() {
    let document = document();
    let written = assert_round_trip(&document.attestation.intent);
    assert_eq!(keys(&written), ["chainId", "data", "from", "to", "value"]);
    assert_eq!(written["chainId"], "31337");
    assert_eq!(keys(&assert_round_trip(&policy())), ["maxLifetime", "operatorSet", "policyId", "quorum"]);

    let recorded = assert_round_trip(&document.recorded_authorization().unwrap());
    assert_eq!(
        keys(&recorded),
        ["decision", "epoch", "evidence", "expiration", "issuedAt", "merkleProof", "nonce", "taskId"]
    );
    let authorization = assert_round_trip(&document.authorization().unwrap());
    assert_eq!(authorization["nonSigners"], json!([1, 4]));
    assert_eq!(authorization["decision"], "allow");
    let mut denied = document;
    assert_eq!(assert_round_trip(&denied)["attestation"]["decision"], "allow");
    denied.attestation.decision = Decision::Deny.into();
    assert_eq!(assert_round_trip(&denied)["attestation"]["decision"], "deny");
}

#[test]
fn an_authorization_has_both_signature_and_non_signers_or_neither() {
    let authorization = to_value(document().authorization().unwrap()).unwrap();
    for field in ["signature", "nonSigners"] {
        let mut without = authorization.clone();
        without.as_object_mut().unwrap().remove(field);
        let error = from_value::<Authorization>(without).unwrap_err();
        assert!(error.to_string().contains(&format!("missing field `{field}`")), "{error}");
    }
}

#[test]
fn numbers_are_read_in_every_spelling() {
    let mut intent = to_value(&document().attestation.intent).unwrap();
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
    let mut policy = to_value(policy()).unwrap();
    policy["quorum"] = json!("0x1a2c");
    assert_eq!(from_value::<Policy>(policy).unwrap().quorum, 6700);
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let intent = to_value(&document().attestation.intent).unwrap();
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
    let mut policy = to_value(policy()).unwrap();
    policy["quorum"] = json!(65536);
    assert_eq!(from_value::<Policy>(policy.clone()).unwrap_err().to_string(), "65536 does not fit 16 bits");
    policy["quorum"] = json!(6700);
    policy["maxLifetime"] = json!(1u64 << 48);
    assert!(from_value::<Policy>(policy).is_err());
}

#[test]
fn unknown_missing_and_wrong_fields_are_refused() {
    fn check<T: DeserializeOwned>(valid: Value) {
        for key in keys(&valid) {
            let mut missing = valid.clone();
            missing.as_object_mut().unwrap().remove(key);
            assert!(from_value::<T>(missing).is_err(), "without {key}");
        }
        let mut unknown = valid;
        unknown["unknown"] = json!(1);
        assert!(from_value::<T>(unknown).is_err_and(|error| error.to_string().contains("unknown field")));
    }
    let document = document();
    check::<Intent>(to_value(&document.attestation.intent).unwrap());
    check::<Authorization>(to_value(document.authorization().unwrap()).unwrap());
    check::<AttestationDocument>(to_value(document).unwrap());
}

#[test]
fn what_a_type_forbids_is_refused_in_json_too() {
    let authorization = to_value(document().authorization().unwrap()).unwrap();
    for (field, wrong) in [
        ("decision", json!("maybe")),
        ("decision", json!(1)),
        ("nonSigners", json!([2040])),
        ("signature", json!("0x00")),
        ("merkleProof", json!(vec![B256::ZERO; 33])),
    ] {
        let mut authorization = authorization.clone();
        authorization[field] = wrong;
        assert!(from_value::<Authorization>(authorization).is_err(), "{field}");
    }
}

#[test]
fn what_is_no_struct_is_read_as_without_the_rule_for_objects() {
    let read = |json| <Vec<u8>>::deserialize(ObjectOnly(&mut serde_json::Deserializer::from_str(json)));
    assert_eq!(read("[1, 2]").unwrap(), [1, 2]);
    assert!(read("{}").is_err());
}

/// Each documented type as an array of its fields, in the order of their declaration: what serde derives would read it.
#[test]
fn an_array_does_not_pass_for_an_object() {
    #[track_caller]
    fn check<T: Serialize + DeserializeOwned>(value: &T, fields: &[&str]) {
        let object = to_value(value).unwrap();
        assert!(from_value::<T>(object.clone()).is_ok());
        assert_eq!(object.as_object().unwrap().len(), fields.len());
        let array = Value::Array(fields.iter().map(|field| object[field].clone()).collect());
        let error = from_value::<T>(array.clone()).err().expect("an array is refused").to_string();
        assert!(error.contains("invalid type: sequence, expected an object"), "{error}");
        assert!(serde_json::from_str::<T>(&array.to_string()).is_err());
    }
    let document = document();
    check(&document.attestation.intent, &["from", "to", "value", "data", "chainId"]);
    check(&policy(), &["policyId", "operatorSet", "quorum", "maxLifetime"]);
    let attestation =
        ["taskId", "policyId", "policyClient", "nonce", "issuedAt", "expiration", "decision", "evidence", "intent"];
    check(&document.attestation, &attestation);
    let authorization = [
        "taskId",
        "nonce",
        "issuedAt",
        "expiration",
        "decision",
        "evidence",
        "epoch",
        "signature",
        "nonSigners",
        "merkleProof",
    ];
    check(&document.authorization().unwrap(), &authorization);
    let fields = ["chainId", "taskManager", "attestation", "epoch", "signature", "nonSigners", "merkleProof"];
    check(&document, &fields);
}

#[test]
fn the_numbers_of_epochs_and_operator_sets_are_written_as_integers_and_read_in_every_spelling() {
    assert_eq!(to_value(EpochId(7)).unwrap(), json!(7));
    assert_eq!(to_value(OperatorSetId(u32::MAX)).unwrap(), json!(u32::MAX));
    for spelling in [json!(7), json!("7"), json!("0x07")] {
        assert_eq!(from_value::<EpochId>(spelling.clone()).unwrap(), EpochId(7));
        assert_eq!(from_value::<OperatorSetId>(spelling).unwrap(), OperatorSetId(7));
    }
    let error = from_value::<EpochId>(json!(1_u64 << 32)).unwrap_err();
    assert_eq!(error.to_string(), "4294967296 does not fit 32 bits");
}

#[test]
fn an_address_with_a_wrong_checksum_is_refused_with_the_right_spelling() {
    const RIGHT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    let intent = to_value(document().attestation.intent).unwrap();
    let with = |address: &str| {
        let mut intent = intent.clone();
        intent["to"] = json!(address);
        from_value::<Intent>(intent)
    };
    for spelling in [RIGHT.to_owned(), RIGHT.to_lowercase(), RIGHT.to_uppercase().replace("0X", "0x")] {
        assert_eq!(with(&spelling).unwrap().to.to_checksum(None), RIGHT);
    }
    let error = with(&RIGHT.replace("fFb", "FFb")).unwrap_err().to_string();
    assert!(error.contains("checksum (EIP-55)") && error.contains(&format!("write {RIGHT}")), "{error}");
    // One digit was mistyped.
    assert!(with(&RIGHT.replace("92266", "92265")).is_err());

    let mut attestation = to_value(document().attestation).unwrap();
    attestation["policyClient"] = json!(RIGHT.replace("fFb", "FFb"));
    assert!(from_value::<assent_types::Attestation>(attestation).is_err());
    let mut document = to_value(document()).unwrap();
    document["taskManager"] = json!(RIGHT.replace("fFb", "FFb"));
    assert!(from_value::<AttestationDocument>(document).is_err());
}

#[test]
fn hex_without_0x_is_refused() {
    fn check<T: DeserializeOwned>(value: &Value, pointer: &str) {
        assert!(from_value::<T>(value.clone()).is_ok());
        let mut bare = value.clone();
        let text = bare.pointer_mut(pointer).unwrap();
        *text = json!(text.as_str().unwrap().strip_prefix("0x").unwrap());
        let error = from_value::<T>(bare).err().expect(pointer).to_string();
        assert!(error.contains("begins with 0x"), "{pointer}: {error}");
    }
    let document = document();
    let policy = to_value(policy()).unwrap();
    check::<Policy>(&policy, "/policyId");
    let mut authorization = to_value(document.authorization().unwrap()).unwrap();
    authorization["merkleProof"] = json!([B256::ZERO]);
    for pointer in ["/taskId", "/evidence", "/signature", "/merkleProof/0"] {
        check::<Authorization>(&authorization, pointer);
    }
    let mut document = to_value(document).unwrap();
    document["merkleProof"] = json!([B256::ZERO]);
    for pointer in [
        "/taskManager",
        "/attestation/taskId",
        "/attestation/policyId",
        "/attestation/policyClient",
        "/attestation/evidence",
        "/attestation/intent/from",
        "/attestation/intent/to",
        "/attestation/intent/data",
        "/signature",
        "/merkleProof/0",
    ] {
        check::<AttestationDocument>(&document, pointer);
    }
    let mut intent = document["attestation"]["intent"].clone();
    intent["data"] = json!([1, 2, 3]);
    assert!(from_value::<Intent>(intent).is_err(), "bytes are not an array of numbers");
}
