//! The gateway with its real server, on a real anvil.

mod authority;
mod collector;
mod config;
mod crash;
mod decisions;
mod disk;
mod json_rpc;
mod limits;
#[allow(dead_code, reason = "its other users start it again")]
#[path = "../../../../crates/internal/task-log/tests/task_log/nats_server.rs"]
mod nats_server;
mod openrpc;
mod operator;
mod page;
mod rust_client;
mod shared_log;
#[path = "../../../assent-operator/tests/operator/small_disk.rs"]
mod small_disk;
mod sockets;
mod tls;
mod traces;
mod world;
