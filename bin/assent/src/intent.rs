//! `assent intent`: prints the intent of a call, for operators to attest.

use crate::{ExitStatus, arguments, input, inspect::LONGEST_CALLDATA, output::Output};
use alloy_primitives::{Address, U256};
use anyhow::Result;
use assent_verifier::Intent;
use clap::Args;

/// The options of `assent intent`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent intent --from $AGENT --to $VAULT --chain-id 1 --data 0x12345678 > intent.json
  assent intent --from $AGENT --to $VAULT --chain-id 1 \\
      --data $(cast calldata 'pay(address,address,uint256)' $TOKEN $RECIPIENT 250) > intent.json

The JSON is the input of `assent attest --intent`, `assent verify --intent` and `assent send --intent`. The data is the
ordinary calldata, without an authorization; `cast` is part of Foundry.")]
pub struct Arguments {
    /// The account that will call.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    from: Address,
    /// The contract that will be called.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    to: Address,
    /// The value in wei.
    #[arg(long, value_name = "WEI", default_value = "0", value_parser = arguments::whole_number)]
    value: U256,
    /// The calldata as hex, @FILE for a file that contains hex, or - for standard input.
    #[arg(long, value_name = "HEX|@FILE|-")]
    data: String,
    /// The chain on which it will be called.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::whole_number)]
    chain_id: U256,
}

/// Runs `assent intent`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let Arguments { from, to, value, data, chain_id } = arguments;
    let data = input::read_hex("calldata", &data, LONGEST_CALLDATA)?.into();
    let intent = Intent { from, to, value, data, chainId: chain_id };
    output.result(serde_json::to_string_pretty(&intent)?, &intent)?;
    Ok(ExitStatus::Success)
}
