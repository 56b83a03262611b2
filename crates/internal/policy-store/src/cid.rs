//! Addresses of built policies.

use std::fmt;

use assent_policy::Bundle;

/// The address of a file: a CID of version 1 of raw bytes by SHA-256, in base 32.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid(String);

impl Cid {
    /// Parses an address. `None` if the text is another.
    pub fn parse(text: &str) -> Option<Self> {
        let is_base32 = |letter: char| letter.is_ascii_lowercase() || ('2'..='7').contains(&letter);
        let is_cid = text.len() == 59 && text.starts_with("bafkrei") && text.chars().all(is_base32);
        is_cid.then(|| Self(text.to_owned()))
    }

    /// Returns the address of a file.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Bundle::cid_of(bytes))
    }

    /// Returns the address of a policy's file.
    pub(crate) fn of_bundle(bundle: &Bundle) -> Self {
        Self(bundle.cid())
    }

    /// Returns the address that a URI ends with, if it does.
    pub fn of_uri(uri: &str) -> Option<Self> {
        let name = uri.rsplit('/').next()?;
        Self::parse(name.strip_suffix(".policy").unwrap_or(name))
    }

    /// Returns the address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the file in a store.
    pub(crate) fn file_name(&self) -> String {
        format!("{self}.policy")
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
