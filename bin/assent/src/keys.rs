//! `assent keys`: operators' keys.

use crate::{
    ExitStatus, arguments,
    key_file::{self, KeyFile},
    output::{self, Output},
};
use alloy_primitives::{Address, U256};
use anyhow::{Context, Result};
use assent_signer::{KeyDerivation, Keystore, SecretKey};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The end of `assent keys --help`.
pub const EXAMPLES: &str = "\
Examples:
  assent keys new --out operator.json
  assent keys show operator.json";

/// The subcommands of `assent keys`.
#[derive(Subcommand)]
pub enum Command {
    /// Generate a key and write it to a new file.
    New(NewArguments),
    /// Show the public key of a key file, and with --operator its proof of possession.
    Show(ShowArguments),
}

/// The options of `assent keys new`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent keys new --out operator.json
  assent keys new --out operator.json --password-file password.txt
  assent keys new --out trial.key --unencrypted

Only the file's owner can read it, and an existing file is never overwritten. An encrypted file is an EIP-2335
keystore.")]
pub struct NewArguments {
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Read the password from a file instead of asking for it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Write the secret key unencrypted. Anyone who can read the file can sign as the operator: only for trials.
    #[arg(long, conflicts_with = "password_file")]
    unencrypted: bool,
}

/// The options of `assent keys show`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent keys show operator.json
  assent keys show operator.json --password-file password.txt --chain-id 1 \\
      --operator $OPERATOR --registry $REGISTRY

OperatorRegistry.registerOperator takes the public key and the proof of possession, which is valid only for that
operator, registry and chain. `assent operator register` makes it itself.")]
pub struct ShowArguments {
    /// The key file.
    file: PathBuf,
    /// The operator's address, for a proof of possession.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address, requires_all = ["registry", "chain_id"])]
    operator: Option<Address>,
    /// The OperatorRegistry, for a proof of possession.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address, requires = "operator")]
    registry: Option<Address>,
    /// The registry's chain, for a proof of possession.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::whole_number, requires = "operator")]
    chain_id: Option<U256>,
    /// Read the password from a file instead of asking for it. Only a proof of possession needs it, and a keystore
    /// without `pubkey`.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Runs `assent keys`.
pub fn run(command: Command, output: Output) -> Result<ExitStatus> {
    match command {
        Command::New(arguments) => new(&arguments, output),
        Command::Show(arguments) => show(&arguments, output),
    }
}

fn new(arguments: &NewArguments, output: Output) -> Result<ExitStatus> {
    let NewArguments { out, password_file, unencrypted } = arguments;
    let key = SecretKey::generate()?;
    if *unencrypted {
        key.write_unencrypted(out).with_context(|| cannot_write(out))?;
        output::remark(format_args!(
            "warning: {} is not encrypted: anyone who can read it can sign as you",
            out.display()
        ));
    } else {
        let password = match password_file {
            Some(file) => key_file::read_password(file)?,
            None => key_file::choose_password()?,
        };
        let _spinner = output::spinner("Encrypting the key");
        let keystore = Keystore::encrypt(&key, &password, KeyDerivation::default())?;
        keystore.write(out).with_context(|| cannot_write(out))?;
    }
    let public_key = key.public_key();
    output.result(
        format_args!("{} has the secret key of public key\n{public_key}", out.display()),
        &json!({ "file": out, "encrypted": !unencrypted, "publicKey": public_key }),
    )?;
    Ok(ExitStatus::Success)
}

fn show(arguments: &ShowArguments, output: Output) -> Result<ExitStatus> {
    let password_file = arguments.password_file.as_deref();
    let (file, public_key) = KeyFile::read(&arguments.file)?.with_public_key(&arguments.file, password_file)?;
    let (Some(operator), Some(registry), Some(chain_id)) = (arguments.operator, arguments.registry, arguments.chain_id)
    else {
        output.result(format_args!("public key\n{public_key}"), &json!({ "publicKey": public_key }))?;
        return Ok(ExitStatus::Success);
    };
    let key = file.open(&arguments.file, password_file)?;
    let proof = key.prove_possession(operator, chain_id, registry);
    output.result(
        format_args!(
            "public key\n{public_key}\n\nproof of possession of operator {operator} for registry {registry} on chain \
             {chain_id}\n{proof}"
        ),
        &json!({
            "publicKey": public_key,
            "proofOfPossession": proof,
            "operator": operator,
            "registry": registry,
            "chainId": chain_id.to_string(),
        }),
    )?;
    Ok(ExitStatus::Success)
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write key file {} (an existing file is never overwritten)", path.display())
}
