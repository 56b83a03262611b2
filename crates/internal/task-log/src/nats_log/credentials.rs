//! The file with a gateway's credentials for NATS.
//!
//! It is read here, and not as operators' secrets are: what reads those links what reads secret keys, and a gateway
//! must not.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

use async_nats::ConnectOptions;

use crate::error::OpenError;

/// The longest file of credentials, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Checks the file with a gateway's credentials, which only its owner may read.
///
/// # Errors
/// [`OpenError::Credentials`].
pub fn check_credentials(path: &Path) -> Result<(), OpenError> {
    with_credentials(ConnectOptions::new(), path).map(drop)
}

/// Adds the credentials in a file, which only its owner may read. What it contains is in no error.
pub(super) fn with_credentials(connection: ConnectOptions, path: &Path) -> Result<ConnectOptions, OpenError> {
    let failed = |reason: &str| OpenError::Credentials(format!("the file {} {reason}", path.display()));
    let unreadable = |error: std::io::Error| failed(&format!("cannot be read: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    if is_open_to_others(&file.metadata().map_err(unreadable)?) {
        return Err(failed("can be read by others; run `chmod 600` on it"));
    }
    let mut contents = Vec::new();
    file.take(LONGEST.saturating_add(1)).read_to_end(&mut contents).map_err(unreadable)?;
    if u64::try_from(contents.len()).unwrap_or(u64::MAX) > LONGEST {
        return Err(failed(&format!("is longer than {LONGEST} bytes")));
    }
    let text = str::from_utf8(&contents).map_err(|_| failed("is not text"))?.trim();
    if is_seed(text) {
        return Ok(connection.nkey(text.to_owned()));
    }
    // The library looks for the end of the last line.
    let added = connection.credentials(&format!("{text}\n"));
    added.map_err(|_| failed("is neither a .creds file nor an nkey's seed"))
}

#[cfg(unix)]
fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;

    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Metadata) -> bool {
    false
}

/// Returns whether a text is written as a user's seed is. The server says whether it is one.
fn is_seed(text: &str) -> bool {
    text.starts_with("SU") && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
