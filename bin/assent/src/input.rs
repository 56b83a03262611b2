//! Input: files and arguments of bounded length, with errors that say where and what to do.

use alloy_primitives::hex;
use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

/// The maximum length of a JSON file, in bytes: twenty times that of an epoch of 2,000 operators.
pub const LONGEST_JSON: u64 = 32 * 1024 * 1024;

/// Reads a JSON file. `what` says which, as in "intent file".
pub fn read_json<T: DeserializeOwned>(what: &str, path: &Path) -> Result<T> {
    let text = read_file(what, path, LONGEST_JSON)?;
    serde_json::from_slice(&text)
        .map_err(|error| anyhow!("cannot parse {what} {}: {error}\n{}", path.display(), hint_for_json(what)))
}

/// Reads at most `limit` bytes of hex: digits with or without `0x`, `@FILE` for a file that holds them, or `-` for
/// standard input.
pub fn read_hex(what: &str, source: &str, limit: usize) -> Result<Vec<u8>> {
    let longest_text = (2 * limit + 64) as u64;
    let text = match source.strip_prefix('@') {
        Some(path) => read_text(what, Path::new(path), longest_text)?,
        None if source == "-" => read_text(what, Path::new("-"), longest_text)?,
        None => source.to_owned(),
    };
    let bytes = hex::decode(text.trim()).map_err(|error| {
        anyhow!(
            "{what} is not hex: {error}\ngive hex digits, @FILE for a file that contains hex, or - for standard input"
        )
    })?;
    if bytes.len() > limit {
        bail!("{what} has {} bytes; the maximum is {limit}: check that it is not something else", bytes.len());
    }
    Ok(bytes)
}

/// Reads a file of at most `limit` bytes; `-` is standard input.
pub fn read_file(what: &str, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let read = |source: &mut dyn Read| -> io::Result<Vec<u8>> {
        let mut contents = Vec::new();
        source.take(limit + 1).read_to_end(&mut contents)?;
        Ok(contents)
    };
    let contents = if path == Path::new("-") {
        read(&mut io::stdin())
    } else {
        File::open(path).and_then(|mut file| read(&mut file))
    }
    .with_context(|| format!("cannot read {what} {}", path.display()))?;
    if contents.len() as u64 > limit {
        bail!("{what} {} is longer than {limit} bytes; check that it is the right file", path.display());
    }
    Ok(contents)
}

/// Writes a file that another command reads.
pub fn write_file(what: &str, path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    fs::write(path, contents).with_context(|| format!("cannot write {what} {}", path.display()))
}

/// Writes a file that must not exist yet.
pub fn write_new_file(what: &str, path: &Path, contents: &str) -> Result<()> {
    File::create_new(path)
        .and_then(|mut file| file.write_all(contents.as_bytes()))
        .with_context(|| format!("cannot write {what} {}", path.display()))
}

/// Reads a file of text of at most `limit` bytes; `-` is standard input.
pub fn read_text(what: &str, path: &Path, limit: u64) -> Result<String> {
    String::from_utf8(read_file(what, path, limit)?)
        .map_err(|_| anyhow!("{what} {} is not text; check that it is the right file", path.display()))
}

fn hint_for_json(what: &str) -> &'static str {
    match what {
        "intent file" => {
            "an intent is {\"from\": address, \"to\": address, \"value\": wei, \"data\": calldata, \"chainId\": \
             number}, as `assent intent` prints it"
        }
        "epoch file" => "an epoch is what `assent epoch show --json` prints",
        "context file" => "a context is what `assent context --json` prints",
        "document" => "a document is what `assent attest --document-out` writes",
        _ => "docs/protocol.md names the fields",
    }
}
