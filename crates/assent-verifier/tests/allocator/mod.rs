//! An allocator that counts.

#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, which counts what the current thread asks of it.
struct Counting;

thread_local! {
    static COUNTED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

// SAFETY: every call is passed unchanged to the system's allocator. The counter has no destructor and never allocates.
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
pub fn allocations<T>(work: impl FnOnce() -> T) -> (usize, usize) {
    let (count, bytes) = COUNTED.get();
    let result = work();
    let (count_after, bytes_after) = COUNTED.get();
    drop(result);
    (count_after - count, bytes_after - bytes)
}
