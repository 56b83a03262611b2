//! The decision network without I/O: what operators and gateways say to each other, and how each decides what to do.
//!
//! [`operator::Operator`] and [`gateway::Gateway`] are state machines: an event goes in, actions come out.
//! The time is an argument, and everything that touches the world (chain, sources, disk, keys, sockets) is an action
//! whose result is a later event. The programs around them only carry out actions.
//!
//! `docs/network.md` specifies the messages. A gateway is not trusted: every check that matters is the operators', and
//! contracts verify what a gateway hands out.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod fields;
pub mod gateway;
pub mod message;
mod message_error;
mod observations;
pub mod operator;
mod scheme;
mod task;

pub use scheme::{Bls, ContractCall, Scheme};
pub use task::{Domain, Task};

/// The number of a connection, which the program that holds it chooses and never uses again.
pub type LinkId = u64;
