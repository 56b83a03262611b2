//! The gateway with its real server, on a real anvil.

mod config;
mod crash;
mod decisions;
mod json_rpc;
mod limits;
mod openrpc;
mod operator;
mod sockets;
mod world;
