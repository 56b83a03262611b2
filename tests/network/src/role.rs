//! What this program runs as.

use std::{env, process::ExitCode};

use crate::{process::ROLE, speed};

/// Runs as another program, if the variable says so.
pub(crate) fn role() -> Option<ExitCode> {
    match env::var(ROLE).ok()?.as_str() {
        "operator" => Some(assent_operator::main()),
        "operator-with-local-web" => Some(speed::operator_with_local_web()),
        "gateway" => Some(assent_gateway::main()),
        other => {
            eprintln!("error: {ROLE} is {other}, not operator or gateway");
            Some(ExitCode::FAILURE)
        }
    }
}
