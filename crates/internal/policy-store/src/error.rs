//! Reasons why a policy is not stored or fetched.

use std::{io, path::PathBuf};

use alloy_primitives::B256;
use assent_policy::{BundleError, MAX_BUNDLE};

use crate::cid::Cid;

/// The reason why a policy is not stored or fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The text names no store.
    #[error("{scheme}:// is not a store; give a folder, or a URI with https://, http:// or s3://")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// The text is not a URL, or has no path below which files can be.
    #[error("{text} is not a URL: {reason}")]
    InvalidUrl {
        /// The text.
        text: String,
        /// Why not.
        reason: String,
    },
    /// The program was built without the feature that the store needs.
    #[error("this build has no support for {what}; build it with the default features")]
    Unsupported {
        /// What is missing.
        what: &'static str,
    },
    /// The store has no such file.
    #[error("cannot fetch {uri}: {reason}")]
    NotFound {
        /// The file's URI.
        uri: String,
        /// Who says so.
        reason: &'static str,
    },
    /// The store has no policy with the id.
    #[error("{store} has no policy {policy_id}")]
    UnknownPolicy {
        /// The store.
        store: String,
        /// The id that was asked for.
        policy_id: B256,
    },
    /// The folder has more policies than are looked through for an id.
    #[error("{} has more than {limit} policies; `assent policy publish` names files by ids", .folder.display())]
    TooManyFiles {
        /// The folder.
        folder: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// The file is longer than a policy can be.
    #[error("cannot fetch {uri}: it {what} more than {MAX_BUNDLE} bytes, which no policy has")]
    TooLong {
        /// The file's URI.
        uri: String,
        /// How that is known: the server announces it, or sends it.
        what: &'static str,
    },
    /// The server redirects, and must not choose another server.
    #[error("cannot fetch {uri}: the server redirects to {target}; give that URL if you trust it")]
    Redirected {
        /// The URL that was asked for.
        uri: String,
        /// Where the server redirects to.
        target: String,
    },
    /// The server answers with an error.
    #[error("cannot {doing} {uri}: the server answers {status}")]
    Status {
        /// What was tried.
        doing: &'static str,
        /// The URL.
        uri: String,
        /// The status.
        status: String,
    },
    /// The server cannot be reached, or its answer ends early.
    #[error("cannot {doing} {uri}")]
    Transport {
        /// What was tried.
        doing: &'static str,
        /// The URL.
        uri: String,
        /// What failed.
        #[source]
        source: reqwest::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// A bucket cannot be used.
    #[cfg(feature = "s3")]
    #[error(transparent)]
    S3(#[from] assent_s3::S3Error),
    /// The file with an address has other bytes.
    #[error("{uri} is damaged: it is not what its name says; remove it")]
    Damaged {
        /// The file's URI.
        uri: String,
    },
    /// The bytes are no built policy.
    #[error("{uri} gives no built policy")]
    NotAPolicy {
        /// The file's URI.
        uri: String,
        /// Why not.
        #[source]
        source: Box<BundleError>,
    },
    /// The file has another address than asked for.
    #[error("{uri} gives other bytes than asked for: their address is {actual}, not {expected}")]
    WrongAddress {
        /// The file's URI.
        uri: String,
        /// The address that was asked for.
        expected: Cid,
        /// The address of the bytes.
        actual: Cid,
    },
    /// The policy has another id than asked for.
    #[error("{uri} gives the policy {actual}, not {expected}")]
    WrongPolicy {
        /// The file's URI.
        uri: String,
        /// The id that was asked for.
        expected: B256,
        /// The policy's id.
        actual: B256,
    },
    /// A published URI is of the publisher's machine or account.
    #[error("{uri} is no URL of a web server; give the store that has it")]
    NotPublic {
        /// The URI.
        uri: String,
    },
    /// A published URI does not end with the file's address, by which a given store would have it.
    #[error("{uri} does not name an address, by which {store} has it")]
    NoAddress {
        /// The URI.
        uri: String,
        /// The given store.
        store: String,
    },
    /// The thread that reads and hashes ended.
    #[error("the work was cancelled: the program is ending")]
    Cancelled,
}
