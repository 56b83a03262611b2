//! Why nothing is signed.

use core::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use alloy_primitives::{Address, B256};

use crate::entry::Slot;
use crate::hold::{Excess, MAX_HOLDS};
use crate::marker::MarkerError;
use crate::signer::SignerError;

/// Two digests for one slot: the recorded one, and the one that was asked for.
// Complete: it names everything that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The slot.
    pub slot: Slot,
    /// The digest on record, which was signed or may have been.
    pub recorded: B256,
    /// The digest that was asked for.
    pub requested: B256,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, recorded, requested } = self;
        write!(f, "{slot}: the digest {recorded} is on record, and {requested} is another one")
    }
}

/// The reason why a statement is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Another digest is on record for one of the statement's slots. To sign both would be an offence.
    #[error("refused to sign: {0}")]
    AlreadySigned(Box<Conflict>),
    /// The client's other attestations that are neither spent nor expired come to more than was agreed.
    #[error("refused to sign {0}")]
    Exceeded(Box<Excess>),
    /// The client has too many attestations that may be neither spent nor expired.
    #[error("refused to sign for the client {0}: {MAX_HOLDS} of its attestations may be neither spent nor expired")]
    TooManyHolds(Address),
    /// The statement is older than what has been pruned, so that no one knows whether another one was signed.
    #[error("refused to sign {slot}: its time {time} is before {floor}, and entries from before were pruned")]
    Pruned {
        /// The slot without an entry.
        slot: Slot,
        /// The statement's time, in Unix seconds.
        time: u64,
        /// The earliest time of a statement that can still be signed.
        floor: u64,
    },
    /// The journal failed, and nothing more is signed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The digest is on record, but the signer did not sign. The same statement can be tried again.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// The reason why the journal cannot be read or written.
///
/// After a failure nothing more is signed until the journal is opened again: what is on disk is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A read, a write or an `fsync` failed, for example because the disk is full.
    #[error("the journal failed ({0}); nothing more is signed until the cause is removed and it is opened again")]
    Failed(Arc<str>),
    /// The journal is being closed.
    #[error("the journal is closed")]
    Closed,
}

impl JournalError {
    pub(crate) fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string().into())
    }
}

/// The reason why a journal cannot be created or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no journal at this path.
    #[error(
        "the journal {0} does not exist; restore the latest one, or create one if this key has never signed: without \
         its journal an operator can sign two different attestations for one task"
    )]
    Missing(PathBuf),
    /// There is a journal at this path already.
    #[error("the journal {0} already exists; open it instead")]
    Exists(PathBuf),
    /// Another process uses the journal or the key.
    #[error("{path} is in use{}; one key has one operator: stop that process first", holder(.process))]
    InUse {
        /// The file that is locked.
        path: PathBuf,
        /// The other process's id, if it is known.
        process: Option<u32>,
    },
    /// The file is not a journal, or its bytes are damaged.
    #[error(
        "the journal {path} is damaged: {reason}; restore the latest export into a new journal, and accept that only \
         if the key has signed nothing since"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The journal was created for another key.
    #[error("the journal {path} is for the key {found}, and the signer's is {expected} (hashes of public keys)")]
    OtherKey {
        /// The journal.
        path: PathBuf,
        /// keccak256 of the signer's public key.
        expected: B256,
        /// keccak256 of the journal's public key.
        found: B256,
    },
    /// The journal has fewer entries than the key's marker: it is an old copy, and what it lacks could be signed twice.
    #[error(
        "the journal {path} has recorded {recorded} entries, but the key has been used with {used}: it is an old copy; \
         restore the latest one"
    )]
    Older {
        /// The journal.
        path: PathBuf,
        /// The number of entries that the journal has recorded.
        recorded: u64,
        /// The number of entries that the marker knows.
        used: u64,
    },
    /// The key's marker names another journal: that one may have entries which this one lacks.
    #[error(
        "the key was last used with the journal {used}, and {path} is {found}; export that one and import it here, or \
         accept this one only if the key has signed nothing that it lacks"
    )]
    OtherJournal {
        /// The journal.
        path: PathBuf,
        /// The journal's identifier; `none` for a new one.
        found: String,
        /// The identifier of the journal that the marker names.
        used: String,
    },
    /// The journal has entries and the key has no marker.
    #[error(
        "the journal {path} has {recorded} entries, but the key's marker {marker} is missing; accept that only if this \
         is the key's latest journal"
    )]
    NoMarker {
        /// The journal.
        path: PathBuf,
        /// The number of entries that the journal has recorded.
        recorded: u64,
        /// The path of the marker.
        marker: PathBuf,
    },
    /// The marker cannot be read or written.
    #[error("the key's marker {path}: {error}")]
    Marker {
        /// The path of the marker.
        path: PathBuf,
        /// What failed.
        error: MarkerError,
    },
    /// The signer does not answer, or holds another key.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A file could not be opened, created, locked, read or written.
    #[error("the journal {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        error: io::Error,
    },
}

/// The reason why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The text is not in the format of an export.
    #[error("not an export of a journal: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The export has another version than this program reads.
    #[error("the export has version {0}; only version 1 can be imported")]
    Version(u64),
    /// The export is another key's.
    #[error("the export is for the key {found}, and this journal for {expected} (hashes of public keys)")]
    OtherKey {
        /// keccak256 of the journal's public key.
        expected: B256,
        /// keccak256 of the export's public key.
        found: B256,
    },
    /// The journal failed. Whether the export was imported is unknown; import it again.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn holder(process: &Option<u32>) -> String {
    process.map(|process| format!(" by process {process}")).unwrap_or_default()
}
