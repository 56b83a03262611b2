//! Keeps evidence files by their hash, durable before they are signed.
//!
//! The name of a file is the evidence hash that an attestation carries. The store computes it from the file's contents,
//! when a file is put and when it is read: a damaged file is never returned.
//!
//! A folder is written here, and not by `object_store`, although its `LocalFileSystem` can sync too. An operator
//! without S3 has none of its dependencies. A file that another process has just written counts as known only once its
//! name is synced.
//!
//! Every function blocks and may be called from any thread. In a program with tokio, call it in
//! `tokio::task::spawn_blocking`.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

#[cfg(feature = "s3")]
mod bucket;
mod folder;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use alloy_primitives::B256;
use assent_policy::{EvidenceFile, EvidenceFileError};

/// The shortest time for which evidence is kept: an attestation is valid for at most 30 days, and may be challenged for
/// as long afterwards.
pub const MIN_RETENTION: Duration = Duration::from_secs(2 * 30 * 24 * 60 * 60);

/// The longest evidence file by default, in bytes: the machine's regions, as hex, with the rules.
pub const DEFAULT_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Evidence files by their hash, in a folder or in a bucket of S3. Several processes may use one store.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    place: Place,
    max_bytes: u64,
}

/// Where the files are. In both, a file is below a folder with the first byte of its hash.
#[derive(Debug, Clone)]
enum Place {
    Folder(folder::Folder),
    #[cfg(feature = "s3")]
    Bucket(bucket::Bucket),
}

/// The result of a put.
// Complete: a file is new or known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is in the store now.
    New,
    /// A valid file with this hash was in the store, and is kept.
    Known,
}

/// The reason why evidence is not stored or returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceStoreError {
    /// The file is longer than the limit.
    #[error("the evidence has {bytes} bytes; at most {limit} are stored")]
    TooLarge {
        /// The file's length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The bytes are not an evidence file.
    #[error("not an evidence file: {0}")]
    Malformed(#[from] EvidenceFileError),
    /// The evidence hash of the contents is another one.
    #[error("the evidence's hash is {actual}, and not {expected}")]
    WrongHash {
        /// The hash that was asked for.
        expected: B256,
        /// The hash of the contents.
        actual: B256,
    },
    /// A content of the file does not fit into the machine's region.
    #[error("the evidence does not fit into the machine's memory")]
    TooLargeForTheMachine,
    /// The retention is shorter than [`MIN_RETENTION`].
    #[error("evidence is kept for at least {} days", MIN_RETENTION.as_secs() / 86_400)]
    RetentionTooShort,
    /// The disk failed, for example because it is full. Whether the file is stored is unknown; put it again.
    #[error("evidence store {path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        error: io::Error,
    },
    /// The bucket cannot be used, or does not answer. Whether the file is stored is unknown; put it again.
    #[cfg(feature = "s3")]
    #[error("evidence store: {0}")]
    S3(#[from] assent_s3::S3Error),
}

impl EvidenceStore {
    /// Opens or creates a store in a folder.
    ///
    /// # Errors
    /// [`EvidenceStoreError::Io`].
    pub fn folder(folder: impl Into<PathBuf>) -> Result<Self, EvidenceStoreError> {
        let place = Place::Folder(folder::Folder::open(folder.into())?);
        Ok(Self { place, max_bytes: DEFAULT_MAX_BYTES })
    }

    /// Opens a store in a bucket of S3, such as `S3Path::parse("s3://bucket/evidence")`. No server is asked.
    ///
    /// # Errors
    /// [`EvidenceStoreError::Io`] if the thread that sends requests cannot start.
    #[cfg(feature = "s3")]
    pub fn s3(path: assent_s3::S3Path) -> Result<Self, EvidenceStoreError> {
        Ok(Self { place: Place::Bucket(bucket::Bucket::open(path)?), max_bytes: DEFAULT_MAX_BYTES })
    }

    /// Sets the longest file that is stored and returned, in bytes.
    #[must_use]
    pub fn max_bytes(mut self, limit: u64) -> Self {
        self.max_bytes = limit;
        self
    }

    /// Stores an evidence file whose hash is `evidence`. It is durable, with its name, when this returns.
    ///
    /// A file with the hash that is in the store already is kept if it is valid, and replaced if it is damaged.
    ///
    /// # Errors
    /// Every variant of [`EvidenceStoreError`] but `RetentionTooShort`.
    pub fn put(&self, evidence: B256, bytes: &[u8]) -> Result<Stored, EvidenceStoreError> {
        self.verify(evidence, bytes)?;
        self.store(evidence, bytes)
    }

    /// Stores an evidence file under the hash of what it holds, as [`put`](Self::put) does, without parsing it again.
    ///
    /// # Errors
    /// As [`put`](Self::put), if the file claims another hash.
    pub fn put_file(&self, file: &EvidenceFile) -> Result<Stored, EvidenceStoreError> {
        let actual = file.roots().ok_or(EvidenceStoreError::TooLargeForTheMachine)?.hash();
        if actual != file.evidence {
            return Err(EvidenceStoreError::WrongHash { expected: file.evidence, actual });
        }
        let bytes = file.to_json().into_bytes();
        self.require_length(&bytes)?;
        self.store(actual, &bytes)
    }

    fn store(&self, evidence: B256, bytes: &[u8]) -> Result<Stored, EvidenceStoreError> {
        let is_known = || matches!(self.get(evidence), Ok(Some(_)));
        match &self.place {
            Place::Folder(folder) => {
                if is_known() {
                    // Another process may have written it just now, and not synced its name yet.
                    folder.sync(evidence)?;
                    return Ok(Stored::Known);
                }
                folder.write(evidence, bytes)?;
            }
            #[cfg(feature = "s3")]
            Place::Bucket(bucket) => {
                if !bucket.create(evidence, bytes)? {
                    if is_known() {
                        return Ok(Stored::Known);
                    }
                    bucket.replace(evidence, bytes)?;
                }
            }
        }
        Ok(Stored::New)
    }

    /// Returns the evidence file with a hash, or `None` if it is not in the store.
    ///
    /// # Errors
    /// [`EvidenceStoreError::WrongHash`] or [`EvidenceStoreError::Malformed`] if the file is damaged;
    /// [`EvidenceStoreError::TooLarge`], [`EvidenceStoreError::Io`] and what a bucket can answer.
    pub fn get(&self, evidence: B256) -> Result<Option<Vec<u8>>, EvidenceStoreError> {
        let read = match &self.place {
            Place::Folder(folder) => folder.read(evidence, self.max_bytes)?,
            #[cfg(feature = "s3")]
            Place::Bucket(bucket) => bucket.read(evidence, self.max_bytes)?,
        };
        let Some(bytes) = read else { return Ok(None) };
        self.verify(evidence, &bytes)?;
        Ok(Some(bytes))
    }

    /// Deletes the files that were written more than `retention` before `now`. Returns how many.
    ///
    /// # Errors
    /// [`EvidenceStoreError::RetentionTooShort`] below [`MIN_RETENTION`]; [`EvidenceStoreError::Io`] and what a bucket
    /// can answer.
    pub fn remove_older_than(&self, retention: Duration, now: SystemTime) -> Result<u64, EvidenceStoreError> {
        if retention < MIN_RETENTION {
            return Err(EvidenceStoreError::RetentionTooShort);
        }
        match &self.place {
            Place::Folder(folder) => folder.remove_older_than(retention, now),
            #[cfg(feature = "s3")]
            Place::Bucket(bucket) => match now.checked_sub(retention) {
                Some(time) => bucket.remove_before(time),
                // Nothing is as old.
                None => Ok(0),
            },
        }
    }

    fn require_length(&self, bytes: &[u8]) -> Result<(), EvidenceStoreError> {
        let (length, limit) = (u64::try_from(bytes.len()).unwrap_or(u64::MAX), self.max_bytes);
        if length > limit { Err(EvidenceStoreError::TooLarge { bytes: length, limit }) } else { Ok(()) }
    }

    /// Checks that the bytes are the evidence file with this hash.
    fn verify(&self, expected: B256, bytes: &[u8]) -> Result<(), EvidenceStoreError> {
        self.require_length(bytes)?;
        let file = EvidenceFile::parse(bytes)?;
        let actual = file.roots().ok_or(EvidenceStoreError::TooLargeForTheMachine)?.hash();
        if actual != expected {
            return Err(EvidenceStoreError::WrongHash { expected, actual });
        }
        // The file's own claim is a part of what a reader sees.
        if file.evidence != expected {
            return Err(EvidenceStoreError::WrongHash { expected, actual: file.evidence });
        }
        Ok(())
    }
}

/// Returns the name of a file below the store: the first byte of its hash, and the hash.
fn name(evidence: B256) -> String {
    let first = evidence.0.first().copied().unwrap_or_default();
    format!("{first:02x}/{evidence}.json")
}
