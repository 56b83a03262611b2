//! Keeps evidence files by their hash, on disk before they are signed.
//!
//! The name of a file is the evidence hash that an attestation carries. The store computes it from the file's contents,
//! when a file is put and when it is read: a damaged file is never returned.
//!
//! Every function blocks and may be called from any thread. In a program with tokio, call it in
//! `tokio::task::spawn_blocking`.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use alloy_primitives::{B256, hex};
use assent_policy::{EvidenceFile, EvidenceFileError};

/// The shortest time for which evidence is kept: an attestation is valid for at most 30 days, and may be challenged for
/// as long afterwards.
pub const MIN_RETENTION: Duration = Duration::from_secs(2 * 30 * 24 * 60 * 60);

/// The longest evidence file by default, in bytes: the machine's regions, as hex, with the rules.
pub const DEFAULT_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A folder of evidence files.
///
/// Files are in 256 subfolders, by the first byte of their hash. Several processes may use one folder.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    folder: PathBuf,
    max_bytes: u64,
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
}

impl EvidenceStore {
    /// Opens or creates a store in a folder.
    ///
    /// # Errors
    /// [`EvidenceStoreError::Io`].
    pub fn folder(folder: impl Into<PathBuf>) -> Result<Self, EvidenceStoreError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).and_then(|()| sync_parent(&folder)).map_err(at(&folder))?;
        Ok(Self { folder, max_bytes: DEFAULT_MAX_BYTES })
    }

    /// Sets the longest file that is stored and returned, in bytes.
    #[must_use]
    pub fn max_bytes(mut self, limit: u64) -> Self {
        self.max_bytes = limit;
        self
    }

    /// Stores an evidence file whose hash is `evidence`. It is on disk, with its name, when this returns.
    ///
    /// A file with the hash that is in the store already is kept if it is valid, and replaced if it is damaged.
    ///
    /// # Errors
    /// Every variant of [`EvidenceStoreError`] but `RetentionTooShort`.
    pub fn put(&self, evidence: B256, bytes: &[u8]) -> Result<Stored, EvidenceStoreError> {
        self.verify(evidence, bytes)?;
        let path = self.path(evidence);
        let subfolder = self.subfolder(evidence);
        if !subfolder.is_dir() {
            fs::create_dir_all(&subfolder).and_then(|()| sync_parent(&subfolder)).map_err(at(&subfolder))?;
        }
        if matches!(self.get(evidence), Ok(Some(_))) {
            // Another process may have written it just now, and not synced its name yet.
            sync_parent(&path).map_err(at(&path))?;
            return Ok(Stored::Known);
        }
        let unfinished = subfolder.join(format!("{}.new", unique(&path)?));
        let written = write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&unfinished);
        }
        written.and_then(|()| sync_parent(&path)).map_err(at(&path))?;
        Ok(Stored::New)
    }

    /// Returns the evidence file with a hash, or `None` if it is not in the store.
    ///
    /// # Errors
    /// [`EvidenceStoreError::WrongHash`] or [`EvidenceStoreError::Malformed`] if the file is damaged;
    /// [`EvidenceStoreError::TooLarge`], [`EvidenceStoreError::Io`].
    pub fn get(&self, evidence: B256) -> Result<Option<Vec<u8>>, EvidenceStoreError> {
        let path = self.path(evidence);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        let mut bytes = Vec::new();
        file.take(self.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(at(&path))?;
        self.verify(evidence, &bytes)?;
        Ok(Some(bytes))
    }

    /// Deletes the files that were written more than `retention` before `now`. Returns how many.
    ///
    /// # Errors
    /// [`EvidenceStoreError::RetentionTooShort`] below [`MIN_RETENTION`]; [`EvidenceStoreError::Io`].
    pub fn remove_older_than(&self, retention: Duration, now: SystemTime) -> Result<u64, EvidenceStoreError> {
        if retention < MIN_RETENTION {
            return Err(EvidenceStoreError::RetentionTooShort);
        }
        let mut removed = 0;
        for subfolder in fs::read_dir(&self.folder).map_err(at(&self.folder))? {
            let subfolder = subfolder.map_err(at(&self.folder))?.path();
            if !subfolder.is_dir() {
                continue;
            }
            for entry in fs::read_dir(&subfolder).map_err(at(&subfolder))? {
                let path = entry.map_err(at(&subfolder))?.path();
                let written = path.metadata().and_then(|metadata| metadata.modified()).map_err(at(&path))?;
                // A file from the future is kept.
                if now.duration_since(written).is_ok_and(|age| age > retention) {
                    fs::remove_file(&path).map_err(at(&path))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Checks that the bytes are the evidence file with this hash.
    fn verify(&self, expected: B256, bytes: &[u8]) -> Result<(), EvidenceStoreError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > self.max_bytes {
            return Err(EvidenceStoreError::TooLarge { bytes: length, limit: self.max_bytes });
        }
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

    fn subfolder(&self, evidence: B256) -> PathBuf {
        self.folder.join(hex::encode(evidence.0.first_chunk::<1>().unwrap_or(&[0])))
    }

    fn path(&self, evidence: B256) -> PathBuf {
        self.subfolder(evidence).join(format!("{evidence}.json"))
    }
}

/// Writes a new file to the disk.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes the entries of a path's folder to the disk, so that the name is found after a power failure.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if cfg!(unix) { File::open(parent)?.sync_all() } else { Ok(()) }
}

/// Returns a name that no other writer uses.
fn unique(path: &Path) -> Result<String, EvidenceStoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| at(path)(io::Error::other(error)))?;
    Ok(hex::encode(bytes))
}

fn at(path: &Path) -> impl Fn(io::Error) -> EvidenceStoreError {
    let path = path.to_owned();
    move |error| EvidenceStoreError::Io { path: path.clone(), error }
}
