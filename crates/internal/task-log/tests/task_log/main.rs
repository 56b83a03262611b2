//! Tests of the task logs. `tests/processes.rs` has those that kill another process.

mod conformance;
#[cfg(feature = "nats")]
mod nats_access;
#[cfg(feature = "nats")]
mod nats_cluster;
#[cfg(feature = "nats")]
mod nats_log;
#[cfg(feature = "nats")]
mod nats_server;
mod redb_log;
