//! What verification allocates, counted.

#![cfg(feature = "blst")]

mod allocator;
mod fixture;

use allocator::allocations;
use assent_verifier::{Call, append_trailing, backend::blst::Blst, verify_with_report_using};
use fixture::Fixture;

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| vec![0u8; 1000]), (1, 1000));
    assert_eq!(allocations(|| 1 + 1), (0, 0));
}

#[test]
fn verification_allocates_nothing_since_the_result_shares_the_intents_data() {
    for absent in [vec![], vec![3], vec![0, 5, 7]] {
        let mut fixture = Fixture { absent, ..Fixture::with_operators(20) };
        // Data that nothing shares yet gets its counter when the first clone of it is made.
        let shared = fixture.intent.data.clone();
        let others = [1, 2, 3].map(alloy_primitives::B256::with_last_byte);
        let authorization = fixture.document_in_batch(&others, 1).authorization().unwrap().encode();
        let call = Call::Explicit { intent: &fixture.intent, authorization: &authorization };
        fixture.context.epochs[0].operators.prepare::<Blst>();
        let verified = || verify_with_report_using::<Blst, _>(&fixture.context, call).into_result().unwrap();
        assert_eq!(allocations(verified), (0, 0), "{:?}", fixture.absent);
        drop(shared);

        fixture.context.timestamp += 3600;
        let refused = || verify_with_report_using::<Blst, _>(&fixture.context, call).into_result().unwrap_err();
        assert_eq!(allocations(refused), (0, 0));
    }
}

#[test]
fn verification_of_a_trailing_call_allocates_the_copy_of_the_calldata_that_the_result_holds() {
    let mut fixture = Fixture::with_operators(20);
    fixture.intent.to = fixture.context.policy_client;
    let calldata = append_trailing(&fixture.intent.data, &fixture.authorization()).unwrap();
    let value = fixture.intent.value;
    fixture.context.epochs[0].operators.prepare::<Blst>();
    let verify = |calldata| {
        verify_with_report_using::<Blst, _>(&fixture.context, Call::Trailing { value, calldata }).into_result()
    };
    let (count, bytes) = allocations(|| verify(&calldata).unwrap());
    assert_eq!((count, bytes), (1, fixture.intent.data.len()));
    let mut altered = calldata.clone();
    altered[0] ^= 1;
    assert_eq!(allocations(|| verify(&altered).unwrap_err()), (0, 0));
}
