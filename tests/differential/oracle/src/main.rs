//! The program that forge starts: one request in hexadecimal in its arguments, the answer in hexadecimal on standard
//! output. A long request spans several arguments in order, since the system limits the length of each.
//!
//! What has no answer is an exit status other than 0 and a message on standard error, which fails the forge test that
//! asked.

use alloy_primitives::hex;
use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    match respond(std::env::args_os().skip(1).collect()) {
        Ok(answer) => {
            println!("{}", hex::encode_prefixed(answer));
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("assent-oracle: {message}");
            ExitCode::FAILURE
        }
    }
}

fn respond(arguments: Vec<OsString>) -> Result<Vec<u8>, String> {
    if arguments.is_empty() {
        return Err("an argument is needed: a request in hexadecimal, see IVerifierOracle.sol".to_owned());
    }
    let parts = arguments.iter().map(|argument| hex::decode(argument.as_encoded_bytes()));
    let request = parts.collect::<Result<Vec<_>, _>>().map_err(|error| format!("the request is not hex: {error}"))?;
    assent_oracle::answer(&request.concat()).map_err(|failure| failure.to_string())
}
