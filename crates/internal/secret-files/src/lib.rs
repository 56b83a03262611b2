//! Reads files with secrets that only their owner may read: passwords and operators' keys.
//!
//! The errors are for people: they name the file, and say what to do.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod error;
mod key_file;

use std::{fs::File, io::Read, path::Path};

use assent_signer::require_private;
use zeroize::Zeroizing;

pub use error::{NamedFile, SecretFileError};
pub use key_file::{KeyFile, LONGEST_KEY_FILE};

/// Reads a file of at most `limit` bytes that only its owner may read. `what` says which, as in "password file".
///
/// # Errors
/// [`SecretFileError::Io`], [`SecretFileError::OpenToOthers`], [`SecretFileError::TooLong`].
pub fn read_private(what: &'static str, path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let named = || (what, path.to_owned());
    let io = |error| SecretFileError::Io { file: named().into(), error };
    let file = File::open(path).map_err(io)?;
    require_private(&file).map_err(|error| SecretFileError::OpenToOthers { file: named().into(), error })?;
    let mut contents = Zeroizing::new(Vec::new());
    file.take(limit.saturating_add(1)).read_to_end(&mut contents).map_err(io)?;
    if u64::try_from(contents.len()).unwrap_or(u64::MAX) > limit {
        return Err(SecretFileError::TooLong { file: named().into(), limit });
    }
    Ok(contents)
}

/// Reads the password in a file, without the line end.
///
/// # Errors
/// As [`read_private`]; [`SecretFileError::Password`] if the file has anything but one line of text.
pub fn read_password(path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    parse_password(&read_private("password file", path, LONGEST_KEY_FILE)?, path)
}

/// Returns the password that is the content of a file, without the line end.
///
/// # Errors
/// [`SecretFileError::Password`] if the file has anything but one line of text.
pub fn parse_password(contents: &[u8], path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    let invalid = |reason| SecretFileError::Password { path: path.to_owned(), reason };
    let text = str::from_utf8(contents).map_err(|_| invalid("is not UTF-8 text"))?;
    let password = text.strip_suffix('\n').unwrap_or(text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    // Each of these would silently become part of the password, or be removed from it.
    if password.starts_with('\u{feff}') {
        return Err(invalid("begins with a byte order mark; save it as UTF-8 without one"));
    }
    if password.contains(['\n', '\r']) {
        return Err(invalid("has more than one line; write only the password, on one line"));
    }
    if password.is_empty() {
        return Err(invalid("is empty; write the password on its first line"));
    }
    Ok(Zeroizing::new(password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_only_line_of_its_file() {
        let path = Path::new("p");
        let password = |contents: &[u8]| parse_password(contents, path).map(|password| password.to_string());
        assert_eq!(password(b"secret").unwrap(), "secret");
        assert_eq!(password(b"secret\n").unwrap(), "secret");
        assert_eq!(password(b" se cret \r\n").unwrap(), " se cret ");
        for contents in [&b""[..], b"\n", b"a\nb", b"a\n\n", b"\xef\xbb\xbfa", b"\xff"] {
            assert!(matches!(password(contents), Err(SecretFileError::Password { .. })), "{contents:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, "secret\n").unwrap();
        let permit = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        permit(0o600);
        assert_eq!(*read_password(&path).unwrap(), "secret");
        assert!(matches!(read_private("file", &path, 6), Err(SecretFileError::TooLong { .. })));
        permit(0o640);
        let error = read_password(&path).unwrap_err();
        assert!(matches!(error, SecretFileError::OpenToOthers { .. }));
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("chmod 600"), "{cause}");
        assert!(matches!(read_password(&directory.path().join("none")), Err(SecretFileError::Io { .. })));
    }
}
