//! Input: files and arguments of bounded length, with errors that say where and what to do.

use alloy_primitives::hex;
use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};
use zeroize::Zeroizing;

/// The maximum length of a JSON file, in bytes: twenty times that of an epoch of 2,000 operators.
pub const LONGEST_JSON: u64 = 32 * 1024 * 1024;

/// Reads a JSON file. `what` says which, as in "intent file".
pub fn read_json<T: DeserializeOwned>(what: &str, path: &Path) -> Result<T> {
    let text = read_file(what, path, LONGEST_JSON)?;
    serde_json::from_slice(&text)
        .map_err(|error| anyhow!("cannot parse {what} {}: {error}\n{}", path.display(), hint_for_json(what)))
}

/// Reads at most `limit` bytes of hex: digits after `0x`, `@FILE` for a file that holds them, or `-` for standard
/// input.
pub fn read_hex(what: &str, source: &str, limit: usize) -> Result<Vec<u8>> {
    let longest_text = (2 * limit + 64) as u64;
    let text = match source.strip_prefix('@') {
        Some(path) => read_text(what, Path::new(path), longest_text)?,
        None if source == "-" => read_text(what, Path::new("-"), longest_text)?,
        None => source.to_owned(),
    };
    // A program that failed leaves standard input, or its output file, empty. No bytes at all are written `0x`.
    if text.trim().is_empty() {
        bail!("{what} is empty: check the program or file that it comes from; give 0x for no bytes");
    }
    let bytes = prefixed_hex(text.trim()).map_err(|error| {
        anyhow!(
            "{what} is not hex: {error}\ngive hex digits after 0x, @FILE for a file that contains them, or - for \
             standard input"
        )
    })?;
    if bytes.len() > limit {
        bail!("{what} has {} bytes; the maximum is {limit}: check that it is not something else", bytes.len());
    }
    Ok(bytes)
}

/// Reads hex with `0x`. Hex without it can be a decimal number, or the hex of something else.
pub fn prefixed_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.strip_prefix("0x").ok_or("hex begins with 0x")?;
    hex::decode(digits).map_err(|error| error.to_string())
}

/// Reads a file of at most `limit` bytes; `-` is standard input.
pub fn read_file(what: &str, path: &Path, limit: u64) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        return read_at_most(what, path, limit, io::stdin());
    }
    let file = File::open(path).with_context(|| format!("cannot read {what} {}", path.display()))?;
    read_at_most(what, path, limit, file)
}

/// Reads a file that holds a secret as [`read_file`] does. Only its owner may have access to it.
pub fn read_secret(what: &'static str, path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>> {
    if path == Path::new("-") {
        return read_file(what, path, limit).map(Zeroizing::new);
    }
    Ok(assent_secret_files::read_private(what, path, limit)?)
}

fn read_at_most(what: &str, path: &Path, limit: u64, source: impl Read) -> Result<Vec<u8>> {
    let mut contents = Vec::new();
    source
        .take(limit + 1)
        .read_to_end(&mut contents)
        .with_context(|| format!("cannot read {what} {}", path.display()))?;
    if contents.len() as u64 > limit {
        bail!("{what} {} is longer than {limit} bytes; check that it is the right file", path.display());
    }
    Ok(contents)
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
        "chains file" => "it is {\"mirrors\": [{\"name\": text, \"rpcUrl\": URL, \"mirror\": address}, …]}",
        "document" => "a document is what `assent attest --document-out` writes",
        _ => "docs/protocol.md names the fields",
    }
}
