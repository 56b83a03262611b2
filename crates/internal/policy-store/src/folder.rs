//! Files in folders.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::StoreError;

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::NotFound { uri: path.display().to_string(), reason: "there is no such file" });
        }
        Err(error) => return Err(at("read", path)(error)),
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(at("read", path))?;
    if bytes.len() > limit {
        return Err(StoreError::TooLong { uri: path.display().to_string(), what: "has" });
    }
    Ok(bytes)
}

/// Writes a file, and its folder if it does not exist. Both are on disk, with the file's name, when this returns.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    assent_durable_files::write(path, bytes).map_err(at("write", path))
}

/// Returns the files of a folder whose names end with `.policy`, in order; `None` if there are more than `limit`.
pub(crate) fn policies(folder: &Path, limit: usize) -> Result<Option<Vec<PathBuf>>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Vec::new())),
        Err(error) => return Err(at("read the folder", folder)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(at("read the folder", folder))?.path();
        if path.extension().is_some_and(|extension| extension == "policy") && path.is_file() {
            if paths.len() == limit {
                return Ok(None);
            }
            paths.push(path);
        }
    }
    paths.sort();
    Ok(Some(paths))
}

fn at(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { doing, path: path.clone(), source }
}
