//! Operators' processes and gateways' processes decide what callers ask over JSON-RPC, on a real anvil.

mod alerts;
#[path = "../../../../bin/assent-gateway/tests/gateway/authority.rs"]
mod authority;
mod clocks;
mod decisions;
mod faults;
mod handovers;
mod link;
mod links;
mod namespaces;
mod node_proxy;
mod outstanding;
mod rounds;
mod tls;

use std::path::PathBuf;

use tokio::sync::Mutex;

/// Returns the program that runs as operator and gateway.
fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_network-harness"))
}

/// Held by the test that runs its processes: one at a time.
static RUNNING: Mutex<()> = Mutex::const_new(());
