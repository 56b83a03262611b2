//! The configuration file.

use std::{fs::File, io::Read, path::Path};

use anyhow::{Context as _, Result, ensure};

/// The longest configuration file, in bytes.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Reads the text of a configuration file of up to 1 MiB.
///
/// # Errors
///
/// The file cannot be read, is longer, or is not UTF-8.
pub fn read_configuration(path: &Path) -> Result<String> {
    let shown = path.display();
    let mut text = String::new();
    // What grows while it is read, or has no length, is bounded too.
    let read = File::open(path).and_then(|file| file.take(LONGEST_FILE.saturating_add(1)).read_to_string(&mut text));
    let length = read.with_context(|| format!("cannot read the configuration {shown}"))?;
    let is_short = u64::try_from(length).is_ok_and(|length| length <= LONGEST_FILE);
    ensure!(is_short, "the configuration {shown} is longer than {LONGEST_FILE} bytes");
    Ok(text)
}
