//! What verification allocates, counted.

#![allow(unsafe_code, reason = "an allocator cannot be written without")]
#![cfg(feature = "blst")]

mod fixture;

use assent_verifier::{append_trailing, verify, verify_trailing};
use fixture::Fixture;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, which counts what the current thread asks of it.
struct Counting;

thread_local! {
    static COUNTED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

// SAFETY: every call goes on to the system's allocator as it came. The counter is without a destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (count, bytes) = COUNTED.get();
        COUNTED.set((count + 1, bytes + layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often something allocates, and how many bytes in all.
fn allocations<T>(work: impl FnOnce() -> T) -> (usize, usize) {
    let (count, bytes) = COUNTED.get();
    let result = work();
    let (count_after, bytes_after) = COUNTED.get();
    drop(result);
    (count_after - count, bytes_after - bytes)
}

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
        let verified = || verify(&fixture.context, &fixture.intent, &authorization).unwrap();
        assert_eq!(allocations(verified), (0, 0), "{:?}", fixture.absent);
        drop(shared);

        fixture.context.timestamp += 3600;
        assert_eq!(allocations(|| verify(&fixture.context, &fixture.intent, &authorization).unwrap_err()), (0, 0));
    }
}

#[test]
fn verification_of_a_trailing_call_allocates_the_copy_of_the_calldata_that_the_result_holds() {
    let mut fixture = Fixture::with_operators(20);
    fixture.intent.to = fixture.context.policy_client;
    let calldata = append_trailing(&fixture.intent.data, &fixture.authorization()).unwrap();
    let value = fixture.intent.value;
    let (count, bytes) = allocations(|| verify_trailing(&fixture.context, value, &calldata).unwrap());
    assert_eq!((count, bytes), (1, fixture.intent.data.len()));
    let mut altered = calldata.clone();
    altered[0] ^= 1;
    assert_eq!(allocations(|| verify_trailing(&fixture.context, value, &altered).unwrap_err()), (0, 0));
}
