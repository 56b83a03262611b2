//! The operator's process against a real anvil and a gateway over a real WebSocket.

#[path = "../../../assent-gateway/tests/gateway/collector.rs"]
mod collector;
mod configuration;
mod crashes;
mod deployment;
mod disk;
mod fixture;
mod flood;
mod gateway;
mod process;
mod refusals;
mod signing;
mod small_disk;
mod traces;
