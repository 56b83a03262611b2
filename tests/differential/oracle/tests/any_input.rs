//! No request makes the oracle panic, whatever it asks.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolCall;
use assent_oracle::{
    Failure,
    IVerifierOracle::{
        Case, OperatorTables, hashToCurveCall, hashesCall, parseCall, proofOfPossessionDigestCall, verifyCall,
    },
    answer,
};
use proptest::{collection::vec, prelude::*};

const SELECTORS: [[u8; 4]; 5] = [
    hashToCurveCall::SELECTOR,
    hashesCall::SELECTOR,
    proofOfPossessionDigestCall::SELECTOR,
    parseCall::SELECTOR,
    verifyCall::SELECTOR,
];

/// Small multiples of a word's length, as offsets are, and any number.
fn word() -> impl Strategy<Value = U256> {
    let offset = (0..20u64).prop_map(|word| U256::from(word * 32));
    prop_oneof![4 => offset, 1 => any::<[u64; 4]>().prop_map(U256::from_limbs)]
}

proptest! {
    #[test]
    fn random_requests_get_an_answer_or_a_failure(request in vec(any::<u8>(), 0..400)) {
        let _ = answer(&request);
    }

    /// Words that are mostly small numbers, which as offsets and lengths lead into the request and just out of it.
    #[test]
    fn requests_of_every_function_get_an_answer_or_a_failure(
        selector in prop::sample::select(SELECTORS.to_vec()),
        words in vec(word(), 0..30),
    ) {
        let words: Vec<u8> = words.iter().flat_map(U256::to_be_bytes::<32>).collect();
        let _ = answer(&[&selector[..], &words].concat());
    }

    #[test]
    fn random_operator_tables_are_a_failure(
        head in vec(any::<u8>(), 0..500),
        earlier in vec(vec(any::<u8>(), 0..300), 0..3),
    ) {
        let earlier = earlier.into_iter().map(Bytes::from).collect();
        let call = verifyCall { tables: vec![OperatorTables { head: head.into(), earlier }], cases: vec![] };
        let failed = matches!(answer(&call.abi_encode()), Err(Failure::OperatorTables { index: 0, .. }));
        prop_assert!(failed);
    }
}

#[test]
fn a_case_that_does_not_decode_is_a_failure_and_no_verdict() {
    let call = verifyCall { tables: vec![], cases: vec![Case::default()] };
    assert!(matches!(answer(&call.abi_encode()), Err(Failure::Undecodable(_))));
}

#[test]
fn a_key_of_the_wrong_length_is_a_failure() {
    let call = proofOfPossessionDigestCall { publicKey: vec![0; 191].into(), ..Default::default() };
    let expected = Failure::Length { argument: "publicKey", length: 191, expected: 192 };
    assert_eq!(answer(&call.abi_encode()), Err(expected));
}
