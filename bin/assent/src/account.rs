//! The account that pays for a transaction.

use crate::{arguments, input};
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256};
use anyhow::{Result, anyhow, bail};
use clap::Args;
use std::{path::PathBuf, str::FromStr};

/// The maximum length of a private key file, in bytes.
const LONGEST_KEY_FILE: u64 = 128;

/// The options that select the account.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Account {
    /// Sign with the account key in a file: 64 hex digits.
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
    /// Have the node sign for this account, which it must have unlocked.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    account: Option<Address>,
}

/// The options that select the account of a command that may send nothing.
#[derive(Args)]
#[group(multiple = false)]
pub struct OptionalAccount {
    /// Sign with the account key in a file: 64 hex digits.
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
    /// Have the node sign for this account, which it must have unlocked.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    account: Option<Address>,
}

impl OptionalAccount {
    /// Returns the address, and its signer unless the node signs.
    pub fn open(&self) -> Result<(Address, Option<PrivateKeySigner>)> {
        let Self { private_key_file, account } = self;
        Account { private_key_file: private_key_file.clone(), account: *account }.open()
    }
}

impl Account {
    /// Returns the address, and its signer unless the node signs.
    pub fn open(&self) -> Result<(Address, Option<PrivateKeySigner>)> {
        match (self.account, &self.private_key_file) {
            (Some(account), _) => Ok((account, None)),
            (None, Some(path)) => {
                let text = input::read_secret("private key file", path, LONGEST_KEY_FILE)?;
                let key = str::from_utf8(&text).ok().and_then(|text| B256::from_str(text.trim()).ok());
                let signer = key.and_then(|key| PrivateKeySigner::from_bytes(&key).ok());
                let signer = signer.ok_or_else(|| {
                    anyhow!(
                        "private key file {} is not an account's key in 64 hex digits; fix the file, or give --account \
                         ADDRESS of an account that the node has unlocked",
                        path.display()
                    )
                })?;
                Ok((signer.address(), Some(signer)))
            }
            (None, None) => bail!("give --private-key-file or --account"),
        }
    }
}
