//! `assent operator`: an operator's transactions with a registry.

mod membership;

use crate::{
    ExitStatus,
    account::Account,
    connection::RegistryNode,
    key_file::KeyFile,
    output::{Output, short_address, shortened},
};
use alloy_primitives::U256;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// The end of `assent operator --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent operator register --registry $REGISTRY --key operator.json --private-key-file account.key
  assent operator rotate --registry $REGISTRY --key new-operator.json --private-key-file account.key
  assent operator join --stake $STAKE --operator-set 1 --allocate 100 --private-key-file account.key
  assent operator join --stake $STAKE --operator-set 1 --vault $VAULT --opt-in --private-key-file account.key
  assent operator leave --stake $STAKE --operator-set 1 --private-key-file account.key
  assent operator deregister --registry $REGISTRY --private-key-file account.key

The sending account is the operator. Here, the environment variable ETH_RPC_URL names the node.";

/// The subcommands of `assent operator`.
#[derive(Subcommand)]
pub enum Command {
    /// Register the sending account as an operator with its key.
    Register(KeyArguments),
    /// Replace the operator's key in later epochs.
    Rotate(KeyArguments),
    /// Disable the operator's key, which may be compromised: later epochs skip the operator until it rotates.
    DisableKey(DisableKeyArguments),
    /// Join an operator set with stake on EigenLayer or Symbiotic.
    Join(membership::JoinArguments),
    /// Leave an operator set with stake on EigenLayer or Symbiotic.
    Leave(membership::LeaveArguments),
    /// Remove the operator from the registry and from later epochs.
    Deregister(DeregisterArguments),
}

/// The options of `assent operator register` and `assent operator rotate`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator register --registry $REGISTRY --key operator.json --private-key-file account.key
  assent operator rotate --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --key new-operator.json \\
      --account $OPERATOR --password-file password.txt

This command makes the key's proof of possession, for this operator, registry and chain, and sends it; the secret
key is not sent. The key has no effect until the registry's owner commits the next epoch: see `assent epoch
commit`.")]
pub struct KeyArguments {
    #[command(flatten)]
    registration: Registration,
    /// The operator's key file, encrypted or not, as `assent keys new` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Read the key file's password from a file instead of asking for it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// The options of `assent operator disable-key`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator disable-key --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --private-key-file account.key

Committed epochs keep the key: ask the registry's owner to revoke them, with `assent epoch revoke --holding`. To return,
rotate to a new key.")]
pub struct DisableKeyArguments {
    #[command(flatten)]
    registration: Registration,
}

/// The options of `assent operator deregister`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent operator deregister --rpc-url http://127.0.0.1:8545 --registry $REGISTRY --private-key-file account.key

Committed epochs keep the operator's key: ask the registry's owner to commit another epoch.")]
pub struct DeregisterArguments {
    #[command(flatten)]
    registration: Registration,
}

/// The registry and the operator.
#[derive(Args)]
struct Registration {
    #[command(flatten)]
    at: RegistryNode,
    #[command(flatten)]
    operator: Account,
}

/// What to do with a key.
#[derive(Clone, Copy)]
enum KeyAction {
    Register,
    Rotate,
}

/// Runs `assent operator`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::Register(arguments) => send_key(&arguments, KeyAction::Register, output),
        Command::Rotate(arguments) => send_key(&arguments, KeyAction::Rotate, output),
        Command::DisableKey(arguments) => disable_key(&arguments.registration, output),
        Command::Join(arguments) => membership::join(&arguments, output),
        Command::Leave(arguments) => membership::leave(&arguments, output),
        Command::Deregister(arguments) => deregister(&arguments.registration, output),
    }
}

fn send_key(arguments: &KeyArguments, action: KeyAction, output: Output) -> Result<ExitStatus> {
    let KeyArguments {
        registration: Registration { at: RegistryNode { node, registry }, operator },
        key,
        password_file,
    } = arguments;
    let (operator, signer) = operator.open()?;
    let key = KeyFile::read(key)?.open(key, password_file.as_deref())?;
    let public_key = key.public_key();
    let receipt = node.ask("Sending the key", signer, async |client| {
        let chain_id = client.chain_id().await?;
        let proof = key.prove_possession(operator, U256::from(chain_id), *registry);
        match action {
            KeyAction::Register => client.register_operator(*registry, operator, &public_key, &proof).await,
            KeyAction::Rotate => client.rotate_key(*registry, operator, &public_key, &proof).await,
        }
    })?;
    let done = match action {
        KeyAction::Register => "is registered with",
        KeyAction::Rotate => "now has",
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

fn disable_key(
    Registration { at: RegistryNode { node, registry }, operator }: &Registration,
    output: Output,
) -> Result<ExitStatus> {
    let (operator, signer) = operator.open()?;
    let receipt =
        node.ask("Disabling the key", signer, async |client| client.disable_key(*registry, operator).await)?;
    output.result(
        format_args!(
            "the key of operator {} is disabled: later epochs skip it, {} gas",
            short_address(operator),
            receipt.gas_used
        ),
        &json!({ "operator": operator, "transaction": receipt.transaction_hash, "gas": receipt.gas_used }),
    )?;
    Ok(ExitStatus::Success)
}

fn deregister(
    Registration { at: RegistryNode { node, registry }, operator }: &Registration,
    output: Output,
) -> Result<ExitStatus> {
    let (operator, signer) = operator.open()?;
    let receipt =
        node.ask("Deregistering", signer, async |client| client.deregister_operator(*registry, operator).await)?;
    output.result(
        format_args!("operator {} is no longer registered, {} gas", short_address(operator), receipt.gas_used),
        &json!({ "operator": operator, "transaction": receipt.transaction_hash, "gas": receipt.gas_used }),
    )?;
    Ok(ExitStatus::Success)
}
