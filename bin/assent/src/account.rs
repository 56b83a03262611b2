//! The account that pays for a transaction.

use crate::{arguments, input};
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256};
use anyhow::{Result, anyhow, bail};
use clap::Args;
use std::{path::PathBuf, str::FromStr};
use zeroize::Zeroizing;

/// Longest file with a private key, in bytes.
const LONGEST_KEY_FILE: u64 = 128;

/// One of two ways to name the account.
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

impl Account {
    /// The address, and who signs for it unless the node does.
    pub fn open(&self) -> Result<(Address, Option<PrivateKeySigner>)> {
        match (self.account, &self.private_key_file) {
            (Some(account), _) => Ok((account, None)),
            (None, Some(path)) => {
                let text = Zeroizing::new(input::read_file("private key file", path, LONGEST_KEY_FILE)?);
                let key = str::from_utf8(&text).ok().and_then(|text| B256::from_str(text.trim()).ok());
                let signer = key.and_then(|key| PrivateKeySigner::from_bytes(&key).ok());
                let signer = signer.ok_or_else(|| {
                    anyhow!("private key file {} does not hold an account's key as 64 hex digits; write it so, or give --account ADDRESS of \
                     one that the node has unlocked", path.display())
                })?;
                Ok((signer.address(), Some(signer)))
            }
            (None, None) => bail!("give --private-key-file or --account"),
        }
    }
}
