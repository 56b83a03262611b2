//! Files in a folder, in 256 subfolders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use alloy_primitives::B256;
use assent_durable_files::{create_folder, sync_folder_of};

use crate::EvidenceStoreError;

/// A folder of evidence files.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens or creates the folder.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, EvidenceStoreError> {
        create_folder(&folder).map_err(at(&folder))?;
        Ok(Self(folder))
    }

    /// Returns a file of at most `limit` bytes, or its first `limit + 1` bytes.
    pub(crate) fn read(&self, evidence: B256, limit: u64) -> Result<Option<Vec<u8>>, EvidenceStoreError> {
        let path = self.path(evidence);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(at(&path))?;
        Ok(Some(bytes))
    }

    /// Writes a file. It is on disk, with its name, when this returns.
    pub(crate) fn write(&self, evidence: B256, bytes: &[u8]) -> Result<(), EvidenceStoreError> {
        let path = self.path(evidence);
        assent_durable_files::write(&path, bytes).map_err(at(&path))
    }

    /// Writes the name of a file to the disk.
    pub(crate) fn sync(&self, evidence: B256) -> Result<(), EvidenceStoreError> {
        let path = self.path(evidence);
        sync_folder_of(&path).map_err(at(&path))
    }

    /// Deletes the files that were written more than `retention` before `now`. Returns how many.
    pub(crate) fn remove_older_than(&self, retention: Duration, now: SystemTime) -> Result<u64, EvidenceStoreError> {
        let mut removed = 0;
        for subfolder in fs::read_dir(&self.0).map_err(at(&self.0))? {
            let subfolder = subfolder.map_err(at(&self.0))?.path();
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

    fn path(&self, evidence: B256) -> PathBuf {
        self.0.join(crate::name(evidence))
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> EvidenceStoreError {
    let path = path.to_owned();
    move |error| EvidenceStoreError::Io { path: path.clone(), error }
}
