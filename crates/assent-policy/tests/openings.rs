//! Keeps tests/forge/policy/evidence.json, with which the contracts' tests compare their openings and encodings.

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use assent_machine::{Region, content_root};
use assent_policy::{Evidence, PolicyInput, ReferenceBlock, ResultProof};
use assent_types::{Decision, Intent};
use serde_json::{Value, json};
use std::{env, fs, path::Path};

const COUNT: u64 = 24;

#[test]
fn the_openings_that_the_contracts_are_compared_with_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/forge/policy/evidence.json");
    let openings = (0..COUNT).map(opening).collect::<Vec<_>>();
    let example = PolicyInput {
        intent: Intent {
            from: word(1),
            to: word(2),
            value: U256::from(3),
            data: vec![4].into(),
            chainId: U256::from(1),
        },
        policy_client: word(2),
        nonce: U256::from(5),
        block: ReferenceBlock { number: U256::from(6), hash: B256::from(U256::from(7)), timestamp: U256::from(8) },
    };
    let file = json!({ "count": COUNT, "exampleInput": hex::encode_prefixed(example.encode()), "openings": openings });
    let text = serde_json::to_string_pretty(&file).unwrap() + "\n";
    if env::var_os("UPDATE_OPENINGS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == text, "run `UPDATE_OPENINGS=1 cargo test --package assent-policy --test openings`");
}

fn word(number: u64) -> Address {
    Address::from_word(U256::from(number).into())
}

/// An opening of varied contents, the lengths of which include those at the edges of leaves.
fn opening(seed: u64) -> Value {
    let random = |what: &str| keccak256(format!("{what} {seed}"));
    let content = |what: &str, length: usize| {
        (0..length.div_ceil(32)).flat_map(|index| random(&format!("{what} {index}"))).take(length).collect::<Vec<_>>()
    };
    let lengths = [0, 1, 27, 28, 29, 60, 1_000, 32_768, 65_532];
    let length = |offset: u64| lengths[usize::try_from((seed + offset) % 9).unwrap()];
    let mut result = content("result", length(0));
    if let Some(decision) = result.first_mut() {
        *decision = u8::try_from(seed % 3).unwrap();
    }
    let input = PolicyInput {
        intent: Intent {
            from: Address::from_word(random("from")),
            to: Address::from_word(random("to")),
            value: random("value").into(),
            data: content("data", length(2).min(1_000)).into(),
            chainId: U256::from(1),
        },
        policy_client: Address::from_word(random("client")),
        nonce: U256::from(seed),
        block: ReferenceBlock {
            number: U256::from(seed),
            hash: random("block"),
            timestamp: U256::from(1_800_000_000 + seed),
        },
    };
    let root = |region, content: &[u8]| content_root(region, content).unwrap();
    let evidence = Evidence {
        image: root(Region::Image, &content("image", 100)),
        rules: root(Region::Rules, &content("rules", length(1))),
        step_limit: if seed == 0 { 1 << 28 } else { seed },
        parameters: root(Region::Parameters, &content("parameters", length(3))),
        input: root(Region::Input, &input.encode()),
        data: root(Region::Data, &content("data region", length(4))),
        result: root(Region::Result, &result),
    };
    let proof = ResultProof::new(&result).unwrap();
    let opening = evidence.open(&proof).unwrap();
    let hash = |hash: B256| hash.to_string();
    json!({
        "image": hash(evidence.image), "rules": hash(evidence.rules), "stepLimit": evidence.step_limit,
        "parameters": hash(evidence.parameters), "input": hash(evidence.input), "data": hash(evidence.data),
        "result": hash(evidence.result), "firstLeaf": hash(proof.first_leaf), "siblings": proof.siblings.map(hash),
        "evidence": hash(opening.evidence), "policyId": hash(opening.policy_id),
        "initialState": hash(opening.initial_state),
        "decision": if opening.decision == Decision::Allow { 1 } else { 0 },
        "policyInput": hex::encode_prefixed(input.encode()),
        "nonce": seed,
    })
}
