//! The evaluator as a program for the machine: reads the regions, and writes the result (docs/machine.md).
//!
//! Everything that it needs to run is here: the first instructions, the allocator, and the functions that compare
//! memory. It has no other unsafe code.

#![no_std]
#![no_main]

extern crate alloc;

mod heap;
mod memory;

use assent_evaluator::{Regions, evaluate};
use core::{
    arch::{asm, global_asm},
    panic::PanicInfo,
    slice,
};
use heap::Heap;

const RULES: usize = 0x0040_0000;
const PARAMETERS: usize = 0x0050_0000;
const INPUT: usize = 0x0060_0000;
const DATA: usize = 0x0080_0000;
const RESULT: usize = 0x03ff_0000;
/// The most content bytes of the result region.
const RESULT_CAPACITY: usize = 0xfffc;

// Sets the stack pointer, copies the initial values of variables, runs `main`, and halts.
global_asm!(
    ".section .text.start",
    ".globl _start",
    "_start:",
    "lui sp, 0x1100",
    "la a0, data_start",
    "la a1, data_end",
    "la a2, data_load",
    "1: bgeu a0, a1, 2f",
    "lw a3, 0(a2)",
    "sw a3, 0(a0)",
    "addi a0, a0, 4",
    "addi a2, a2, 4",
    "j 1b",
    "2: call main",
    "ecall",
    "ebreak"
);

#[global_allocator]
static HEAP: Heap = Heap::new();

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: the machine traps here, so that execution does not continue.
    unsafe { asm!("ebreak", options(noreturn)) }
}

/// Returns the content of a region that has a length.
fn content(start: usize) -> &'static [u8] {
    // SAFETY: the machine has memory at every region, and the program writes to none of those that are read.
    // No length that the machine loads exceeds its region.
    unsafe {
        let length = *(start as *const u32);
        slice::from_raw_parts((start + 4) as *const u8, length as usize)
    }
}

#[unsafe(no_mangle)]
extern "C" fn main() {
    let regions =
        Regions { rules: content(RULES), parameters: content(PARAMETERS), input: content(INPUT), data: content(DATA) };
    let result = evaluate(&regions);
    // Longer ones are not returned; if they were, the result would remain empty, which is a denial.
    if result.len() <= RESULT_CAPACITY {
        // SAFETY: the result region is writable memory that nothing else uses, and the content fits.
        unsafe {
            (RESULT as *mut u32).write(result.len() as u32);
            slice::from_raw_parts_mut((RESULT + 4) as *mut u8, result.len()).copy_from_slice(&result);
        }
    }
}
