//! Records on disk what an operator signs, before it signs: one task, one attestation.
//!
//! [`Journal::sign`] is the only function that signs attestations, observations and handovers. In one transaction it
//! looks up the task, the source of an observation, or the epoch of a handover. It records the digest unless one is on
//! record. After that is on disk, it signs. Asked again for the recorded digest it gives the same signature; asked for
//! another it refuses.
//!
//! One `fsync` serves all callers that wait: see [`Journal`]. `docs/operators/journal.md` is the page for operators.
//!
//! ```
//! # #[allow(dead_code)] mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/statements.rs")); }
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path();
//! use assent_journal::{Journal, JournalOptions, LocalSigner, SignError, Statement};
//! use assent_signer::SecretKey;
//!
//! let options = JournalOptions::new(directory.join("journal.redb"), directory.join("operator.marker"));
//! let journal = Journal::create(&options, LocalSigner::new(SecretKey::generate()?))?;
//!
//! let [allow, deny] = example::two_decisions_on_one_task();
//! let signature = journal.sign(Statement::Attestations(&allow))?;
//! assert_eq!(journal.sign(Statement::Attestations(&allow))?, signature);
//! assert!(matches!(journal.sign(Statement::Attestations(&deny)), Err(SignError::AlreadySigned(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod directory;
mod entry;
mod error;
mod exclusive;
mod hold;
mod interchange;
mod journal;
mod marker;
mod options;
mod remote_signer;
mod signer;
mod statement;
mod store;
mod writer;

pub use entry::{Domain, Entry, Slot};
pub use error::{Conflict, ImportError, JournalError, OpenError, SignError};
pub use hold::{Excess, Hold, HoldRequest, HoldTotal, MAX_HOLDS};
pub use interchange::Import;
pub use journal::{Journal, PruneReport};
pub use marker::MarkerError;
pub use options::{JournalOptions, marker_beside};
pub use remote_signer::{Answer, RemoteSigner, RemoteSignerOptions, answer};
pub use signer::{LocalSigner, Recorded, Signer, SignerError};
pub use statement::Statement;

/// The time in seconds for which the journal keeps an entry, measured by the chain's clock.
///
/// An attestation is valid for at most 30 days, the longest lifetime of an epoch. After twice that time no contract
/// accepts it, so that what is signed then for the same task contradicts nothing that is still valid.
pub const RETENTION_SECONDS: u64 = 2 * 30 * 24 * 60 * 60;

/// The time in seconds by which a statement may be older than the newest one of its TaskManager, after pruning.
pub const LATEST_AFTER_PRUNING_SECONDS: u64 = 60 * 60;
