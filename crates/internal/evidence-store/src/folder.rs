//! Files in a folder, in 256 subfolders.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use alloy_primitives::{B256, hex};

use crate::EvidenceStoreError;

/// A folder of evidence files.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens or creates the folder.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, EvidenceStoreError> {
        fs::create_dir_all(&folder).and_then(|()| sync_parent(&folder)).map_err(at(&folder))?;
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
        let subfolder = parent(&path);
        if !subfolder.is_dir() {
            fs::create_dir_all(subfolder).and_then(|()| sync_parent(subfolder)).map_err(at(subfolder))?;
        }
        let unfinished = subfolder.join(format!("{}.new", unique(&path)?));
        let written = write_new(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&unfinished);
        }
        written.and_then(|()| sync_parent(&path)).map_err(at(&path))
    }

    /// Writes the name of a file to the disk.
    pub(crate) fn sync(&self, evidence: B256) -> Result<(), EvidenceStoreError> {
        let path = self.path(evidence);
        sync_parent(&path).map_err(at(&path))
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

/// Writes a new file to the disk.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes the entries of a path's folder to the disk, so that the name is found after a power failure.
fn sync_parent(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(parent(path))?.sync_all() } else { Ok(()) }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
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
