//! Paths beside the journal.

use std::path::{Path, PathBuf};

/// Returns the path with a further extension.
pub(crate) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(extension);
    path.with_file_name(name)
}
