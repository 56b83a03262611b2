//! Key files: encrypted keystores and unencrypted keys.

use std::path::Path;

use assent_signer::{KeyFileError, Keystore, SecretKey};
use assent_types::PublicKey;

use crate::error::SecretFileError;

/// The longest key file or password file, in bytes.
pub const LONGEST_KEY_FILE: u64 = 64 * 1024;

/// A key file, not yet decrypted.
// Complete: a file is encrypted or it is not.
pub enum KeyFile {
    /// A keystore (EIP-2335), which needs a password.
    Encrypted(Box<Keystore>),
    /// An unencrypted key.
    Unencrypted(SecretKey),
}

impl KeyFile {
    /// Reads a file of either kind. A keystore begins with a brace.
    ///
    /// # Errors
    /// Each variant of [`SecretFileError`] but `Password`.
    pub fn read(path: &Path) -> Result<Self, SecretFileError> {
        let named = || ("key file", path.to_owned());
        let length = std::fs::metadata(path).map_err(|error| SecretFileError::Io { file: named().into(), error })?;
        if length.len() > LONGEST_KEY_FILE {
            return Err(SecretFileError::TooLong { file: named().into(), limit: LONGEST_KEY_FILE });
        }
        let contents = std::fs::read(path).map_err(|error| SecretFileError::Io { file: named().into(), error })?;
        Self::parse(&zeroize::Zeroizing::new(contents), path)
    }

    /// Parses the contents of a file. An unencrypted key is read from the file itself, whose permissions are checked.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(contents: &[u8], path: &Path) -> Result<Self, SecretFileError> {
        if contents.trim_ascii_start().first() == Some(&b'{') {
            let text = str::from_utf8(contents).map_err(|_| SecretFileError::NotText(path.to_owned()))?;
            let keystore = Keystore::from_json(text);
            let keystore = keystore.map_err(|error| SecretFileError::Keystore { path: path.to_owned(), error })?;
            return Ok(Self::Encrypted(Box::new(keystore)));
        }
        let key = SecretKey::read_unencrypted(path).map_err(|error| match error {
            KeyFileError::OpenToOthers { .. } => {
                SecretFileError::OpenToOthers { file: ("key file", path.to_owned()).into(), error }
            }
            error => SecretFileError::NotAKey { path: path.to_owned(), error },
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

    /// Returns the secret key. A keystore's password is asked for.
    ///
    /// # Errors
    /// [`SecretFileError::Keystore`], and that of `password`.
    pub fn open<E: From<SecretFileError>>(
        self,
        path: &Path,
        password: impl FnOnce() -> Result<zeroize::Zeroizing<String>, E>,
    ) -> Result<SecretKey, E> {
        match self {
            Self::Unencrypted(key) => Ok(key),
            Self::Encrypted(keystore) => {
                let key = keystore.decrypt(&password()?);
                Ok(key.map_err(|error| SecretFileError::Keystore { path: path.to_owned(), error })?)
            }
        }
    }
}
