//! The decision network's programs as processes on a real chain: what they bear, and how fast they are.
//!
//! The package has one program, `network-harness`. It checks and measures, and it is the processes, too: a variable
//! says whether it runs as `assent-operator` or `assent-gateway`, whose `main` it calls.

mod check;
mod command_line;
pub mod network;
pub mod process;
pub mod random;
mod role;
pub mod rpc;
mod soak;
mod speed;
pub mod world;

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    role::role().unwrap_or_else(command_line::run)
}
