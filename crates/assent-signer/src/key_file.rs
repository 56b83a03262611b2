//! Files that hold keys: readable only by their owner, and never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use alloy_primitives::hex;
use zeroize::Zeroizing;

use crate::{SECRET_KEY_BYTES, SecretKey, SecretKeyError};

/// The reason why an unencrypted key file cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file could not be opened, created, read or written. A file that exists is never overwritten.
    #[error("key file: {0}")]
    Io(#[from] io::Error),
    /// Other users than the owner may read or write the file.
    #[error("its permissions are {mode:04o}, so others may read or change it; run chmod 600 on it")]
    OpenToOthers {
        /// The file's permission bits.
        mode: u32,
    },
    /// The file does not hold 32 bytes in hex.
    #[error("key file must hold one line of 64 hex digits, with or without 0x before them")]
    NotHex,
    /// The file's number is not a secret key.
    #[error("key file: {0}")]
    Key(#[from] SecretKeyError),
}

/// The longest unencrypted key file: `0x`, 64 hex digits, and a line end of up to two bytes.
const LONGEST_KEY_FILE: u64 = 2 + 2 * SECRET_KEY_BYTES as u64 + 2;

impl SecretKey {
    /// Writes the key **unencrypted**, as `0x` and 64 hex digits, into a new file that only its owner may read.
    ///
    /// Warning: anyone who reads the file can sign as the operator. Except for trials, use a `Keystore`.
    ///
    /// ```
    /// use assent_signer::SecretKey;
    ///
    /// let directory = tempfile::tempdir()?;
    /// let path = directory.path().join("trial.key");
    /// let key = SecretKey::generate()?;
    /// key.write_unencrypted(&path)?;
    /// assert_eq!(SecretKey::read_unencrypted(&path)?.to_bytes(), key.to_bytes());
    /// assert!(key.write_unencrypted(&path).is_err()); // What exists is never overwritten.
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyFileError::Io`], also if the file exists.
    pub fn write_unencrypted(&self, path: &Path) -> Result<(), KeyFileError> {
        let digits = Zeroizing::new(hex::encode(self.to_bytes()));
        // Of the full length from the start: growing would leave a copy behind that is not erased.
        let mut line = Zeroizing::new(String::with_capacity(digits.len() + 3));
        line.extend(["0x", digits.as_str(), "\n"]);
        Ok(create_private(path, line.as_bytes())?)
    }

    /// Reads a key that [`write_unencrypted`](Self::write_unencrypted) wrote.
    ///
    /// # Errors
    /// Every variant of [`KeyFileError`]. [`OpenToOthers`](KeyFileError::OpenToOthers) occurs only on Unix.
    pub fn read_unencrypted(path: &Path) -> Result<Self, KeyFileError> {
        let file = File::open(path)?;
        require_private(&file)?;
        let text = read_at_most(&file, LONGEST_KEY_FILE)?.ok_or(KeyFileError::NotHex)?;
        let mut bytes = Zeroizing::new([0_u8; SECRET_KEY_BYTES]);
        hex::decode_to_slice(text.trim_ascii(), bytes.as_mut()).map_err(|_| KeyFileError::NotHex)?;
        Ok(Self::from_bytes(&bytes)?)
    }
}

/// Creates a file with permissions 0600 and writes its contents to the disk.
///
/// Fails if the path exists, even as a dangling link. A failure leaves no part of a file.
pub(crate) fn create_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(contents).and_then(|()| file.sync_all());
    if written.is_err() {
        // The first error is the one to report, and the file is ours: `create_new` made it.
        let _ = fs::remove_file(path);
    }
    written
}

/// Returns the file's contents, or `None` if it is longer than the limit.
///
/// The length is not taken from the file's metadata, which has none for a pipe or a device.
pub(crate) fn read_at_most(file: &File, limit: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut contents = Zeroizing::new(Vec::with_capacity(usize::try_from(limit).unwrap_or(0) + 1));
    file.take(limit + 1).read_to_end(&mut contents)?;
    Ok((contents.len() as u64 <= limit).then_some(contents))
}

/// Checks that only its owner may read or write a file that holds a secret, such as a key or a password.
///
/// Pipes and devices pass, and so does every file of a system without Unix permissions.
///
/// ```
/// use assent_signer::{KeyFileError, require_private};
/// use std::fs::{self, File};
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("password.txt");
/// fs::write(&path, "correct horse")?;
/// # #[cfg(unix)]
/// {
///     use std::os::unix::fs::PermissionsExt;
///     fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
///     assert!(matches!(require_private(&File::open(&path)?), Err(KeyFileError::OpenToOthers { mode: 0o644 })));
///     fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
/// }
/// require_private(&File::open(&path)?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`KeyFileError::OpenToOthers`] and [`KeyFileError::Io`].
#[cfg(unix)]
pub fn require_private(file: &File) -> Result<(), KeyFileError> {
    let metadata = file.metadata()?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    if metadata.is_file() && mode & 0o077 != 0 { Err(KeyFileError::OpenToOthers { mode }) } else { Ok(()) }
}

/// Checks nothing: this system has no Unix permissions.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn require_private(_file: &File) -> Result<(), KeyFileError> {
    Ok(())
}
