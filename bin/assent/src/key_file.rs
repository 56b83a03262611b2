//! Key files: encrypted keystores and unencrypted keys.

use crate::{input, output};
use anyhow::{Context, Result, anyhow, bail};
use assent_signer::{KeyFileError, Keystore, SecretKey};
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
        let key = SecretKey::read_unencrypted(path).map_err(|error| {
            let path = path.display();
            let what = match error {
                KeyFileError::OpenToOthers { .. } => format!("key file {path}"),
                _ => format!("{path} is neither a keystore nor an unencrypted key"),
            };
            anyhow::Error::new(error).context(what)
        })?;
        Ok(Self::Unencrypted(key))
    }

    /// Returns the public key, without the password; `None` for a keystore without `pubkey`.
    pub fn public_key(&self) -> Option<PublicKey> {
        match self {
            Self::Encrypted(keystore) => keystore.public_key(),
            Self::Unencrypted(key) => Some(key.public_key()),
        }
    }

    /// Decrypts a keystore without `pubkey`, whose public key is not known otherwise.
    pub fn with_public_key(self, path: &Path, password_file: Option<&Path>) -> Result<(Self, PublicKey)> {
        if let Some(public_key) = self.public_key() {
            return Ok((self, public_key));
        }
        let key = self.open(path, password_file)?;
        let public_key = key.public_key();
        Ok((Self::Unencrypted(key), public_key))
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
    let contents = input::read_secret("password file", path, LONGEST_FILE)?;
    let text = str::from_utf8(&contents).map_err(|_| anyhow!("password file {} is not UTF-8 text", path.display()))?;
    let password = text.strip_suffix('\n').unwrap_or(text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    // Each of these would silently become part of the password, or be removed from it.
    if password.starts_with('\u{feff}') {
        bail!("password file {} begins with a byte order mark; save it as UTF-8 without one", path.display());
    }
    if password.contains(['\n', '\r']) {
        bail!("password file {} has more than one line; write only the password, on one line", path.display());
    }
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
