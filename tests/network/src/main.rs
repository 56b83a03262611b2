//! Runs the decision network's programs, and checks or measures them.

use std::process::ExitCode;

fn main() -> ExitCode {
    assent_network_tests::main()
}
