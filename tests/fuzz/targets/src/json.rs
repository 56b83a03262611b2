use assent_verifier::{
    Attestation, AttestationDocument, Authorization, Context, Epoch, Intent, Operator, Policy, RecordedRoots,
    SpentNonces,
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// JSON, as each type that the verifier reads: what is read is written so that the same is read again, and written
/// again.
pub fn json(input: &[u8]) {
    read::<Intent>(input);
    read::<Policy>(input);
    read::<Attestation>(input);
    read::<Operator>(input);
    read::<Epoch>(input);
    read::<RecordedRoots>(input);
    read::<SpentNonces>(input);
    let authorization = read::<Authorization>(input);
    let document = read::<AttestationDocument>(input);
    let context = read::<Context>(input);

    if let Some(authorization) = authorization {
        assert_eq!(Authorization::parse(&authorization.encode()), Ok(authorization));
    }
    if let Some(document) = document {
        let direct = document.authorization().expect("JSON has no other decisions");
        let recorded = document.recorded_authorization().expect("JSON has no other decisions");
        assert_eq!(Authorization::parse(&direct.encode()), Ok(direct));
        assert_eq!(Authorization::parse(&recorded.encode()), Ok(recorded));
        assert_eq!(document.root(), document.merkle_proof.root(document.digest()));
    }
    if let Some(context) = context {
        assert!(context.epochs.iter().all(|epoch| !epoch.operators.operators().is_empty()));
    }
}

fn read<T: Serialize + DeserializeOwned + PartialEq + Debug>(input: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(input).ok()?;
    let written = serde_json::to_vec(&value).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, value);
    assert_eq!(serde_json::to_vec(&again).expect("it was written before"), written);
    Some(value)
}
