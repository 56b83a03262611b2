//! Functions that compilers expect: they copy and compare memory by words.
//!
//! The ones that Rust brings along copy one word at a time and compare each byte. Copying is a sixth of all steps.

use core::arch::global_asm;

// `memcpy(a0: to, a1: from, a2: length)`, in assembly since compilers turn a loop that copies into a call of memcpy.
//
// If both addresses are multiples of 4, eight words at a time. Otherwise the target is aligned first, and words are
// shifted together if the source is not aligned then. Every word that is read has a byte to copy, so that no read
// leaves the memory of the source.
global_asm!(
    ".globl memcpy",
    "memcpy:",
    "mv a3, a0",
    "or a4, a0, a1",
    "andi a4, a4, 3",
    "bnez a4, 50f",
    "10: li a5, 32",
    "bltu a2, a5, 30f",
    "20: lw t0, 0(a1)",
    "lw t1, 4(a1)",
    "lw t2, 8(a1)",
    "lw t3, 12(a1)",
    "lw t4, 16(a1)",
    "lw t5, 20(a1)",
    "lw t6, 24(a1)",
    "lw a6, 28(a1)",
    "sw t0, 0(a3)",
    "sw t1, 4(a3)",
    "sw t2, 8(a3)",
    "sw t3, 12(a3)",
    "sw t4, 16(a3)",
    "sw t5, 20(a3)",
    "sw t6, 24(a3)",
    "sw a6, 28(a3)",
    "addi a1, a1, 32",
    "addi a3, a3, 32",
    "addi a2, a2, -32",
    "bgeu a2, a5, 20b",
    "30: li a5, 8",
    "bltu a2, a5, 34f",
    "32: lw t0, 0(a1)",
    "lw t1, 4(a1)",
    "sw t0, 0(a3)",
    "sw t1, 4(a3)",
    "addi a1, a1, 8",
    "addi a3, a3, 8",
    "addi a2, a2, -8",
    "bgeu a2, a5, 32b",
    "34: li a5, 4",
    "bltu a2, a5, 40f",
    "lw t0, 0(a1)",
    "sw t0, 0(a3)",
    "addi a1, a1, 4",
    "addi a3, a3, 4",
    "addi a2, a2, -4",
    // Byte by byte.
    "40: beqz a2, 44f",
    "42: lbu t0, 0(a1)",
    "sb t0, 0(a3)",
    "addi a1, a1, 1",
    "addi a3, a3, 1",
    "addi a2, a2, -1",
    "bnez a2, 42b",
    "44: ret",
    // Not aligned.
    "50: li a5, 12",
    "bltu a2, a5, 40b",
    "52: andi a4, a3, 3",
    "beqz a4, 54f",
    "lbu t0, 0(a1)",
    "sb t0, 0(a3)",
    "addi a1, a1, 1",
    "addi a3, a3, 1",
    "addi a2, a2, -1",
    "j 52b",
    "54: andi a4, a1, 3",
    "beqz a4, 10b",
    "sub a1, a1, a4",
    "slli t3, a4, 3",
    "neg t4, t3",
    "li a5, 4",
    "lw t0, 0(a1)",
    // Shifts use the last five bits, so that −x is 32 − x.
    "56: lw t1, 4(a1)",
    "srl t2, t0, t3",
    "sll t5, t1, t4",
    "or t2, t2, t5",
    "sw t2, 0(a3)",
    "mv t0, t1",
    "addi a1, a1, 4",
    "addi a3, a3, 4",
    "addi a2, a2, -4",
    "bgeu a2, a5, 56b",
    "add a1, a1, a4",
    "j 40b",
);

/// Compares bytes, in the order of their first difference.
///
/// # Safety
///
/// Both pointers must be valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    let mut index = 0;
    // SAFETY: every access is below `length`, and those of words are aligned.
    unsafe {
        if (left as usize | right as usize) & 3 == 0 {
            while index + 4 <= length && *left.add(index).cast::<u32>() == *right.add(index).cast::<u32>() {
                index += 4;
            }
        }
        while index < length {
            let (a, b) = (*left.add(index), *right.add(index));
            if a != b {
                return i32::from(a) - i32::from(b);
            }
            index += 1;
        }
    }
    0
}

/// Compares bytes for equality.
///
/// # Safety
///
/// Both pointers must be valid for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // SAFETY: as the caller guarantees.
    unsafe { memcmp(left, right, length) }
}
