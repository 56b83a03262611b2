//! Inputs that pass, from which the fuzzer starts: without them it would hardly ever get behind the first check.

use crate::{
    fixture::{Fixture, operators, secret, write_tables},
    machine_seeds::machine_seeds,
    policy_seeds::{Parts, policy_seeds},
};
use alloy_primitives::{Address, B256, U256};
use assent_verifier::{EpochId, Refusal, append_trailing};
use serde::Serialize;

/// Operators in the tables before the head, where there are two.
pub(crate) const EARLIER_OPERATORS: u16 = 200;

/// One input.
#[derive(Debug)]
pub struct Seed {
    /// Whose.
    pub target: &'static str,
    /// The file's name in the target's corpus.
    pub name: String,
    /// What the target is given.
    pub input: Vec<u8>,
}

/// All of them.
pub fn seeds() -> Vec<Seed> {
    [authorizations(), documents(), operator_tables(), revert_data(), scenarios(), policy_seeds(), machine_seeds()]
        .concat()
        .into_iter()
        .map(seed)
        .collect()
}

fn seed((target, name, input): Parts) -> Seed {
    Seed { target, name: format!("seed-{name}"), input }
}

fn authorizations() -> Vec<Parts> {
    let document = Fixture::new().document_in_batch(&[1, 2, 3].map(B256::with_last_byte), 2);
    let direct = document.authorization().expect("the decision is one");
    let recorded = document.recorded_authorization().expect("the decision is one");
    let trailing = append_trailing(&[1, 2, 3, 4], &direct).expect("a selector is there");
    vec![
        ("authorization", "direct", direct.encode()),
        ("authorization", "recorded", recorded.encode()),
        ("authorization", "trailing", trailing),
        ("authorization", "single", Fixture::with_operators(1).authorization().encode()),
        ("authorization", "bitmap", vec![0, 3, 1]),
    ]
}

fn documents() -> Vec<Parts> {
    let mut fixture = Fixture::new();
    let document = fixture.document_in_batch(&[B256::ZERO], 1);
    fixture.record(&document, 50);
    assert!(fixture.context.spent.spend(fixture.context.policy_client, U256::from(1)));
    let unset = assent_verifier::Context { policy: None, epochs: vec![], ..fixture.context.clone() };
    let recorded = document.recorded_authorization().expect("the decision is one");
    vec![
        ("json", "intent", written(&fixture.intent)),
        ("json", "policy", written(&fixture.context.policy)),
        ("json", "attestation", written(&document.attestation)),
        ("json", "operator", written(&fixture.context.epochs[0].operators.operators()[0])),
        ("json", "epoch", written(&Fixture::with_operators(1).context.epochs[0])),
        ("json", "recorded-roots", written(&fixture.context.recorded_roots)),
        ("json", "spent", written(&fixture.context.spent)),
        ("json", "authorization", written(&fixture.authorization())),
        ("json", "recorded-authorization", written(&recorded)),
        ("json", "document", written(&document)),
        ("json", "context", written(&fixture.context)),
        ("json", "unset-context", written(&unset)),
    ]
}

fn written(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("every document can be written")
}

fn operator_tables() -> Vec<Parts> {
    let head = |count: u16, earlier: &[Address]| {
        let head = write_tables(&operators(&(0..count).map(secret).collect::<Vec<_>>()), earlier).pop();
        [vec![0; 4], head.expect("there is always a head")].concat()
    };
    let addresses = [Address::repeat_byte(1), Address::repeat_byte(2)];
    vec![
        ("operator_table", "one-operator", head(1, &[])),
        ("operator_table", "three-operators", head(3, &[])),
        ("operator_table", "two-tables", head(EARLIER_OPERATORS / 2 + 1, &addresses[..1])),
        ("operator_table", "three-tables", head(EARLIER_OPERATORS + 1, &addresses)),
    ]
}

fn revert_data() -> Vec<Parts> {
    let data = |refusal: Refusal| refusal.revert_data();
    vec![
        ("revert_data", "none", data(Refusal::PolicyNotSet)),
        ("revert_data", "words", data(Refusal::WrongChain { expected: U256::from(1), actual: U256::MAX })),
        ("revert_data", "hash", data(Refusal::PolicyDenied { taskId: B256::repeat_byte(1) })),
        ("revert_data", "number", data(Refusal::UnknownEpoch { epoch: EpochId(3) })),
        ("revert_data", "root", data(Refusal::RootNotRecorded { epoch: EpochId(3), root: B256::repeat_byte(1) })),
        (
            "revert_data",
            "address",
            data(Refusal::WrongSender { expected: Address::repeat_byte(1), actual: Address::repeat_byte(2) }),
        ),
    ]
}

/// As long as the longest that matters, since the fuzzer makes inputs longer only slowly. Zeros are valid points and a
/// valid authorization; finding others is for the fuzzer.
fn scenarios() -> Vec<Parts> {
    let mut revoked = vec![0; 512];
    // The first change after attesting: the epoch is revoked.
    revoked[1..5].copy_from_slice(&REVOKED);
    vec![
        ("points", "valid", vec![0; 512]),
        ("verification", "accepted", vec![0; 512]),
        ("verification", "revoked", revoked),
    ]
}

/// How `arbitrary` reads the variant `Revoked` of the changes between attesting and calling.
const REVOKED: [u8; 4] = [206, 204, 204, 204];
