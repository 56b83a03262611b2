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

/// Longest keystore that is read, in bytes; one with all fields is under 1,000.
const LONGEST_KEYSTORE: u64 = 64 * 1024;

/// A secret key under a password, in the format of EIP-2335 (scrypt or PBKDF2, AES-128 in counter mode, SHA-256).
///
/// The `pubkey` field is the public key as the IETF draft's ciphersuite writes it: the compressed G2 point, 96 bytes in
/// hex. It is required, and it is compared with the decrypted key: the checksum of EIP-2335 does not cover the
/// initialisation vector, so without this comparison an altered file could decrypt to another key. A keystore whose
/// `pubkey` is a G1 point of 48 bytes is for signatures in G2, as Ethereum's validators make, and is refused: a key serves
/// one scheme.
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
/// assert_eq!(keystore.public_key(), key.public_key()); // no password needed
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
    public_key: min_sig::PublicKey,
    /// The key's path in a tree of keys (EIP-2334); empty if it is not derived.
    path: String,
    uuid: Uuid,
}

/// Why a keystore could not be made, read or opened.
///
/// ```
/// use assent_signer::{KeyDerivation, Keystore, KeystoreError, SecretKey};
///
/// let cheap = KeyDerivation::Pbkdf2 { iterations: 1 }; // Only for this example.
/// let keystore = Keystore::encrypt(&SecretKey::generate()?, "correct", cheap)?;
/// assert!(matches!(keystore.decrypt("wrong"), Err(KeystoreError::WrongPassword)));
/// assert!(matches!(Keystore::from_json("{}"), Err(KeystoreError::NotAKeystore(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
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
    /// A field holds what the format does not allow there.
    #[error("keystore is damaged: {field} must be {expected}")]
    Malformed {
        /// The field, as a path from the top of the JSON.
        field: &'static str,
        /// The value in a valid keystore.
        expected: &'static str,
    },
    /// The keystore asks for a version or function that this crate does not have.
    #[error("keystore's {field} is {found:?}; supported: {supported}")]
    Unsupported {
        /// The field, as a path from the top of the JSON.
        field: &'static str,
        /// What the keystore says.
        found: String,
        /// What this crate has.
        supported: &'static str,
    },
    /// Opening the keystore would take more memory or time than a keystore made in good faith, or less than none.
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
    /// As EIP-2335 says, the password is brought to Unicode's form NFKD and loses its control characters first.
    ///
    /// # Errors
    /// [`KeystoreError::EmptyPassword`], [`KeystoreError::KeyDerivationOutOfBounds`], and [`KeystoreError::Key`] when the
    /// operating system has no random bytes.
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
            public_key: key.public_key_point(),
            path: String::new(),
            uuid: uuid::Builder::from_random_bytes(random::<16>()?).into_uuid(),
        })
    }

    /// Opens the keystore. Takes about a second with the default key derivation.
    ///
    /// # Errors
    /// [`KeystoreError::WrongPassword`], [`KeystoreError::PublicKeyMismatch`], [`KeystoreError::Key`].
    pub fn decrypt(&self, password: &str) -> Result<SecretKey, KeystoreError> {
        let key = SecretKey::from_bytes(&*self.decrypt_secret(password)?)?;
        if key.public_key_point() != self.public_key {
            return Err(KeystoreError::PublicKeyMismatch);
        }
        Ok(key)
    }

    /// The public key, 192 bytes as [`SecretKey::public_key`] gives them; needs no password. Until the keystore is
    /// decrypted it is only what the file claims.
    pub fn public_key(&self) -> PublicKey {
        encode_public_key(&self.public_key)
    }

    /// The keystore's own identifier (RFC 4122). It says nothing about the key.
    ///
    /// ```
    /// use assent_signer::{KeyDerivation, Keystore, SecretKey};
    ///
    /// let cheap = KeyDerivation::Pbkdf2 { iterations: 1 }; // Only for this example.
    /// let keystore = Keystore::encrypt(&SecretKey::generate()?, "password", cheap)?;
    /// println!("{}.json", keystore.uuid());
    /// assert_eq!(keystore.uuid().get_version_num(), 4); // Random.
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// [`KeystoreError::Io`], also when the file exists.
    pub fn write(&self, path: &Path) -> Result<(), KeystoreError> {
        Ok(create_private(path, (self.to_json() + "\n").as_bytes())?)
    }

    /// Reads a keystore from JSON. Everything that can be checked without the password is checked here, the cost of the
    /// key derivation included, so that a hostile file can take neither memory nor time.
    ///
    /// ```
    /// use assent_signer::{KeyDerivation, Keystore, SecretKey};
    ///
    /// let cheap = KeyDerivation::Pbkdf2 { iterations: 1 }; // Only for this example.
    /// let keystore = Keystore::encrypt(&SecretKey::generate()?, "password", cheap)?;
    /// let json = keystore.to_json();
    /// assert!(json.contains("\"version\""));
    /// assert_eq!(Keystore::from_json(&json)?, keystore);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// The keystore as JSON, indented.
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

/// SHA-256 over the second half of the decryption key and the ciphertext (EIP-2335, password verification). The checksum
/// is in the file, so comparing it needs no constant time.
fn checksum(decryption_key: &[u8; 32], ciphertext: &[u8; SECRET_KEY_BYTES]) -> [u8; 32] {
    Sha256::new().chain_update(&decryption_key[16..]).chain_update(ciphertext).finalize().into()
}

/// AES-128 in counter mode under the first half of the decryption key; encrypts and decrypts.
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
