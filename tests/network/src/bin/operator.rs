//! `assent-operator`, which cargo builds for the tests of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    assent_operator::main()
}
