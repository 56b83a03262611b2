//! A deterministic machine: an RV32IM interpreter whose memory is a Merkle tree.
//!
//! A program that runs on it has no clock, no random numbers, no floating point and no world. What it answers follows
//! from its image and the regions that were loaded, on every processor alike. It cannot crash or hang its host: it
//! halts, traps, or reaches its step limit. Every state has a hash, and every step a proof that another can verify
//! without the memory. So two parties who disagree about an answer can narrow it down to one step.
//!
//! [`Machine::run`] hashes nothing. [`Machine::state_hash`] and [`Machine::prove_step`] hash what changed since they
//! were asked last.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod instruction;
mod layout;
mod machine;
mod memory;
mod merkle;
mod proof;
mod state;

pub use layout::{MEMORY_END, Region, STACK_TOP, WRITABLE_START};
pub use machine::{ContentTooLong, Image, ImageError, Machine};
pub use merkle::{LEAF_SIZE, TREE_HEIGHT};
pub use proof::{MemoryAccess, StepProof, StepProofError, content_root, hash_state, initial_state_hash};
pub use state::{HALTED, MAX_STEPS, Stop, TRAPPED, Trap};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
