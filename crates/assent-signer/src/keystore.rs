//! Encrypted key files: EIP-2335, version 4.

mod format;
mod key_derivation;
mod password;

use std::fs::File;
use std::io;
use std::path::Path;

use aes::Aes128;
use assent_verifier::PublicKey;
use blst::min_sig;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::key_derivation::KeyDerivation;
use crate::encoding::encode_public_key;
use crate::key_file::{create_private, read_at_most};
use crate::{SECRET_KEY_BYTES, SecretKey, SecretKeyError};

/// The longest keystore that is read, in bytes. One with all fields has under 1,000.
const LONGEST_KEYSTORE: u64 = 64 * 1024;

/// A secret key encrypted under a password, in the format of EIP-2335.
///
/// The functions are scrypt or PBKDF2, AES-128 in counter mode, and SHA-256.
///
/// The `pubkey` field is the compressed G2 point, 96 bytes in hex, as the IETF draft encodes it. It is optional.
/// It is compared with the decrypted key.
/// Warning: EIP-2335's checksum does not cover the initialisation vector. Without `pubkey`, an altered file can decrypt
/// to another key, which no epoch has.
/// A `pubkey` of 48 bytes is a G1 point, of a key for signatures in G2 as Ethereum's validators use. It is refused.
///
/// ```
/// use assent_signer::{KeyDerivation, Keystore, SecretKey};
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("operator.json");
///
/// let key = SecretKey::generate()?;
/// Keystore::encrypt(&key, "correct horse battery staple", KeyDerivation::default())?.write(&path)?;
///
/// let keystore = Keystore::read(&path)?;
/// assert_eq!(keystore.public_key(), Some(key.public_key())); // no password needed
/// let read = keystore.decrypt("correct horse battery staple")?;
/// assert_eq!(read.to_bytes(), key.to_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keystore {
    key_derivation: KeyDerivation,
    salt: Vec<u8>,
    checksum: [u8; 32],
    initialisation_vector: [u8; 16],
    ciphertext: [u8; SECRET_KEY_BYTES],
    public_key: Option<min_sig::PublicKey>,
    /// The key's path in a tree of keys (EIP-2334); empty if it is not derived.
    path: String,
    uuid: Uuid,
}

/// The reason why a keystore cannot be encrypted, read or decrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The file could not be opened, created, read or written. A file that exists is never overwritten.
    #[error("keystore file: {0}")]
    Io(#[from] io::Error),
    /// The file is longer than any keystore.
    #[error("not a keystore: longer than {LONGEST_KEYSTORE} bytes")]
    TooLong,
    /// The text is not JSON, or lacks what EIP-2335 requires.
    #[error("not an EIP-2335 keystore: {0}")]
    NotAKeystore(#[from] serde_json::Error),
    /// A field has a value that the format does not allow.
    #[error("keystore is damaged: {field} must be {expected}")]
    Malformed {
        /// The field, as a path from the top of the JSON.
        field: &'static str,
        /// The value in a valid keystore.
        expected: &'static str,
    },
    /// The keystore needs a version or function that this crate does not support.
    #[error("keystore's {field} is {found:?}; supported: {supported}")]
    Unsupported {
        /// The field, as a path from the top of the JSON.
        field: &'static str,
        /// The keystore's value.
        found: String,
        /// The supported values.
        supported: &'static str,
    },
    /// Decrypting would take more memory or time than the limits, or the parameters are undefined.
    #[error("keystore's key derivation is out of bounds: {0}")]
    KeyDerivationOutOfBounds(&'static str),
    /// The keystore's public key is in G1: its key is for another signature scheme, such as an Ethereum validator's.
    #[error("keystore holds a key for signatures in G2 (as Ethereum validators use); Assent's keys sign in G1")]
    KeyOfAnotherScheme,
    /// The password is empty once control characters are removed.
    #[error("the password is empty: use `write_unencrypted` if the key shall not be protected")]
    EmptyPassword,
    /// The checksum differs. A damaged salt, ciphertext or checksum looks the same as a wrong password.
    #[error("wrong password (or the keystore's salt, ciphertext or checksum was damaged)")]
    WrongPassword,
    /// The password is right and the decrypted key is not that of the file's `pubkey`.
    #[error("the password is right, but the key does not belong to the keystore's pubkey: the file was altered")]
    PublicKeyMismatch,
    /// The operating system gave no random bytes, or the decrypted number is no secret key.
    #[error("keystore: {0}")]
    Key(#[from] SecretKeyError),
}

impl Keystore {
    /// Encrypts `key` under `password`, with a fresh salt, initialisation vector and UUID.
    ///
    /// The password is normalized as EIP-2335 requires: Unicode's form NFKD, without control characters.
    ///
    /// # Errors
    /// [`KeystoreError::EmptyPassword`], [`KeystoreError::KeyDerivationOutOfBounds`], and [`KeystoreError::Key`] if the
    /// operating system gives no random bytes.
    pub fn encrypt(key: &SecretKey, password: &str, key_derivation: KeyDerivation) -> Result<Self, KeystoreError> {
        let password = password::encode(password);
        if password.is_empty() {
            return Err(KeystoreError::EmptyPassword);
        }
        let salt = random::<32>()?;
        let initialisation_vector = random::<16>()?;
        let decryption_key = key_derivation.derive(password.as_bytes(), &salt)?;
        let mut ciphertext = *key.to_bytes();
        apply_cipher(&decryption_key, &initialisation_vector, &mut ciphertext);
        Ok(Self {
            key_derivation,
            salt: salt.to_vec(),
            checksum: checksum(&decryption_key, &ciphertext),
            initialisation_vector,
            ciphertext,
            public_key: Some(key.public_key_point()),
            path: String::new(),
            uuid: uuid::Builder::from_random_bytes(random::<16>()?).into_uuid(),
        })
    }

    /// Decrypts the keystore, which takes about a second with the default key derivation.
    ///
    /// # Errors
    /// [`KeystoreError::WrongPassword`], [`KeystoreError::PublicKeyMismatch`], [`KeystoreError::Key`].
    pub fn decrypt(&self, password: &str) -> Result<SecretKey, KeystoreError> {
        let key = SecretKey::from_bytes(&*self.decrypt_secret(password)?)?;
        if self.public_key.is_some_and(|public_key| key.public_key_point() != public_key) {
            return Err(KeystoreError::PublicKeyMismatch);
        }
        Ok(key)
    }

    /// Returns the public key, without a password; `None` if the file has none.
    ///
    /// Until the keystore is decrypted, it is only the file's claim.
    pub fn public_key(&self) -> Option<PublicKey> {
        self.public_key.as_ref().map(encode_public_key)
    }

    /// Returns the keystore's identifier (RFC 4122), which is independent of the key.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Reads a keystore from a file.
    ///
    /// # Errors
    /// [`KeystoreError::Io`], [`KeystoreError::TooLong`], and those of [`from_json`](Self::from_json).
    pub fn read(path: &Path) -> Result<Self, KeystoreError> {
        let text = read_at_most(&File::open(path)?, LONGEST_KEYSTORE)?.ok_or(KeystoreError::TooLong)?;
        format::parse(&text)
    }

    /// Writes the keystore into a new file that only its owner may read.
    ///
    /// # Errors
    /// [`KeystoreError::Io`], also if the file exists.
    pub fn write(&self, path: &Path) -> Result<(), KeystoreError> {
        Ok(create_private(path, (self.to_json() + "\n").as_bytes())?)
    }

    /// Parses a keystore from JSON.
    ///
    /// Everything that needs no password is checked, including the cost of the key derivation: an untrusted file cannot
    /// take memory or time beyond the limits.
    ///
    /// # Errors
    /// [`KeystoreError::TooLong`], [`KeystoreError::NotAKeystore`], [`KeystoreError::Malformed`],
    /// [`KeystoreError::Unsupported`], [`KeystoreError::KeyDerivationOutOfBounds`],
    /// [`KeystoreError::KeyOfAnotherScheme`].
    pub fn from_json(json: &str) -> Result<Self, KeystoreError> {
        if json.len() as u64 > LONGEST_KEYSTORE {
            return Err(KeystoreError::TooLong);
        }
        format::parse(json.as_bytes())
    }

    /// Returns the keystore as indented JSON.
    pub fn to_json(&self) -> String {
        format::write(self)
    }

    fn decrypt_secret(&self, password: &str) -> Result<Zeroizing<[u8; SECRET_KEY_BYTES]>, KeystoreError> {
        let password = password::encode(password);
        let decryption_key = self.key_derivation.derive(password.as_bytes(), &self.salt)?;
        if checksum(&decryption_key, &self.ciphertext) != self.checksum {
            return Err(KeystoreError::WrongPassword);
        }
        let mut secret = Zeroizing::new(self.ciphertext);
        apply_cipher(&decryption_key, &self.initialisation_vector, secret.as_mut());
        Ok(secret)
    }
}

/// Returns SHA-256 of the second half of the decryption key and the ciphertext (EIP-2335, password verification).
///
/// The checksum is in the file, so comparing it needs no constant time.
fn checksum(decryption_key: &[u8; 32], ciphertext: &[u8; SECRET_KEY_BYTES]) -> [u8; 32] {
    Sha256::new().chain_update(&decryption_key[16..]).chain_update(ciphertext).finalize().into()
}

/// Encrypts or decrypts with AES-128 in counter mode, under the first half of the decryption key.
fn apply_cipher(decryption_key: &[u8; 32], initialisation_vector: &[u8; 16], data: &mut [u8]) {
    let (cipher_key, _) = decryption_key.split_at(16);
    let mut key = Zeroizing::new([0_u8; 16]);
    key.copy_from_slice(cipher_key);
    Ctr128BE::<Aes128>::new((&*key).into(), initialisation_vector.into()).apply_keystream(data);
}

fn random<const N: usize>() -> Result<[u8; N], SecretKeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(SecretKeyError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
