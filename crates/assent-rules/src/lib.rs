//! What the rules of a policy name: functions of Solidity's ABI, and reductions of observations.
//!
//! - [`Function`] is what a manifest and the rules call a function. [`Function::from_canonical`] reads the rules' form.
//! - [`decode`] gives the arguments of calldata that has exactly one spelling, through an [`ArgumentVisitor`].
//! - [`Reduction`] says how the observations of a source become one value, and makes it.
//! - [`Tolerance`] says how far off that value an operator's own observation may be.
//!
//! The evaluator on the machine and the libraries around it use this crate: a rule of the format is written once.

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

mod decode;
mod encode;
mod error;
mod function;
mod integer;
mod parse;
mod reduction;
mod tolerance;

pub use decode::{ArgumentVisitor, DecodeError, decode};
pub use encode::encode_sequence;
pub use error::SourceKeyError;
pub use function::{AbiType, Function, Parameter};
pub use integer::{IntegerFormat, parse_int, parse_uint, string_format};
pub use parse::FunctionError;
pub use reduction::{Reduction, ReductionError, ReductionRule, WeightedOutput};
pub use tolerance::{BasisPoints, Tolerance, ToleranceError};

/// The bytes of a word of the ABI.
const WORD: usize = 32;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
