//! A directory with a key, its journal and its marker.

use std::path::PathBuf;

use assent_journal::{Journal, JournalOptions, LocalSigner, OpenError};
use assent_signer::SecretKey;
use tempfile::TempDir;

pub struct Place {
    pub directory: TempDir,
    key: [u8; 32],
}

impl Place {
    pub fn new() -> Self {
        let key = *SecretKey::generate().unwrap().to_bytes();
        Self { directory: tempfile::tempdir().unwrap(), key }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn options(&self) -> JournalOptions {
        JournalOptions::new(self.path("journal.redb"), self.path("marker"))
    }

    pub fn signer(&self) -> LocalSigner {
        LocalSigner::new(SecretKey::from_bytes(&self.key).unwrap())
    }

    pub fn create(&self) -> Journal {
        Journal::create(&self.options(), self.signer()).unwrap()
    }

    pub fn open(&self) -> Result<Journal, OpenError> {
        Journal::open(&self.options(), self.signer())
    }
}
