//! Cases that once made the two sides differ, each a file in `tests/differential/campaign/regressions`.

use crate::Divergence;
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where they are kept.
pub fn directory() -> PathBuf {
    // cargo names this package's directory when it runs a program, wherever the clone has moved.
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from("tests/differential/campaign"), PathBuf::from)
        .join("regressions")
}

/// Writes a case down, and returns the file.
///
/// # Errors
///
/// When the file cannot be written.
pub fn keep(directory: &Path, name: &str, divergence: &Divergence) -> Result<PathBuf> {
    let file = directory.join(format!("{name}.json"));
    let json = serde_json::to_string_pretty(divergence)? + "\n";
    fs::create_dir_all(directory).and_then(|()| fs::write(&file, json)).with_context(|| file.display().to_string())?;
    Ok(file)
}

/// All cases that are kept, with their files.
///
/// # Errors
///
/// When a file cannot be read, or is no case.
pub fn read(directory: &Path) -> Result<Vec<(PathBuf, Divergence)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            let json = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let divergence = serde_json::from_str(&json).with_context(|| file.display().to_string())?;
            files.push((file, divergence));
        }
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(files)
}
