//! The operator's journal with its key.

use anyhow::{Context as _, Result};
use assent_journal::{Journal, JournalOptions, LocalSigner, RemoteSigner, RemoteSignerOptions};
use assent_secret_files::{KeyFile, read_password};
use assent_signer::SecretKey;
use zeroize::Zeroizing;

use crate::config::{KeySource, OperatorConfig};

/// Opens the journal of the configured key, or creates it if the key has never signed.
///
/// It is locked while it is open: no other process signs with the key meanwhile. To decrypt a keystore takes a second.
///
/// # Errors
///
/// The key cannot be read, or the journal is missing, damaged, older than the key's last use, or in use.
pub fn open_journal(config: &OperatorConfig, create: bool) -> Result<Journal> {
    let options = JournalOptions::new(&config.journal, &config.marker).accept_older(config.accept_older_journal);
    let journal = match &config.key {
        KeySource::File { path, password_file } => {
            let signer = LocalSigner::new(read_key(path, password_file.as_deref())?);
            if create { Journal::create(&options, signer) } else { Journal::open(&options, signer) }
        }
        KeySource::Remote { url, public_key } => {
            let signer = RemoteSigner::connect(RemoteSignerOptions::new(url, *public_key))?;
            if create { Journal::create(&options, signer) } else { Journal::open(&options, signer) }
        }
    };
    journal.map_err(|error| match error {
        error @ assent_journal::OpenError::Missing(_) => anyhow::Error::new(error)
            .context("run `assent-operator journal create` once, for a key that has never signed"),
        error @ (assent_journal::OpenError::Older { .. }
        | assent_journal::OpenError::OtherJournal { .. }
        | assent_journal::OpenError::NoMarker { .. }) => anyhow::Error::new(error)
            .context("the journal may lack what the key has signed (--accept-older-journal overrides)"),
        error => error.into(),
    })
}

/// Reads a key, with the password in a file if it is encrypted.
pub(crate) fn read_key(path: &std::path::Path, password_file: Option<&std::path::Path>) -> Result<SecretKey> {
    let file = KeyFile::read(path)?;
    let password = || -> Result<Zeroizing<String>, anyhow::Error> {
        let path =
            password_file.context("the keystore is encrypted; give --password-file with the file of its password")?;
        Ok(read_password(path)?)
    };
    file.open(path, password)
}
