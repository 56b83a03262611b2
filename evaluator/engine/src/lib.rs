//! Decides policies: the evaluator without the machine that it runs on.
//!
//! [`evaluate`] reads the four regions of docs/policy-reference.md and returns the content of the result region. It
//! knows nothing else: no clock, no random numbers, no world. Everything that cannot be decided is denied, with the
//! reason.
//!
//! What it cannot survive (too much memory, recursion without end, a panic) ends in a trap of the machine, which is a
//! denial too. Therefore it must not evaluate foreign rules outside of the machine.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

extern crate alloc;

mod abi;
mod builtins;
mod calendar;
mod decide;
mod documents;
mod eip712;
mod exact;
mod glob;
mod input;
mod observations;
mod reason;
mod rego;
mod rules;
mod scan;
mod trial;

pub use decide::evaluate;
pub use documents::Regions;
