//! Strict JSON with exact integers, and its canonical form (RFC 8785).
//!
//! Evidence and policies are hashed, and read by programs in several languages. [`parse`] therefore refuses text that
//! two readers could understand differently, and [`parse_canonical`] all but one spelling of each value:
//!
//! - An object's keys differ, after escapes are resolved.
//! - A string is Unicode text: lone surrogates are refused.
//! - A number is an integer of at most 2^53 − 1 in magnitude, without fraction or exponent. Every reader holds it
//!   exactly. Larger integers are decimal strings, whose meaning a schema states.
//! - Arrays and objects nest at most [`MAX_DEPTH`] deep, so that no text exhausts the stack.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod error;
mod parse;
mod value;
mod write;

pub use error::{ErrorKind, MAX_DEPTH, ParseError};
pub use parse::{parse, parse_canonical};
pub use value::{MAX_INTEGER, Object, OutOfRange, SafeInteger, Value};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
