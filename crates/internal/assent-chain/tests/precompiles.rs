//! The BLS12-381 precompiles answer as EIP-2537's own vectors say, for the gas they say.

use std::{fs, path::Path};

use alloy::{
    hex,
    primitives::{Address, Bytes, address},
};
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain, Execution, Message};
use serde_json::Value;

const G1_ADD: Address = address!("000000000000000000000000000000000000000b");
const G1_MSM: Address = address!("000000000000000000000000000000000000000c");
const G2_ADD: Address = address!("000000000000000000000000000000000000000d");
const G2_MSM: Address = address!("000000000000000000000000000000000000000e");
const PAIRING_CHECK: Address = address!("000000000000000000000000000000000000000f");
const MAP_FP_TO_G1: Address = address!("0000000000000000000000000000000000000010");
const MAP_FP2_TO_G2: Address = address!("0000000000000000000000000000000000000011");

/// The files of `ethereum/EIPs`, folder `assets/eip-2537`.
fn vectors(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors/eip2537").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!vectors.is_empty(), "{file} holds no vectors");
    vectors
}

fn bytes(vector: &Value, field: &str) -> Bytes {
    hex::decode(vector[field].as_str().unwrap()).unwrap().into()
}

fn run(precompile: Address, input: Bytes) -> Execution {
    EmbeddedChain::new(1).call(Message::new(DEVELOPMENT_ACCOUNTS[0], precompile, input)).unwrap()
}

/// What the precompile itself costs, measured by a contract that calls it. In the gas of a whole transaction the
/// calldata's floor price (EIP-7623) can hide it.
fn gas(precompile: Address, input: &Bytes) -> u64 {
    // CALLDATASIZE PUSH1 0 PUSH1 0 CALLDATACOPY  GAS  PUSH1 0 PUSH1 0 CALLDATASIZE PUSH1 0 PUSH1 <p> GAS STATICCALL
    // POP  GAS  SWAP1 SUB  PUSH1 0 MSTORE  PUSH1 32 PUSH1 0 RETURN
    let [.., index] = precompile.into_array();
    let mut code =
        hex!("366000600037" "5a" "60006000" "36" "6000" "60005afa" "50" "5a" "9003" "60005260206000f3").to_vec();
    code[15] = index;
    let chain = EmbeddedChain::new(1);
    let meter = Address::repeat_byte(0x77);
    chain.set_code(meter, code).unwrap();
    let execution = chain.call(Message::new(DEVELOPMENT_ACCOUNTS[0], meter, input.clone())).unwrap();
    let measured = alloy::primitives::U256::from_be_slice(&execution.output).to::<u64>();
    // From the first GAS to the second: 4 pushes (3 each), CALLDATASIZE and GAS (2 each), the call's 100 (EIP-2929,
    // warm), POP and the second GAS (2 each).
    measured - (4 * 3 + 2 * 2 + 100 + 2 + 2)
}

fn answers_as_the_vectors_say(file: &str, precompile: Address) {
    for vector in vectors(file) {
        let execution = run(precompile, bytes(&vector, "Input"));
        assert!(execution.is_success(), "{}", vector["Name"]);
        assert_eq!(execution.output, bytes(&vector, "Expected"), "{}", vector["Name"]);
        assert_eq!(gas(precompile, &bytes(&vector, "Input")), vector["Gas"].as_u64().unwrap(), "{}", vector["Name"]);
    }
}

fn fails_as_the_vectors_say(file: &str, precompile: Address) {
    for vector in vectors(file) {
        assert!(!run(precompile, bytes(&vector, "Input")).is_success(), "{}", vector["Name"]);
    }
}

#[test]
fn g1_addition() {
    answers_as_the_vectors_say("add_G1_bls.json", G1_ADD);
    fails_as_the_vectors_say("fail-add_G1_bls.json", G1_ADD);
}

#[test]
fn g1_multiplication() {
    answers_as_the_vectors_say("msm_G1_bls.json", G1_MSM);
    fails_as_the_vectors_say("fail-msm_G1_bls.json", G1_MSM);
}

#[test]
fn g2_addition() {
    answers_as_the_vectors_say("add_G2_bls.json", G2_ADD);
    fails_as_the_vectors_say("fail-add_G2_bls.json", G2_ADD);
}

/// 2·P by multiplication equals P + P by addition, which the vectors cover.
#[test]
fn g2_multiplication() {
    let doubling = vectors("add_G2_bls.json")
        .into_iter()
        .find(|vector| {
            let input = bytes(vector, "Input");
            input[..256] == input[256..] && input[..256].iter().any(|byte| *byte != 0)
        })
        .expect("a vector that adds a point to itself");
    let mut input = bytes(&doubling, "Input")[..256].to_vec();
    input.extend([0; 31]);
    input.push(2);
    assert_eq!(run(G2_MSM, input.into()).output, bytes(&doubling, "Expected"));
    assert!(!run(G2_MSM, Bytes::new()).is_success());
}

#[test]
fn pairing_check() {
    answers_as_the_vectors_say("pairing_check_bls.json", PAIRING_CHECK);
    fails_as_the_vectors_say("fail-pairing_check_bls.json", PAIRING_CHECK);
}

#[test]
fn map_to_g1() {
    answers_as_the_vectors_say("map_fp_to_G1_bls.json", MAP_FP_TO_G1);
    fails_as_the_vectors_say("fail-map_fp_to_G1_bls.json", MAP_FP_TO_G1);
}

/// The image lies in G2: the pairing, which checks the subgroup, accepts it.
#[test]
fn map_to_g2() {
    let element = [[0; 63].as_slice(), &[5], &[0; 63], &[7]].concat();
    let image = run(MAP_FP2_TO_G2, element.into()).output;
    assert_eq!(image.len(), 256);
    assert!(image.iter().any(|byte| *byte != 0));
    let pair = [&[0; 128][..], &image].concat();
    let one = [[0; 31].as_slice(), &[1]].concat();
    assert_eq!(run(PAIRING_CHECK, pair.into()).output, one);
    assert!(!run(MAP_FP2_TO_G2, Bytes::from(vec![0; 127])).is_success());
}

/// EIP-7883: at least 500 gas, where EIP-2565 asked 200.
#[test]
fn modexp_has_osakas_price() {
    let modexp = address!("0000000000000000000000000000000000000005");
    let one_by_one = [[0; 31].as_slice(), &[1], &[0; 31], &[1], &[0; 31], &[1], &[3, 2, 5]].concat();
    assert_eq!(run(modexp, one_by_one.clone().into()).output.as_ref(), [4]);
    assert_eq!(gas(modexp, &one_by_one.into()), 500);
}
