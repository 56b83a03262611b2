//! Runs a gateway of the decision network.

use std::process::ExitCode;

fn main() -> ExitCode {
    assent_gateway::main()
}
