//! Key files: encrypted keystores and unencrypted keys.

use crate::{input, output};
use anyhow::{Context, Result, anyhow, bail};
use assent_signer::{Keystore, SecretKey};
use assent_verifier::PublicKey;
use std::{
    io::{self, IsTerminal},
    path::Path,
};
use zeroize::Zeroizing;

/// The maximum length of a key file or password file, in bytes.
const LONGEST_FILE: u64 = 64 * 1024;

/// A key file, not yet decrypted.
pub enum KeyFile {
    /// A keystore, which needs a password.
    Encrypted(Box<Keystore>),
    /// An unencrypted key.
    Unencrypted(SecretKey),
}

impl KeyFile {
    /// Reads a file of either kind. A keystore begins with a brace.
    pub fn read(path: &Path) -> Result<Self> {
        let contents = Zeroizing::new(input::read_file("key file", path, LONGEST_FILE)?);
        if contents.trim_ascii_start().first() == Some(&b'{') {
            let text = str::from_utf8(&contents)
                .map_err(|_| anyhow!("key file {} is not text; `assent keys new` makes a key file", path.display()))?;
            let keystore = Keystore::from_json(text).with_context(|| format!("key file {}", path.display()))?;
            return Ok(Self::Encrypted(Box::new(keystore)));
        }
        let key = SecretKey::read_unencrypted(path)
            .with_context(|| format!("{} is neither a keystore nor an unencrypted key", path.display()))?;
        Ok(Self::Unencrypted(key))
    }

    /// Returns the public key, without the password.
    pub fn public_key(&self) -> PublicKey {
        match self {
            Self::Encrypted(keystore) => keystore.public_key(),
            Self::Unencrypted(key) => key.public_key(),
        }
    }

    /// Returns the secret key. A keystore's password is read from the file, or asked for.
    pub fn open(self, path: &Path, password_file: Option<&Path>) -> Result<SecretKey> {
        let keystore = match self {
            Self::Unencrypted(key) => return Ok(key),
            Self::Encrypted(keystore) => keystore,
        };
        let password = match password_file {
            Some(file) => read_password(file)?,
            None => ask_for_password(&format!("Password of {}: ", path.display()))?,
        };
        let _spinner = output::spinner(format!("Decrypting {}", path.display()));
        keystore.decrypt(&password).with_context(|| format!("key file {}", path.display()))
    }
}

/// Reads the password in a file, without the line end.
pub fn read_password(path: &Path) -> Result<Zeroizing<String>> {
    let contents = Zeroizing::new(input::read_file("password file", path, LONGEST_FILE)?);
    let text = str::from_utf8(&contents).map_err(|_| anyhow!("password file {} is not UTF-8 text", path.display()))?;
    let password = text.strip_suffix('\n').unwrap_or(text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        bail!("password file {} is empty; write the password on its first line", path.display());
    }
    Ok(Zeroizing::new(password.to_owned()))
}

/// Asks twice for a new key's password.
pub fn choose_password() -> Result<Zeroizing<String>> {
    let password = ask_for_password("New password: ")?;
    if *password != *ask_for_password("Repeat the password: ")? {
        bail!("the two passwords differ; nothing was written: run the command again");
    }
    Ok(password)
}

fn ask_for_password(question: &str) -> Result<Zeroizing<String>> {
    if !io::stdin().is_terminal() {
        bail!("a password is needed and there is no terminal to ask on; give --password-file FILE");
    }
    let password = rpassword::prompt_password(question).context("cannot read the password")?;
    Ok(Zeroizing::new(password))
}
