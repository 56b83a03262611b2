//! Where a journal is, and how it is opened.

use std::path::{Path, PathBuf};

/// The files of a journal, and what is accepted when it is opened.
///
/// ```
/// use assent_journal::JournalOptions;
///
/// // Back up neither of them with the other: see docs/operators/journal.md.
/// let options = JournalOptions::new("/var/lib/assent/journal.redb", "/etc/assent/operator.json.marker");
/// # let _ = options;
/// ```
#[derive(Debug, Clone)]
pub struct JournalOptions {
    pub(crate) path: PathBuf,
    pub(crate) marker: PathBuf,
    pub(crate) accept_older: bool,
    pub(crate) longest_group: usize,
}

impl JournalOptions {
    /// Returns options with the paths of the journal and of the key's marker.
    ///
    /// The marker knows how far the key has been used. It belongs beside the key, and not into the journal's backup.
    pub fn new(path: impl Into<PathBuf>, marker: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), marker: marker.into(), accept_older: false, longest_group: 1024 }
    }

    /// Accepts a journal that the marker does not know to be the key's latest.
    ///
    /// Warning: what an older journal lacks can be signed a second time with another digest, which is an offence.
    #[must_use]
    pub fn accept_older(mut self, accept: bool) -> Self {
        self.accept_older = accept;
        self
    }

    /// Limits how many statements one transaction records, 1,024 by default. With 1 each has its own `fsync`.
    #[must_use]
    pub fn longest_group(mut self, statements: usize) -> Self {
        self.longest_group = statements.max(1);
        self
    }
}

/// Returns where a key's marker is by default: beside the key's file.
///
/// ```
/// use assent_journal::marker_beside;
///
/// assert_eq!(marker_beside("/etc/assent/operator.json".as_ref()).to_str(), Some("/etc/assent/operator.json.marker"));
/// ```
pub fn marker_beside(path: &Path) -> PathBuf {
    let mut marker = path.as_os_str().to_owned();
    marker.push(".marker");
    marker.into()
}
