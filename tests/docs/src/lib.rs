//! Tests of the documentation.
//!
//! The doc tests compile the Rust of README.md as pasted; the tests beside them compile its Solidity and check figures,
//! names and links.

/// README.md.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
