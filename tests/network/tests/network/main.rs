//! Operators' processes and gateways' processes decide what callers ask over JSON-RPC, on a real anvil.

mod decisions;
mod faults;
mod node_proxy;
mod rounds;
mod tls;

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Returns the program that runs as operator and gateway.
fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_network-harness"))
}

/// Has one test at a time run its processes.
fn by_itself() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::new(());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
