//! Why a secret cannot be read.

use std::{io, path::PathBuf};

use assent_signer::{KeyFileError, KeystoreError};

/// The reason why a file gives no secret. Its causes are not part of its text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFileError {
    /// The file could not be opened or read.
    #[error("cannot read {file}")]
    Io {
        /// The file.
        file: NamedFile,
        /// What failed.
        #[source]
        error: io::Error,
    },
    /// Others than the owner may read or change the file.
    #[error("{file}")]
    OpenToOthers {
        /// The file.
        file: NamedFile,
        /// Its permissions.
        #[source]
        error: KeyFileError,
    },
    /// The file is too long.
    #[error("{file} is longer than {limit} bytes; check that it is the right file")]
    TooLong {
        /// The file.
        file: NamedFile,
        /// The greatest length.
        limit: u64,
    },
    /// The file has no password.
    #[error("password file {} {reason}", .path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file has no key.
    #[error("{} is neither a keystore nor an unencrypted key", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        error: KeyFileError,
    },
    /// The keystore cannot be read or decrypted.
    #[error("key file {}", .path.display())]
    Keystore {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        error: KeystoreError,
    },
    /// The file is not text.
    #[error("key file {} is not text; `assent keys new` makes a key file", .0.display())]
    NotText(PathBuf),
}

/// A file, as an error names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedFile {
    /// What it is, as in "password file".
    pub what: &'static str,
    /// Where it is.
    pub path: PathBuf,
}

impl From<(&'static str, PathBuf)> for NamedFile {
    fn from((what, path): (&'static str, PathBuf)) -> Self {
        Self { what, path }
    }
}

impl std::fmt::Display for NamedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.what, self.path.display())
    }
}
