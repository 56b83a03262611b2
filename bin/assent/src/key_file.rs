//! Key files: encrypted keystores and unencrypted keys.

use crate::{input, output};
use anyhow::{Context, Result, bail};
use assent_secret_files::{LONGEST_KEY_FILE, parse_password};
use assent_signer::SecretKey;
use assent_verifier::PublicKey;
use std::{
    io::{self, IsTerminal},
    path::Path,
};
use zeroize::Zeroizing;

/// A key file, not yet decrypted.
pub struct KeyFile(assent_secret_files::KeyFile);

impl KeyFile {
    /// Reads a file of either kind. A keystore begins with a brace.
    pub fn read(path: &Path) -> Result<Self> {
        let contents = Zeroizing::new(input::read_file("key file", path, LONGEST_KEY_FILE)?);
        Ok(Self(assent_secret_files::KeyFile::parse(&contents, path)?))
    }

    /// Returns the public key, without the password; `None` for a keystore without `pubkey`.
    pub fn public_key(&self) -> Option<PublicKey> {
        self.0.public_key()
    }

    /// Decrypts a keystore without `pubkey`, whose public key is not known otherwise.
    pub fn with_public_key(self, path: &Path, password_file: Option<&Path>) -> Result<(Self, PublicKey)> {
        if let Some(public_key) = self.public_key() {
            return Ok((self, public_key));
        }
        let key = self.open(path, password_file)?;
        let public_key = key.public_key();
        Ok((Self(assent_secret_files::KeyFile::Unencrypted(key)), public_key))
    }

    /// Returns the secret key. A keystore's password is read from the file, or asked for.
    pub fn open(self, path: &Path, password_file: Option<&Path>) -> Result<SecretKey> {
        let mut spinner = None;
        let key = self.0.open(path, || -> Result<_> {
            let password = match password_file {
                Some(file) => read_password(file)?,
                None => ask_for_password(&format!("Password of {}: ", path.display()))?,
            };
            spinner = Some(output::spinner(format!("Decrypting {}", path.display())));
            Ok(password)
        });
        drop(spinner);
        key
    }
}

/// Reads the password in a file, without the line end.
pub fn read_password(path: &Path) -> Result<Zeroizing<String>> {
    let contents = input::read_secret("password file", path, LONGEST_KEY_FILE)?;
    Ok(parse_password(&contents, path)?)
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
