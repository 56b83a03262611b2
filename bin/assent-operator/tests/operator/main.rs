//! The operator's process against a real anvil and a gateway over a real WebSocket.

mod configuration;
mod crashes;
mod deployment;
mod disk;
mod fixture;
mod gateway;
mod process;
mod refusals;
mod signing;
