//! Tests of the task logs. `tests/processes.rs` has those that kill another process.

mod conformance;
mod redb_log;
