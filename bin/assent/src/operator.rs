//! `assent operator`: an operator's own transactions with a registry.

use crate::{
    ExitStatus,
    account::Account,
    arguments,
    connection::Node,
    key_file::KeyFile,
    output::{Output, short_address, shortened},
};
use alloy_primitives::{Address, U256};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// What `assent operator --help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  assent operator register --registry $REGISTRY --key operator.json --private-key-file account.key
  assent operator rotate --registry $REGISTRY --key new-operator.json --private-key-file account.key
  assent operator deregister --registry $REGISTRY --private-key-file account.key

The account that sends is the operator. The node is the one in the environment variable ETH_RPC_URL here.";

/// The subcommands of `assent operator`.
#[derive(Subcommand)]
pub enum Command {
    /// Register the sending account as an operator with its key.
    Register(KeyArguments),
    /// Replace the operator's key, in the epochs to come.
    Rotate(KeyArguments),
    /// Take the operator out of the registry, and out of the epochs to come.
    Deregister(DeregisterArguments),
}

/// The options of `assent operator register` and `assent operator rotate`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator register --registry $REGISTRY --key operator.json --private-key-file account.key
  assent operator rotate --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --key new-operator.json --account $OPERATOR \\
      --password-file password.txt

The key's proof of possession is made here, for this operator, registry and chain, and sent along; the secret key stays
here. Until the registry's owner commits the next epoch, the key counts for nothing: see `assent epoch commit`.")]
pub struct KeyArguments {
    #[command(flatten)]
    place: Place,
    /// The operator's key file, encrypted or not, as `assent keys new` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Take the key file's password from a file instead of asking for it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// The options of `assent operator deregister`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator deregister --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --private-key-file account.key

Epochs that are committed already still count the operator's key: have the registry's owner commit another.")]
pub struct DeregisterArguments {
    #[command(flatten)]
    place: Place,
}

/// Which registry, and which operator.
#[derive(Args)]
struct Place {
    #[command(flatten)]
    node: Node,
    /// The OperatorRegistry.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    registry: Address,
    #[command(flatten)]
    operator: Account,
}

/// Which way a key comes into the registry.
#[derive(Clone, Copy)]
enum Entry {
    Registered,
    Rotated,
}

/// Runs `assent operator`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Register(arguments) => hand_in_key(&arguments, Entry::Registered, output),
        Command::Rotate(arguments) => hand_in_key(&arguments, Entry::Rotated, output),
        Command::Deregister(arguments) => deregister(&arguments.place, output),
    }
}

fn hand_in_key(arguments: &KeyArguments, entry: Entry, output: Output) -> Result<ExitStatus> {
    let KeyArguments { place: Place { node, registry, operator }, key, password_file } = arguments;
    let (operator, signer) = operator.open()?;
    let key = KeyFile::read(key)?.open(key, password_file.as_deref())?;
    let public_key = key.public_key();
    let receipt = node.ask("Sending the key", signer, async |client| {
        let chain_id = client.chain_id().await?;
        let proof = key.prove_possession(operator, U256::from(chain_id), *registry);
        match entry {
            Entry::Registered => client.register_operator(*registry, operator, &public_key, &proof).await,
            Entry::Rotated => client.rotate_key(*registry, operator, &public_key, &proof).await,
        }
    })?;
    let done = match entry {
        Entry::Registered => "is registered with",
        Entry::Rotated => "now has",
    };
    output.result(
        format_args!(
            "operator {} {done} the key {}, {} gas",
            short_address(operator),
            shortened(public_key),
            receipt.gas_used
        ),
        &json!({
            "operator": operator,
            "publicKey": public_key,
            "transaction": receipt.transaction_hash,
            "gas": receipt.gas_used,
        }),
    )?;
    Ok(ExitStatus::Success)
}

fn deregister(Place { node, registry, operator }: &Place, output: Output) -> Result<ExitStatus> {
    let (operator, signer) = operator.open()?;
    let receipt =
        node.ask("Deregistering", signer, async |client| client.deregister_operator(*registry, operator).await)?;
    output.result(
        format_args!("operator {} is registered no longer, {} gas", short_address(operator), receipt.gas_used),
        &json!({ "operator": operator, "transaction": receipt.transaction_hash, "gas": receipt.gas_used }),
    )?;
    Ok(ExitStatus::Success)
}
