//! Locks between processes, which name their holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::directory::beside;
use crate::error::OpenError;

/// An exclusive lock, held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Exclusive(#[expect(dead_code, reason = "the lock is the open file's")] File);

impl Exclusive {
    /// Locks what is at `path` by a file beside it, which holds the process's id for people.
    pub(crate) fn acquire(path: &Path) -> Result<Self, OpenError> {
        let lock = beside(path, "lock");
        let io = |error| OpenError::Io { path: lock.clone(), error };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&lock).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Only the message depends on it.
                let _ = (&file).take(32).read_to_string(&mut text);
                return Err(OpenError::InUse { path: path.to_owned(), process: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let id = std::process::id().to_string();
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(id.as_bytes()))
            .map_err(io)?;
        Ok(Self(file))
    }
}
