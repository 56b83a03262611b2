//! Tests of the journal in this process. `tests/processes.rs` has those that kill another one.

mod damage;
mod holding;
mod interchange;
mod opening;
mod pruning;
mod remote;
mod setup;
mod signing;

#[allow(dead_code, reason = "shared with examples and benchmarks")]
#[path = "../../doc/statements.rs"]
mod statements;
