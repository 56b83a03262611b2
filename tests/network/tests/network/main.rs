//! Operators' processes and a gateway decide what callers ask over JSON-RPC, on a real anvil.

mod decisions;
mod world;
