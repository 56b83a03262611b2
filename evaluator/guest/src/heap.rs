//! The allocator: a list of free blocks for each size.
//!
//! Sizes are rounded up to a class: multiples of 16 bytes up to 1 KiB, then powers of two.
//! A freed block is the first of its class to be used again.
//! Blocks are not split or joined: the memory is gone when the program ends.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    ptr::null_mut,
};

const STEP: usize = 16;
const SMALL: usize = 1024;
const SMALL_CLASSES: usize = SMALL / STEP;
/// Classes of 2 KiB, 4 KiB and so on up to 32 MiB.
const CLASSES: usize = SMALL_CLASSES + 15;
/// The end of the heap: the result region.
const END: usize = 0x03ff_0000;

unsafe extern "C" {
    /// The first address behind the program's variables, from the link script.
    static heap_start: u8;
}

struct Lists {
    /// The first free block of each class. Its first word is the address of the next one.
    free: [*mut u8; CLASSES],
    /// The first address that was never used; 0 before the first allocation.
    unused: usize,
}

/// The program's heap.
pub struct Heap(UnsafeCell<Lists>);

// SAFETY: there is one thread, and no interrupt.
unsafe impl Sync for Heap {}

impl Heap {
    /// Returns a heap that nothing was allocated from.
    pub const fn new() -> Self {
        Self(UnsafeCell::new(Lists { free: [null_mut(); CLASSES], unused: 0 }))
    }
}

/// Returns the class of a size, and the size of its blocks.
#[inline(always)]
fn class(size: usize) -> (usize, usize) {
    if size <= SMALL {
        let class = size.saturating_sub(1) / STEP;
        return (class, (class + 1) * STEP);
    }
    // 1025 to 2048 bytes are the first of the larger classes.
    let log = (usize::BITS - (size - 1).leading_zeros()) as usize;
    (SMALL_CLASSES + log - 11, 1 << log)
}

// SAFETY: a block is handed out once until it is freed, is as large as its class, and aligned to 16 bytes. Nothing asks
// for more alignment; if something did, it would get no memory.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > 1 << 25 || layout.align() > STEP {
            return null_mut();
        }
        let (class, size) = class(layout.size());
        // SAFETY: see `Sync`; the references do not leave this function.
        let lists = unsafe { &mut *self.0.get() };
        let Some(free) = lists.free.get_mut(class) else { return null_mut() };
        if !free.is_null() {
            let block = *free;
            // SAFETY: a free block holds the address of the next one.
            *free = unsafe { *block.cast::<*mut u8>() };
            return block;
        }
        if lists.unused == 0 {
            lists.unused = (&raw const heap_start) as usize;
        }
        let block = lists.unused;
        if END - block < size {
            return null_mut();
        }
        lists.unused = block + size;
        block as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (class, _) = class(layout.size());
        // SAFETY: see `Sync`; the references do not leave this function.
        let lists = unsafe { &mut *self.0.get() };
        if let Some(free) = lists.free.get_mut(class) {
            // SAFETY: the block is not used any more, and has room for an address.
            unsafe { *block.cast::<*mut u8>() = *free };
            *free = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if new_size <= 1 << 25 && class(layout.size()).0 == class(new_size).0 {
            return block;
        }
        // SAFETY: the caller guarantees that the new size is valid for the alignment, and the block for its layout.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                block.copy_to_nonoverlapping(new, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}
