//! Files that are on disk, with their names, when the function that writes them returns.
//!
//! A power failure leaves a file whole, or leaves what was there before.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file in place of any other at the path, and creates its folder if it does not exist.
///
/// # Errors
///
/// What the file system says. Then no file is left that is not whole, and what was there before stays.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        create_folder(folder)?;
    }
    let unfinished = folder.join(unique_name()?);
    let written = write_new(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&unfinished);
    }
    written.and_then(|()| sync_folder(folder))
}

/// Creates a folder and those above it.
///
/// # Errors
///
/// What the file system says.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder).and_then(|()| sync_folder_of(folder))
}

/// Writes the entries of a path's folder to the disk, so that the path is found after a power failure.
///
/// # Errors
///
/// What the file system says.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    sync_folder(folder_of(path))
}

/// Returns the folder of a path, which is `.` for a name without one.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Returns a name that no other writer uses.
fn unique_name() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("{:032x}.new", u128::from_le_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/file");
        for content in [&b"first"[..], b"second", b""] {
            write(&path, content).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(folder_of(&path)).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("folder");
        fs::create_dir_all(path.join("inside")).unwrap();
        // A file cannot take a folder's name.
        write(&path, b"content").unwrap_err();
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let file = directory.path().join("file");
        fs::write(&file, b"content").unwrap();
        write(&file.join("below"), b"content").unwrap_err();
        assert_eq!(fs::read(&file).unwrap(), b"content");
    }

    #[test]
    fn a_name_without_a_folder_is_in_the_current_one() {
        assert_eq!(folder_of(Path::new("file")), Path::new("."));
        assert_eq!(folder_of(Path::new("/folder/file")), Path::new("/folder"));
        sync_folder_of(Path::new("file")).unwrap();
    }
}
