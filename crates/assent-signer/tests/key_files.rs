//! Files that hold keys: never overwritten, never left open to others.

use std::fs;
use std::io::ErrorKind;

use assent_signer::{KeyDerivation, KeyFileError, Keystore, KeystoreError, SecretKey};

const CHEAP: KeyDerivation = KeyDerivation::Pbkdf2 { iterations: 1 };

#[test]
fn reads_back_an_unencrypted_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let key = SecretKey::generate().unwrap();
    key.write_unencrypted(&path).unwrap();
    assert_eq!(SecretKey::read_unencrypted(&path).unwrap().to_bytes(), key.to_bytes());
}

#[test]
fn overwrites_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("precious");
    fs::write(&path, "precious").unwrap();
    let key = SecretKey::generate().unwrap();
    match key.write_unencrypted(&path) {
        Err(KeyFileError::Io(error)) => assert_eq!(error.kind(), ErrorKind::AlreadyExists),
        other => panic!("{other:?}"),
    }
    match Keystore::encrypt(&key, "pass", CHEAP).unwrap().write(&path) {
        Err(KeystoreError::Io(error)) => assert_eq!(error.kind(), ErrorKind::AlreadyExists),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn refuses_files_that_hold_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let order = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    for (text, in_range) in
        [("", true), ("0x12", true), (&"zz".repeat(32), true), (&"11".repeat(5_000), true), (order, false)]
    {
        let path = directory.path().join("key");
        write_private(&path, text);
        match SecretKey::read_unencrypted(&path) {
            Err(KeyFileError::NotHex) => assert!(in_range),
            Err(KeyFileError::Key(_)) => assert!(!in_range),
            other => panic!("{other:?}"),
        }
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn refuses_a_keystore_longer_than_any() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keystore");
    fs::write(&path, " ".repeat(70_000)).unwrap();
    assert!(matches!(Keystore::read(&path), Err(KeystoreError::TooLong)));
}

#[cfg(unix)]
#[test]
fn creates_files_that_only_the_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let key = SecretKey::generate().unwrap();
    let (bare, keystore) = (directory.path().join("bare"), directory.path().join("keystore"));
    key.write_unencrypted(&bare).unwrap();
    Keystore::encrypt(&key, "pass", CHEAP).unwrap().write(&keystore).unwrap();
    for path in [bare, keystore] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[cfg(unix)]
#[test]
fn refuses_an_unencrypted_key_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    SecretKey::generate().unwrap().write_unencrypted(&path).unwrap();
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(SecretKey::read_unencrypted(&path), Err(KeyFileError::OpenToOthers { .. })), "{mode:o}");
    }
}

fn write_private(path: &std::path::Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}
