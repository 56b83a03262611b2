//! Runs an operator of the decision network.

use std::process::ExitCode;

fn main() -> ExitCode {
    assent_operator::main()
}
